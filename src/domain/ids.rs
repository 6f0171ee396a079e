//! Identifier types. The ids of sources, items, constraints and subscribers are row numbers of one database. A story's
//! id is public, so it is a hash of the item that started the story: it does not depend on a machine or a counter.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id! {
    /// A source in this database.
    SourceId
}
row_id! {
    /// An item in this database.
    ItemId
}
row_id! {
    /// A grouping constraint in this database.
    ConstraintId
}

row_id! {
    /// A subscriber of newsfold's own hub in this database.
    SubscriberId
}

/// The public id of a story: 60 bits, written as twelve lowercase characters of Crockford's Base32.
///
/// The id is minted once, from the item that starts the story. URLs and published entries contain it, so it never
/// changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoryId(i64);

impl StoryId {
    /// The length of the text form.
    pub const LENGTH: usize = 12;
    const ALPHABET: &'static [u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    const MASK: u64 = (1 << 60) - 1;

    /// Mints the id of a story started by the item `guid` of the source at `source_url`. `attempt` starts at 0 and
    /// increases while the id is taken by a collision (probability 2^-60 per pair) or by an earlier story of the item.
    pub fn mint(source_url: &str, guid: &str, attempt: u32) -> Self {
        let mut seed = Vec::with_capacity(source_url.len() + guid.len() + 8);
        seed.extend_from_slice(source_url.as_bytes());
        seed.push(0);
        seed.extend_from_slice(guid.as_bytes());
        seed.push(0);
        seed.extend_from_slice(&attempt.to_le_bytes());
        StoryId((xxhash_rust::xxh3::xxh3_64(&seed) & Self::MASK) as i64)
    }

    /// Returns the row number in the database, always in 0..2^60.
    pub fn to_row(self) -> i64 {
        self.0
    }

    /// Returns the id with this row number.
    pub const fn from_row(row: i64) -> Self {
        StoryId((row as u64 & Self::MASK) as i64)
    }

    /// Returns the row numbers of all ids that begin with `prefix`. The command line accepts a prefix instead of an id.
    pub fn rows_of_prefix(prefix: &str) -> Result<std::ops::RangeInclusive<i64>, InvalidStoryId> {
        let bad = || InvalidStoryId(super::display_text::one_line(prefix, 40));
        if prefix.is_empty() || prefix.len() > Self::LENGTH {
            return Err(bad());
        }
        let mut value = 0i64;
        for byte in prefix.bytes() {
            // Crockford's decoding maps letters that look like a digit to that digit.
            let byte = match byte.to_ascii_lowercase() {
                b'o' => b'0',
                b'i' | b'l' => b'1',
                other => other,
            };
            let digit = Self::ALPHABET.iter().position(|a| *a == byte).ok_or_else(bad)?;
            value = value << 5 | digit as i64;
        }
        let open = 5 * (Self::LENGTH - prefix.len());
        Ok(value << open..=(value << open) + ((1i64 << open) - 1))
    }
}

impl fmt::Display for StoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..Self::LENGTH).rev() {
            let digit = (self.0 >> (5 * place)) & 31;
            write!(f, "{}", Self::ALPHABET[digit as usize] as char)?;
        }
        Ok(())
    }
}

impl FromStr for StoryId {
    type Err = InvalidStoryId;

    fn from_str(text: &str) -> Result<Self, InvalidStoryId> {
        if text.len() != Self::LENGTH {
            return Err(InvalidStoryId(super::display_text::one_line(text, 40)));
        }
        Ok(StoryId(*Self::rows_of_prefix(text)?.start()))
    }
}

impl Serialize for StoryId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StoryId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self::from_row);
        }
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The error for a string that is not a story id.
#[derive(Debug, thiserror::Error)]
#[error("‘{0}’ is not a story id: it is up to 12 letters and digits, as `newsfold story list` prints them")]
pub struct InvalidStoryId(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_id_parses_to_the_same_id() {
        for attempt in 0..1000 {
            let id = StoryId::mint("https://a.example/feed", "guid", attempt);
            assert_eq!(id.to_string().parse::<StoryId>().unwrap(), id);
            assert_eq!(StoryId::from_row(id.to_row()), id);
        }
    }

    #[test]
    fn id_is_the_same_in_every_version_and_on_every_machine() {
        assert_eq!(StoryId::mint("https://a.example/feed", "tag:1", 0).to_string(), "t32rvw0r5bv1");
    }

    #[test]
    fn prefix_covers_exactly_the_ids_that_begin_with_it() {
        let id = StoryId::mint("https://a.example/feed", "guid", 0);
        let written = id.to_string();
        for length in 1..=12 {
            assert!(StoryId::rows_of_prefix(&written[..length]).unwrap().contains(&id.to_row()));
        }
        assert!(!StoryId::rows_of_prefix("zzzz").unwrap().contains(&0));
        assert!(StoryId::rows_of_prefix("not an id").is_err());
        assert!("abc".parse::<StoryId>().is_err());
    }
}
