//! Parses offsets from UTC.

use jiff::tz::Offset;

use super::{digit_count, leading_number};

/// The plus sign, the hyphen-minus, and the minus sign and the en dash, which word processors write instead of the
/// hyphen-minus.
pub const SIGNS: [char; 4] = ['+', '-', '\u{2212}', '\u{2013}'];

/// Parses `+02:00`, `-0800` or `+2`. Returns the text after the offset, which must not continue the number.
pub fn parse_offset(text: &str) -> Option<(Offset, &str)> {
    let sign = if text.starts_with('+') { 1 } else { -1 };
    let text = text.trim_start_matches(SIGNS).trim_start();
    let (hours, minutes, after) = match digit_count(text) {
        1 | 2 => {
            let (hours, after) = leading_number(text, 2)?;
            match after.strip_prefix(':') {
                Some(after) => leading_number(after, 2).map(|(minutes, after)| (hours, minutes, after))?,
                None => (hours, 0, after),
            }
        }
        3 => (text[..1].parse().ok()?, text[1..3].parse().ok()?, &text[3..]),
        4 => (text[..2].parse().ok()?, text[2..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    if hours > 15 || minutes > 59 || after.starts_with(|c: char| c.is_alphanumeric() || c == ':') {
        return None;
    }
    let offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60) as i32).ok()?;
    Some((offset, after))
}
