//! WebSub (W3C Recommendation of 23 January 2018). newsfold subscribes to the hubs that feeds declare. In [`hub`], it
//! is a hub for its own feeds.
//!
//! The decisions are pure functions: [`hub_discovery`] (the hub and topic that a feed declares), [`renewal_schedule`]
//! (when to send which request), [`state_machine`] (the transitions of a subscription), [`verification`] (whether to
//! confirm a hub's verification request), [`signature`] (whether a push is from the hub), [`push_reliability`] (whether
//! polls can be infrequent). [`callback`] responds to hubs; the daemon's `websub subscriber` task sends requests to
//! them.
//!
//! A feed can declare the `rel=self` URL of another feed. Such a declaration is harmless: pushed items are stored under
//! the source whose feed declared the topic, and that feed could have contained the items itself.

pub mod callback;
pub mod hub;
pub mod hub_discovery;
pub mod push_queue;
pub mod push_reliability;
pub mod renewal_schedule;
pub mod secrets;
pub mod signature;
pub mod state_machine;
pub mod verification;

use crate::domain::DisabledReason;
use crate::http_client::AddressPolicy;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The settings of the subscriber.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Whether to subscribe to hubs that can reach newsfold.
    pub enabled: bool,
    /// The lease to request from hubs.
    #[serde(with = "crate::domain::duration")]
    pub lease: SignedDuration,
    /// The time between polls of a source whose hub has proved reliable.
    #[serde(with = "crate::domain::duration")]
    pub safety_poll_interval: SignedDuration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            enabled: true,
            lease: SignedDuration::from_hours(10 * 24),
            safety_poll_interval: SignedDuration::from_hours(24),
        }
    }
}

impl Options {
    /// Returns the reason why newsfold does not subscribe to hubs; `None` if it does subscribe. `base_url` is
    /// `publish.base_url`.
    pub fn disabled_reason(
        &self,
        base_url: &Url,
        default_base_url: &Url,
        address_policy: &AddressPolicy,
    ) -> Option<DisabledReason> {
        if !self.enabled {
            return Some(DisabledReason::Configured);
        }
        if base_url == default_base_url {
            return Some(DisabledReason::NoBaseUrl);
        }
        let address = match base_url.host() {
            None => return Some(DisabledReason::NoBaseUrl),
            Some(Host::Domain(host)) => {
                return is_local(host).then(|| DisabledReason::LocalHostName { host: host.to_owned() });
            }
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
        };
        let forbidden = address_policy.check_address(address).err()?;
        Some(DisabledReason::Unreachable { detail: forbidden.to_string() })
    }
}

/// Returns whether a host name is meaningful only in the local network: a single label, or a name reserved by RFC 6761,
/// 6762, 8375 or ICANN (`internal`).
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.')
        || matches!(last, "localhost" | "local" | "internal" | "test" | "invalid" | "lan")
        || name.ends_with(".home.arpa")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_client;

    fn disabled_reason(
        options: &Options,
        base_url: &str,
        http_options: http_client::Options,
    ) -> Option<DisabledReason> {
        let default_base_url = Url::parse("http://127.0.0.1:8686/").unwrap();
        let address_policy = AddressPolicy::new(&http_options);
        options.disabled_reason(&Url::parse(base_url).unwrap(), &default_base_url, &address_policy)
    }

    fn check(base_url: &str, expect: Option<DisabledReason>) {
        assert_eq!(
            disabled_reason(&Options::default(), base_url, http_client::Options::default()),
            expect,
            "{base_url}"
        );
    }

    #[test]
    fn hubs_are_used_if_they_can_reach_the_base_url() {
        for base_url in ["https://news.example.org/", "http://news.example:8080/path/", "https://8.8.8.8:81/"] {
            check(base_url, None);
        }
        check("http://127.0.0.1:8686/", Some(DisabledReason::NoBaseUrl));
        for base_url in ["http://127.0.0.1:9000/", "http://192.168.1.5/", "http://[::1]/"] {
            let reason = disabled_reason(&Options::default(), base_url, http_client::Options::default());
            assert!(matches!(reason, Some(DisabledReason::Unreachable { .. })), "{base_url}");
        }
        for host in ["localhost", "news.localhost", "desk.local.", "desk", "news.home.arpa"] {
            check(&format!("http://{host}/"), Some(DisabledReason::LocalHostName { host: host.into() }));
        }
    }

    #[test]
    fn operator_can_allow_a_network_and_disable_websub() {
        let allowed_networks = vec!["192.168.0.0/16".parse().unwrap()];
        let http_options = http_client::Options { allowed_networks, ..http_client::Options::default() };
        assert_eq!(disabled_reason(&Options::default(), "http://192.168.1.5/", http_options.clone()), None);
        let disabled = Options { enabled: false, ..Options::default() };
        let reason = disabled_reason(&disabled, "https://news.example.org/", http_options);
        assert_eq!(reason, Some(DisabledReason::Configured));
    }
}
