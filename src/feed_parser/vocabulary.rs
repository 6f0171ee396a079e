//! The names of feeds: which element, of which namespace, says what. Tables, nothing else.
//!
//! RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0 (RFC 4287) and CDF share one table, because feeds mix them: `<summary>` in
//! RSS and `<content:encoded>` in Atom mean what they mean elsewhere. What is in no table is read by nobody.

/// A namespace, as far as it makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// RSS and Atom, and names without any namespace.
    Core,
    Dublin,
    Encoded,
    MediaRss,
    Itunes,
    Feedburner,
    Syndication,
    Xhtml,
    Other,
}

/// What an element says of its item or of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Title,
    Link,
    Guid,
    Summary,
    Content,
    Published,
    Updated,
    Author,
    Category,
    Enclosure,
    Media,
    Image,
    Language,
    /// Several categories in one text, with commas between them.
    Keywords,
    /// The article's address before a feed service put its own in its place.
    Origin,
    Ttl,
    SkipHour,
    SkipDay,
    UpdatePeriod,
    UpdateFrequency,
    /// Says nothing itself; its children are read as if it were not there.
    Wrapper,
}

impl Field {
    /// Long texts may contain anything; the others end where another element begins.
    pub fn is_long(self) -> bool {
        matches!(self, Field::Summary | Field::Content)
    }
}

/// A namespace by its address. Feeds write them with and without their last slash, in both schemes and cases.
pub fn family_of_uri(uri: &str) -> Family {
    let uri = uri.trim().trim_end_matches(['/', '#']).to_ascii_lowercase();
    let uri = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
    match uri {
        "" | "www.w3.org/2005/atom" | "purl.org/rss/1.0" | "backend.userland.com/rss2" => Family::Core,
        "blogs.law.harvard.edu/tech/rss" | "my.netscape.com/rdf/simple/0.9" => Family::Core,
        "www.rssboard.org/rss-specification" | "channel.netscape.com/rdf/simple/0.9" => Family::Core,
        "www.w3.org/1999/xhtml" => Family::Xhtml,
        "search.yahoo.com/mrss" => Family::MediaRss,
        _ if uri.starts_with("purl.org/atom") || uri.starts_with("backend.userland.com/rss") => Family::Core,
        _ if uri.starts_with("purl.org/net/rss") || uri.starts_with("purl.org/rss/1.0/modules/rss") => Family::Core,
        _ if uri.starts_with("purl.org/dc/") => Family::Dublin,
        _ if uri.starts_with("purl.org/rss/1.0/modules/content") => Family::Encoded,
        _ if uri.starts_with("purl.org/rss/1.0/modules/syndication") => Family::Syndication,
        _ if uri.starts_with("search.yahoo.com/mrss") || uri.starts_with("video.search.yahoo.com") => Family::MediaRss,
        _ if uri.starts_with("www.itunes.com/dtds/podcast") || uri.starts_with("itunes.com/dtds") => Family::Itunes,
        _ if uri.starts_with("www.itunes.com") => Family::Itunes,
        _ if uri.starts_with("rssnamespace.org/feedburner") => Family::Feedburner,
        _ => Family::Other,
    }
}

/// A namespace by the prefix that everybody uses for it, for documents that forget to declare it.
pub fn family_of_prefix(prefix: &str) -> Family {
    match prefix.to_ascii_lowercase().as_str() {
        "" | "rss" | "atom" | "atom10" | "a10" => Family::Core,
        "dc" | "dcterms" | "dct" => Family::Dublin,
        "content" => Family::Encoded,
        "media" => Family::MediaRss,
        "itunes" => Family::Itunes,
        "feedburner" => Family::Feedburner,
        "sy" | "syn" => Family::Syndication,
        "xhtml" | "xh" | "html" => Family::Xhtml,
        _ => Family::Other,
    }
}

