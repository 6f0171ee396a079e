//! The display name of an outlet, from the title of its feed: `BBC News` for `BBC News - World`.

/// Separators between the name of an outlet and the rest of a title.
const SEPARATORS: [&str; 11] = [" - ", " – ", " — ", " | ", " » ", " > ", " · ", " :: ", ": ", " / ", " • "];

/// Words that describe the content of a feed. A part of a title that consists of such words is not a name.
#[rustfmt::skip]
const CONTENT_WORDS: &[&str] = &[
    "all", "and", "articles", "atom", "breaking", "business", "content", "culture", "entertainment", "feed", "feeds",
    "for", "from", "front", "full", "headlines", "health", "home", "homepage", "international", "latest", "main", "most",
    "national", "new", "news", "of", "opinion", "page", "politics", "popular", "posts", "recent", "rss", "science",
    "section", "sport", "sports", "stories", "tech", "technology", "the", "today", "top", "uk", "updates", "us", "world",
    "actualités", "aktuell", "alle", "dernières", "le", "les", "meldungen", "nachrichten", "nieuws", "notícias",
    "noticias", "notizie", "portada", "schlagzeilen", "últimas", "ultime", "une", "wiadomości", "à", "la",
];

/// Phrases around a name.
const PREFIXES: [&str; 6] = ["latest news from ", "latest from ", "news from ", "rss feed of ", "rss ", "www."];
const SUFFIXES: [&str; 6] = [" rss feed", " rss", " feed", " latest news", " homepage", " headlines"];

/// The maximum length of a name, in characters. A longer title is a sentence.
const MAX_NAME_CHARS: usize = 40;
/// The minimum number of equal letters at the beginning of a name and a domain.
const MIN_EQUAL_LETTERS: usize = 3;

/// Returns the name in a title: the part that resembles the outlet's domain, or else the first part that does not only
/// describe the content. Returns `None` if there is no such part.
pub fn outlet_name(title: &str, outlet: &str) -> Option<String> {
    let parts = names_in(title);
    let best = parts.iter().find(|part| resembles_outlet(part, outlet)).or(parts.first());
    best.cloned()
}

/// Returns the name if it resembles the outlet's domain. The items of an aggregator may name any outlet, so a name that
/// does not resemble the domain could mislead readers.
pub fn confirmed_outlet_name(title: &str, outlet: &str) -> Option<String> {
    names_in(title).into_iter().find(|part| resembles_outlet(part, outlet))
}

fn names_in(title: &str) -> Vec<String> {
    let mut parts = vec![title];
    for separator in SEPARATORS {
        parts = parts.into_iter().flat_map(|part| part.split(separator)).collect();
    }
    // Text in parentheses, such as the edition, is not part of the name.
    let parts = parts.into_iter().filter_map(|part| part.split(" (").next()).map(without_phrases);
    let is_name = |part: &&str| !part.contains("://") && part.chars().count() <= MAX_NAME_CHARS && !is_content(part);
    parts.filter(is_name).map(str::to_owned).collect()
}

fn without_phrases(part: &str) -> &str {
    let mut part = part.trim();
    if let Some(prefix) = PREFIXES.iter().find(|prefix| starts_with(part, prefix)) {
        part = part[prefix.len()..].trim();
    }
    // Conversion to lowercase can change the length of a text, so only ASCII text is shortened.
    let suffix = SUFFIXES.iter().find(|suffix| part.is_ascii() && part.to_ascii_lowercase().ends_with(*suffix));
    suffix.map_or(part, |suffix| part[..part.len() - suffix.len()].trim())
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn is_content(part: &str) -> bool {
    let mut words = part.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| CONTENT_WORDS.contains(&&*word.to_lowercase()) || word.chars().all(char::is_numeric))
}

/// Returns whether a name and the first label of a domain, or the channel on a shared host, begin with the same letters,
/// or one contains the other.
fn resembles_outlet(name: &str, outlet: &str) -> bool {
    let letters =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let label = match outlet.rsplit_once('/') {
        Some((_, channel)) => channel,
        None => outlet.split('.').next().unwrap_or_default(),
    };
    let (name, label) = (letters(name), letters(label));
    let equal = name.chars().zip(label.chars()).take_while(|(a, b)| a == b).count();
    let shorter = name.chars().count().min(label.chars().count());
    equal >= MIN_EQUAL_LETTERS.min(shorter.max(1))
        || shorter > MIN_EQUAL_LETTERS && (name.contains(&label) || label.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_the_part_of_the_title_that_resembles_the_domain() {
        for (title, outlet, expected) in [
            ("BBC News - World", "bbci.co.uk", Some("BBC News")),
            ("World news | The Guardian", "theguardian.com", Some("The Guardian")),
            ("NYT > World News", "nytimes.com", Some("NYT")),
            ("Home - CBSNews.com", "cbsnews.com", Some("CBSNews.com")),
            ("Articles | Mail Online", "dailymail.co.uk", Some("Mail Online")),
            ("Latest news from Harbour Times", "harbour.example", Some("Harbour Times")),
            ("The Verge RSS feed", "theverge.com", Some("The Verge")),
            ("Die Küste: Alles aus der Region", "kueste.example", Some("Die Küste")),
            ("Fox News", "foxnews.com", Some("Fox News")),
            ("Le Courrier (English edition)", "courrier.example", Some("Le Courrier")),
            ("Latest News", "a.example", None),
            ("RSS", "a.example", None),
            ("", "a.example", None),
            ("https://a.example/feed", "a.example", None),
            ("Everything that happened on the coast since the storm", "a.example", None),
        ] {
            assert_eq!(outlet_name(title, outlet).as_deref(), expected, "{title}");
        }
    }

    #[test]
    fn name_of_an_outlet_in_an_aggregator_must_resemble_its_domain() {
        assert_eq!(confirmed_outlet_name("Harbour Times", "harbour.example").as_deref(), Some("Harbour Times"));
        assert_eq!(confirmed_outlet_name("BBC News", "evil.example"), None);
        assert_eq!(confirmed_outlet_name("Quay Notes", "youtube.com/@quaynotes").as_deref(), Some("Quay Notes"));
    }
}
