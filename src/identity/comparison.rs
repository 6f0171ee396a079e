//! Measures what an item of a document and a stored item of its source have in common.

use super::links::{LinkAgreement, compare_links, is_article_link};
use crate::domain::{ItemId, NewItem, Timestamp};
use jiff::SignedDuration;
use std::collections::HashSet;

/// The maximum distance between near dates. Daily columns appear slightly less than 24 hours apart.
const NEAR: SignedDuration = SignedDuration::from_hours(12);
/// The minimum number of words in a specific title. Shorter titles often name a recurring section.
const MIN_TITLE_WORDS: usize = 3;
/// The minimum number of words in specific text. Shorter text often recurs: "Listen to the latest episode".
const MIN_TEXT_WORDS: usize = 8;
/// The minimum share of title words that two similar titles have in common.
const SIMILAR_TITLE: f64 = 0.5;
/// The minimum share of the shorter text's words that similar texts share. Most texts share function words.
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
    /// At least one of the items lacks the property.
    Unknown,
}

/// The properties that two items have in common, and their significance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    pub link: LinkAgreement,
    pub title: Agreement,
    pub text: Agreement,
    pub date: Agreement,
    /// Whether the link leads to one article and no other item of the source has it.
    pub is_link_specific: bool,
    /// Whether the title has several words and no other item of the document has it.
    pub is_title_specific: bool,
    /// Whether the text has more than a few words.
    pub is_text_specific: bool,
    /// Whether the source assigned a guid to the item.
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
    /// Returns how much two items have in common, so that the best of several stored items can be chosen.
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

/// Compares two titles. Titles with different numbers belong to a series: "Version 4.1", "Traffic at 9".
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

/// Compares the text of two items. Text that repeats the title provides no evidence.
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

/// Compares two dates. Equal dates without a time of day show only that both items appeared on the same day.
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

/// Returns the lowercase words of the text without punctuation. Splits scripts without spaces into pairs of characters.
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

/// Returns whether a character is Thai, Lao, Myanmar, Khmer or of an East Asian script other than Hangul.
fn is_written_without_spaces(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}
