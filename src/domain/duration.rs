//! Durations in the configuration: `"10m"`, `"1h 30m"`, `"45s"`, `"7d"` (jiff's friendly form, ISO 8601 too). Never negative.
//!
//! For `#[serde(with = "crate::domain::duration")]`.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// A hundred years: no date that is reckoned with it from today leaves the calendar.
const LONGEST: SignedDuration = SignedDuration::from_hours(36_500 * 24);

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

pub fn serialize<S: Serializer>(duration: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{duration:#}"))
}

/// Reads a duration as people write it; a message that says how to write one where it is none.
pub fn parse(text: &str) -> Result<SignedDuration, String> {
    // Days and weeks are meant as so many hours: nobody's daylight saving time is in a configuration.
    let read = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    match read {
        Ok(duration) if duration > LONGEST => {
            Err(format!("‘{text}’ is too long; nothing here takes more than \"36500d\""))
        }
        Ok(duration) if !duration.is_negative() => Ok(duration),
        _ => Err(format!("‘{text}’ is no duration; write for example \"45s\", \"10m\", \"1h 30m\" or \"7d\"")),
    }
}

/// A time later by a span; the calendar's end where there is none.
pub fn after(time: Timestamp, span: SignedDuration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// A time earlier by a span; the calendar's beginning where there is none.
pub fn before(time: Timestamp, span: SignedDuration) -> Timestamp {
    time.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// The same for settings that may be left out.
pub mod optional {
    use super::*;

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SignedDuration>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }

    pub fn serialize<S: Serializer>(duration: &Option<SignedDuration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }
}
