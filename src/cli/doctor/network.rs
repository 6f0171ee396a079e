//! Checks of the network: DNS, outbound HTTP, the clock and the public URL.

use super::{Finding, Verdict};
use crate::cli::Context;
use crate::config::Config;
use crate::domain::{SourceState, Timestamp};
use crate::http_client::{DocumentRequest, FetchResult, Fetcher, NoDocument, origin_of};
use crate::store::sources::{self, SourceFilter};
use crate::store::{Store, polls};
use crate::wording::duration;
use futures_util::FutureExt;
use jiff::SignedDuration;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// The time limit for resolving a host name, and for the response of our own site.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum number of bytes of the list of feeds to read, because another server may respond at this URL.
const MAX_LIST_BYTES: usize = 1 << 20;
/// The deviation of the clock above which polls are too early or too late, and certificates may be considered invalid.
const MAX_CLOCK_DEVIATION: SignedDuration = SignedDuration::from_mins(1);

pub(super) async fn checks(
    context: &Context,
    config: &Config,
    store: Option<&Store>,
    url: Option<Url>,
) -> Vec<Finding> {
    let now = context.clock.now();
    let urls = match url {
        Some(url) => vec![url],
        None => robots_txt_urls(store).await,
    };
    let (mut findings, server_time) = outbound(context, config, store, &urls).await;
    let last_poll_at = match store {
        Some(store) => store.read(polls::last_poll_at).await.ok().flatten(),
        None => None,
    };
    findings.extend([clock(now, server_time, last_poll_at), public_url(config).await]);
    findings
}

/// Checks DNS and HTTP with each server until one responds. A server that does not respond is an error only if no other
/// server responds, because a single server may be down. Also returns the current time as one of the servers reports it.
async fn outbound(
    context: &Context,
    config: &Config,
    store: Option<&Store>,
    urls: &[Url],
) -> (Vec<Finding>, Option<Timestamp>) {
    const CHECK: &str = "outbound HTTP";
    let mut failures: Vec<[Finding; 2]> = Vec::new();
    let mut server_time = None;
    for url in urls {
        let resolved = dns(url, config).await;
        let mut answered = match fetch(context, config, store, url).await {
            Ok(fetched) => {
                server_time = server_time.or(fetched.server_time);
                outbound_http(url, &fetched)
            }
            Err(error) => Finding::error(CHECK, format!("{error:#}"), "follow the advice in the message"),
        };
        if answered.verdict != Verdict::Ok {
            failures.push([resolved, answered]);
            continue;
        }
        if !failures.is_empty() {
            let failed: Vec<&str> = failures.iter().map(|[_, failure]| failure.detail.as_str()).collect();
            let fix = "check these servers; `newsfold source list --problems` lists the affected sources";
            answered =
                Finding::warning(CHECK, format!("{}; other servers: {}", answered.detail, failed.join("; ")), fix);
        }
        return (vec![resolved, answered], server_time);
    }
    match failures.into_iter().next() {
        Some(findings) => (findings.into(), server_time),
        None => {
            let fix = "add a source, or choose a server with --url";
            (vec![Finding::warning(CHECK, "not checked, because there are no active sources", fix)], server_time)
        }
    }
}

/// The maximum number of servers to check.
const MAX_SERVERS: usize = 3;

/// Returns the URLs of `robots.txt` on the servers of active sources, at most [`MAX_SERVERS`].
async fn robots_txt_urls(store: Option<&Store>) -> Vec<Url> {
    let Some(store) = store else { return Vec::new() };
    let sources = store.read(|db| sources::list(db, &SourceFilter::default())).await.unwrap_or_default();
    let active = sources.iter().filter(|source| source.state == SourceState::Active);
    let mut urls: Vec<Url> = Vec::new();
    for url in active.filter_map(|source| Url::parse(&source.url).ok()?.join("/robots.txt").ok()) {
        if urls.len() < MAX_SERVERS && !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls
}

/// Fetches the document as the daemon fetches feeds. If a database exists, its holds and leases apply.
async fn fetch(context: &Context, config: &Config, store: Option<&Store>, url: &Url) -> anyhow::Result<FetchResult> {
    Ok(match store {
        Some(store) => {
            config.poll_context(store.clone(), context.clock.clone(), "newsfold doctor")?.fetch_once(url).await?
        }
        None => {
            let fetcher = Fetcher::new(config.fetch.clone())?;
            fetcher
                .fetch(url, DocumentRequest::plain(context.clock.now()), &|_| std::future::ready(Ok(())).boxed())
                .await
        }
    })
}

async fn dns(url: &Url, config: &Config) -> Finding {
    const CHECK: &str = "DNS";
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Finding::warning(CHECK, "not checked, because the URL has no host", "choose another URL with --url");
    };
    if config.fetch.proxy.is_some() {
        return Finding::ok(CHECK, "not checked, because the proxy resolves host names");
    }
    let fix = "check /etc/resolv.conf and the connection to the name server";
    match timeout(TIMEOUT, tokio::net::lookup_host((host.trim_matches(['[', ']']), port))).await {
        Ok(Ok(mut addresses)) => match addresses.next() {
            Some(address) => Finding::ok(CHECK, format!("{host} has the address {}", address.ip())),
            None => Finding::error(CHECK, format!("{host} has no address"), fix),
        },
        Ok(Err(error)) => Finding::error(CHECK, format!("{host} cannot be resolved: {error}"), fix),
        Err(_) => Finding::error(CHECK, format!("no response for {host} within {TIMEOUT:?}"), fix),
    }
}

