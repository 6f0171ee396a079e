//! How much an item of a document and a stored item of its source have in common.

use super::links::{LinkAgreement, compare_links, is_article_link};
use crate::domain::{ItemId, NewItem, Timestamp};
use jiff::SignedDuration;
use std::collections::HashSet;

/// Columns and weather reports appear once a day, and a little earlier than 24 hours after the previous one.
const NEAR: SignedDuration = SignedDuration::from_hours(12);
/// Shorter titles are often the name of a rubric.
const MIN_TITLE_WORDS: usize = 3;
/// Shorter texts are often the same for several items: "Listen to the latest episode".
const MIN_TEXT_WORDS: usize = 8;
/// The part of the words of both titles that similar titles share.
const SIMILAR_TITLE: f64 = 0.5;
/// The part of the words of the shorter text that similar texts share. Texts of one language share function words.
const SIMILAR_TEXT: f64 = 0.7;

/// The properties of a stored item that recognition reads.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct StoredItem {
    pub id: ItemId,
    pub url: Option<String>,
    pub title: String,
    pub summary: String,
    pub published_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    Same,
    Similar,
    Different,
    /// An item does not have the property.
    Unknown,
}

/// What two items have in common, and how much that proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    pub link: LinkAgreement,
    pub title: Agreement,
    pub text: Agreement,
    pub date: Agreement,
    /// The link is that of one article, and no other item of the source has it.
    pub is_link_specific: bool,
    /// The title has several words, and no other item of the document has it.
    pub is_title_specific: bool,
    /// The text has more than a few words.
    pub is_text_specific: bool,
    /// The source gave the item a guid of its own.
    pub has_own_guid: bool,
}

pub fn compare(new: &NewItem, stored: &StoredItem, has_own_guid: bool) -> Comparison {
    Comparison {
        link: compare_links(new.url.as_deref(), stored.url.as_deref()),
        title: compare_titles(&new.title, &stored.title),
        text: compare_texts(new, stored),
        date: compare_dates(new.published_at, stored.published_at),
        is_link_specific: new.url.as_deref().is_some_and(is_article_link),
        is_title_specific: words(&new.title).len() >= MIN_TITLE_WORDS,
        is_text_specific: words(&new.summary).len() >= MIN_TEXT_WORDS,
        has_own_guid,
    }
}

impl Comparison {
    /// How much two items have in common, to choose between several stored items.
    pub fn strength(&self) -> u32 {
        let points = |agreement: Agreement| match agreement {
            Agreement::Same => 4,
            Agreement::Similar => 1,
            Agreement::Different | Agreement::Unknown => 0,
        };
        let link = match self.link {
            LinkAgreement::Same => 5,
            LinkAgreement::Similar => 2,
            LinkAgreement::Different | LinkAgreement::Unknown => 0,
        };
        link + points(self.title) + points(self.text) + points(self.date)
    }
}

/// Titles with different numbers are those of a series: "Version 4.1", "Traffic at 9".
fn compare_titles(a: &str, b: &str) -> Agreement {
    let (a, b) = (words(a), words(b));
    if a == b {
        return Agreement::Same;
    }
    let is_number = |word: &&String| word.starts_with(|c: char| c.is_numeric());
    if !a.iter().filter(is_number).eq(b.iter().filter(is_number)) {
        return Agreement::Different;
    }
    let (a, b): (HashSet<String>, HashSet<String>) = (a.into_iter().collect(), b.into_iter().collect());
    let shared = 2.0 * a.intersection(&b).count() as f64 / (a.len() + b.len()).max(1) as f64;
    if shared >= SIMILAR_TITLE { Agreement::Similar } else { Agreement::Different }
}

/// A text that repeats the title adds nothing.
fn compare_texts(new: &NewItem, stored: &StoredItem) -> Agreement {
    let own_text = |title: &str, text: &str| Some(words(text)).filter(|text| !text.is_empty() && *text != words(title));
    let texts = (own_text(&new.title, &new.summary), own_text(&stored.title, &stored.summary));
    let (Some(a), Some(b)) = texts else { return Agreement::Unknown };
    if a == b {
        return Agreement::Same;
    }
    let (a, b): (HashSet<String>, HashSet<String>) = (a.into_iter().collect(), b.into_iter().collect());
    let shared = a.intersection(&b).count() as f64 / a.len().min(b.len()) as f64;
    if shared >= SIMILAR_TEXT { Agreement::Similar } else { Agreement::Different }
}

/// Equal dates without a time of day say only that two items appeared on one day.
fn compare_dates(a: Option<Timestamp>, b: Option<Timestamp>) -> Agreement {
    let (Some(a), Some(b)) = (a, b) else { return Agreement::Unknown };
    let has_time = a.as_second().rem_euclid(24 * 60 * 60) != 0;
    if a == b && has_time {
        Agreement::Same
    } else if a.duration_since(b).abs() <= NEAR {
        Agreement::Similar
    } else {
        Agreement::Different
    }
}

/// The words of a text in lower case, without punctuation. Scripts without spaces are split into pairs of characters.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty()) {
        let run = run.to_lowercase();
        let chars: Vec<char> = run.chars().collect();
        if chars.len() > 2 && chars.iter().any(|c| is_written_without_spaces(*c)) {
            words.extend(chars.windows(2).map(|pair| pair.iter().collect::<String>()));
        } else {
            words.push(run);
        }
    }
    words
}

/// Thai, Lao, Myanmar and Khmer, and the scripts of East Asia except Hangul.
fn is_written_without_spaces(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}
