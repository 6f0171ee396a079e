//! Format-independent feed documents: a feed, an archive page, search results, the items of one
//! story, and the stories of one storyline.

use super::entry::DocumentEntry;
use super::value_format::uuid_urn;
use crate::domain::{FeedEntry, FeedVariant, PublishedFeed, Story, StorylineId, Timestamp};
use crate::publish::feed_format::FeedFormat;
use crate::publish::options::Options;

/// The XML namespace of RFC 5005.
pub(super) const HISTORY_NAMESPACE: &str = "http://purl.org/syndication/history/1.0";

/// The XML namespace of Media RSS.
pub(super) const MEDIA_NAMESPACE: &str = "http://search.yahoo.com/mrss/";

/// A feed document.
pub struct FeedDocument<'a> {
    pub(super) options: &'a Options,
    /// A permanent ID that does not depend on the URL of the feed.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    /// The URL of the corresponding HTML page.
    pub(super) home: String,
    pub(super) self_path: DocumentPath,
    /// The WebSub hubs of this document.
    pub(super) hubs: Vec<String>,
    /// Links to other documents of the feed (RFC 5005, section 4). Only archive pages have `current`.
    pub(super) current: Option<DocumentPath>,
    pub(super) previous: Option<DocumentPath>,
    pub(super) next: Option<DocumentPath>,
    pub(super) entries: Vec<DocumentEntry<'a>>,
    /// The date of the document if it has no entries.
    known_since: Timestamp,
}

/// The path of a document below the base URL, without the format's extension, and its query string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocumentPath {
    path: String,
    query: String,
}

/// The part of a feed that a document contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentPage {
    /// The document that readers subscribe to.
    Current,
    /// A full page of the archive. Page 1 is the oldest.
    Archive(u32),
}

impl DocumentPage {
    /// Returns the part of the URL after the feed's name and variant. The name of an archive page contains the page
    /// size, because pages of different sizes have different entries. A client that has stored some pages must not
    /// combine them with pages of another size.
    pub fn suffix(self, feed: &PublishedFeed) -> String {
        match self {
            DocumentPage::Current => String::new(),
            DocumentPage::Archive(page) => format!(".archive-{}-{page}", feed.selection.limit),
        }
    }
}

/// A document of a feed.
#[derive(Debug, Clone, Copy)]
pub struct FeedPart<'f> {
    pub feed: &'f PublishedFeed,
    pub variant: FeedVariant,
    pub page: DocumentPage,
}

/// The maximum number of items in the feed of one story.
const MAX_STORY_ITEMS: usize = 200;

