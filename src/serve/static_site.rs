//! All documents with a fixed URL, rendered as static files. The files match the responses of the handlers.
//!
//! Content that depends on the request is omitted: filters, searches, `/healthz`, redirects. The file of a merged story
//! contains the page of the story that it redirects to. Three pages differ from the served pages, because the daemon
//! may not be running while the files are read: the index page and the list of sources have no form and no further
//! pages, and the health page does not report tasks.

use super::app_state::Error;
use super::feed_resource::{FeedResource, MAX_STORYLINE_STORIES, storyline_feed};
use super::http_cache::{EncodedResponse, FEED_CACHE_CONTROL, PAGE_CACHE_CONTROL, content_hash};
use super::pages::{self, SiteLayout};
use super::site_options::SiteOptions;
use crate::clock::Clock;
use crate::domain::{Story, StoryId, Timestamp};
use crate::publish::{self, FeedDocument, FeedFormat};
use crate::store::feed_entries::DocumentVersion;
use crate::store::{
    self, ReadConnection, Store, WriteConnection, feed_last_modified, publication, sources, stories, story_search,
    storylines,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

/// A document of the site, in the list of documents of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteDocument {
    pub cache_control: String,
    /// The suffixes of the files, one for each content coding.
    pub codings: Vec<String>,
    pub content_type: String,
    /// The hash of the unencoded bytes.
    pub hash: String,
    /// The path below the base URL.
    pub path: String,
}

/// A receiver of the documents of the site.
pub trait SiteFiles: Send + 'static {
    /// Adds the document that the previous export contains at this path, if `is_current` accepts it. Returns whether the
    /// document was added.
    fn keep(&mut self, path: &str, is_current: impl Fn(&SiteDocument) -> bool) -> io::Result<bool>;

    /// Adds a document.
    fn add(&mut self, path: &str, response: &EncodedResponse) -> io::Result<()>;
}

/// The versions of the feeds and archive pages in an export, by path. They are valid only in the process that created
/// them, because another version of the program may render a document differently.
pub type ExportedVersions = HashMap<String, DocumentVersion>;

/// Passes every document with its path to `files`. All documents are from one snapshot of the database. The feeds and
/// archive pages whose version is in `exported` are not rendered again.
pub async fn write_static_site<F: SiteFiles>(
    store: &Store,
    options: &SiteOptions,
    clock: &Clock,
    mut files: F,
    exported: ExportedVersions,
) -> Result<(F, ExportedVersions), Error> {
    let shared = Arc::new(options.clone());
    let (version, written, mut files) = store
        .read(move |db| {
            let version = publication::version(db)?;
            let written = write_feeds(db, &shared, &mut files, &exported)
                .and_then(|feeds| write_pages(db, &shared, &mut files).map(|()| feeds));
            Ok((version, written, files))
        })
        .await?;
    let RenderedFeeds { changed, versions } = written?;
    let now = clock.now();
    let changed = store.write(move |db| with_dates(db, changed, version, now)).await?;
    let add_changed = move || {
        let mut changed = changed.iter();
        changed.try_for_each(|(resource, response)| files.add(&resource.path(), response))?;
        Ok::<F, io::Error>(files)
    };
    let files = tokio::task::spawn_blocking(add_changed).await.map_err(io::Error::other)??;
    Ok((files, versions))
}

/// The changed documents that readers subscribe to, and the versions of all feeds and archive pages.
struct RenderedFeeds {
    changed: Vec<(FeedResource, EncodedResponse)>,
    versions: ExportedVersions,
}

/// Writes the feeds and their archive pages, except for the changed documents that readers subscribe to. Archive pages
/// are rendered one at a time, because there may be thousands of them.
fn write_feeds(
    db: &ReadConnection,
    options: &SiteOptions,
    files: &mut impl SiteFiles,
    exported: &ExportedVersions,
) -> Result<RenderedFeeds, Error> {
    let mut rendered = RenderedFeeds { changed: Vec::new(), versions: HashMap::new() };
    let archived = FeedResource::archived(db, &options.publish.public_feeds())?;
    for resource in FeedResource::subscribable(options).into_iter().chain(archived) {
        let (path, version) = (resource.path(), resource.version(db)?);
        let is_current = exported.get(&path) == Some(&version);
        rendered.versions.insert(path.clone(), version);
        if is_current && files.keep(&path, |_| true)? {
            continue;
        }
        let Some(response) = resource.encoded(db, &options.publish)? else { continue };
        if resource.is_current() {
            rendered.changed.push((resource, response));
        } else {
            files.add(&path, &response)?;
        }
    }
    Ok(rendered)
}

/// Adds a document. Encodes it only if it differs from the document in the previous export. `headers` are the values of
/// `Content-Type` and `Cache-Control`.
fn write_plain(
    files: &mut impl SiteFiles,
    path: &str,
    headers: (&'static str, &'static str),
    plain: Vec<u8>,
) -> io::Result<()> {
    let ((content_type, cache_control), hash) = (headers, content_hash(&plain));
    let is_current = |known: &SiteDocument| {
        (&known.hash, &*known.content_type, &*known.cache_control) == (&hash, content_type, cache_control)
    };
    if files.keep(path, is_current)? {
        return Ok(());
    }
    files.add(path, &EncodedResponse::new(content_type, cache_control, plain))
}

