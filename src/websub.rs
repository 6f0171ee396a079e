//! WebSub: news that hubs push (W3C Recommendation of 23 January 2018), as a subscriber; and as a hub of our own, in
//! [`hub`].
//!
//! The decisions are pure and stand here: [`discovery`] (what a feed offers), [`verification`] (whether to confirm what a hub
//! asks), [`signature`] (whether a push is the hub's), [`renewal_schedule`] (when to ask a hub for what), [`push_reliability`] (when polls may
//! become a safety net). [`callback`] answers hubs by them; the requests to hubs are made by the daemon's task `hubs`.
//!
//! A feed may name another's feed as its own self. That is harmless: what is pushed is stored under the source whose
//! feed declared the topic, where it could have stood anyway, and never under another.

pub mod callback;
pub mod discovery;
pub mod hub;
pub mod push_queue;
pub mod push_reliability;
pub mod renewal_schedule;
pub mod secrets;
pub mod signature;
pub mod state_machine;
pub mod verification;

pub use push_queue::{PushQueue, PushedDocument};

use crate::http_client::AddressPolicy;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// News that hubs push.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Whether to subscribe at hubs, where they can reach us.
    pub enabled: bool,
    /// For how long a hub is asked to push before it is asked again.
    #[serde(with = "crate::domain::duration")]
    pub lease: SignedDuration,
    /// How long a source whose hub has proven itself is not polled.
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
    /// Why hubs are not used; `None` where they are. `base` is where the operator says that we are found.
    pub fn off(&self, base: &Url, default_base: &Url, guard: &AddressPolicy) -> Option<String> {
        if !self.enabled {
            return Some("websub.enabled is false".into());
        }
        if base == default_base {
            return Some("publish.base_url is not set, so that no hub could reach us".into());
        }
        let judged = match base.host() {
            None => Err("it names no host".to_owned()),
            Some(Host::Domain(name)) if is_local(name) => Err(format!("‘{name}’ is a name of a local network")),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(address)) => guard.check_address(address.into()).map_err(|reason| reason.to_string()),
            Some(Host::Ipv6(address)) => guard.check_address(address.into()).map_err(|reason| reason.to_string()),
        };
        judged.err().map(|reason| format!("no hub can reach publish.base_url: {reason}"))
    }
}

/// Names that mean nothing, or something else, to a hub elsewhere: those of one label, and RFC 6761, 6762, 8375 and
/// ICANN's `internal`.
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

    #[test]
    fn hubs_are_used_where_they_can_reach_us() {
        let off = |base: &str| {
            let default = Url::parse("http://127.0.0.1:8686/").unwrap();
            Options::default().off(
                &Url::parse(base).unwrap(),
                &default,
                &AddressPolicy::new(&http_client::Options::default()),
            )
        };
        for base in ["https://news.example.org/", "http://news.example:8080/path/", "https://8.8.8.8:81/"] {
            assert_eq!(off(base), None, "{base}");
        }
        for base in [
            "http://127.0.0.1:8686/",
            "http://127.0.0.1:9000/",
            "http://192.168.1.5/",
            "http://[::1]/",
            "http://localhost:8686/",
            "http://news.localhost/",
            "http://desk.local./",
            "http://desk/",
            "http://news.home.arpa/",
        ] {
            assert!(off(base).is_some(), "{base}");
        }
        let allowed_networks = vec!["192.168.0.0/16".parse().unwrap()];
        let allowed = AddressPolicy::new(&http_client::Options { allowed_networks, ..http_client::Options::default() });
        let (base, default) = ("http://192.168.1.5/".parse().unwrap(), "http://127.0.0.1:8686/".parse().unwrap());
        assert_eq!(Options::default().off(&base, &default, &allowed), None, "the operator knows that network");
        let disabled = Options { enabled: false, ..Options::default() };
        assert!(disabled.off(&"https://news.example.org/".parse().unwrap(), &default, &allowed).is_some());
    }
}