impl<'a> FeedDocument<'a> {
    /// Returns a document of a feed, without archive links or a token. `instance` identifies this database among all
    /// newsfold databases.
    pub fn of_feed(
        part: FeedPart<'_>,
        instance: &str,
        entries: &'a [FeedEntry],
        options: &'a Options,
    ) -> FeedDocument<'a> {
        let FeedPart { feed, variant, page } = part;
        let stable = if variant == FeedVariant::Stable { " stable" } else { "" };
        let is_archive = page != DocumentPage::Current;
        FeedDocument {
            id: uuid_urn(&format!("newsfold feed {instance} {}{stable}", feed.name)),
            title: feed.title.clone(),
            description: format!("{}: one entry per event, with every outlet that reported it", feed.title),
            home: options.url(""),
            hubs: if is_archive || feed.private { Vec::new() } else { options.hub_urls() },
            current: is_archive.then(|| DocumentPath::of_feed(FeedPart { page: DocumentPage::Current, ..part })),
            entries: entries.iter().map(|entry| DocumentEntry::from_edition(entry, options)).collect(),
            ..FeedDocument::empty(options, DocumentPath::of_feed(part))
        }
    }

    /// Adds links to the archive pages before and after this document.
    pub fn with_archive_links(
        mut self,
        part: FeedPart<'_>,
        previous: Option<u32>,
        next: Option<u32>,
    ) -> FeedDocument<'a> {
        let path = |page: u32| DocumentPath::of_feed(FeedPart { page: DocumentPage::Archive(page), ..part });
        self.previous = previous.map(path);
        self.next = next.map(path);
        self
    }

    /// Adds the token to all URLs of the feed, so that clients that follow these URLs remain authorized.
    pub fn with_token(mut self, token: Option<&str>) -> FeedDocument<'a> {
        if let Some(token) = token {
            let paths = [Some(&mut self.self_path), self.current.as_mut(), self.previous.as_mut(), self.next.as_mut()];
            paths.into_iter().flatten().for_each(|path| path.query = format!("?token={token}"));
        }
        self
    }

    /// Returns the results of a search. `typed` is the text that the user entered.
    pub fn of_search(typed: &str, instance: &str, entries: &'a [FeedEntry], options: &'a Options) -> FeedDocument<'a> {
        let query: String =
            url::form_urlencoded::Serializer::for_suffix(String::from("?"), 1).append_pair("q", typed).finish();
        FeedDocument {
            id: uuid_urn(&format!("newsfold search {instance} {typed}")),
            title: format!("{}: {typed}", options.title),
            description: format!("{}: stories matching ‘{typed}’", options.title),
            home: options.url(&format!("search{query}")),
            entries: entries.iter().map(|entry| DocumentEntry::from_edition(entry, options)).collect(),
            ..FeedDocument::empty(options, DocumentPath { path: "search".into(), query })
        }
    }

    /// Returns the items of one story as entries, newest first.
    pub fn of_story(story: &'a Story, instance: &str, options: &'a Options) -> FeedDocument<'a> {
        let title = story.lead().map_or("", |lead| lead.item.title.as_str());
        let path = format!("stories/{}", story.id);
        let items = story.items.iter().rev().take(MAX_STORY_ITEMS);
        FeedDocument {
            id: uuid_urn(&format!("newsfold story {} items", story.id)),
            title: title.to_owned(),
            description: format!("All reports of one story: {title}"),
            home: options.url(&path),
            entries: items.map(|item| DocumentEntry::from_item(item, story, instance, options)).collect(),
            ..FeedDocument::empty(options, DocumentPath { path, query: String::new() })
        }
    }

    /// Returns the published stories of a storyline. `headline` is the headline of its main story. `entries` are sorted
    /// newest first.
    pub fn of_storyline(
        storyline: StorylineId,
        headline: &str,
        entries: &'a [FeedEntry],
        options: &'a Options,
    ) -> FeedDocument<'a> {
        let path = format!("storylines/{storyline}");
        FeedDocument {
            id: uuid_urn(&format!("newsfold storyline {storyline}")),
            title: headline.to_owned(),
            description: format!("All stories of one storyline: {headline}"),
            home: options.url(&path),
            entries: entries.iter().map(|entry| DocumentEntry::from_edition(entry, options)).collect(),
            ..FeedDocument::empty(options, DocumentPath { path, query: String::new() })
        }
    }

    fn empty(options: &'a Options, self_path: DocumentPath) -> FeedDocument<'a> {
        FeedDocument {
            options,
            id: String::new(),
            title: String::new(),
            description: String::new(),
            home: String::new(),
            self_path,
            hubs: Vec::new(),
            current: None,
            previous: None,
            next: None,
            entries: Vec::new(),
            known_since: Timestamp::UNIX_EPOCH,
        }
    }

    /// Sets the time at which newsfold first saw the feed, which is the date of the document if it has no entries.
    pub fn known_since(mut self, at: Timestamp) -> FeedDocument<'a> {
        self.known_since = at;
        self
    }

    pub(super) fn is_archive(&self) -> bool {
        self.current.is_some()
    }

    /// Returns the time of the latest change to an entry, or the time at which newsfold first saw the feed.
    pub(super) fn updated_at(&self) -> Timestamp {
        self.entries.iter().map(|entry| entry.updated_at).max().unwrap_or(self.known_since)
    }

    /// Returns the archive links with their relation types (RFC 5005, section 4).
    pub(super) fn archive_links(&self) -> impl Iterator<Item = (&'static str, &DocumentPath)> {
        let links = [("current", &self.current), ("prev-archive", &self.previous), ("next-archive", &self.next)];
        links.into_iter().filter_map(|(rel, path)| Some((rel, path.as_ref()?)))
    }

    pub(super) fn url(&self, path: &DocumentPath, format: FeedFormat) -> String {
        self.options.url(&format!("{}.{}{}", path.path, format.extension(), path.query))
    }
}

impl DocumentPath {
    fn of_feed(FeedPart { feed, variant, page }: FeedPart<'_>) -> DocumentPath {
        let path = format!("feeds/{}{}{}", feed.name, variant.suffix(), page.suffix(feed));
        DocumentPath { path, query: String::new() }
    }
}
