//! The configuration file, which combines the options of all modules. Every setting has a default.
//!
//! `config.example.toml` documents each setting and contains the defaults; a test verifies this. Sources are not part
//! of the configuration: they are stored in the database (`newsfold source`).

mod difference;
mod environment;
mod location;
mod validate;

pub use environment::{UnusableSetting, webhook_url};
pub use location::ConfigLocation;

use crate::clock::Clock;
use crate::crawl::{BudgetCache, OutageDetector, PollContext};
use crate::domain::DisabledReason;
use crate::http_client::{AddressPolicy, ClientBuildError, Fetcher};
use crate::store::Store;
use crate::{cluster, crawl, feed_parser, http_client, publish, serve, store, websub};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;
use url::Url;
use validate::InvalidSetting;

/// All settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The database file. By default, `newsfold.db` in the platform's state directory.
    pub database: Option<PathBuf>,
    pub serve: serve::Options,
    pub publish: publish::Options,
    pub poll: crawl::Options,
    pub fetch: http_client::Options,
    pub websub: websub::Options,
    pub hub: websub::hub::Options,
    pub cluster: cluster::Options,
    pub daemon: DaemonOptions,
    pub metrics: MetricsOptions,
    /// The webhooks to which new entries of feeds are announced.
    pub notify: Vec<publish::WebhookOptions>,
}

/// The settings of the metrics for Prometheus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsOptions {
    pub enabled: bool,
    /// Address and port on which `/metrics` is served.
    pub listen: SocketAddr,
}

impl Default for MetricsOptions {
    fn default() -> Self {
        MetricsOptions { enabled: true, listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8687)) }
    }
}

/// The settings of the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DaemonOptions {
    /// Maximum number of concurrent polls, over all origins.
    pub concurrency: usize,
    /// The time for polls and requests in progress to finish at shutdown.
    #[serde(with = "crate::domain::duration")]
    pub shutdown_grace: SignedDuration,
    /// How long poll records are kept. The newest record of each source is always kept.
    #[serde(with = "crate::domain::duration")]
    pub poll_retention: SignedDuration,
    /// How long stories and their items are kept after their last change.
    #[serde(with = "crate::domain::duration")]
    pub story_retention: SignedDuration,
}

impl Default for DaemonOptions {
    fn default() -> Self {
        DaemonOptions {
            concurrency: 32,
            shutdown_grace: SignedDuration::from_secs(8),
            poll_retention: SignedDuration::from_hours(14 * 24),
            story_retention: SignedDuration::from_hours(180 * 24),
        }
    }
}

/// An error in a configuration file, with its location and the fix.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the configuration {path}: {cause}")]
    Unreadable { path: PathBuf, cause: std::io::Error },
    /// The parser's message shows the line, the column and the offending token.
    #[error("{path}: {cause}\nEvery setting is documented in config.example.toml.")]
    Wrong { path: PathBuf, cause: Box<toml::de::Error> },
    #[error("{path}, line {line}: {message}")]
    Invalid { path: PathBuf, line: usize, message: String },
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Config, Error> {
        let text = std::fs::read_to_string(path).map_err(|cause| Error::Unreadable { path: path.to_owned(), cause })?;
        let mut config: Config =
            toml::from_str(&text).map_err(|cause| Error::Wrong { path: path.to_owned(), cause: Box::new(cause) })?;
        validate::validate(&config).map_err(|InvalidSetting { keys, message }| Error::Invalid {
            path: path.to_owned(),
            line: validate::line_of(&text, &keys).unwrap_or(1),
            message,
        })?;
        if validate::line_of(&text, &["publish.base_url".to_owned()]).is_none() {
            config.publish.base_url = site_at(config.serve.listen);
        }
        Ok(config)
    }

    /// Returns the options that determine the documents of the site.
    pub fn site_options(&self) -> serve::SiteOptions {
        serve::SiteOptions { publish: self.publish.clone(), status_pages: self.serve.status_pages }
    }

    /// Sets the listen address, and also the URL of the site if it is derived from the address.
    pub fn set_listen_address(&mut self, address: SocketAddr) {
        if self.has_default_base_url() {
            self.publish.base_url = site_at(address);
        }
        self.serve.listen = address;
    }

    /// Returns whether the URL of the site is derived from the listen address, because it is not set.
    pub fn has_default_base_url(&self) -> bool {
        self.publish.base_url == site_at(self.serve.listen)
    }

    /// Returns the path of the database file. A symbolic link is replaced with its target.
    pub fn database_path(&self) -> PathBuf {
        store::follow_links(self.database.clone().unwrap_or_else(store::default_path))
    }

    /// Returns the context for polls by `program`, which becomes the holder of their leases.
    pub fn poll_context(&self, store: Store, clock: Clock, program: &str) -> Result<PollContext, ClientBuildError> {
        let fetcher = Fetcher::new(self.fetch.clone())?;
        let is_websub_enabled = self.websub_disabled_reason(fetcher.address_policy()).is_none();
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let max_bytes = self.fetch.max_body_bytes;
        Ok(PollContext {
            fetcher,
            store,
            clock,
            options: self.poll.clone(),
            parse_options: feed_parser::Options { max_bytes, ..feed_parser::Options::default() },
            no_cache: false,
            safety_poll_interval: is_websub_enabled.then_some(self.websub.safety_poll_interval),
            grouping_window: self.cluster.window,
            program: program.to_owned(),
            outage: OutageDetector::default(),
            budget: BudgetCache::default(),
            parse_slots: Arc::new(Semaphore::new(cores)),
        })
    }

    /// Returns the reason why newsfold does not subscribe to hubs with this configuration; `None` if it does subscribe.
    pub fn websub_disabled_reason(&self, address_policy: &AddressPolicy) -> Option<DisabledReason> {
        let default_base_url = site_at(self.serve.listen);
        self.websub.disabled_reason(&self.publish.base_url, &default_base_url, address_policy)
    }
}

