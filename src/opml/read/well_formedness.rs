//! Finds the first place where a list is not well-formed XML, and the lines with a bare `&`.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::OpmlFault;
use super::SubscriptionList;

/// Checks whether a list is well-formed XML (XML 1.0, §2.1), except for bare ampersands. The reader may lose outlines
/// of a malformed list, so `source sync` must not remove the sources that are missing from it.
pub fn find_first_fault(text: &str, list: &mut SubscriptionList) {
    let mut reader = Reader::from_str(text);
    // A bare `&` causes no loss, and most shared lists contain one.
    reader.config_mut().allow_dangling_amp = true;
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<String> = Vec::new();
    let (position, message) = loop {
        let position = reader.buffer_position();
        match reader.read_event() {
            Err(error) => break (reader.error_position(), error.to_string()),
            Ok(Event::Start(tag)) => {
                if let Some(message) = fault_in_tag(&tag) {
                    break (position, message);
                }
                open.push(tag.name().as_ref().to_owned());
            }
            Ok(Event::End(_)) => drop(open.pop()),
            Ok(Event::Eof) => {
                let Some(name) = open.pop() else { return };
                list.is_truncated = true;
                break (text.trim_end().len() as u64, format!("the file ends before <{name}> is closed"));
            }
            Ok(_) => {}
        }
    };
    let position = usize::try_from(position).unwrap_or(text.len()).min(text.len());
    let line = 1 + text.as_bytes()[..position].iter().filter(|b| **b == b'\n').count();
    list.fault = Some(OpmlFault { line, message });
}

/// Returns the problem in a tag, if any. A `<` in a value shows that a quote is missing and that the value extends too
/// far.
fn fault_in_tag(tag: &BytesStart<'_>) -> Option<String> {
    tag.attributes().find_map(|attribute| match attribute {
        Err(error) => Some(error.to_string()),
        Ok(attribute) => attribute
            .value
            .contains('<')
            .then(|| format!("the value of {} contains <, so a quote may be missing", attribute.key.as_ref())),
    })
}

/// Returns the lines with an `&` that does not start a reference. HTML entities such as `&nbsp;` count as references.
pub fn bare_ampersand_lines(text: &str) -> Vec<usize> {
    let is_bare = |after: &str| {
        let name = after.split_once(';').map_or("", |(name, _)| name);
        let name = name.strip_prefix('#').unwrap_or(name);
        name.is_empty() || name.len() > 32 || !name.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let has_bare = |line: &str| line.match_indices('&').any(|(at, _)| is_bare(&line[at + 1..]));
    text.lines().enumerate().filter(|(_, line)| has_bare(line)).map(|(index, _)| index + 1).collect()
}
