//! The table that maps the elements of all feed formats to fields.
//!
//! RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0 (RFC 4287) and CDF share the table, because feeds mix them: `<summary>` in
//! RSS and `<content:encoded>` in Atom have their usual meaning. All other elements are ignored.

/// The namespaces that the table distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedNamespace {
    /// RSS and Atom, and names without a namespace.
    Core,
    DublinCore,
    /// The RSS 1.0 module Content.
    ContentModule,
    MediaRss,
    Itunes,
    /// FeedBurner and Pheedo, which replace the links of items.
    Feedburner,
    /// The RSS 1.0 module Enclosure.
    EnclosureModule,
    /// The Feedly extension, Open Graph and image sitemaps, all of which use `image` for an image.
    WebFeeds,
    /// The RSS 1.0 module Syndication.
    Syndication,
    Xhtml,
    Other,
}

/// A property of an item or of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedField {
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
    /// Several categories in one string, separated by commas.
    Keywords,
    /// The publication from which the item was taken.
    Reporter,
    /// The article's URL, for feeds in which a feed service replaces `link` with its own URL.
    OriginalLink,
    Ttl,
    SkipHour,
    SkipDay,
    UpdatePeriod,
    UpdateFrequency,
    /// An element without a value. Its children are read as if they were in its place.
    Wrapper,
}

impl FeedField {
    /// The number of fields.
    pub const COUNT: usize = FeedField::Wrapper as usize + 1;
}

/// The meaning of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementMapping {
    pub field: FeedField,
    /// The priority of the value. If several elements map to the same field, the highest priority wins.
    pub priority: u8,
}

/// Returns a namespace by its URI. Ignores the trailing slash, the scheme and the case, because feeds write different
/// variants.
pub fn namespace_of_uri(uri: &str) -> FeedNamespace {
    use FeedNamespace::*;
    let uri = uri.trim().trim_end_matches(['/', '#']).to_ascii_lowercase();
    let uri = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
    match uri {
        "" | "www.w3.org/2005/atom" | "purl.org/rss/1.0" | "backend.userland.com/rss2" => Core,
        "blogs.law.harvard.edu/tech/rss" | "my.netscape.com/rdf/simple/0.9" => Core,
        "www.rssboard.org/rss-specification" | "channel.netscape.com/rdf/simple/0.9" => Core,
        "www.w3.org/1999/xhtml" => Xhtml,
        "search.yahoo.com/mrss" => MediaRss,
        _ if uri.starts_with("purl.org/atom") || uri.starts_with("backend.userland.com/rss") => Core,
        _ if uri.starts_with("purl.org/net/rss") || uri.starts_with("purl.org/rss/1.0/modules/rss") => Core,
        _ if uri.starts_with("purl.org/dc/") => DublinCore,
        _ if uri.starts_with("purl.org/rss/1.0/modules/content") => ContentModule,
        _ if uri.starts_with("purl.org/rss/1.0/modules/syndication") => Syndication,
        _ if uri.starts_with("search.yahoo.com/mrss") || uri.starts_with("video.search.yahoo.com") => MediaRss,
        _ if uri.starts_with("www.itunes.com/dtds/podcast") || uri.starts_with("itunes.com/dtds") => Itunes,
        _ if uri.starts_with("www.itunes.com") => Itunes,
        _ if uri.starts_with("www.google.com/schemas/play-podcasts") => Itunes,
        _ if uri.starts_with("rssnamespace.org/feedburner") => Feedburner,
        _ if uri.starts_with("www.pheedo.com/namespace") => Feedburner,
        _ if uri.starts_with("purl.oclc.org/net/rss_2.0/enc") => EnclosureModule,
        _ if uri.starts_with("webfeeds.org/rss") || uri.starts_with("ogp.me/ns") => WebFeeds,
        _ if uri.starts_with("www.google.com/schemas/sitemap-image") => WebFeeds,
        _ => Other,
    }
}

/// Returns a namespace by its usual prefix, for documents that do not declare the prefix.
pub fn namespace_of_prefix(prefix: &str) -> FeedNamespace {
    use FeedNamespace::*;
    match prefix.to_ascii_lowercase().as_str() {
        "" | "rss" | "atom" | "atom10" | "a10" => Core,
        "dc" | "dcterms" | "dct" => DublinCore,
        "content" => ContentModule,
        "media" => MediaRss,
        "itunes" | "googleplay" => Itunes,
        "feedburner" | "pheedo" => Feedburner,
        "enc" => EnclosureModule,
        "webfeeds" | "og" | "image" => WebFeeds,
        "sy" | "syn" => Syndication,
        "xhtml" | "xh" | "html" => Xhtml,
        _ => Other,
    }
}

