//! Identifier types. The IDs of sources, items, constraints and subscribers are row numbers of one database. The IDs of
//! stories and storylines are public, so they are hashes of the item that started the story or storyline and do not
//! depend on the machine or on a counter.

use super::display_text::one_line;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use xxhash_rust::xxh3::xxh3_64;

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

/// The number of characters of a public ID.
const PUBLIC_ID_LENGTH: usize = 12;
/// The alphabet of Crockford's Base32.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The 60 bits of a public ID.
const MASK: u64 = (1 << 60) - 1;

macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(i64);

        impl $name {
            /// Returns the row number in the database, always in 0..2^60.
            pub fn to_row(self) -> i64 {
                self.0
            }

            /// Returns the ID with this row number.
            pub const fn from_row(row: i64) -> Self {
                $name((row as u64 & MASK) as i64)
            }

            /// Returns the row numbers of all IDs that begin with `prefix`. The command line accepts a prefix instead
            /// of an ID.
            pub fn rows_of_prefix(prefix: &str) -> Result<RangeInclusive<i64>, InvalidPublicId> {
                let invalid = || InvalidPublicId { text: one_line(prefix, 40), kind: $kind };
                rows_of_prefix(prefix).ok_or_else(invalid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let digit = |place: usize| char::from(ALPHABET[((self.0 >> (5 * place)) & 31) as usize]);
                (0..PUBLIC_ID_LENGTH).rev().try_for_each(|place| write!(f, "{}", digit(place)))
            }
        }

        impl FromStr for $name {
            type Err = InvalidPublicId;

            fn from_str(text: &str) -> Result<Self, InvalidPublicId> {
                if text.len() != PUBLIC_ID_LENGTH {
                    return Err(InvalidPublicId { text: one_line(text, 40), kind: $kind });
                }
                Ok($name(*Self::rows_of_prefix(text)?.start()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if !deserializer.is_human_readable() {
                    return i64::deserialize(deserializer).map(Self::from_row);
                }
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

public_id! {
    /// The public ID of a story: 60 bits, written as twelve lowercase characters of Crockford's Base32.
    ///
    /// The ID is minted once, from the item that starts the story. URLs and published entries contain it, so it never
    /// changes.
    StoryId, "story"
}
public_id! {
    /// The public ID of a storyline, in the same form as [`StoryId`]. It is minted once, from the story that starts the
    /// storyline.
    StorylineId, "storyline"
}

impl StoryId {
    /// Mints the ID of a story started by the item `guid` of the source at `source_url`. `attempt` starts at 0 and
    /// increases while the ID is taken by a collision (probability 2^-60 per pair) or by an earlier story of the item.
    pub fn mint(source_url: &str, guid: &str, attempt: u32) -> Self {
        let mut seed = Vec::with_capacity(source_url.len() + guid.len() + 8);
        seed.extend_from_slice(source_url.as_bytes());
        seed.push(0);
        seed.extend_from_slice(guid.as_bytes());
        seed.push(0);
        seed.extend_from_slice(&attempt.to_le_bytes());
        Self::from_row(xxh3_64(&seed) as i64)
    }
}

impl StorylineId {
    /// Mints the ID of a storyline that `story` starts. At first, it equals the ID of the story. `attempt` increases
    /// while the ID is taken by an earlier storyline of the story.
    pub fn mint(story: StoryId, attempt: u32) -> Self {
        match attempt {
            0 => Self::from_row(story.to_row()),
            _ => Self::from_row(xxh3_64(format!("storyline {story} {attempt}").as_bytes()) as i64),
        }
    }
}

fn rows_of_prefix(prefix: &str) -> Option<RangeInclusive<i64>> {
    if prefix.is_empty() || prefix.len() > PUBLIC_ID_LENGTH {
        return None;
    }
    let mut value = 0i64;
    for byte in prefix.bytes() {
        // Crockford's decoding maps letters that look like a digit to that digit.
        let byte = match byte.to_ascii_lowercase() {
            b'o' => b'0',
            b'i' | b'l' => b'1',
            other => other,
        };
        value = value << 5 | ALPHABET.iter().position(|a| *a == byte)? as i64;
    }
    let open = 5 * (PUBLIC_ID_LENGTH - prefix.len());
    Some(value << open..=(value << open) + ((1i64 << open) - 1))
}

/// The error for a string that is not the ID of a story or a storyline.
#[derive(Debug, thiserror::Error)]
#[error("‘{text}’ is not a {kind} ID; an ID has up to 12 letters and digits, as printed by `newsfold {kind} list`")]
pub struct InvalidPublicId {
    text: String,
    kind: &'static str,
}

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
