//! The published feeds as OPML 2.0 (opml.org/spec2.opml): what a reader takes to subscribe to all of them. Pure.

use crate::domain::PublishedFeed;
use crate::publish::{Format, Options, clean};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io::{self, Write};

/// Its type; there is no registered one.
pub(in crate::serve) const OPML: &str = "text/x-opml; charset=utf-8";

/// The document. Each feed stands in it once, as Atom: every reader that takes OPML takes that.
pub(in crate::serve) fn outlines(options: &Options, feeds: &[PublishedFeed]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A vector takes whatever is written to it.
    let _ = write(&mut Writer::new_with_indent(&mut bytes, b' ', 2), options, feeds);
    bytes.push(b'\n');
    bytes
}

fn write<W: Write>(writer: &mut Writer<W>, options: &Options, feeds: &[PublishedFeed]) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let opml = writer.create_element("opml").with_attribute(("version", "2.0"));
    opml.write_inner_content(|writer| {
        writer.create_element("head").write_inner_content(|writer| {
            let title = clean(&options.title);
            writer.create_element("title").write_text_content(BytesText::new(&title))?;
            let docs = BytesText::new("http://opml.org/spec2.opml");
            writer.create_element("docs").write_text_content(docs)?;
            Ok(())
        })?;
        writer.create_element("body").write_inner_content(|writer| {
            for feed in feeds {
                let (title, page) = (clean(&feed.title), options.url(""));
                let address = options.url(&format!("feeds/{}.{}", feed.name, Format::Atom.extension()));
                writer
                    .create_element("outline")
                    // Of every feed, whatever its format.
                    .with_attribute(("type", "rss"))
                    .with_attribute(("text", title.as_str()))
                    .with_attribute(("title", title.as_str()))
                    .with_attribute(("xmlUrl", address.as_str()))
                    .with_attribute(("htmlUrl", page.as_str()))
                    .write_empty()?;
            }
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}
