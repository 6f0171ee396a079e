//! The documents under `/feeds/`: their file names, their contents from the database, and snapshots of them for the
//! daemon's WebSub publisher. The module also contains the feeds of storylines.

use super::http_cache::{EncodedResponse, FEED_CACHE_CONTROL, content_hash};
use super::site_options::SiteOptions;
use crate::domain::{FeedVariant, PublishedFeed, Story, StoryId, Storyline};
use crate::publish::{
    self, DocumentPage, FeedDocument, FeedFormat, FeedPart, HEALTH_FEED_NAME, Options, arrange_entries,
    render_health_feed,
};
use crate::store::feed_entries::DocumentVersion;
use crate::store::{self, ReadConnection, editions, feed_entries, feed_selections, operator_events, publication};
use axum::body::Bytes;

/// A document under `/feeds/`.
#[derive(Debug, Clone)]
pub struct FeedResource {
    pub contents: ResourceContents,
    pub format: FeedFormat,
}

#[derive(Debug, Clone)]
pub enum ResourceContents {
    Stories(Box<PublishedFeed>, FeedVariant, DocumentPage),
    /// The operator's feed.
    Health,
}

impl FeedResource {
    /// Returns the document with a given file name, such as `energy.stable.archive-100-3.atom`.
    pub fn from_file_name(file: &str, feeds: &[PublishedFeed]) -> Option<FeedResource> {
        let (rest, extension) = file.rsplit_once('.')?;
        let format = FeedFormat::from_extension(extension)?;
        if rest == HEALTH_FEED_NAME {
            return (format == FeedFormat::Atom).then_some(FeedResource::health());
        }
        let (rest, page) = match rest.rsplit_once(".archive-") {
            Some((rest, numbers)) => (rest, DocumentPage::Archive(numbers.split_once('-')?.1.parse().ok()?)),
            None => (rest, DocumentPage::Current),
        };
        let (name, variant) = match rest.strip_suffix(FeedVariant::Stable.suffix()) {
            Some(name) => (name, FeedVariant::Stable),
            None => (rest, FeedVariant::Live),
        };
        let feed = feeds.iter().find(|feed| feed.name == name)?;
        let resource = FeedResource { contents: ResourceContents::Stories(feed.clone().into(), variant, page), format };
        // Each document has only one name, so `archive-100-07` is not found.
        (resource.file_name() == file).then_some(resource)
    }

    /// Returns all documents that readers subscribe to, in all variants and formats, without archives.
    pub fn subscribable(options: &SiteOptions) -> Vec<FeedResource> {
        let feeds = options.publish.public_feeds();
        let feeds = feeds.iter().flat_map(|feed| FeedResource::of_page(feed, DocumentPage::Current));
        feeds.chain(options.status_pages.then(FeedResource::health)).collect()
    }

    /// Returns all archive pages.
    pub fn archived(db: &ReadConnection, feeds: &[PublishedFeed]) -> store::Result<Vec<FeedResource>> {
        let mut all = Vec::new();
        for feed in feeds {
            let pages = feed_entries::archive_page_numbers(db, feed)?.into_iter().map(DocumentPage::Archive);
            all.extend(pages.flat_map(|page| FeedResource::of_page(feed, page)));
        }
        Ok(all)
    }

    fn health() -> FeedResource {
        FeedResource { contents: ResourceContents::Health, format: FeedFormat::Atom }
    }

    fn of_page(feed: &PublishedFeed, page: DocumentPage) -> Vec<FeedResource> {
        let mut all = Vec::new();
        for variant in FeedVariant::ALL {
            for format in FeedFormat::ALL {
                let contents = ResourceContents::Stories(feed.clone().into(), variant, page);
                all.push(FeedResource { contents, format });
            }
        }
        all
    }

    /// Returns whether readers subscribe to the document rather than fetch it once.
    pub fn is_current(&self) -> bool {
        matches!(self.contents, ResourceContents::Health | ResourceContents::Stories(_, _, DocumentPage::Current))
    }

    /// Returns the version of the document. If the version is the same, the bytes are the same.
    pub fn version(&self, db: &ReadConnection) -> store::Result<DocumentVersion> {
        match &self.contents {
            ResourceContents::Stories(feed, _, DocumentPage::Current) => feed_entries::current_version(db, feed),
            ResourceContents::Stories(feed, _, DocumentPage::Archive(page)) => {
                feed_entries::archive_page_version(db, feed, *page)
            }
            ResourceContents::Health => Ok(DocumentVersion::AllFeeds(publication::feeds_version(db)?)),
        }
    }

