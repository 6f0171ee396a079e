//! Determines whether a link leads to one article, so that all items with this link report one event.

/// Names of home and section pages, in the languages of the tests and a few others. A path that consists only of such
/// names leads to a section.
#[rustfmt::skip]
const SECTION_NAMES: &[&str] = &[
    "actualidad", "actualite", "actualites", "africa", "aktuell", "aktuelles", "all", "americas", "archive", "archives",
    "articles", "arts", "asia", "auto", "blog", "blogs", "books", "breaking", "breaking-news", "business", "category",
    "china", "climate", "contact", "cultura", "culture", "current", "default", "deportes", "deutschland", "economia",
    "economie", "economy", "education", "en", "entertainment", "environment", "europa", "europe", "events", "fashion", "feed",
    "feuilleton", "film", "finance", "food", "football", "forum", "global", "headlines", "health", "home", "homepage",
    "index", "index.html", "index.htm", "index.php", "index.asp", "index.aspx", "inland", "international", "ausland", "kultur",
    "latest", "latest-news", "life", "lifestyle", "live", "local", "lokales", "magazine", "main", "markets", "media",
    "middle-east", "money", "monde", "movies", "mundo", "music", "nachrichten", "national", "news", "newsletter", "newsroom",
    "noticias", "opinion", "opinions", "panorama", "politica", "politics", "politik", "politique", "posts", "press",
    "press-releases", "radio", "regional", "reviews", "rss", "schlagzeilen", "science", "sci-tech", "sociedad", "societe",
    "soccer", "sport", "sports", "start", "startseite", "stories", "style", "tech", "technik", "technology", "tecnologia",
    "today", "top", "top-stories", "travel", "tv", "uk", "us", "usa", "video", "videos", "weather", "welt", "wetter",
    "wirtschaft", "wissen", "wissenschaft", "world", "новости", "политика", "спорт",
];
/// The first path segments of pages that list articles.
#[rustfmt::skip]
const LISTING_PREFIXES: &[&str] = &[
    "author", "authors", "categoria", "categorie", "categories", "category", "rubric", "rubrik", "ressort", "section",
    "sections", "seccion", "tag", "tags", "thema", "themen", "topic", "topics",
];
/// The maximum number of path segments of a listing: `/category/world/asia`.
const MAX_LISTING_SEGMENTS: usize = 4;

/// Returns whether a canonical link leads to an article rather than to a home page, a section or a list of articles.
pub(super) fn identifies_article(canonical_url: &str) -> bool {
    let Some((_, rest)) = canonical_url.split_once("://") else { return true };
    let path_and_query = rest.find(['/', '?']).map_or("", |start| &rest[start..]);
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    // A parameter that contains a digit may select an article: `/?p=12`.
    if query.chars().any(|c| c.is_ascii_digit()) {
        return true;
    }
    let mut segments: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(str::to_lowercase).collect();
    if let [.., page, number] = segments.as_slice()
        && matches!(page.as_str(), "page" | "pagina" | "seite")
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        segments.truncate(segments.len() - 2);
    }
    let lists_articles = segments.len() <= MAX_LISTING_SEGMENTS
        && segments.first().is_some_and(|first| LISTING_PREFIXES.contains(&first.as_str()))
        && !segments.last().is_some_and(|last| last.ends_with(".html") || last.ends_with(".htm"));
    let is_section = segments.iter().all(|segment| SECTION_NAMES.contains(&segment.as_str()) || is_locale(segment));
    !lists_articles && !is_section
}

/// Returns whether a segment selects a language or a country edition: `de`, `en-gb`.
fn is_locale(segment: &str) -> bool {
    let is_code = |code: &str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_lowercase());
    segment.split(['-', '_']).count() <= 2 && segment.split(['-', '_']).all(is_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_and_section_pages_do_not_identify_an_article() {
        for link in [
            "https://a.example",
            "https://a.example?lang=en",
            "https://a.example/de",
            "https://a.example/en-gb/news",
            "https://a.example/index.html",
            "https://a.example/sport/football",
            "https://a.example/category/harbour",
            "https://a.example/tag/ferry-line",
            "https://a.example/news/page/2",
        ] {
            assert!(!identifies_article(link), "{link}");
        }
    }

    #[test]
    fn article_is_identified_by_its_link() {
        for link in [
            "https://a.example?p=12",
            "https://a.example/x",
            "https://a.example/news/ferry-runs-aground",
            "https://a.example/2026/10/30/ferry",
            "https://a.example/sport/12345",
            "https://a.example/topics/2026/10/30/harbour/ferry.html",
        ] {
            assert!(identifies_article(link), "{link}");
        }
    }
}
