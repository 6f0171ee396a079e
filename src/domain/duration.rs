//! Durations in the configuration: `"10m"`, `"1h 30m"`, `"45s"`, `"7d"` (jiff's friendly format, or ISO 8601). A
//! duration is never negative.
//!
//! Use this module as `#[serde(with = "crate::domain::duration")]`.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// The maximum duration: one hundred years. Adding it to the current date does not overflow the calendar.
const MAX_DURATION: SignedDuration = SignedDuration::from_hours(36_500 * 24);

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

pub fn serialize<S: Serializer>(duration: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{duration:#}"))
}

/// Reads a duration from the database.
pub fn from_milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    i64::deserialize(deserializer).map(SignedDuration::from_millis)
}

/// Parses a duration in a human-readable format.
///
/// # Errors
/// Returns a message for the user, with examples.
pub fn parse(text: &str) -> Result<SignedDuration, String> {
    // A day is always 24 hours, because a configuration has no time zone.
    let parsed = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    match parsed {
        Ok(duration) if duration > MAX_DURATION => Err(format!("‘{text}’ is too long; the maximum is \"36500d\"")),
        Ok(duration) if !duration.is_negative() => Ok(duration),
        _ => Err(format!("‘{text}’ is not a valid duration; use a value such as \"45s\", \"1h 30m\" or \"7d\"")),
    }
}

/// Returns `time` plus `span`, capped at the latest supported date.
pub fn after(time: Timestamp, span: SignedDuration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// Returns `time` minus `span`, but no earlier than the beginning of the calendar.
pub fn before(time: Timestamp, span: SignedDuration) -> Timestamp {
    time.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// Serializes and deserializes optional durations.
pub mod optional {
    use super::*;

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SignedDuration>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }

    pub fn from_milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SignedDuration>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(SignedDuration::from_millis))
    }

    pub fn serialize<S: Serializer>(duration: &Option<SignedDuration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }
}
