//! All documents with a fixed URL, rendered as static files. The files match the responses of the handlers.
//!
//! Content that depends on the request is omitted: filters, searches, `/healthz`, redirects. The file of a merged story
//! contains the page of the story that it redirects to. Three pages differ from the served ones, because the daemon may
//! not run while the files are read: the index page and the list of sources have no form and no further pages, and the
//! health page does not report tasks.

use super::app_state::Error;
use super::feed_resource::{FeedResource, MAX_STORYLINE_STORIES, storyline_feed};
use super::http_cache::{EncodedResponse, FEED_CACHE_CONTROL, PAGE_CACHE_CONTROL};
use super::pages::{self, SiteLayout};
use super::site_options::SiteOptions;
use crate::clock::Clock;
use crate::domain::{Story, StoryId, Timestamp};
use crate::publish::{self, FeedDocument, FeedFormat, Options};
use crate::store::{
    self, ReadConnection, Store, WriteConnection, feed_last_modified, publication, sources, stories, storylines,
};
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

/// Receives a document and its path below the base URL.
type DocumentSink<'a> = &'a mut dyn FnMut(&str, &EncodedResponse) -> io::Result<()>;

/// Passes every document with its path to `write`. All documents are from one snapshot of the database.
pub async fn write_static_site(
    store: &Store,
    options: &SiteOptions,
    clock: &Clock,
    mut write: impl FnMut(&str, &EncodedResponse) -> io::Result<()> + Send + 'static,
) -> Result<(), Error> {
    let shared = Arc::new(options.clone());
    let (version, feeds, written, mut write) = store
        .read(move |db| {
            let version = publication::version(db)?;
            let feeds = render_feeds(db, &shared)?;
            let written =
                write_archives(db, &shared.publish, &mut write).and_then(|()| write_pages(db, &shared, &mut write));
            Ok((version, feeds, written, write))
        })
        .await?;
    written?;
    let now = clock.now();
    let feeds = store.write(move |db| with_dates(db, feeds, version, now)).await?;
    let write_feeds = move || feeds.iter().try_for_each(|(resource, response)| write(&resource.path(), response));
    Ok(tokio::task::spawn_blocking(write_feeds).await.map_err(io::Error::other)??)
}

fn render_feeds(db: &ReadConnection, options: &SiteOptions) -> store::Result<Vec<(FeedResource, EncodedResponse)>> {
    let mut rendered = Vec::new();
    for resource in FeedResource::subscribable(options) {
        let response = resource.encoded(db, &options.publish)?;
        rendered.extend(response.map(|response| (resource, response)));
    }
    Ok(rendered)
}

/// Renders archive pages one at a time, because there may be thousands.
fn write_archives(db: &ReadConnection, options: &Options, write: DocumentSink) -> Result<(), Error> {
    for resource in FeedResource::archived(db, &options.public_feeds())? {
        if let Some(response) = resource.encoded(db, options)? {
            write(&resource.path(), &response)?;
        }
    }
    Ok(())
}

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

fn write_pages(db: &ReadConnection, options: &SiteOptions, write: DocumentSink) -> Result<(), Error> {
    let SiteOptions { publish: options, status_pages } = options;
    let feeds = options.public_feeds();
    let instance = publication::instance(db)?;
    let site = || SiteLayout::new(options, &feeds, *status_pages);
    let page = |html: String| EncodedResponse::new(pages::HTML_CONTENT_TYPE, PAGE_CACHE_CONTROL, html.into_bytes());
    write("index.html", &page(pages::index_page(db, site(), None)?))?;
    // `feeds` and `sources` are directories, so their lists become the index files of the directories.
    write("feeds/index.html", &page(pages::feeds_page(site())?))?;
    for feed in &feeds {
        write(&format!("feeds/{}", feed.name), &page(pages::feed_page(db, site(), feed)?))?;
    }
    if *status_pages {
        write("health", &page(pages::health_page(db, site(), None)?))?;
        write_sources(db, site, page, write)?;
    }
    write("404.html", &page(pages::not_found_page(site())?))?;
    let opml = EncodedResponse::new(pages::OPML_CONTENT_TYPE, PAGE_CACHE_CONTROL, pages::feeds_opml(options, &feeds));
    write("feeds.opml", &opml)?;
    for id in stories::published_ids(db)? {
        if let Some(story) = merge_target(db, id)?
            && let Some(html) = pages::story_page(db, site(), &story)?
        {
            write(&format!("stories/{id}"), &page(html))?;
            // The page links only to the Atom feed.
            let feed = publish::render(&FeedDocument::of_story(&story, &instance, options), FeedFormat::Atom);
            let response = EncodedResponse::new(FeedFormat::Atom.content_type(), FEED_CACHE_CONTROL, feed);
            write(&format!("stories/{id}.atom"), &response)?;
        }
    }
    write_storylines(db, options, site, write)?;
    write("style.css", &pages::STYLE)?;
    write("robots.txt", &pages::ROBOTS)?;
    Ok(write("favicon.svg", &pages::FAVICON)?)
}

fn write_sources<'a>(
    db: &ReadConnection,
    site: impl Fn() -> SiteLayout<'a>,
    page: impl Fn(String) -> EncodedResponse,
    write: DocumentSink,
) -> Result<(), Error> {
    write("sources/index.html", &page(pages::sources_page(db, site(), None)?))?;
    for source in sources::list(db, &sources::SourceFilter::default())? {
        write(&format!("sources/{}", source.id), &page(pages::source_page(db, site(), &source)?))?;
    }
    Ok(())
}

/// Writes the storylines that pages link to: those with several published stories.
fn write_storylines<'a>(
    db: &ReadConnection,
    options: &Options,
    site: impl Fn() -> SiteLayout<'a>,
    write: DocumentSink,
) -> Result<(), Error> {
    for id in storylines::with_several_published(db)? {
        let Some(storyline) = storylines::with_published(db, id, MAX_STORYLINE_STORIES)? else { continue };
        let html = pages::storyline_page(db, site(), &storyline)?.into_bytes();
        let page = EncodedResponse::new(pages::HTML_CONTENT_TYPE, PAGE_CACHE_CONTROL, html);
        write(&format!("storylines/{id}"), &page)?;
        // The page links only to the Atom feed.
        let feed = storyline_feed(db, &storyline, FeedFormat::Atom, options)?;
        let response = EncodedResponse::new(FeedFormat::Atom.content_type(), FEED_CACHE_CONTROL, feed);
        write(&format!("storylines/{id}.atom"), &response)?;
    }
    Ok(())
}

/// Returns the story, or the story into which it was merged.
fn merge_target(db: &ReadConnection, mut id: StoryId) -> store::Result<Option<Story>> {
    loop {
        match stories::get(db, id)? {
            // The oldest id survives a merge, so the chain is finite.
            Some(Story { merged_into: Some(into), .. }) if into != id => id = into,
            story => return Ok(story),
        }
    }
}