/// Returns the meaning of an element inside or outside items. `name` is the local name in lowercase.
pub fn element_mapping(namespace: FeedNamespace, name: &str, in_item: bool) -> Option<ElementMapping> {
    use FeedField::*;
    use FeedNamespace::*;
    let (field, priority) = match (namespace, name) {
        (Core, "title") => (Title, 3),
        (DublinCore, "title") => (Title, 2),
        (Core, "link") => (Link, 3),
        (Core, "guid" | "id") => (Guid, 3),
        (Core, "description") => (Summary, 3),
        (DublinCore, "description") | (Itunes, "summary") => (Summary, 2),
        (Itunes, "subtitle") => (Summary, 1),
        (Core, "pubdate" | "published" | "issued") => (Published, 3),
        (DublinCore, "date" | "issued" | "created") | (Core, "created") => (Published, 2),
        (Core, "updated" | "modified" | "lastbuilddate") | (DublinCore, "modified") => (Updated, 3),
        (Core, "author") | (DublinCore, "creator" | "author") => (Author, 3),
        (Itunes, "author") => (Author, 1),
        _ if in_item => match (namespace, name) {
            (MediaRss | Itunes, "title") => (Title, 1),
            (Core, "summary") => (Summary, 3),
            (Core | DublinCore, "abstract") => (Summary, 2),
            (MediaRss, "description") => (Summary, 1),
            (ContentModule, "encoded") => (Content, 3),
            (Core, "content" | "fullitem") => (Content, 2),
            (Xhtml, "body" | "div") | (Core, "body") => (Content, 1),
            (Core, "date") => (Published, 2),
            (Core | DublinCore, "subject") | (Core | MediaRss, "category") => (Category, 3),
            (Core | EnclosureModule, "enclosure") => (Enclosure, 3),
            (Core, "source") => (Reporter, 3),
            (Core, "tags" | "keywords") | (Itunes | MediaRss, "keywords") => (Keywords, 3),
            (MediaRss, "content") => (Media, 3),
            (MediaRss, "group") => (Wrapper, 3),
            (MediaRss, "thumbnail") => (Image, 3),
            (Itunes | WebFeeds, "image") | (WebFeeds, "cover" | "featuredimage") => (Image, 2),
            (Core, name) if is_image_name(name) => (Image, 1),
            (Core | DublinCore, "language") => (Language, 5),
            (Feedburner, "origlink") => (OriginalLink, 3),
            _ => return None,
        },
        (Core, "subtitle" | "tagline" | "abstract") => (Summary, 3),
        // Atom 0.3's `info` explains feeds to readers who open the document in a browser.
        (Core, "info") => (Summary, 1),
        (Core, "managingeditor") => (Author, 3),
        (Core, "language") => (Language, 3),
        (DublinCore, "language") => (Language, 2),
        (Core, "ttl") => (Ttl, 3),
        (Core, "skiphours" | "skipdays") => (Wrapper, 3),
        (Core, "hour") => (SkipHour, 3),
        (Core, "day") => (SkipDay, 3),
        (Syndication, "updateperiod") => (UpdatePeriod, 3),
        (Syndication, "updatefrequency") => (UpdateFrequency, 3),
        _ => return None,
    };
    Some(ElementMapping { field, priority })
}

/// Returns whether an element without a namespace is an image: `image`, `featured_image`, `thumbnail-url`.
fn is_image_name(name: &str) -> bool {
    #[rustfmt::skip]
    const NAMES: [&str; 12] = [
        "image", "img", "picture", "photo", "thumbnail", "thumb", "cover", "coverimage", "featuredimage", "mainimage",
        "postimage", "postthumbnail",
    ];
    let name = name.replace(['-', '_'], "");
    NAMES.contains(&name.strip_suffix("url").unwrap_or(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespace_is_known_with_and_without_its_final_slash() {
        assert_eq!(namespace_of_uri("http://search.yahoo.com/mrss/"), FeedNamespace::MediaRss);
        assert_eq!(namespace_of_uri("https://Search.Yahoo.com/mrss"), FeedNamespace::MediaRss);
        assert_eq!(namespace_of_uri("http://purl.org/atom/ns#"), FeedNamespace::Core);
        assert_eq!(namespace_of_uri("http://purl.org/rss/1.0/modules/content/"), FeedNamespace::ContentModule);
        assert_eq!(namespace_of_uri("urn:unheard-of"), FeedNamespace::Other);
    }

    #[test]
    fn own_title_has_priority_over_titles_of_other_namespaces() {
        let priority = |namespace| element_mapping(namespace, "title", true).map(|mapping| mapping.priority);
        assert!(priority(FeedNamespace::Core) > priority(FeedNamespace::DublinCore));
        assert!(priority(FeedNamespace::DublinCore) > priority(FeedNamespace::MediaRss));
    }
}