/// The values of `Content-Type` and `Cache-Control` of pages.
const PAGE_HEADERS: (&str, &str) = (pages::HTML_CONTENT_TYPE, PAGE_CACHE_CONTROL);
/// The values of `Content-Type` and `Cache-Control` of the feeds of stories and storylines. Pages link only to the Atom
/// format of these feeds.
const ATOM_HEADERS: (&str, &str) = (FeedFormat::Atom.content_type(), FEED_CACHE_CONTROL);

/// Adds the dates with which the daemon serves the same content. If the published content has changed since it was
/// read, the daemon may already have served newer content. In this case, no dates are recorded for the older content.
fn with_dates(
    db: &WriteConnection,
    mut feeds: Vec<(FeedResource, EncodedResponse)>,
    version: i64,
    now: Timestamp,
) -> store::Result<Vec<(FeedResource, EncodedResponse)>> {
    let is_newest = publication::version(db)? == version;
    for (resource, response) in &mut feeds {
        let (stem, extension) = (resource.stem(), resource.format.extension());
        let modified = if is_newest {
            let modified = feed_last_modified::determine(db, &stem, extension, &response.hash, now)?;
            feed_last_modified::record(db, &stem, extension, &response.hash, modified)?;
            Some(modified)
        } else {
            feed_last_modified::find(db, &stem, extension, &response.hash)?
        };
        response.last_modified = modified.and_then(|modified| SystemTime::try_from(modified).ok());
    }
    Ok(feeds)
}

fn write_pages(db: &ReadConnection, options: &SiteOptions, files: &mut impl SiteFiles) -> Result<(), Error> {
    let SiteOptions { publish: options, status_pages } = options;
    let feeds = options.public_feeds();
    let instance = publication::instance(db)?;
    let site = SiteLayout::new(options, &feeds, *status_pages);
    let mut page = |path: &str, html: String| write_plain(files, path, PAGE_HEADERS, html.into_bytes());
    page("index.html", pages::index_page(db, site, &story_search::facets(db)?, None)?)?;
    // `feeds` and `sources` are directories, so their lists become the index files of the directories.
    page("feeds/index.html", pages::feeds_page(site)?)?;
    for feed in &feeds {
        page(&format!("feeds/{}", feed.name), pages::feed_page(db, site, feed)?)?;
    }
    if *status_pages {
        page("health", pages::health_page(db, site, None)?)?;
        page("sources/index.html", pages::sources_page(db, site, None)?)?;
        for source in sources::list(db, &sources::SourceFilter::default())? {
            page(&format!("sources/{}", source.id), pages::source_page(db, site, &source)?)?;
        }
    }
    page("404.html", pages::not_found_page(site)?)?;
    let opml = (pages::OPML_CONTENT_TYPE, PAGE_CACHE_CONTROL);
    write_plain(files, "feeds.opml", opml, pages::feeds_opml(options, &feeds))?;
    for id in stories::published_ids(db)? {
        if let Some(story) = merge_target(db, id)?
            && let Some(html) = pages::story_page(db, site, &story)?
        {
            write_plain(files, &format!("stories/{id}"), PAGE_HEADERS, html.into_bytes())?;
            let feed = publish::render(&FeedDocument::of_story(&story, &instance, options), FeedFormat::Atom);
            write_plain(files, &format!("stories/{id}.atom"), ATOM_HEADERS, feed)?;
        }
    }
    write_storylines(db, site, files)?;
    files.add("style.css", &pages::STYLE)?;
    files.add("robots.txt", &pages::ROBOTS)?;
    Ok(files.add("favicon.svg", &pages::FAVICON)?)
}

/// Writes the storylines to which pages link: the storylines with several published stories.
fn write_storylines(db: &ReadConnection, site: SiteLayout, files: &mut impl SiteFiles) -> Result<(), Error> {
    for id in storylines::with_several_published(db)? {
        let Some(storyline) = storylines::with_published(db, id, MAX_STORYLINE_STORIES)? else { continue };
        let html = pages::storyline_page(db, site, &storyline)?;
        write_plain(files, &format!("storylines/{id}"), PAGE_HEADERS, html.into_bytes())?;
        let feed = storyline_feed(db, &storyline, FeedFormat::Atom, site.options)?;
        write_plain(files, &format!("storylines/{id}.atom"), ATOM_HEADERS, feed)?;
    }
    Ok(())
}

/// Returns the story, or the story into which it was merged.
fn merge_target(db: &ReadConnection, mut id: StoryId) -> store::Result<Option<Story>> {
    loop {
        match stories::get(db, id)? {
            // The oldest ID survives a merge, so the chain is finite.
            Some(Story { merged_into: Some(into), .. }) if into != id => id = into,
            story => return Ok(story),
        }
    }
}
