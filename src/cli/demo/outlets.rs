//! The fictional outlets of the demo. Each one is a server with a feed in the outlet's format, a front page that links
//! to the feed, and a page per article. `demo/news.toml` defines which items an outlet publishes, and when.

use crate::clock::Clock;
use crate::domain::{NewSource, OutletProvenance, Timestamp};
use crate::markup::entities::escape_html;
use anyhow::Context as _;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use jiff::SignedDuration;
use serde::Deserialize;
use std::sync::Arc;
use tokio::net::TcpListener;

#[derive(Deserialize)]
struct News {
    #[serde(rename = "outlet")]
    outlets: Vec<Outlet>,
    #[serde(rename = "item")]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Outlet {
    key: String,
    name: String,
    domain: String,
    format: Format,
    tags: Vec<String>,
    priority: i32,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Format {
    Rss2,
    Rss1,
    Atom,
    Json,
}

#[derive(Deserialize, Clone)]
struct Item {
    outlet: String,
    slug: String,
    title: String,
    summary: String,
    body: Option<String>,
    author: Option<String>,
    /// The age of the item at its first appearance.
    #[serde(default)]
    minutes_ago: i64,
    /// The time of the first appearance, in seconds after the start.
    #[serde(default)]
    appears_after: i64,
    later: Option<Revision>,
}

/// A later change of an item's title.
#[derive(Deserialize, Clone)]
struct Revision {
    /// The time of the change, in seconds after the start.
    after: i64,
    title: String,
    minutes_ago: i64,
}

/// The server of an outlet.
struct Site {
    outlet: Outlet,
    items: Vec<Item>,
    start: Timestamp,
    clock: Clock,
    base_url: String,
}

/// An item as published at a given time.
struct PublishedItem<'a> {
    item: &'a Item,
    title: &'a str,
    at: Timestamp,
    link: String,
    guid: String,
}

/// Starts the servers of all outlets, which run until the program ends. Returns their feeds as sources.
pub async fn start(clock: &Clock) -> anyhow::Result<Vec<NewSource>> {
    let news: News = toml::from_str(include_str!("../../../demo/news.toml")).context("demo/news.toml is not valid")?;
    // Times in feeds have no fractions of a second.
    let start = Timestamp::from_second(clock.now().as_second())?;
    let mut sources = Vec::new();
    for outlet in news.outlets {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let base_url = format!("http://{}/", listener.local_addr()?);
        sources.push(NewSource {
            url: format!("{base_url}feed"),
            outlet: outlet.domain.clone(),
            outlet_provenance: OutletProvenance::Operator,
            priority: outlet.priority,
            tags: outlet.tags.clone(),
            ..NewSource::default()
        });
        let items = news.items.iter().filter(|item| item.outlet == outlet.key).cloned().collect();
        let site = Arc::new(Site { outlet, items, start, clock: clock.clone(), base_url });
        let routes = Router::new()
            .route("/", get(front_page))
            .route("/feed", get(feed))
            .route("/{slug}", get(article))
            .with_state(site);
        tokio::spawn(axum::serve(listener, routes).into_future());
    }
    Ok(sources)
}

impl Site {
    /// Returns the items that the outlet currently publishes, newest first.
    fn published(&self) -> Vec<PublishedItem<'_>> {
        let elapsed = self.clock.now().duration_since(self.start).as_secs();
        let visible = self.items.iter().filter(|item| item.appears_after <= elapsed);
        let mut items: Vec<_> = visible.map(|item| self.published_item(item, elapsed)).collect();
        items.sort_by(|a, b| b.at.cmp(&a.at).then(a.item.slug.cmp(&b.item.slug)));
        items
    }

    fn published_item<'a>(&self, item: &'a Item, elapsed: i64) -> PublishedItem<'a> {
        let (title, after, minutes_ago) = match &item.later {
            Some(later) if later.after <= elapsed => (&later.title, later.after, later.minutes_ago),
            _ => (&item.title, item.appears_after, item.minutes_ago),
        };
        PublishedItem {
            item,
            title,
            at: self.start + SignedDuration::from_secs(after) - SignedDuration::from_mins(minutes_ago),
            link: format!("{}{}", self.base_url, item.slug),
            guid: format!("tag:{},2026:{}", self.outlet.domain, item.slug),
        }
    }
}

impl Item {
    fn body_html(&self) -> Option<String> {
        let paragraphs = self.body.as_deref()?.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
        Some(paragraphs.map(|text| format!("<p>{}</p>", escape_html(text))).collect())
    }
}