/// Returns the URL at which programs on this machine reach a server that listens on an address.
pub fn site_at(listen: SocketAddr) -> Url {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    // With port 0, the system chooses a port that other programs do not know.
    let port = if listen.port() == 0 { serve::Options::default().listen.port() } else { listen.port() };
    let url = format!("http://{}/", SocketAddr::new(ip, port));
    Url::parse(&url).expect("the address of a socket forms a valid URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../config.example.toml");

    #[test]
    fn base_url_follows_the_listen_address_unless_it_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Config::read(&path).unwrap()
        };
        assert_eq!(read("").publish.base_url, publish::Options::default().base_url);
        let mut config = read("[serve]\nlisten = \"0.0.0.0:9000\"\n");
        assert_eq!(config.publish.base_url.as_str(), "http://127.0.0.1:9000/");
        config.set_listen_address("[::1]:9001".parse().unwrap());
        assert_eq!(config.publish.base_url.as_str(), "http://[::1]:9001/");
        let example = EXAMPLE.replace("listen = \"127.0.0.1:8686\"", "listen = \"127.0.0.1:9000\"");
        assert_eq!(read(&example).publish.base_url.as_str(), "http://127.0.0.1:9000/", "the example does not set it");
        let mut config = read("[publish]\nbase_url = \"https://news.example/\"\n");
        config.set_listen_address("[::1]:9001".parse().unwrap());
        assert_eq!(config.publish.base_url.as_str(), "https://news.example/");
    }

    #[test]
    fn the_example_equals_the_defaults() {
        let example: Config = toml::from_str(EXAMPLE).unwrap();
        assert_eq!(example, Config::default());
    }

    #[test]
    fn the_example_documents_every_setting() {
        let defaults = toml::Table::try_from(Config::default()).unwrap();
        let mut missing = Vec::new();
        for (section, settings) in &defaults {
            let Some(settings) = settings.as_table() else { continue };
            for setting in settings.keys() {
                let written = EXAMPLE.lines().any(|line| {
                    let line = line.trim_start_matches("# ");
                    line.starts_with(&format!("{setting} =")) || line.starts_with(&format!("[[{section}.{setting}]]"))
                });
                if !written {
                    missing.push(format!("{section}.{setting}"));
                }
            }
        }
        assert_eq!(missing, Vec::<String>::new());
        assert!(EXAMPLE.contains("# database ="));
    }

    #[test]
    fn the_commented_parts_of_the_example_are_valid_too() {
        let uncommented: String = EXAMPLE
            .lines()
            .map(|line| {
                let bare = line.strip_prefix("# ").unwrap_or(line);
                let is_setting =
                    bare.starts_with("[[") || bare.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
                format!("{}\n", if is_setting { bare } else { line })
            })
            .collect();
        let config: Config = toml::from_str(&uncommented).unwrap_or_else(|e| panic!("{e}"));
        assert!(config.database.is_some() && config.publish.feeds.len() == 1);
    }

    fn complaint(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path).unwrap_err().to_string()
    }

    #[test]
    fn error_names_the_line_and_the_key() {
        let unknown = complaint("[poll]\nintervall = \"5m\"\n");
        assert!(
            unknown.contains("line 2") && unknown.contains("intervall") && unknown.contains("interval"),
            "{unknown}"
        );
        let bad = complaint("[poll]\n\ninterval = \"soon\"\n");
        assert!(bad.contains("line 3") && bad.contains("‘soon’ is not a valid duration"), "{bad}");
        let negative = complaint("[poll]\ninterval = \"-5m\"\n");
        assert!(negative.contains("line 2") && negative.contains("‘-5m’ is not a valid duration"), "{negative}");
        let network = complaint("[fetch]\nallowed_networks = [\"10.0.0.0/99\"]\n");
        assert!(network.contains("line 2"), "{network}");
        let name = complaint("[[publish.feeds]]\nname = \"a b\"\n");
        assert!(name.contains("line 2") && name.contains("‘a b’ is not a valid feed name"), "{name}");
        let twice = complaint("[[publish.feeds]]\nname = \"x\"\n[[publish.feeds]]\nname = \"x\"\n");
        assert!(twice.contains("line 4") && twice.contains("two feeds are named ‘x’"), "{twice}");
    }

    /// Checks that a file with one invalid setting gives an error with this line and these words.
    fn check(text: &str, line: usize, words: &str) {
        let said = complaint(text);
        assert!(said.contains(&format!("config.toml, line {line}: ")) && said.contains(words), "{said}\n{text}");
    }

    #[test]
    fn error_names_the_line_of_the_value_among_comments_and_equal_keys() {
        check("[poll]\ninterval = \"2h\"\nmax_interval = \"1h\"\n# max_interval\n", 3, "poll.max_interval");
        check("[poll]\ninterval = \"48h\"\n# poll.interval is long\n", 2, "poll.max_interval is shorter");
        check("[poll]\n# interval\ninterval = \"0s\"\nmax_interval = \"1h\" # interval\n", 3, "poll.interval");
        check("# concurrency\ndaemon = { concurrency = 0 }\n# concurrency\n", 2, "daemon.concurrency");
        check("[fetch]\nuser_agent = \"a\\nb\"\n[serve]\n# user_agent\n", 2, "fetch.user_agent");
        check("[fetch]\nmax_body_bytes = 0\n", 2, "fetch.max_body_bytes");
        check("[fetch]\nmax_redirects = 1000\n", 2, "fetch.max_redirects");
        check("[cluster]\nthreshold = 1.5\n", 2, "cluster.threshold");
        check("[cluster]\nthreshold = nan\n", 2, "cluster.threshold");
        check("[publish]\nbase_url = \"ftp://a.example/\"\n", 2, "publish.base_url");
        check("[serve]\nmax_connections = 0\n", 2, "serve.max_connections");
        check("[serve]\n\nmax_connections_per_ip = 0\n", 3, "serve.max_connections_per_ip");
        check("[publish]\nhubs = [\"ftp://hub.example/\"]\n", 2, "publish.hubs");
        check("[publish]\n\nhubs = [\"https://ann:secret@hub.example/\"]\n", 3, "publish.hubs");
        check("[hub]\nmax_subscribers = 0\n", 2, "hub.max_subscribers must be between");
        check("[hub]\nmax_subscribers_per_topic = 0\n", 2, "hub.max_subscribers_per_topic must be between");
        check("[hub]\nconcurrency = 0\n", 2, "hub.concurrency");
        check("[hub]\nlease = \"1d\"\nmin_lease = \"2d\"\n", 2, "hub.lease is shorter than hub.min_lease");
        check("[hub]\n# lease\nmax_lease = \"1d\"\n", 3, "hub.max_lease is shorter than hub.lease");
        check("[daemon]\nshutdown_grace = \"9s\"\n", 2, "between \"0s\" and \"8s\"");
    }

    #[test]
    fn error_names_the_line_of_the_invalid_feed() {
        let two = |wrong: &str| {
            let good = "name = \"a\"\nquery = \"grid\"\nlimit = 5\nmin_outlets = 2\nmax_age = \"1d\"\n";
            format!("[[publish.feeds]]\n{good}[[publish.feeds]]\nname = \"b\"\n{wrong}\n# {wrong}\n")
        };
        check(&two("query = \"AND AND\""), 9, "which is not a valid FTS5 expression");
        check(&two("limit = 0"), 9, "publish.feeds.1.limit");
        check(&two("min_outlets = 0"), 9, "publish.feeds.1.min_outlets");
        check(&two("max_age = \"0s\""), 9, "publish.feeds.1.max_age");
    }

    #[test]
    fn longest_durations_do_not_overflow_the_calendar() {
        let defaults = toml::Table::try_from(Config::default()).unwrap();
        let mut checked = 0;
        for (section, settings) in &defaults {
            for (name, value) in settings.as_table().into_iter().flatten() {
                if value.as_str().is_some_and(|text| crate::domain::duration::parse(text).is_ok()) {
                    for much in ["5000000d", "36500d"] {
                        let said = complaint(&format!("# {name}\n[{section}]\n{name} = \"{much}\"\n"));
                        assert!(said.contains("line 3") && said.contains(name.as_str()), "{said}");
                    }
                    checked += 1;
                }
            }
        }
        assert!(checked >= 11, "{checked}");
    }
}
