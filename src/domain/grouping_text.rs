//! The text of an item by which it is grouped, in addition to its title.

use super::Item;
use std::borrow::Cow;

/// The minimum number of words of a summary for grouping. The beginning of the article extends a shorter summary.
const MIN_GROUPING_WORDS: usize = 40;

impl Item {
    /// Returns the text that represents the item in grouping, in addition to its title: the summary. If the summary is
    /// short, the beginning of the article extends it.
    pub fn grouping_text(&self) -> Cow<'_, str> {
        let word_count = |text: &str| text.split_whitespace().count();
        let Some(article) = self.article.as_ref().filter(|_| word_count(&self.summary) < MIN_GROUPING_WORDS) else {
            return Cow::Borrowed(&self.summary);
        };
        let mut text = self.summary.clone();
        // Most feeds copy their summary from the article's first paragraph.
        let start = self.summary.trim_end_matches(['.', '…', ' ']);
        for paragraph in article.text.lines().filter(|paragraph| start.is_empty() || !paragraph.starts_with(start)) {
            if word_count(&text) >= MIN_GROUPING_WORDS {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(paragraph);
        }
        Cow::Owned(text)
    }
}
