//! Generates feeds. Each run generates the same text.

use jiff::{SignedDuration, Timestamp};
use std::fmt::Write;

/// The words of the generated text are random combinations of these syllables.
const SYLLABLES: [&str; 24] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "xi", "yo",
    "zu", "an", "er", "in", "st",
];

/// Generates a feed with reports that are dated within the last two days. Each report has a headline of ten words, and
/// a text of 40 to 100 words as its summary and its content.
pub fn generate(feed: usize, count: usize) -> String {
    let mut random = Random(feed as u64 + 1);
    let mut items = String::new();
    for n in 0..count {
        let length = 40 + random.below(61);
        let (title, text) = (sentence(&mut random, 10), sentence(&mut random, length));
        let at = Timestamp::now() - SignedDuration::from_secs(random.below(48 * 3600) as i64);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        let link = format!("https://{feed}.example/news/{}/{n}.html", title.replace(' ', "-"));
        let _ = write!(
            items,
            "<item><title>{title}</title><link>{link}</link><guid>{link}</guid><pubDate>{date}</pubDate>\
             <description>{text}</description></item>"
        );
    }
    format!("<rss version=\"2.0\"><channel><title>Outlet {feed}</title><language>en</language>{items}</channel></rss>")
}

fn sentence(random: &mut Random, words: usize) -> String {
    let word = |random: &mut Random| -> String {
        (0..2 + random.below(3)).map(|_| SYLLABLES[random.below(SYLLABLES.len())]).collect()
    };
    (0..words).map(|_| word(random)).collect::<Vec<_>>().join(" ")
}

/// A linear congruential generator (Knuth, MMIX), so that each run generates the same text.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}
