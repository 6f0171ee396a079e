//! Validates constraints on settings that types cannot express: bounds, and relations between settings. Finds the line
//! of an invalid setting in the configuration file.
//!
//! Every duration is bounded, so that date arithmetic never exceeds the supported range.

use super::Config;
use crate::domain::language::language_code;
use crate::store;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use toml::de::{DeTable, DeValue};
use url::Url;

/// An invalid setting.
pub(super) struct InvalidSetting {
    /// The keys of the settings that can be changed to fix the problem, such as `publish.feeds.0.query`. The error
    /// refers to the first key in the file.
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
/// The maximum shutdown grace period. Of the ten seconds that systemd allows, it leaves two for the records of
/// abandoned polls and the checkpoint of the database.
const MAX_SHUTDOWN_GRACE: SignedDuration = seconds(8);

pub(super) fn validate(config: &Config) -> Result<(), InvalidSetting> {
    durations(config)?;
    numbers(config)?;
    relations(config)?;
    urls(config)?;
    let name = config.fetch.user_agent();
    if name.is_empty() || reqwest::header::HeaderValue::from_str(&name).is_err() {
        return invalid(&["fetch.user_agent"], "is not a valid HTTP header value; use one line of ASCII characters");
    }
    if config.fetch.allowed_ports.is_empty() {
        return invalid(&["fetch.allowed_ports"], "is empty, so nothing could be fetched; list at least one port");
    }
    filters(config)?;
    webhooks(config)?;
    feeds(config)
}

fn relations(config: &Config) -> Result<(), InvalidSetting> {
    let Config { poll, hub, cluster, daemon, serve, metrics, .. } = config;
    let (site, other) = (serve.listen, metrics.listen);
    let overlaps = site.ip() == other.ip() || site.ip().is_unspecified() || other.ip().is_unspecified();
    if metrics.enabled && site.port() != 0 && site.port() == other.port() && overlaps {
        return invalid(&["metrics.listen", "serve.listen"], "has the address of serve.listen; choose another port");
    }
    // The database must contain the items in the clusterer's window.
    let window = cluster.window.max(cluster.revision_window);
    if daemon.story_retention < window.saturating_add(window) {
        let keys = ["daemon.story_retention", "cluster.window", "cluster.revision_window"];
        return invalid(&keys, "is less than twice cluster.window or cluster.revision_window");
    }
    let ascending = [
        ("poll.interval", poll.interval, "poll.max_interval", poll.max_interval),
        ("poll.interval", poll.interval, "poll.average_interval", poll.average_interval),
        ("hub.min_lease", hub.min_lease, "hub.lease", hub.lease),
        ("hub.lease", hub.lease, "hub.max_lease", hub.max_lease),
    ];
    for (shorter, min, longer, max) in ascending {
        if max < min {
            return invalid(&[longer, shorter], format!("is shorter than {shorter}"));
        }
    }
    Ok(())
}

/// The maximum number of hubs. Each hub is notified of every change.
const MAX_HUBS: usize = 10;
const MAX_URL_BYTES: usize = 2048;

fn urls(config: &Config) -> Result<(), InvalidSetting> {
    let Config { fetch, publish, .. } = config;
    let is_web_url = |url: &Url| matches!(url.scheme(), "http" | "https");
    let urls = [
        ("publish.base_url", Some(&publish.base_url)),
        ("fetch.about_url", fetch.about_url.as_ref()),
        ("fetch.proxy", fetch.proxy.as_ref()),
    ];
    for (key, url) in urls {
        if url.is_some_and(|url| !is_web_url(url)) {
            return invalid(&[key], "must be an http or https URL");
        }
    }
    if publish.export_dir.as_deref().is_some_and(|folder| folder.as_os_str().is_empty()) {
        return invalid(&["publish.export_dir"], "is empty; remove it, or set a directory");
    }
    if publish.hubs.len() > MAX_HUBS {
        return invalid(&["publish.hubs"], format!("has more than {MAX_HUBS} hubs"));
    }
    for url in &publish.hubs {
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        if !is_web_url(url) || has_credentials || url.as_str().len() > MAX_URL_BYTES {
            return invalid(
                &["publish.hubs"],
                "must be http or https URLs without a user name or password, because feeds show them",
            );
        }
    }
    Ok(())
}

/// Returns the error for the first key. Changing one of the other keys can also fix it.
fn invalid<T>(keys: &[&str], problem: impl std::fmt::Display) -> Result<T, InvalidSetting> {
    let message = format!("{} {problem}", keys[0]);
    Err(InvalidSetting { keys: keys.iter().map(|key| key.to_string()).collect(), message })
}

fn durations(config: &Config) -> Result<(), InvalidSetting> {
    let Config { serve, poll, fetch, websub, hub, publish, daemon, cluster, .. } = config;
    let bounds = [
        ("serve.header_timeout", serve.header_timeout, TEN_MILLIS, seconds(3600)),
        ("serve.write_timeout", serve.write_timeout, TEN_MILLIS, seconds(3600)),
        ("publish.delay", publish.delay, NO_TIME, days(7)),
        ("publish.min_update_interval", publish.min_update_interval, NO_TIME, days(7)),
        ("publish.update_window", publish.update_window, NO_TIME, days(365)),
        ("publish.hot_half_life", publish.hot_half_life, seconds(60), days(365)),
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
        ("cluster.storyline_lifetime", cluster.storyline_lifetime, NO_TIME, days(365)),
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
    invalid(&[key], format!("must be between \"{least:#}\" and \"{most:#}\" (found \"{value:#}\")"))
}

fn numbers(config: &Config) -> Result<(), InvalidSetting> {
    let Config { serve, fetch, hub, publish, daemon, cluster, .. } = config;
    let bounds = [
        ("serve.max_connections", serve.max_connections, 1, 1_000_000),
        ("serve.max_connections_per_ip", serve.max_connections_per_ip, 1, 1_000_000),
        ("daemon.concurrency", daemon.concurrency, 1, 1000),
        ("fetch.max_body_bytes", fetch.max_body_bytes, 1024, 1 << 30),
        ("fetch.max_redirects", fetch.max_redirects, 0, 50),
        ("publish.development_outlets", publish.development_outlets as usize, 1, 1_000_000),
        ("hub.concurrency", hub.concurrency as usize, 1, 1000),
        ("hub.max_subscribers", hub.max_subscribers as usize, 1, 1_000_000),
        ("hub.max_subscribers_per_topic", hub.max_subscribers_per_topic as usize, 1, 1_000_000),
    ];
    for (key, value, least, most) in bounds {
        if !(least..=most).contains(&value) {
            let hint = match key.starts_with("hub.max_subscribers") {
                true => "; to allow no subscribers, set publish.own_hub = false",
                false => "",
            };
            return invalid(&[key], format!("must be between {least} and {most}{hint}"));
        }
    }
    if !(0.0..=1.0).contains(&cluster.threshold) {
        return invalid(&["cluster.threshold"], "must be between 0 and 1");
    }
    Ok(())
}

fn languages(key: &str, codes: &[String]) -> Result<(), InvalidSetting> {
    for given in codes {
        match language_code(given) {
            Some(code) if code == given => {}
            Some(code) => return invalid(&[key], format!("contains {given:?}; write {code:?}")),
            None => return invalid(&[key], format!("contains {given:?}, which is not an ISO 639 code such as \"en\"")),
        }
    }
    Ok(())
}

fn feeds(config: &Config) -> Result<(), InvalidSetting> {
    languages("publish.languages", &config.publish.languages)?;
    for (place, section) in config.publish.sections.iter().enumerate() {
        languages(&format!("publish.sections.{place}.languages"), &section.languages)?;
    }
    let mut names = BTreeSet::new();
    for (place, feed) in config.publish.feeds.iter().enumerate() {
        let invalid = |name: &str, problem: String| invalid(&[&format!("publish.feeds.{place}.{name}")], problem);
        if !names.insert(&feed.name) {
            let name = &feed.name;
            return invalid(
                "name",
                format!("must be unique, because URLs contain it, but two feeds are named ‘{name}’"),
            );
        }
        languages(&format!("publish.feeds.{place}.languages"), &feed.languages)?;
        if feed.min_outlets == 0 {
            return invalid("min_outlets", "must be at least 1".into());
        }
        if !(1..=10_000).contains(&feed.limit) {
            return invalid("limit", "must be between 1 and 10000".into());
        }
        for (name, query) in [("query", &feed.query), ("exclude_query", &feed.exclude_query)] {
            if let Some(query) = query
                && let Some(error) = store::fts_query::syntax_error(query)
            {
                let message = format!(
                    "the feed ‘{}’ has {name} = {query:?}, which is not a valid FTS5 expression: {error}. Join words \
                     with AND, OR or NOT, and put phrases with punctuation in double quotes",
                    feed.name
                );
                return Err(InvalidSetting { keys: vec![format!("publish.feeds.{place}.{name}")], message });
            }
        }
    }
    Ok(())
}

/// The maximum number of webhooks.
const MAX_WEBHOOKS: usize = 20;

fn webhooks(config: &Config) -> Result<(), InvalidSetting> {
    if config.notify.len() > MAX_WEBHOOKS {
        return invalid(&["notify"], format!("has more than {MAX_WEBHOOKS} webhooks"));
    }
    let feeds = config.publish.published_feeds();
    for (place, hook) in config.notify.iter().enumerate() {
        if let Some((key, problem)) = hook.invalid_setting() {
            return invalid(&[&format!("notify.{place}.{key}")], problem);
        }
        if !feeds.iter().any(|feed| feed.name == hook.feed) {
            return invalid(
                &[&format!("notify.{place}.feed")],
                format!("is {:?}, but no feed has this name", hook.feed),
            );
        }
    }
    Ok(())
}

/// Checks the filters of feeds and the mute rules.
fn filters(config: &Config) -> Result<(), InvalidSetting> {
    for (place, feed) in config.publish.feeds.iter().enumerate() {
        let exclude = feed.exclude_filter().unwrap_or_default();
        let error = feed.item_filter().compile().err().or(exclude.compile().err().map(|(_, e)| ("exclude_pattern", e)));
        if let Some((key, problem)) = error {
            return invalid(&[&format!("publish.feeds.{place}.{key}")], problem);
        }
    }
    for (place, rule) in config.publish.mute.iter().enumerate() {
        if let Err((key, problem)) = rule.compile() {
            return invalid(&[&format!("publish.mute.{place}.{key}")], problem);
        }
        if rule.is_empty() {
            return invalid(
                &[&format!("publish.mute.{place}"), "publish.mute"],
                "has no condition, so it would mute all stories",
            );
        }
    }
    Ok(())
}

/// Returns the 1-based line number of the first of these keys in the file. A number in a key is an array index. The
/// TOML parser locates the key, so comments, the same key in other tables, and values that contain the key never match.
pub(super) fn line_of(text: &str, keys: &[String]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let at = keys.iter().find_map(|key| position(document.get_ref(), key))?;
    Some(1 + text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count())
}

/// Returns the byte offset of a key.
fn position(table: &DeTable<'_>, key: &str) -> Option<usize> {
    let (name, rest) = key.split_once('.').unwrap_or((key, ""));
    let (written, value) = table.iter().find(|(written, _)| written.get_ref() == name)?;
    if rest.is_empty() {
        return Some(written.span().start);
    }
    match value.get_ref() {
        DeValue::Table(inner) => position(inner, rest),
        DeValue::Array(list) => {
            let (place, rest) = rest.split_once('.')?;
            match list.get(place.parse::<usize>().ok()?)?.get_ref() {
                DeValue::Table(inner) => position(inner, rest),
                _ => None,
            }
        }
        _ => None,
    }
}
