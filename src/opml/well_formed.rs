//! Checks whether a list is well-formed XML (XML 1.0, §2.1), except for bare ampersands.
//!
//! A list that is not may have lost outlines, however leniently it is read, so `source sync` must not remove the sources
//! that it lacks. Never reads an outline.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// A fault of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OpmlFault {
    /// The line of the file, counted from 1.
    pub line: usize,
    pub message: String,
}

/// The first fault of a file as XML.
pub struct WellFormednessFault {
    pub fault: OpmlFault,
    /// Whether the fault is that the file is truncated.
    pub is_truncation: bool,
}

/// The first fault of a text; `None` if every outline that was written can be read.
pub fn first_fault(text: &str) -> Option<WellFormednessFault> {
    let mut reader = Reader::from_str(text);
    // A bare `&` loses nothing, and most shared lists contain one.
    reader.config_mut().allow_dangling_amp = true;
    let mut open: Vec<String> = Vec::new();
    loop {
        let position = reader.buffer_position();
        match reader.read_event() {
            Err(error) => return Some(fault_at(text, reader.error_position(), error.to_string(), false)),
            Ok(Event::Start(tag)) => {
                if let Some(message) = fault_in_tag(&tag) {
                    return Some(fault_at(text, position, message, false));
                }
                open.push(tag.name().as_ref().to_owned());
            }
            Ok(Event::Empty(tag)) => {
                if let Some(message) = fault_in_tag(&tag) {
                    return Some(fault_at(text, position, message, false));
                }
            }
            Ok(Event::End(_)) => drop(open.pop()),
            Ok(Event::Eof) => {
                let message = format!("the file ends before <{}> is closed", open.pop()?);
                return Some(fault_at(text, text.trim_end().len() as u64, message, true));
            }
            Ok(_) => {}
        }
    }
}

fn fault_at(text: &str, position: u64, message: String, is_truncation: bool) -> WellFormednessFault {
    let position = usize::try_from(position).unwrap_or(text.len()).min(text.len());
    let line = 1 + text.as_bytes()[..position].iter().filter(|b| **b == b'\n').count();
    WellFormednessFault { fault: OpmlFault { line, message }, is_truncation }
}

/// A `<` in a value means that a quote is missing and that the value contains the text after it.
fn fault_in_tag(tag: &BytesStart<'_>) -> Option<String> {
    for attribute in tag.attributes() {
        match attribute {
            Err(error) => return Some(error.to_string()),
            Ok(attribute) if attribute.value.contains('<') => {
                let name = attribute.key.as_ref();
                return Some(format!("the value of {name} contains <, so a quote may be missing"));
            }
            Ok(_) => {}
        }
    }
    None
}
