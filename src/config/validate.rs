//! The constraints on settings that types cannot express: bounds, and relations between settings.
//!
//! Every duration is bounded, so that no date computed with it leaves the calendar.

use super::Config;
use crate::store;
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// An invalid setting.
pub(super) struct InvalidSetting {
    /// The keys that can fix it, such as `publish.feeds.0.query`. The error points at the first one that is in the file.
    pub keys: Vec<String>,
    pub message: String,
}

const fn seconds(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}

const fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n * 24)
}

const NO_TIME: SignedDuration = SignedDuration::ZERO;
const TEN_MILLIS: SignedDuration = SignedDuration::from_millis(10);
/// Leaves two seconds of systemd's ten for the records of abandoned polls and the checkpoint of the database.
const MAX_SHUTDOWN_GRACE: SignedDuration = seconds(8);

pub(super) fn validate(config: &Config) -> Result<(), InvalidSetting> {
    durations(config)?;
    numbers(config)?;
    let poll = &config.poll;
    // The items in the clusterer's window must exist in the database.
    let remembered = config.cluster.window.max(config.cluster.revision_window);
    if config.daemon.story_retention < remembered.saturating_add(remembered) {
        let keys = vec!["daemon.story_retention".into(), "cluster.window".into(), "cluster.revision_window".into()];
        let message = "daemon.story_retention is less than twice cluster.window or cluster.revision_window".into();
        return Err(InvalidSetting { keys, message });
    }
    for (key, value) in [("poll.max_interval", poll.max_interval), ("poll.average_interval", poll.average_interval)] {
        if value < poll.interval {
            let keys = vec![key.into(), "poll.interval".into()];
            return Err(InvalidSetting { keys, message: format!("{key} is shorter than poll.interval") });
        }
    }
    fetching(config)?;
    hubs(config)?;
    if !matches!(config.publish.base_url.scheme(), "http" | "https") {
        return invalid("publish.base_url", "must be an http or https URL");
    }
    feeds(config)
}

fn fetching(config: &Config) -> Result<(), InvalidSetting> {
    let fetch = &config.fetch;
    let name = fetch.user_agent();
    if name.is_empty() || reqwest::header::HeaderValue::from_str(&name).is_err() {
        return invalid("fetch.user_agent", "is not a valid HTTP header value; use one line of ASCII characters");
    }
    if fetch.about_url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
        return invalid("fetch.about_url", "must be an http or https URL");
    }
    if fetch.proxy.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
        return invalid("fetch.proxy", "must be the http or https URL of a proxy");
    }
    if fetch.allowed_ports.is_empty() {
        return invalid("fetch.allowed_ports", "is empty, so nothing could be fetched; list at least one port");
    }
    Ok(())
}

/// The maximum number of hubs. Each one is notified of every change.
const MAX_HUBS: usize = 10;
const MAX_URL_BYTES: usize = 2048;

fn hubs(config: &Config) -> Result<(), InvalidSetting> {
    let (hub, hubs) = (&config.hub, &config.publish.hubs);
    if hubs.len() > MAX_HUBS {
        return invalid("publish.hubs", format!("has more than {MAX_HUBS} hubs"));
    }
    for url in hubs {
        let open = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !open || url.as_str().len() > MAX_URL_BYTES {
            return invalid(
                "publish.hubs",
                "must be http or https URLs without user name and password, because feeds show them",
            );
        }
    }
    if hub.lease < hub.min_lease {
        let keys = vec!["hub.lease".into(), "hub.min_lease".into()];
        return Err(InvalidSetting { keys, message: "hub.lease is shorter than hub.min_lease".into() });
    }
    if hub.lease > hub.max_lease {
        let keys = vec!["hub.lease".into(), "hub.max_lease".into()];
        return Err(InvalidSetting { keys, message: "hub.lease is longer than hub.max_lease".into() });
    }
    for (key, value) in
        [("hub.max_subscribers", hub.max_subscribers), ("hub.max_subscribers_per_topic", hub.max_subscribers_per_topic)]
    {
        if !(1..=1_000_000).contains(&value) {
            return invalid(key, "must be between 1 and 1000000; to allow no subscribers, set publish.own_hub = false");
        }
    }
    if !(1..=1000).contains(&hub.concurrency) {
        return invalid("hub.concurrency", "must be between 1 and 1000");
    }
    Ok(())
}

fn invalid<T>(key: &str, problem: impl std::fmt::Display) -> Result<T, InvalidSetting> {
    Err(InvalidSetting { keys: vec![key.to_owned()], message: format!("{key} {problem}") })
}

