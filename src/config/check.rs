//! What no type can say of a setting: its bounds, and what it means beside the others.
//!
//! Every duration has a bound, so that no date that is reckoned with it leaves the calendar.

use super::Config;
use crate::store::{self};
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// A setting that can't be used.
pub(super) struct Fault {
    /// The keys at which it can be mended, such as `publish.feeds.0.words`; the first that stands in the file is shown.
    pub keys: Vec<String>,
    pub what: String,
}

const fn seconds(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}

const fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n * 24)
}

const NONE: SignedDuration = SignedDuration::ZERO;
const HUNDREDTH: SignedDuration = SignedDuration::from_millis(10);
/// What ends after the grace, the records of what was abandoned and the database's checkpoint, has two seconds.
const LONGEST_GRACE: SignedDuration = seconds(8);

pub(super) fn check(config: &Config) -> Result<(), Fault> {
    durations(config)?;
    numbers(config)?;
    let poll = &config.poll;
    // What the clusterer still remembers has to be there.
    let remembered = config.cluster.window.max(config.cluster.revise);
    if config.daemon.keep_stories < remembered.saturating_add(remembered) {
        let keys = vec!["daemon.keep_stories".into(), "cluster.window".into(), "cluster.revise".into()];
        let what = "daemon.keep_stories is less than twice cluster.window or cluster.revise".into();
        return Err(Fault { keys, what });
    }
    for (key, value) in [("poll.max_interval", poll.max_interval), ("poll.average_interval", poll.average_interval)] {
        if value < poll.interval {
            let keys = vec![key.into(), "poll.interval".into()];
            return Err(Fault { keys, what: format!("{key} is shorter than poll.interval") });
        }
    }
    fetching(config)?;
    hubs(config)?;
    if !matches!(config.publish.base_url.scheme(), "http" | "https") {
        return wrong("publish.base_url", "must be an http or https URL");
    }
    feeds(config)
}

fn fetching(config: &Config) -> Result<(), Fault> {
    let fetch = &config.fetch;
    let name = fetch.user_agent();
    if name.is_empty() || reqwest::header::HeaderValue::from_str(&name).is_err() {
        return wrong("fetch.user_agent", "can't stand in a header: it is to be one line of plain characters");
    }
    if fetch.about_url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
        return wrong("fetch.about_url", "must be an http or https URL");
    }
    if fetch.proxy.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
        return wrong("fetch.proxy", "must be the http or https URL of a proxy");
    }
    if fetch.ports.is_empty() {
        return wrong("fetch.ports", "names no port, so that nothing could be fetched");
    }
    Ok(())
}

/// Feeds name at most so many hubs; each of them is told of every change.
const MAX_HUBS: usize = 10;
const MAX_URL: usize = 2048;

fn hubs(config: &Config) -> Result<(), Fault> {
    let (hub, hubs) = (&config.hub, &config.publish.hubs);
    if hubs.len() > MAX_HUBS {
        return wrong("publish.hubs", format!("names more than {MAX_HUBS} hubs"));
    }
    for url in hubs {
        let open = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !open || url.as_str().len() > MAX_URL {
            return wrong("publish.hubs", "must be http or https URLs without a name or a password: feeds show them");
        }
    }
    if hub.lease < hub.min_lease {
        let keys = vec!["hub.lease".into(), "hub.min_lease".into()];
        return Err(Fault { keys, what: "hub.lease is shorter than hub.min_lease".into() });
    }
    if hub.lease > hub.max_lease {
        let keys = vec!["hub.lease".into(), "hub.max_lease".into()];
        return Err(Fault { keys, what: "hub.lease is longer than hub.max_lease".into() });
    }
    for (key, value) in
        [("hub.max_subscribers", hub.max_subscribers), ("hub.max_subscribers_per_topic", hub.max_subscribers_per_topic)]
    {
        if !(1..=1_000_000).contains(&value) {
            return wrong(key, "is a number from 1 to 1000000; without subscribers leave publish.own_hub off");
        }
    }
    if !(1..=1000).contains(&hub.concurrency) {
        return wrong("hub.concurrency", "is a number from 1 to 1000; with 0 nobody would ever be told of anything");
    }
    Ok(())
}

fn wrong<T>(key: &str, what: impl std::fmt::Display) -> Result<T, Fault> {
    Err(Fault { keys: vec![key.to_owned()], what: format!("{key} {what}") })
}