    /// Returns the private feed that the document belongs to.
    pub fn private_feed(&self) -> Option<&PublishedFeed> {
        match &self.contents {
            ResourceContents::Stories(feed, ..) if feed.private => Some(feed),
            _ => None,
        }
    }

    /// Returns the file name without the extension of the format.
    pub fn stem(&self) -> String {
        match &self.contents {
            ResourceContents::Stories(feed, variant, page) => {
                format!("{}{}{}", feed.name, variant.suffix(), page.suffix(feed))
            }
            ResourceContents::Health => HEALTH_FEED_NAME.into(),
        }
    }

    pub fn file_name(&self) -> String {
        format!("{}.{}", self.stem(), self.format.extension())
    }

    /// Returns the path below the base URL.
    pub fn path(&self) -> String {
        format!("feeds/{}", self.file_name())
    }

    pub fn url(&self, options: &Options) -> String {
        options.url(&self.path())
    }

    /// Returns a public document in every content coding; `None` for an archive page that is not full.
    pub fn encoded(&self, db: &ReadConnection, options: &Options) -> store::Result<Option<EncodedResponse>> {
        let bytes = self.render(db, options, None)?;
        Ok(bytes.map(|bytes| EncodedResponse::new(self.format.content_type(), FEED_CACHE_CONTROL, bytes)))
    }

    /// Renders the document; `None` for an archive page that is not full.
    pub fn render(
        &self,
        db: &ReadConnection,
        options: &Options,
        token: Option<&str>,
    ) -> store::Result<Option<Vec<u8>>> {
        let instance = publication::instance(db)?;
        let ResourceContents::Stories(feed, variant, page) = &self.contents else {
            let known_since = feed_selections::known_since(db, None)?;
            return Ok(Some(render_health_feed(&operator_events::latest(db)?, known_since, &instance, options)));
        };
        let known_since = feed_selections::known_since(db, Some(&feed.name))?;
        let loaded = match page {
            DocumentPage::Current => Some(feed_entries::current_page(db, feed, *variant)?),
            DocumentPage::Archive(number) => feed_entries::archive_page(db, feed, *variant, *number)?,
        };
        Ok(loaded.map(|loaded| {
            let entries = arrange_entries(&feed.selection, loaded.candidates);
            let part = FeedPart { feed, variant: *variant, page: *page };
            let document = FeedDocument::of_feed(part, &instance, &entries, options)
                .known_since(known_since)
                .with_archive_links(part, loaded.previous, loaded.next)
                .with_token(token);
            publish::render(&document, self.format)
        }))
    }
}

/// The maximum number of stories on the page and in the feed of a storyline. The newest are shown.
pub const MAX_STORYLINE_STORIES: u32 = 200;

/// Renders the feed of a storyline that was read with its published stories.
pub fn storyline_feed(
    db: &ReadConnection,
    storyline: &Storyline,
    format: FeedFormat,
    options: &Options,
) -> store::Result<Vec<u8>> {
    let newest_first: Vec<StoryId> = storyline.stories.iter().rev().map(|story| story.id).collect();
    let entries = editions::latest_entries(db, &newest_first)?;
    let headline = storyline.main_story().and_then(Story::lead).map_or("", |lead| lead.item.title.as_str());
    let document = FeedDocument::of_storyline(storyline.id, headline, &entries, options);
    Ok(publish::render(&document.known_since(storyline.created_at), format))
}

/// The current content of a feed document.
pub struct FeedSnapshot {
    /// The document's URL, which is also its WebSub topic.
    pub url: String,
    pub version: DocumentVersion,
    pub content_type: &'static str,
    /// The hash of `bytes`, which is used to detect changes.
    pub hash: String,
    pub bytes: Bytes,
}

/// Returns the URLs of all documents that support subscriptions. Documents of private feeds do not.
pub fn feed_urls(options: &SiteOptions) -> Vec<String> {
    FeedResource::subscribable(options).iter().map(|resource| resource.url(&options.publish)).collect()
}

/// Returns snapshots of the documents whose URLs and versions `is_wanted` accepts.
pub fn feed_snapshots(
    db: &ReadConnection,
    options: &SiteOptions,
    is_wanted: impl Fn(&str, DocumentVersion) -> bool,
) -> store::Result<Vec<FeedSnapshot>> {
    let mut snapshots = Vec::new();
    for resource in FeedResource::subscribable(options) {
        let (url, version) = (resource.url(&options.publish), resource.version(db)?);
        if is_wanted(&url, version) {
            let bytes = resource.render(db, &options.publish, None)?.unwrap_or_default();
            let (hash, content_type) = (content_hash(&bytes), resource.format.content_type());
            snapshots.push(FeedSnapshot { url, version, content_type, hash, bytes: bytes.into() });
        }
    }
    Ok(snapshots)
}
