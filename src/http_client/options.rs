//! The settings for requests (`[fetch]`).

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use url::Url;

/// The settings for requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The User-Agent header. By default, it is built from the following two settings.
    pub user_agent: Option<String>,
    /// A page that explains to outlets who operates newsfold. It is part of the User-Agent.
    pub about_url: Option<Url>,
    /// The number of readers. Outlets use the User-Agent to count subscribers.
    pub subscribers: u32,
    /// Time limit for a request, including its redirects and body.
    #[serde(with = "crate::domain::duration")]
    pub total_timeout: SignedDuration,
    /// Time limit for connecting, including TLS.
    #[serde(with = "crate::domain::duration")]
    pub connect_timeout: SignedDuration,
    /// Time limit for receiving the response headers, from the start of the request.
    #[serde(with = "crate::domain::duration")]
    pub header_timeout: SignedDuration,
    /// Time limit between two reads of the body.
    #[serde(with = "crate::domain::duration")]
    pub read_timeout: SignedDuration,
    /// Maximum size of a decoded body in bytes.
    pub max_body_bytes: usize,
    /// Maximum number of redirects in one poll.
    pub max_redirects: usize,
    /// The minimum delay between the end of a request to an origin and the start of the next request.
    #[serde(with = "crate::domain::duration")]
    pub min_origin_delay: SignedDuration,
    /// Non-public networks to which requests are allowed.
    pub allowed_networks: Vec<ipnet::IpNet>,
    /// Ports to which requests are allowed.
    pub allowed_ports: Vec<PortRange>,
    /// A PEM file with certificate authorities to trust in addition to the standard authorities.
    pub ca_file: Option<PathBuf>,
    /// A proxy for all requests. Proxy environment variables are ignored.
    pub proxy: Option<Url>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            user_agent: None,
            about_url: None,
            subscribers: 1,
            total_timeout: SignedDuration::from_secs(60),
            connect_timeout: SignedDuration::from_secs(10),
            header_timeout: SignedDuration::from_secs(30),
            read_timeout: SignedDuration::from_secs(20),
            max_body_bytes: 16 * 1024 * 1024,
            max_redirects: 10,
            min_origin_delay: SignedDuration::from_secs(1),
            allowed_networks: Vec::new(),
            // Most other ports below 1024 belong to other services, which a hostile URL could attack through newsfold.
            allowed_ports: vec![
                PortRange { from: 80, to: 80 },
                PortRange { from: 443, to: 443 },
                PortRange { from: 1024, to: 65535 },
            ],
            ca_file: None,
            proxy: None,
        }
    }
}

/// A port or a range of ports: `443`, `1024-65535`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PortRange {
    pub from: u16,
    pub to: u16,
}

impl PortRange {
    pub fn contains(self, port: u16) -> bool {
        (self.from..=self.to).contains(&port)
    }
}

impl TryFrom<String> for PortRange {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (from, to) = text.split_once('-').unwrap_or((&text, &text));
        match (from.trim().parse(), to.trim().parse()) {
            (Ok(from), Ok(to)) if from > 0 && from <= to => Ok(PortRange { from, to }),
            _ => Err(format!("‘{text}’ is not a valid port or range; use a value such as 443 or 1024-65535")),
        }
    }
}

impl From<PortRange> for String {
    fn from(ports: PortRange) -> String {
        if ports.from == ports.to { ports.from.to_string() } else { format!("{}-{}", ports.from, ports.to) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_one_port_or_a_range() {
        let ports = |text: &str| PortRange::try_from(text.to_owned());
        assert_eq!(ports("443"), Ok(PortRange { from: 443, to: 443 }));
        assert!(ports("1024-65535").unwrap().contains(8080));
        for wrong in ["0", "http", "20-10", "-", "70000", ""] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
    }
}
