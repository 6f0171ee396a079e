//! Whether a list is well-formed XML (XML 1.0, section 2.1), but for bare ampersands: what isn't may have lost outlines
//! in the reading, however leniently it was read.
//!
//! It reads no outline. It decides what a program may do that removes what a file does not hold.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The first thing that is wrong with a list as XML.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OpmlFault {
    /// The line of the file, from 1.
    pub line: usize,
    pub what: String,
}

/// The first fault of a list, and whether it is that the file ends too early; `None` where every outline that was
/// written was also read.
pub(super) fn first_fault(text: &str) -> Option<(OpmlFault, bool)> {
    let found = |position: u64, what: String, is_end: bool| {
        let position = usize::try_from(position).unwrap_or(text.len()).min(text.len());
        let line = 1 + text.as_bytes()[..position].iter().filter(|b| **b == b'\n').count();
        Some((OpmlFault { line, what }, is_end))
    };
    let mut reader = Reader::from_str(text);
    // A bare `&` loses nothing, and most lists that people share have one.
    reader.config_mut().allow_dangling_amp = true;
    let mut open: Vec<String> = Vec::new();
    loop {
        let position = reader.buffer_position();
        match reader.read_event() {
            Err(error) => return found(reader.error_position(), error.to_string(), false),
            Ok(Event::Start(tag)) => {
                if let Some(what) = fault_in_tag(&tag) {
                    return found(position, what, false);
                }
                open.push(tag.name().as_ref().to_owned());
            }
            Ok(Event::Empty(tag)) => {
                if let Some(what) = fault_in_tag(&tag) {
                    return found(position, what, false);
                }
            }
            Ok(Event::End(_)) => drop(open.pop()),
            Ok(Event::Eof) => {
                let innermost = open.pop()?;
                let what = format!("the file ends before <{innermost}> is closed");
                return found(text.trim_end().len() as u64, what, true);
            }
            Ok(_) => {}
        }
    }
}

/// A `<` in a value means that a quote is missing, and that what follows was taken into the value.
fn fault_in_tag(tag: &BytesStart<'_>) -> Option<String> {
    for attribute in tag.attributes() {
        match attribute {
            Err(error) => return Some(error.to_string()),
            Ok(attribute) if attribute.value.contains('<') => {
                return Some(format!(
                    "a < stands in the value of {}, so that a quote may be missing",
                    attribute.key.as_ref()
                ));
            }
            Ok(_) => {}
        }
    }
    None
}
