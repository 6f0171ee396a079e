//! The invented outlets' servers: a feed in the outlet's format, a front page that names it, a page an article.

use super::content::{Content, Format, Outlet, Shown};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::markup::entities::escape_html;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use tokio::net::TcpListener;
use url::Url;

#[derive(Clone)]
struct Site {
    content: Arc<Content>,
    place: usize,
    start: Timestamp,
    clock: Clock,
    base: Url,
}

/// Starts the server of one outlet and returns the URL of its feed.
pub async fn start(content: Arc<Content>, place: usize, start: Timestamp, clock: Clock) -> anyhow::Result<Url> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let base = Url::parse(&format!("http://{}/", listener.local_addr()?))?;
    let feed = base.join("feed")?;
    let site = Site { content, place, start, clock, base };
    let router = Router::new()
        .route("/", get(front))
        .route("/feed", get(serve_feed))
        .route("/{slug}", get(article))
        .with_state(site);
    // It ends with the program.
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(feed)
}

impl Site {
    fn outlet(&self) -> &Outlet {
        &self.content.outlets[self.place]
    }

    fn shown(&self) -> Vec<Shown<'_>> {
        self.content.shown(self.outlet(), self.start, self.clock.now())
    }

    fn link(&self, shown: &Shown<'_>) -> String {
        format!("{}{}", self.base, shown.item.slug)
    }

    fn guid(&self, shown: &Shown<'_>) -> String {
        format!("tag:{},2026:{}", self.outlet().domain, shown.item.slug)
    }
}

async fn serve_feed(State(site): State<Site>, request: HeaderMap) -> Response {
    let (media_type, body) = match site.outlet().format {
        Format::Rss2 => ("application/rss+xml", rss2(&site)),
        Format::Rss1 => ("application/rdf+xml", rss1(&site)),
        Format::Atom => ("application/atom+xml", atom(&site)),
        Format::Json => ("application/feed+json", json(&site)),
    };
    let etag = format!("\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(body.as_bytes()));
    let known = request.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let headers = [(header::CONTENT_TYPE, media_type.to_owned()), (header::ETAG, etag)];
    if known { (StatusCode::NOT_MODIFIED, headers).into_response() } else { (headers, body).into_response() }
}

async fn front(State(site): State<Site>) -> Html<String> {
    let name = escape_html(&site.outlet().name);
    let items = site.shown();
    let list: String =
        items.iter().map(|i| format!("<li><a href=\"/{}\">{}</a></li>", i.item.slug, escape_html(i.title))).collect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>{name}</title>\
         <link rel=\"alternate\" type=\"application/rss+xml\" title=\"{name}\" href=\"/feed\"><h1>{name}</h1><ul>{list}</ul>"
    ))
}

async fn article(State(site): State<Site>, Path(slug): Path<String>) -> Response {
    let items = site.shown();
    let Some(shown) = items.iter().find(|shown| shown.item.slug == slug) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (title, name) = (escape_html(shown.title), escape_html(&site.outlet().name));
    let body = shown.item.body_html().unwrap_or_default();
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>{title}</title><p><a href=\"/\">{name}</a> (an invented outlet)</p>\
         <h1>{title}</h1><p>{}</p>{body}",
        escape_html(&shown.item.summary)
    ))
    .into_response()
}

fn rss2(site: &Site) -> String {
    let items: Vec<rss::Item> = site
        .shown()
        .iter()
        .map(|shown| rss::Item {
            title: Some(shown.title.into()),
            link: Some(site.link(shown)),
            description: Some(shown.item.summary.clone()),
            content: shown.item.body_html(),
            author: shown.item.author.as_ref().map(|author| format!("news@{} ({author})", site.outlet().domain)),
            guid: Some(rss::Guid { value: site.guid(shown), permalink: false }),
            pub_date: Some(shown.at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
            ..rss::Item::default()
        })
        .collect();
    rss::Channel {
        title: site.outlet().name.clone(),
        link: site.base.to_string(),
        description: "Invented news".into(),
        language: Some("en-GB".into()),
        items,
        ..rss::Channel::default()
    }
    .to_string()
}

fn rss1(site: &Site) -> String {
    let shown = site.shown();
    let mut list = String::new();
    let mut items = String::new();
    for shown in &shown {
        let link = escape_html(&site.link(shown));
        list.push_str(&format!("<rdf:li rdf:resource=\"{link}\"/>"));
        items.push_str(&format!(
            "<item rdf:about=\"{link}\"><title>{}</title><link>{link}</link><description>{}</description>\
             <dc:date>{}</dc:date></item>\n",
            escape_html(shown.title),
            escape_html(&shown.item.summary),
            shown.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        ));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns=\"http://purl.org/rss/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n\
         <channel rdf:about=\"{base}feed\"><title>{name}</title><link>{base}</link><description>Invented news</description>\
         <dc:language>en</dc:language><items><rdf:Seq>{list}</rdf:Seq></items></channel>\n{items}</rdf:RDF>\n",
        base = escape_html(site.base.as_str()),
        name = escape_html(&site.outlet().name),
    )
}

fn atom(site: &Site) -> String {
    use atom_syndication::{Content, Entry, Feed, FixedDateTime, Link, Person, Text};
    let date =
        |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().parse::<FixedDateTime>().unwrap_or_default();
    let shown = site.shown();
    let entries = shown.iter().map(|shown| Entry {
        id: site.guid(shown),
        title: Text::plain(shown.title),
        updated: date(shown.at),
        published: Some(date(shown.at)),
        links: vec![Link { href: site.link(shown), rel: "alternate".into(), ..Link::default() }],
        authors: shown.item.author.iter().map(|name| Person { name: name.clone(), ..Person::default() }).collect(),
        summary: Some(Text::plain(shown.item.summary.clone())),
        content: shown.item.body_html().map(|html| Content {
            value: Some(html),
            content_type: Some("html".into()),
            ..Content::default()
        }),
        ..Entry::default()
    });
    Feed {
        id: format!("tag:{},2026:feed", site.outlet().domain),
        title: Text::plain(site.outlet().name.clone()),
        updated: shown.first().map(|newest| date(newest.at)).unwrap_or_default(),
        lang: Some("en".into()),
        links: vec![Link { href: site.base.to_string(), rel: "alternate".into(), ..Link::default() }],
        entries: entries.collect(),
        ..Feed::default()
    }
    .to_string()
}

fn json(site: &Site) -> String {
    let items: Vec<serde_json::Value> = site
        .shown()
        .iter()
        .map(|shown| {
            let mut item = serde_json::json!({
                "id": site.guid(shown),
                "url": site.link(shown),
                "title": shown.title,
                "summary": shown.item.summary,
                "date_published": shown.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            });
            match shown.item.body_html() {
                Some(html) => item["content_html"] = html.into(),
                None => item["content_text"] = shown.item.summary.clone().into(),
            }
            if let Some(author) = &shown.item.author {
                item["authors"] = serde_json::json!([{ "name": author }]);
            }
            item
        })
        .collect();
    serde_json::json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.outlet().name,
        "home_page_url": site.base.as_str(),
        "language": "en",
        "items": items,
    })
    .to_string()
}