fn durations(config: &Config) -> Result<(), InvalidSetting> {
    let Config { serve, poll, fetch, websub, hub, publish, daemon, cluster, .. } = config;
    let bounds = [
        ("serve.header_timeout", serve.header_timeout, TEN_MILLIS, seconds(3600)),
        ("serve.write_timeout", serve.write_timeout, TEN_MILLIS, seconds(3600)),
        ("publish.delay", publish.delay, NO_TIME, days(7)),
        ("publish.min_update_interval", publish.min_update_interval, NO_TIME, days(7)),
        ("publish.update_window", publish.update_window, NO_TIME, days(365)),
        ("publish.probation", publish.probation, NO_TIME, days(365)),
        ("poll.interval", poll.interval, seconds(1), days(30)),
        ("poll.average_interval", poll.average_interval, seconds(1), days(30)),
        ("poll.max_interval", poll.max_interval, seconds(1), days(365)),
        ("poll.max_retry_after", poll.max_retry_after, NO_TIME, days(365)),
        ("fetch.total_timeout", fetch.total_timeout, TEN_MILLIS, seconds(3600)),
        ("fetch.connect_timeout", fetch.connect_timeout, TEN_MILLIS, seconds(3600)),
        ("fetch.header_timeout", fetch.header_timeout, TEN_MILLIS, seconds(3600)),
        ("fetch.read_timeout", fetch.read_timeout, TEN_MILLIS, seconds(3600)),
        ("fetch.min_origin_delay", fetch.min_origin_delay, NO_TIME, seconds(3600)),
        ("websub.lease", websub.lease, seconds(3600), days(30)),
        ("websub.safety_poll_interval", websub.safety_poll_interval, seconds(60), days(30)),
        ("hub.lease", hub.lease, seconds(60), days(365)),
        ("hub.min_lease", hub.min_lease, seconds(60), days(365)),
        ("hub.max_lease", hub.max_lease, seconds(60), days(365)),
        ("hub.callback_timeout", hub.callback_timeout, TEN_MILLIS, seconds(60)),
        ("cluster.window", cluster.window, seconds(60), days(365)),
        ("cluster.revision_window", cluster.revision_window, NO_TIME, days(365)),
        ("cluster.recluster_interval", cluster.recluster_interval, NO_TIME, days(1)),
        ("daemon.shutdown_grace", daemon.shutdown_grace, NO_TIME, MAX_SHUTDOWN_GRACE),
        ("daemon.poll_retention", daemon.poll_retention, NO_TIME, days(3650)),
        ("daemon.story_retention", daemon.story_retention, days(7), days(18_250)),
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

fn within(key: &str, value: SignedDuration, least: SignedDuration, most: SignedDuration) -> Result<(), InvalidSetting> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    invalid(key, format!("must be between \"{least:#}\" and \"{most:#}\" (found \"{value:#}\")"))
}

fn numbers(config: &Config) -> Result<(), InvalidSetting> {
    if !(1..=1_000_000).contains(&config.serve.max_connections) {
        return invalid("serve.max_connections", "must be between 1 and 1000000");
    }
    if !(1..=1_000_000).contains(&config.serve.max_connections_per_ip) {
        return invalid("serve.max_connections_per_ip", "must be between 1 and 1000000");
    }
    if !(1..=1000).contains(&config.daemon.concurrency) {
        return invalid("daemon.concurrency", "must be between 1 and 1000");
    }
    if !(1024..=1 << 30).contains(&config.fetch.max_body_bytes) {
        return invalid("fetch.max_body_bytes", "must be between 1024 and 1073741824 bytes");
    }
    if config.fetch.max_redirects > 50 {
        return invalid("fetch.max_redirects", "must be between 0 and 50");
    }
    if !(0.0..=1.0).contains(&config.cluster.threshold) {
        return invalid("cluster.threshold", "must be between 0 and 1");
    }
    Ok(())
}

fn feeds(config: &Config) -> Result<(), InvalidSetting> {
    let mut names = BTreeSet::new();
    for (place, feed) in config.publish.feeds.iter().enumerate() {
        let key = |name: &str| format!("publish.feeds.{place}.{name}");
        if !names.insert(&feed.name) {
            let message =
                format!("two feeds are named ‘{}’; each name must be unique, because it is part of the URL", feed.name);
            return Err(InvalidSetting { keys: vec![key("name")], message });
        }
        if feed.min_outlets == 0 {
            return invalid(&key("min_outlets"), "must be at least 1");
        }
        if !(1..=10_000).contains(&feed.limit) {
            return invalid(&key("limit"), "must be between 1 and 10000");
        }
        for (name, words) in [("query", &feed.query), ("exclude_query", &feed.exclude_query)] {
            if let Some(words) = words
                && let Some(complaint) = store::fts_query::syntax_error(words)
            {
                let message = format!(
                    "the feed ‘{}’ has {name} = {words:?}, which is not a valid FTS5 expression: {complaint}. \
                     Join words with AND, OR, NOT, and put phrases with punctuation in double quotes",
                    feed.name
                );
                return Err(InvalidSetting { keys: vec![key(name)], message });
            }
        }
    }
    Ok(())
}
