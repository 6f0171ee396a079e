//! The display name of an outlet, from the title of its feed: `BBC News` for `BBC News - World`.

/// Separators between the name of an outlet and the rest of a title.
const SEPARATORS: [&str; 11] = [" - ", " – ", " — ", " | ", " » ", " > ", " · ", " :: ", ": ", " / ", " • "];

/// Words that describe the content of a feed. A part of a title that consists of such words is not a name.
#[rustfmt::skip]
const CONTENT_WORDS: &[&str] = &[
    "africa", "all", "america", "analysis", "and", "articles", "asia", "atom", "australia", "breaking", "business", "canada",
    "content", "culture", "english", "entertainment", "europe", "feed", "feeds", "for", "from", "front", "full",
    "headlines", "health", "home", "homepage", "in", "india", "international", "latest", "main", "most", "national", "new",
    "news", "of", "on", "opinion", "page", "politics", "popular", "posts", "recent", "rss", "science", "section",
    "singapore", "sport", "sports", "stories", "tech", "technology", "the", "today", "top", "topics", "uk", "updates", "us",
    "world", "zealand",
    "actualités", "aktuell", "alle", "dernières", "le", "les", "meldungen", "nachrichten", "nieuws", "notícias",
    "noticias", "notizie", "portada", "schlagzeilen", "últimas", "ultime", "une", "w", "wiadomości", "wydarzenia", "à",
    "la",
];

/// Articles before a name.
const ARTICLES: &[&str] = &["the", "le", "la", "les", "el", "los", "il", "der", "die", "das", "de", "het", "o", "a"];

/// Phrases around a name.
const PREFIXES: [&str; 6] = ["latest news from ", "latest from ", "news from ", "rss feed of ", "rss ", "www."];
const SUFFIXES: [&str; 6] = [" rss feed", " rss", " feed", " latest news", " homepage", " headlines"];

/// The maximum length of a name, in characters. A longer title is a sentence.
const MAX_NAME_CHARS: usize = 40;
/// The minimum number of equal letters at the beginning of a name and a domain.
const MIN_EQUAL_LETTERS: usize = 3;

/// Returns the name in a title: the part that resembles the outlet's domain, without words that describe the content.
/// If no part resembles it, the name is the only part that is not a description: `ABC News` in `ABC News: Top Stories`.
/// A title of a single part may be that of a section, such as `California`, so it must resemble the domain. Names in
/// scripts other than Latin cannot be compared with a domain, and the title of a channel is its name. Returns
/// `None` if there is no name.
pub fn outlet_name(title: &str, outlet: &str) -> Option<String> {
    let parts = names_in(title);
    if let Some(name) = parts.iter().find(|part| resembles_outlet(part, outlet)) {
        return Some(without_description(name, outlet).to_owned());
    }
    if outlet.contains('/') {
        let is_short = !title.is_empty() && !title.contains("://") && title.chars().count() <= MAX_NAME_CHARS;
        return parts.into_iter().next().or_else(|| is_short.then(|| title.trim().to_owned()));
    }
    let has_description = parts.len() < parts_of(title).len();
    let only = parts.first().filter(|part| !part.is_ascii() || parts.len() == 1 && has_description)?;
    Some(only.clone())
}

/// Removes words that describe the content before and after a name: `PC Gamer` of `PC Gamer latest`. Returns the words
/// whose letters are those of the domain, after an article and before `News`, or else the whole part.
fn without_description<'p>(part: &'p str, outlet: &str) -> &'p str {
    let (label, domain) = (letters(first_label(outlet)), letters(outlet));
    let words: Vec<&str> = part.split(' ').collect();
    let start_of = |index: usize| words[..index].iter().map(|word| word.len() + 1).sum::<usize>();
    let is_word =
        |index: usize, list: &[&str]| words.get(index).is_some_and(|word| list.contains(&&*word.to_lowercase()));
    for first in 0..words.len() {
        for last in first..words.len() {
            let name = letters(&words[first..=last].concat());
            if name != label && name != domain {
                continue;
            }
            let first = if first > 0 && is_word(first - 1, ARTICLES) { first - 1 } else { first };
            let end = if is_word(last + 1, &["news"]) { last + 2 } else { last + 1 };
            if words[..first].iter().chain(&words[end..]).all(|word| is_content(word)) {
                return part[start_of(first)..start_of(end) - 1].trim();
            }
        }
    }
    part
}