async fn feed(State(site): State<Arc<Site>>, request: HeaderMap) -> Response {
    let (media_type, body) = match site.outlet.format {
        Format::Rss2 => ("application/rss+xml", rss2(&site)),
        Format::Rss1 => ("application/rdf+xml", rss1(&site)),
        Format::Atom => ("application/atom+xml", atom(&site)),
        Format::Json => ("application/feed+json", json(&site)),
    };
    let etag = format!("\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(body.as_bytes()));
    let is_unchanged = request.get(header::IF_NONE_MATCH).is_some_and(|value| *value == etag);
    let headers = [(header::CONTENT_TYPE, media_type.to_owned()), (header::ETAG, etag)];
    if is_unchanged { (StatusCode::NOT_MODIFIED, headers).into_response() } else { (headers, body).into_response() }
}

async fn front_page(State(site): State<Arc<Site>>) -> Html<String> {
    let name = escape_html(&site.outlet.name);
    let link = |item: &PublishedItem| format!("<li><a href=\"{}\">{}</a></li>", item.link, escape_html(item.title));
    let list: String = site.published().iter().map(link).collect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>{name}</title>\
         <link rel=\"alternate\" type=\"application/rss+xml\" title=\"{name}\" href=\"/feed\"><h1>{name}</h1><ul>{list}</ul>"
    ))
}

async fn article(State(site): State<Arc<Site>>, Path(slug): Path<String>) -> Result<Html<String>, StatusCode> {
    let items = site.published();
    let item = items.iter().find(|item| item.item.slug == slug).ok_or(StatusCode::NOT_FOUND)?;
    let (title, name) = (escape_html(item.title), escape_html(&site.outlet.name));
    let (summary, body) = (escape_html(&item.item.summary), item.item.body_html().unwrap_or_default());
    Ok(Html(format!(
        "<!doctype html><html lang=\"en\"><title>{title}</title><p><a href=\"/\">{name}</a> (an invented outlet)</p>\
         <h1>{title}</h1><p>{summary}</p>{body}"
    )))
}

fn rss2(site: &Site) -> String {
    let items = site.published().into_iter().map(|PublishedItem { item, title, at, link, guid }| rss::Item {
        title: Some(title.into()),
        link: Some(link),
        description: Some(item.summary.clone()),
        content: item.body_html(),
        author: item.author.as_ref().map(|author| format!("news@{} ({author})", site.outlet.domain)),
        guid: Some(rss::Guid { value: guid, permalink: false }),
        pub_date: Some(at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ..rss::Item::default()
    });
    rss::Channel {
        title: site.outlet.name.clone(),
        link: site.base_url.clone(),
        description: "Invented news".into(),
        language: Some("en-GB".into()),
        items: items.collect(),
        ..rss::Channel::default()
    }
    .to_string()
}

fn rss1(site: &Site) -> String {
    let published = site.published();
    let list: String =
        published.iter().map(|item| format!("<rdf:li rdf:resource=\"{}\"/>", escape_html(&item.link))).collect();
    let item = |PublishedItem { item, title, at, link, .. }: &PublishedItem| {
        let (title, link, summary) = (escape_html(title), escape_html(link), escape_html(&item.summary));
        format!(
            "<item rdf:about=\"{link}\"><title>{title}</title><link>{link}</link><description>{summary}</description>\
             <dc:date>{at}</dc:date></item>\n"
        )
    };
    let items: String = published.iter().map(item).collect();
    let (base, name) = (&site.base_url, escape_html(&site.outlet.name));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns=\"http://purl.org/rss/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n\
         <channel rdf:about=\"{base}feed\"><title>{name}</title><link>{base}</link><description>Invented news</description>\
         <dc:language>en</dc:language><items><rdf:Seq>{list}</rdf:Seq></items></channel>\n{items}</rdf:RDF>\n"
    )
}

fn atom(site: &Site) -> String {
    use atom_syndication::{Content, Entry, Feed, FixedDateTime, Link, Person, Text};
    let date = |at: Timestamp| at.to_string().parse::<FixedDateTime>().unwrap_or_default();
    let alternate = |href: String| vec![Link { href, rel: "alternate".into(), ..Link::default() }];
    let html = |html| Content { value: Some(html), content_type: Some("html".into()), ..Content::default() };
    let published = site.published();
    let updated = published.first().map(|newest| date(newest.at)).unwrap_or_default();
    let entries = published.into_iter().map(|PublishedItem { item, title, at, link, guid }| Entry {
        id: guid,
        title: Text::plain(title),
        updated: date(at),
        published: Some(date(at)),
        links: alternate(link),
        authors: item.author.iter().map(|name| Person { name: name.clone(), ..Person::default() }).collect(),
        summary: Some(Text::plain(item.summary.clone())),
        content: item.body_html().map(html),
        ..Entry::default()
    });
    Feed {
        id: format!("tag:{},2026:feed", site.outlet.domain),
        title: Text::plain(site.outlet.name.clone()),
        updated,
        lang: Some("en".into()),
        links: alternate(site.base_url.clone()),
        entries: entries.collect(),
        ..Feed::default()
    }
    .to_string()
}

fn json(site: &Site) -> String {
    let item = |PublishedItem { item, title, at, link, guid }| {
        serde_json::json!({
            "id": guid,
            "url": link,
            "title": title,
            "summary": item.summary,
            "date_published": at,
            "content_html": item.body_html().unwrap_or_else(|| escape_html(&item.summary).to_string()),
            "authors": item.author.iter().map(|name| serde_json::json!({ "name": name })).collect::<Vec<_>>(),
        })
    };
    serde_json::json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.outlet.name,
        "home_page_url": site.base_url,
        "language": "en",
        "items": site.published().into_iter().map(item).collect::<Vec<_>>(),
    })
    .to_string()
}