fn outbound_http(url: &Url, fetched: &FetchResult) -> Finding {
    const CHECK: &str = "outbound HTTP";
    let origin = origin_of(url);
    match &fetched.outcome {
        Err(NoDocument::Blocked { reason }) => {
            let fix = "choose another server with --url, or allow the network with fetch.allowed_networks";
            Finding::error(CHECK, format!("{origin}: {reason}"), fix)
        }
        Err(NoDocument::Held { until, .. }) => {
            let fix = "choose another server with --url";
            Finding::warning(CHECK, format!("not checked, because {origin} is on hold until {until}"), fix)
        }
        Err(NoDocument::Unreachable { detail } | NoDocument::Failed { detail }) if fetched.status.is_none() => {
            let fix = "check the network connection, the firewall and fetch.proxy, or choose another server with --url";
            Finding::error(CHECK, format!("{origin}: {detail}"), fix)
        }
        _ => Finding::ok(CHECK, format!("{origin} responds")),
    }
}

/// Compares the clock with a server and with the polls in the database.
fn clock(now: Timestamp, server_time: Option<Timestamp>, last_poll_at: Option<Timestamp>) -> Finding {
    const CHECK: &str = "clock";
    let fix = "synchronize the clock, for example with `timedatectl set-ntp true`";
    if let Some(server_time) = server_time {
        let deviation = now.duration_since(server_time);
        if deviation.abs() >= MAX_CLOCK_DEVIATION {
            let (direction, amount) =
                (if deviation.is_positive() { "ahead of" } else { "behind" }, duration(deviation.abs()));
            return Finding::error(CHECK, format!("it is {amount} {direction} the clock of a server"), fix);
        }
    }
    if last_poll_at.is_some_and(|at| at.duration_since(now) >= MAX_CLOCK_DEVIATION) {
        return Finding::error(CHECK, "it shows a time before the last poll", fix);
    }
    match server_time {
        Some(_) => Finding::ok(CHECK, "it agrees with the clock of a server"),
        None => Finding::warning(CHECK, "it cannot be compared with a server", "check it with `timedatectl`"),
    }
}

/// Requests the list of feeds under the public URL and checks whether it belongs to this site.
async fn public_url(config: &Config) -> Finding {
    const CHECK: &str = "public URL";
    let base = &config.publish.base_url;
    if config.has_default_base_url() {
        let fix = "set publish.base_url if readers on other machines use the feeds";
        return Finding::warning(CHECK, format!("not set; links start with {base}"), fix);
    }
    let url = config.publish.url("feeds.opml");
    let fix = "check publish.base_url, the name in DNS, and the reverse proxy (docs/serving.md)";
    match timeout(TIMEOUT, list_of_feeds(&url)).await {
        Err(_) => Finding::error(CHECK, format!("no response from {url} within {TIMEOUT:?}"), fix),
        Ok(Err(error)) => Finding::error(CHECK, format!("{:#}", anyhow::Error::from(error)), fix),
        Ok(Ok(list)) if list.contains(&config.publish.url("feeds/all.atom")) => {
            Finding::ok(CHECK, format!("{base} leads to a newsfold site"))
        }
        Ok(Ok(_)) => Finding::error(CHECK, format!("{url} is not the list of feeds of this site"), fix),
    }
}

/// Returns the beginning of the document at `url`.
async fn list_of_feeds(url: &str) -> reqwest::Result<String> {
    let mut response = reqwest::get(url).await?.error_for_status()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await?.filter(|_| bytes.len() < MAX_LIST_BYTES) {
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