fn durations(config: &Config) -> Result<(), Fault> {
    let Config { serve, poll, fetch, websub, hub, publish, daemon, cluster, .. } = config;
    let bounds = [
        ("serve.header_timeout", serve.header_timeout, HUNDREDTH, seconds(3600)),
        ("serve.answer_timeout", serve.answer_timeout, HUNDREDTH, seconds(3600)),
        ("publish.settle", publish.settle, NONE, days(7)),
        ("publish.pause", publish.pause, NONE, days(7)),
        ("publish.freeze", publish.freeze, NONE, days(365)),
        ("publish.probation", publish.probation, NONE, days(365)),
        ("poll.interval", poll.interval, seconds(1), days(30)),
        ("poll.average_interval", poll.average_interval, seconds(1), days(30)),
        ("poll.max_interval", poll.max_interval, seconds(1), days(365)),
        ("poll.max_hold", poll.max_hold, NONE, days(365)),
        ("fetch.total_timeout", fetch.total_timeout, HUNDREDTH, seconds(3600)),
        ("fetch.connect_timeout", fetch.connect_timeout, HUNDREDTH, seconds(3600)),
        ("fetch.header_timeout", fetch.header_timeout, HUNDREDTH, seconds(3600)),
        ("fetch.idle_timeout", fetch.idle_timeout, HUNDREDTH, seconds(3600)),
        ("fetch.origin_gap", fetch.origin_gap, NONE, seconds(3600)),
        ("websub.lease", websub.lease, seconds(3600), days(30)),
        ("websub.safety_poll", websub.safety_poll, seconds(60), days(30)),
        ("hub.lease", hub.lease, seconds(60), days(365)),
        ("hub.min_lease", hub.min_lease, seconds(60), days(365)),
        ("hub.max_lease", hub.max_lease, seconds(60), days(365)),
        ("hub.timeout", hub.timeout, HUNDREDTH, seconds(60)),
        ("cluster.window", cluster.window, seconds(60), days(365)),
        ("cluster.revise", cluster.revise, NONE, days(365)),
        ("cluster.look", cluster.look, NONE, days(1)),
        ("daemon.shutdown_grace", daemon.shutdown_grace, NONE, LONGEST_GRACE),
        ("daemon.keep_polls", daemon.keep_polls, NONE, days(3650)),
        ("daemon.keep_stories", daemon.keep_stories, days(7), days(18_250)),
    ];
    for (key, value, least, most) in bounds {
        within(key, value, least, most)?;
    }
    for (place, feed) in publish.feeds.iter().enumerate() {
        if let Some(age) = feed.max_age {
            within(&format!("publish.feeds.{place}.max_age"), age, seconds(1), days(3650))?;
        }
    }
    Ok(())
}

fn within(key: &str, value: SignedDuration, least: SignedDuration, most: SignedDuration) -> Result<(), Fault> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    wrong(key, format!("is from \"{least:#}\" to \"{most:#}\", and not \"{value:#}\""))
}

fn numbers(config: &Config) -> Result<(), Fault> {
    if !(1..=1_000_000).contains(&config.serve.max_connections) {
        return wrong("serve.max_connections", "is a number from 1 to 1000000; with 0 nobody would ever be served");
    }
    if !(1..=1_000_000).contains(&config.serve.max_connections_per_ip) {
        return wrong("serve.max_connections_per_ip", "is a number from 1 to 1000000; with 0 only proxies were served");
    }
    if !(1..=1000).contains(&config.daemon.concurrency) {
        return wrong("daemon.concurrency", "is a number from 1 to 1000; with 0 nothing would ever be polled");
    }
    if !(1024..=1 << 30).contains(&config.fetch.max_body) {
        return wrong("fetch.max_body", "is a number of bytes from 1024 to 1073741824");
    }
    if config.fetch.max_redirects > 50 {
        return wrong("fetch.max_redirects", "is a number from 0 to 50");
    }
    if !(0.0..=1.0).contains(&config.cluster.threshold) {
        return wrong("cluster.threshold", "is a score from 0 to 1");
    }
    Ok(())
}

fn feeds(config: &Config) -> Result<(), Fault> {
    let mut names = BTreeSet::new();
    for (place, feed) in config.publish.feeds.iter().enumerate() {
        let key = |name: &str| format!("publish.feeds.{place}.{name}");
        if !names.insert(&feed.name) {
            let what = format!("two feeds are named ‘{}’; a name stands in one URL", feed.name);
            return Err(Fault { keys: vec![key("name")], what });
        }
        if feed.min_outlets == 0 {
            return wrong(&key("min_outlets"), "is a number from 1 up");
        }
        if !(1..=10_000).contains(&feed.limit) {
            return wrong(&key("limit"), "is a number from 1 to 10000");
        }
        for (name, words) in [("words", &feed.words), ("without", &feed.without)] {
            if let Some(words) = words
                && let Some(complaint) = store::fts_query::syntax_error(words)
            {
                let what = format!(
                    "the feed ‘{}’ selects by {name} = {words:?}, which is no FTS5 expression: {complaint}. \
                     Join words with AND, OR, NOT and put phrases with signs into double quotes",
                    feed.name
                );
                return Err(Fault { keys: vec![key(name)], what });
            }
        }
    }
    Ok(())
}
