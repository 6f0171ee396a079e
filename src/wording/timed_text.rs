//! Text that contains times. Pages write each time as a `<time>` element, and commands as text.

use super::Audience;
use crate::domain::Timestamp;

/// A text in which each time is a separate value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimedText(Vec<TextPart>);

/// Words, and the time that follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPart {
    pub words: String,
    pub time: Option<Timestamp>,
}

impl TimedText {
    pub fn parts(&self) -> &[TextPart] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|part| part.words.is_empty() && part.time.is_none())
    }

    /// Appends text.
    pub fn words(mut self, words: impl Into<String>) -> TimedText {
        self.0.push(TextPart { words: words.into(), time: None });
        self
    }

    /// Appends a time.
    pub fn time(mut self, at: Timestamp) -> TimedText {
        self.0.push(TextPart { words: String::new(), time: Some(at) });
        self
    }

    /// Appends a time, or `never`.
    pub fn optional_time(self, at: Option<Timestamp>) -> TimedText {
        match at {
            Some(at) => self.time(at),
            None => self.words("never"),
        }
    }

    /// Returns the text, with times in the format and time zone for this audience.
    pub fn format(&self, audience: Audience<'_>) -> String {
        let format = |part: &TextPart| {
            let time = part.time.map_or_else(String::new, |at| audience.time(at));
            format!("{}{time}", part.words)
        };
        self.0.iter().map(format).collect()
    }
}

impl From<String> for TimedText {
    fn from(words: String) -> TimedText {
        TimedText::default().words(words)
    }
}

impl From<&str> for TimedText {
    fn from(words: &str) -> TimedText {
        TimedText::default().words(words)
    }
}

impl From<Timestamp> for TimedText {
    fn from(at: Timestamp) -> TimedText {
        TimedText::default().time(at)
    }
}