/// What an element of an item says, and its rank: of two elements that say the same the higher rank is believed.
/// `name` is in lower case.
pub fn of_item(family: Family, name: &str) -> Option<(Field, u8)> {
    use Family::*;
    use Field::*;
    Some(match (family, name) {
        (Core, "title") => (Title, 3),
        (Dublin, "title") => (Title, 2),
        (MediaRss | Itunes, "title") => (Title, 1),
        (Core, "link") => (Link, 3),
        (Core, "guid" | "id") => (Guid, 3),
        (Core, "description" | "summary") => (Summary, 3),
        (Core, "abstract") | (Dublin, "description" | "abstract") | (Itunes, "summary") => (Summary, 2),
        (Itunes, "subtitle") => (Summary, 1),
        (MediaRss, "description") => (Summary, 1),
        (Encoded, "encoded") => (Content, 3),
        (Core, "content" | "fullitem") => (Content, 2),
        (Xhtml, "body" | "div") | (Core, "body") => (Content, 1),
        (Core, "pubdate" | "published" | "issued") => (Published, 3),
        (Dublin, "date" | "issued" | "created") | (Core, "date" | "created") => (Published, 2),
        (Core, "updated" | "modified" | "lastbuilddate") | (Dublin, "modified") => (Updated, 3),
        (Core, "author") | (Dublin, "creator" | "author") => (Author, 3),
        (Itunes, "author") => (Author, 1),
        (Core, "category" | "subject") | (Dublin, "subject") | (MediaRss, "category") => (Category, 3),
        (Core, "enclosure") => (Enclosure, 3),
        (Core, "tags" | "keywords") | (Itunes | MediaRss, "keywords") => (Keywords, 3),
        (MediaRss, "content") => (Media, 3),
        (MediaRss, "group") => (Wrapper, 3),
        (MediaRss, "thumbnail") => (Image, 3),
        (Itunes, "image") => (Image, 2),
        (Core, "image") => (Image, 1),
        (Core, "language") | (Dublin, "language") => (Language, 5),
        (Feedburner, "origlink") => (Origin, 3),
        _ => return None,
    })
}

/// What an element of the feed itself says. `name` is in lower case.
pub fn of_feed(family: Family, name: &str) -> Option<(Field, u8)> {
    use Family::*;
    use Field::*;
    Some(match (family, name) {
        (Core, "title") => (Title, 3),
        (Dublin, "title") => (Title, 2),
        (Core, "link") => (Link, 3),
        (Core, "id" | "guid") => (Guid, 3),
        (Core, "description" | "subtitle" | "tagline" | "abstract") => (Summary, 3),
        (Dublin, "description") | (Itunes, "summary") => (Summary, 2),
        // Atom 0.3's `info` told people who had clicked on the feed what a feed is.
        (Core, "info") | (Itunes, "subtitle") => (Summary, 1),
        (Core, "author" | "managingeditor") | (Dublin, "creator" | "author") => (Author, 3),
        (Itunes, "author") => (Author, 1),
        (Core, "updated" | "lastbuilddate" | "modified") | (Dublin, "modified") => (Updated, 3),
        (Core, "pubdate" | "published" | "issued") => (Published, 3),
        (Dublin, "date" | "issued" | "created") | (Core, "created") => (Published, 2),
        (Core, "language") => (Language, 3),
        (Dublin, "language") => (Language, 2),
        (Core, "ttl") => (Ttl, 3),
        (Core, "skiphours" | "skipdays") => (Wrapper, 3),
        (Core, "hour") => (SkipHour, 3),
        (Core, "day") => (SkipDay, 3),
        (Syndication, "updateperiod") => (UpdatePeriod, 3),
        (Syndication, "updatefrequency") => (UpdateFrequency, 3),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_known_with_and_without_its_slash() {
        assert_eq!(family_of_uri("http://search.yahoo.com/mrss/"), Family::MediaRss);
        assert_eq!(family_of_uri("https://Search.Yahoo.com/mrss"), Family::MediaRss);
        assert_eq!(family_of_uri("http://purl.org/atom/ns#"), Family::Core);
        assert_eq!(family_of_uri("http://purl.org/rss/1.0/modules/content/"), Family::Encoded);
        assert_eq!(family_of_uri("urn:unheard-of"), Family::Other);
    }

    #[test]
    fn the_native_title_ranks_above_the_borrowed_one() {
        let rank = |family| of_item(family, "title").map(|(_, rank)| rank);
        assert!(rank(Family::Core) > rank(Family::Dublin) && rank(Family::Dublin) > rank(Family::MediaRss));
    }
}
