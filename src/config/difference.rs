//! Compares configurations by their settings.

use super::Config;
use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};
use xxhash_rust::xxh3::xxh3_64;

/// The settings that take effect only after a restart.
const RESTART_SETTINGS: [&str; 4] = ["database", "metrics.enabled", "metrics.listen", "serve.listen"];

impl Config {
    /// Returns the names of the settings that differ, such as `poll.interval`, in alphabetical order.
    pub fn differing_settings(&self, other: &Config) -> Vec<String> {
        let (own, others) = (self.settings(), other.settings());
        let names: BTreeSet<&String> = own.keys().chain(others.keys()).collect();
        names.into_iter().filter(|name| own.get(*name) != others.get(*name)).cloned().collect()
    }

    /// Replaces the settings that only a restart applies with those of `running`. Returns the names of the settings
    /// that differed.
    pub fn keep_restart_settings(&mut self, running: &Config) -> Vec<String> {
        let mut differing = self.differing_settings(running);
        differing.retain(|name| RESTART_SETTINGS.contains(&name.as_str()));
        self.database.clone_from(&running.database);
        self.set_listen_address(running.serve.listen);
        self.metrics.clone_from(&running.metrics);
        differing
    }

    /// Returns a hash of all settings except the database.
    pub fn fingerprint(&self) -> String {
        let settings: Vec<String> = self.settings().iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        format!("{:016x}", xxh3_64(settings.concat().as_bytes()))
    }

    /// Returns the values by name. Settings that are not set are missing.
    fn settings(&self) -> BTreeMap<String, Value> {
        let mut settings = BTreeMap::new();
        for (section, value) in Table::try_from(self).unwrap_or_default() {
            match value {
                Value::Table(table) => {
                    settings.extend(table.into_iter().map(|(name, value)| (format!("{section}.{name}"), value)));
                }
                value => _ = settings.insert(section, value),
            }
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_settings_are_named() {
        let other: Config = toml::from_str(
            "database = \"/other.db\"\n[poll]\ninterval = \"5m\"\n[serve]\nlisten = \"127.0.0.1:9\"\n\
             [[publish.feeds]]\nname = \"energy\"\n",
        )
        .unwrap();
        let names = ["database", "poll.interval", "publish.feeds", "serve.listen"];
        assert_eq!(Config::default().differing_settings(&other), names);
        assert_eq!(other.differing_settings(&other), Vec::<String>::new());
    }

    #[test]
    fn address_and_database_of_the_running_daemon_are_kept() {
        let mut new: Config = toml::from_str("[poll]\ninterval = \"5m\"\n[serve]\nlisten = \"127.0.0.1:9\"\n").unwrap();
        assert_eq!(new.keep_restart_settings(&Config::default()), ["serve.listen"]);
        assert_eq!(new.differing_settings(&Config::default()), ["poll.interval"]);
    }
}
