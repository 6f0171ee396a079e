//! All that is served at addresses of its own, as documents for files: the bytes are those of the handlers.
//!
//! What depends on the request is left out: the front page's filters, `/healthz`, redirects. A story that was merged
//! away has the page of the story to which it would lead. Two pages differ from those that are served, since no
//! daemon need run while files are read: the front page has no form, and the page of health says nothing of tasks.

use super::conditional::{FEED, PAGE, Ready};
use super::feeds::Which;
use super::pages::{self, Site};
use crate::clock::Clock;
use crate::domain::{StoryId, Timestamp};
use crate::publish::{FeedDocument, Format, Options};
use crate::store::{self, Store, renderings, sources, stories};
use axum::body::Bytes;
use rusqlite::Connection;
use std::io;
use std::sync::Arc;

/// A document with everything that a server has to know of it.
pub struct Document {
    /// Below the base URL.
    pub path: String,
    pub content_type: &'static str,
    pub cache_control: &'static str,
    /// The hash of its plain bytes.
    pub hash: String,
    /// What follows the path in each coding, and the bytes; nothing follows that of the plain ones.
    pub coded: Vec<(&'static str, Bytes)>,
    /// Since when it is as it is, where that is known.
    pub modified: Option<Timestamp>,
}

/// Why not every document could be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("a page could not be rendered: {0}")]
    Page(#[from] askama::Error),
    #[error(transparent)]
    Place(#[from] io::Error),
}

type Place<'a> = &'a mut dyn FnMut(Document) -> io::Result<()>;

/// Hands every document to `place`, all of them of one moment.
pub async fn each(
    store: &Store,
    options: &Options,
    clock: &Clock,
    mut place: impl FnMut(Document) -> io::Result<()> + Send + 'static,
) -> Result<(), Error> {
    let shared = Arc::new(options.clone());
    let (version, feeds, placed, place) = store
        .read(move |db| {
            let version = stories::version(db)?;
            let feeds = feeds(db, &shared)?;
            let placed = each_archive(db, &shared, &mut place).and_then(|()| each_page(db, &shared, &mut place));
            Ok((version, feeds, placed, place))
        })
        .await?;
    placed?;
    let now = clock.now();
    let feeds = store.write(move |db| dated(db, feeds, version, now)).await?;
    let placed = tokio::task::spawn_blocking(move || feeds.into_iter().try_for_each(place));
    Ok(placed.await.map_err(io::Error::other)??)
}

type Rendered = (String, Format, Ready);

fn feeds(db: &Connection, options: &Options) -> store::Result<Vec<Rendered>> {
    let mut rendered = Vec::new();
    for (which, format) in Which::subscribed(&options.public_feeds()) {
        let bytes = which.render(db, format, options, None)?.unwrap_or_default();
        rendered.push((which.name(), format, Ready::new(format.content_type(), FEED, bytes)));
    }
    Ok(rendered)
}

/// One after the other: there may be thousands.
fn each_archive(db: &Connection, options: &Options, place: Place) -> Result<(), Error> {
    for (which, format) in Which::archived(db, &options.public_feeds())? {
        if let Some(bytes) = which.render(db, format, options, None)? {
            let ready = Ready::new(format.content_type(), FEED, bytes);
            place(document(format!("feeds/{}.{}", which.name(), format.extension()), &ready, None))?;
        }
    }
    Ok(())
}

/// The dates by which the daemon serves the same bytes. Where something has changed meanwhile it may have served others
/// already, and what is older than those is not written down as the newest.
fn dated(db: &Connection, feeds: Vec<Rendered>, version: i64, now: Timestamp) -> store::Result<Vec<Document>> {
    let newest = stories::version(db)? == version;
    let date = |(name, format, ready): Rendered| {
        let extension = format.extension();
        let modified = if newest {
            Some(renderings::record(db, &name, extension, &ready.hash, now)?)
        } else {
            renderings::modified_at(db, &name, extension, &ready.hash)?
        };
        Ok(document(format!("feeds/{name}.{extension}"), &ready, modified))
    };
    feeds.into_iter().map(date).collect()
}

fn each_page(db: &Connection, options: &Options, place: Place) -> Result<(), Error> {
    let feeds = options.public_feeds();
    let instance = stories::instance(db)?;
    let site = || Site::new(options, &feeds);
    let page = |html: askama::Result<String>| Ok::<_, Error>(Ready::new(pages::HTML, PAGE, html?.into_bytes()));
    let mut put = |path: String, ready: &Ready| place(document(path, ready, None));
    put("index.html".into(), &page(pages::front_page(db, site(), None)?)?)?;
    // A folder has the name of the list already.
    put("sources/index.html".into(), &page(pages::sources_page(db, site())?)?)?;
    for source in sources::list(db, &sources::Filter::default())? {
        put(format!("sources/{}", source.id), &page(pages::source_page(db, site(), &source)?)?)?;
    }
    put("feeds/index.html".into(), &page(pages::feeds_page(site()))?)?;
    put("feeds.opml".into(), &Ready::new(pages::OPML, PAGE, pages::outlines(options, &feeds)))?;
    put("health".into(), &page(pages::health_page(db, site(), None)?)?)?;
    put("404.html".into(), &page(pages::not_found_page(site()))?)?;
    for id in stories::ever_published(db)? {
        if let Some(story) = survivor(db, id)?
            && let Some(html) = pages::story_page(db, site(), &story)?
        {
            put(format!("stories/{id}"), &page(html)?)?;
            // The one format to which the page leads.
            let feed = FeedDocument::of_story(&story, &instance, options).render(Format::Atom);
            put(format!("stories/{id}.atom"), &Ready::new(Format::Atom.content_type(), FEED, feed))?;
        }
    }
    put("style.css".into(), &pages::STYLE)?;
    put("favicon.svg".into(), &pages::FAVICON)?;
    Ok(())
}

/// The story, or the one that it was merged into.
fn survivor(db: &Connection, mut id: StoryId) -> store::Result<Option<crate::domain::Story>> {
    loop {
        match stories::get(db, id)? {
            // The oldest id survives a merge, so that this ends.
            Some(story) if story.merged_into.is_some_and(|into| into != id) => {
                id = story.merged_into.unwrap_or(id);
            }
            story => return Ok(story),
        }
    }
}

fn document(path: String, ready: &Ready, modified: Option<Timestamp>) -> Document {
    Document {
        path,
        content_type: ready.content_type,
        cache_control: ready.cache_control,
        hash: ready.hash.clone(),
        coded: ready.coded.iter().map(|(coding, bytes)| (coding.suffix(), bytes.clone())).collect(),
        modified,
    }
}
