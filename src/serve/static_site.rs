//! Everything that is served at its own URL, as documents for static files. The bytes equal those of the handlers.
//!
//! What depends on the request is left out: filters, searches, `/healthz`, redirects. The file of a merged story
//! contains the page of the story that it redirects to. Two pages differ from the served ones, because the daemon may
//! not run while the files are read: the index page has no form, and the health page does not report tasks.

use super::feed_resource::FeedResource;
use super::http_cache::{EncodedResponse, FEED_CACHE_CONTROL, PAGE_CACHE_CONTROL};
use super::pages::{self, SiteLayout};
use crate::clock::Clock;
use crate::domain::{Story, StoryId, Timestamp};
use crate::publish::{self, FeedDocument, FeedFormat, Options};
use crate::store::{self, ReadConnection, Store, WriteConnection, feed_last_modified, publication, sources, stories};
use axum::body::Bytes;
use std::io;
use std::sync::Arc;

/// A document and the headers that a server sends with it.
pub struct StaticDocument {
    /// Relative to the base URL.
    pub path: String,
    pub content_type: &'static str,
    pub cache_control: &'static str,
    /// The hash of the plain bytes.
    pub hash: String,
    /// The bytes in each content coding, and the coding's file suffix, which is empty for the plain bytes.
    pub encoded: Vec<(&'static str, Bytes)>,
    /// For `Last-Modified`, where known.
    pub modified: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("cannot render a page: {0}")]
    Page(#[from] askama::Error),
    #[error(transparent)]
    Write(#[from] io::Error),
}

type DocumentSink<'a> = &'a mut dyn FnMut(StaticDocument) -> io::Result<()>;

/// Passes every document to `write`, all from one snapshot of the database.
pub async fn write_static_site(
    store: &Store,
    options: &Options,
    clock: &Clock,
    mut write: impl FnMut(StaticDocument) -> io::Result<()> + Send + 'static,
) -> Result<(), Error> {
    let shared = Arc::new(options.clone());
    let (version, feeds, written, write) = store
        .read(move |db| {
            let version = publication::version(db)?;
            let feeds = render_feeds(db, &shared)?;
            let written = write_archives(db, &shared, &mut write).and_then(|()| write_pages(db, &shared, &mut write));
            Ok((version, feeds, written, write))
        })
        .await?;
    written?;
    let now = clock.now();
    let feeds = store.write(move |db| with_dates(db, feeds, version, now)).await?;
    let written = tokio::task::spawn_blocking(move || feeds.into_iter().try_for_each(write));
    Ok(written.await.map_err(io::Error::other)??)
}

fn render_feeds(db: &ReadConnection, options: &Options) -> store::Result<Vec<(FeedResource, EncodedResponse)>> {
    let mut rendered = Vec::new();
    for resource in FeedResource::subscribable(&options.public_feeds()) {
        let bytes = resource.render(db, options, None)?.unwrap_or_default();
        let response = EncodedResponse::new(resource.format.content_type(), FEED_CACHE_CONTROL, bytes);
        rendered.push((resource, response));
    }
    Ok(rendered)
}

/// Renders one archive page at a time: there may be thousands.
fn write_archives(db: &ReadConnection, options: &Options, write: DocumentSink) -> Result<(), Error> {
    for resource in FeedResource::archived(db, &options.public_feeds())? {
        if let Some(bytes) = resource.render(db, options, None)? {
            let response = EncodedResponse::new(resource.format.content_type(), FEED_CACHE_CONTROL, bytes);
            write(document(format!("feeds/{}", resource.file_name()), &response, None))?;
        }
    }
    Ok(())
}

/// Adds the dates with which the daemon serves the same bytes. If the publication has changed since it was read, the
/// daemon may have served newer bytes already, and the dates of the older ones are not recorded.
fn with_dates(
    db: &WriteConnection,
    feeds: Vec<(FeedResource, EncodedResponse)>,
    version: i64,
    now: Timestamp,
) -> store::Result<Vec<StaticDocument>> {
    let is_newest = publication::version(db)? == version;
    let mut documents = Vec::new();
    for (resource, response) in feeds {
        let (stem, extension) = (resource.stem(), resource.format.extension());
        let modified = if is_newest {
            Some(feed_last_modified::record(db, &stem, extension, &response.hash, now)?)
        } else {
            feed_last_modified::find(db, &stem, extension, &response.hash)?
        };
        documents.push(document(format!("feeds/{}", resource.file_name()), &response, modified));
    }
    Ok(documents)
}

fn write_pages(db: &ReadConnection, options: &Options, write: DocumentSink) -> Result<(), Error> {
    let feeds = options.public_feeds();
    let instance = publication::instance(db)?;
    let site = || SiteLayout::new(options, &feeds);
    let mut write_response = |path: String, response: &EncodedResponse| write(document(path, response, None));
    write_response("index.html".into(), &page(pages::index_page(db, site(), None)?)?)?;
    // `sources` and `feeds` are folders, so their lists are the folders' index files.
    write_response("sources/index.html".into(), &page(pages::sources_page(db, site())?)?)?;
    for source in sources::list(db, &sources::SourceFilter::default())? {
        write_response(format!("sources/{}", source.id), &page(pages::source_page(db, site(), &source)?)?)?;
    }
    write_response("feeds/index.html".into(), &page(pages::feeds_page(site()))?)?;
    let opml = EncodedResponse::new(pages::OPML_CONTENT_TYPE, PAGE_CACHE_CONTROL, pages::feeds_opml(options, &feeds));
    write_response("feeds.opml".into(), &opml)?;
    write_response("health".into(), &page(pages::health_page(db, site(), None)?)?)?;
    write_response("404.html".into(), &page(pages::not_found_page(site()))?)?;
    for id in stories::published_ids(db)? {
        if let Some(story) = merge_target(db, id)?
            && let Some(html) = pages::story_page(db, site(), &story)?
        {
            write_response(format!("stories/{id}"), &page(html)?)?;
            // The page links to the Atom feed only.
            let feed = publish::render(&FeedDocument::of_story(&story, &instance, options), FeedFormat::Atom);
            let response = EncodedResponse::new(FeedFormat::Atom.content_type(), FEED_CACHE_CONTROL, feed);
            write_response(format!("stories/{id}.atom"), &response)?;
        }
    }
    write_response("style.css".into(), &pages::STYLE)?;
    write_response("favicon.svg".into(), &pages::FAVICON)?;
    Ok(())
}

fn page(html: askama::Result<String>) -> Result<EncodedResponse, Error> {
    Ok(EncodedResponse::new(pages::HTML_CONTENT_TYPE, PAGE_CACHE_CONTROL, html?.into_bytes()))
}

/// The story, or the one that it was merged into.
fn merge_target(db: &ReadConnection, mut id: StoryId) -> store::Result<Option<Story>> {
    loop {
        match stories::get(db, id)? {
            // The oldest id survives a merge, so the chain ends.
            Some(story) if story.merged_into.is_some_and(|into| into != id) => {
                id = story.merged_into.unwrap_or(id);
            }
            story => return Ok(story),
        }
    }
}

fn document(path: String, response: &EncodedResponse, modified: Option<Timestamp>) -> StaticDocument {
    StaticDocument {
        path,
        content_type: response.content_type,
        cache_control: response.cache_control,
        hash: response.hash.clone(),
        encoded: response.encoded.iter().map(|(coding, bytes)| (coding.file_suffix(), bytes.clone())).collect(),
        modified,
    }
}
