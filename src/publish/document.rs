//! What is ready to be written in any format: a feed, a page of its archive, the feed of a search, the feed of a story.

use super::entry::{Entry, uuid};
use super::{Format, Options, atom, json, rss};
use crate::domain::{FeedEntry, FeedVariant, PublishedFeed, Story, Timestamp};

/// A document of a feed, to be written in any format.
pub struct FeedDocument<'a> {
    pub(super) options: &'a Options,
    /// A permanent id that holds wherever the feed is served.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    /// The page for people.
    pub(super) home: String,
    pub(super) itself: Address,
    /// The hubs at which one can subscribe to it.
    pub(super) hubs: Vec<String>,
    /// The documents beside it (RFC 5005, section 4); a page of an archive alone has a current one.
    pub(super) current: Option<Address>,
    pub(super) previous: Option<Address>,
    pub(super) next: Option<Address>,
    pub(super) entries: Vec<Entry<'a>>,
}

/// Where a document is, but for its format's ending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    path: String,
    query: String,
}

/// Which part of a feed a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedPage {
    /// What people subscribe to.
    Current,
    /// A full page of the archive; 1 is the oldest.
    Archive(u32),
}

impl FeedPage {
    /// What follows the feed's name and variant in a URL. The size of a page is part of its name, since pages of another
    /// size are other pages: a reader that holds some of them must not take the new ones for them.
    pub fn suffix(self, feed: &PublishedFeed) -> String {
        match self {
            FeedPage::Current => String::new(),
            FeedPage::Archive(page) => format!(".archive-{}-{page}", feed.selection.limit),
        }
    }
}

impl<'a> FeedDocument<'a> {
    /// A document of a feed in one of its variants, without neighbours and token. `instance` is what tells this
    /// database's feeds from another's.
    pub fn of_feed(
        feed: &PublishedFeed,
        variant: FeedVariant,
        page: FeedPage,
        instance: &str,
        entries: &'a [FeedEntry],
        options: &'a Options,
    ) -> FeedDocument<'a> {
        let stable = if variant == FeedVariant::Stable { " stable" } else { "" };
        let is_archive = page != FeedPage::Current;
        FeedDocument {
            options,
            id: uuid(&format!("newsfold feed {instance} {}{stable}", feed.name)),
            title: feed.title.clone(),
            description: format!("{}: every event once, with all its outlets", feed.title),
            home: options.url(""),
            itself: Address::of_feed(feed, variant, page),
            hubs: if is_archive || feed.private { Vec::new() } else { options.hub_urls() },
            current: is_archive.then(|| Address::of_feed(feed, variant, FeedPage::Current)),
            previous: None,
            next: None,
            entries: entries.iter().map(|entry| Entry::of_story(entry, options)).collect(),
        }
    }

    /// With the archive pages beside it.
    pub fn beside(
        mut self,
        feed: &PublishedFeed,
        variant: FeedVariant,
        previous: Option<u32>,
        next: Option<u32>,
    ) -> FeedDocument<'a> {
        let address = |page: u32| Address::of_feed(feed, variant, FeedPage::Archive(page));
        self.previous = previous.map(address);
        self.next = next.map(address);
        self
    }

    /// With the token in all of its own addresses: a reader that follows them stays let in.
    pub fn with_token(mut self, token: Option<&str>) -> FeedDocument<'a> {
        if let Some(token) = token {
            let own = [Some(&mut self.itself), self.current.as_mut(), self.previous.as_mut(), self.next.as_mut()];
            own.into_iter().flatten().for_each(|address| address.query = format!("?token={token}"));
        }
        self
    }

    /// What a search finds.
    pub fn of_search(typed: &str, instance: &str, entries: &'a [FeedEntry], options: &'a Options) -> FeedDocument<'a> {
        let query: String =
            url::form_urlencoded::Serializer::for_suffix(String::from("?"), 1).append_pair("q", typed).finish();
        FeedDocument {
            options,
            id: uuid(&format!("newsfold search {instance} {typed}")),
            title: format!("{}: {typed}", options.title),
            description: format!("{}: the stories in which ‘{typed}’ stands", options.title),
            home: options.url(&format!("search{query}")),
            itself: Address { path: "search".into(), query },
            entries: entries.iter().map(|entry| Entry::of_story(entry, options)).collect(),
            ..FeedDocument::empty(options)
        }
    }

    /// A story's own items, each an entry, the newest first: to follow one story.
    pub fn of_story(story: &'a Story, instance: &str, options: &'a Options) -> FeedDocument<'a> {
        let title = story.lead().map_or("", |lead| lead.item.title.as_str());
        let path = format!("stories/{}", story.id);
        FeedDocument {
            options,
            id: uuid(&format!("newsfold story {} items", story.id)),
            title: title.to_owned(),
            description: format!("All reports of one story: {title}"),
            home: options.url(&path),
            itself: Address { path, query: String::new() },
            entries: story
                .items
                .iter()
                .rev()
                .take(STORY_ITEMS)
                .map(|item| Entry::of_item(item, story, instance, options))
                .collect(),
            ..FeedDocument::empty(options)
        }
    }

    fn empty(options: &'a Options) -> FeedDocument<'a> {
        FeedDocument {
            options,
            id: String::new(),
            title: String::new(),
            description: String::new(),
            home: String::new(),
            itself: Address { path: String::new(), query: String::new() },
            hubs: Vec::new(),
            current: None,
            previous: None,
            next: None,
            entries: Vec::new(),
        }
    }

    /// The document as bytes.
    pub fn render(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Atom => atom::render(self),
            Format::Rss => rss::render(self),
            Format::Json => json::render(self),
        }
    }

    pub(super) fn is_archive(&self) -> bool {
        self.current.is_some()
    }

    /// When it last changed: the latest change of an entry in it, or 1970 for an empty one.
    pub(super) fn updated_at(&self) -> Timestamp {
        self.entries.iter().map(|entry| entry.updated_at).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    pub(super) fn url(&self, address: &Address, format: Format) -> String {
        self.options.url(&format!("{}.{}{}", address.path, format.extension(), address.query))
    }
}

/// Items in the feed of one story.
const STORY_ITEMS: usize = 200;

impl Address {
    fn of_feed(feed: &PublishedFeed, variant: FeedVariant, page: FeedPage) -> Address {
        let path = format!("feeds/{}{}{}", feed.name, variant.suffix(), page.suffix(feed));
        Address { path, query: String::new() }
    }
}