/// Returns the name if it resembles the outlet's domain. The items of an aggregator may name any outlet, so a name that
/// does not resemble the domain could mislead readers.
pub fn confirmed_outlet_name(title: &str, outlet: &str) -> Option<String> {
    names_in(title).into_iter().find(|part| resembles_outlet(part, outlet))
}

fn parts_of(title: &str) -> Vec<&str> {
    let mut parts = vec![title];
    for separator in SEPARATORS {
        parts = parts.into_iter().flat_map(|part| part.split(separator)).collect();
    }
    parts
}

fn names_in(title: &str) -> Vec<String> {
    // Text in parentheses, such as the edition, is not part of the name.
    let parts = parts_of(title).into_iter().filter_map(|part| part.split(" (").next()).map(without_phrases);
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
/// or one contains the other, or the label consists of the initials of the name.
fn resembles_outlet(name: &str, outlet: &str) -> bool {
    let initials: String = name.split_whitespace().filter_map(|word| word.chars().next()).collect();
    let (initials, name, label) = (letters(&initials), letters(name), letters(first_label(outlet)));
    let equal = name.chars().zip(label.chars()).take_while(|(a, b)| a == b).count();
    let shorter = name.chars().count().min(label.chars().count());
    equal >= MIN_EQUAL_LETTERS.min(shorter.max(1))
        || shorter > MIN_EQUAL_LETTERS && (name.contains(&label) || label.contains(&name))
        || label.chars().count() >= MIN_EQUAL_LETTERS && initials == label
}

/// Returns the first label of a domain, or the channel on a shared host.
fn first_label(outlet: &str) -> &str {
    match outlet.rsplit_once('/') {
        Some((_, channel)) => channel,
        None => outlet.split('.').next().unwrap_or_default(),
    }
}

/// Returns the letters and digits of a text in lower case.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
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
            ("ABC News: Top Stories", "go.com", Some("ABC News")),
            ("Hacker News: Front Page", "ycombinator.com", Some("Hacker News")),
            ("Sydney Morning Herald - Latest News", "smh.com.au", Some("Sydney Morning Herald")),
            ("海岸ニュース | 最新ニュース", "kaigan.example", Some("海岸ニュース")),
            ("1 NEWS", "youtube.com/channel/UCxPAYgO8OpFev3PUTKbsxNw", Some("1 NEWS")),
            ("California", "latimes.com", None),
            ("US Top News and Analysis", "cnbc.com", None),
            ("International: Top News And Analysis", "cnbc.com", None),
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
    fn words_that_describe_the_content_are_not_part_of_the_name() {
        for (title, outlet, expected) in [
            ("Latest & Breaking News on Fox News", "foxnews.com", "Fox News"),
            ("All content from TechRadar UK - latest", "techradar.com", "TechRadar"),
            ("PC Gamer latest", "pcgamer.com", "PC Gamer"),
            ("RNZ New Zealand Headlines", "rnz.co.nz", "RNZ"),
            ("NBC News World", "nbcnews.com", "NBC News"),
            ("BBC News - Home", "bbc.co.uk", "BBC News"),
            ("The Straits Times Singapore News", "straitstimes.com", "The Straits Times"),
            ("Le Monde in English - Front page", "lemonde.fr", "Le Monde"),
            ("Wydarzenia w INTERIA.PL", "interia.pl", "INTERIA.PL"),
            ("Schneier on Security", "schneier.com", "Schneier on Security"),
            ("The Hill", "thehill.com", "The Hill"),
            ("The Guardian", "theguardian.com", "The Guardian"),
            ("Planet Debian", "debian.org", "Planet Debian"),
        ] {
            assert_eq!(outlet_name(title, outlet).as_deref(), Some(expected), "{title}");
        }
    }

    #[test]
    fn name_of_an_outlet_in_an_aggregator_must_resemble_its_domain() {
        assert_eq!(confirmed_outlet_name("Harbour Times", "harbour.example").as_deref(), Some("Harbour Times"));
        assert_eq!(confirmed_outlet_name("BBC News", "evil.example"), None);
        assert_eq!(confirmed_outlet_name("Quay Notes", "youtube.com/@quaynotes").as_deref(), Some("Quay Notes"));
    }
}
