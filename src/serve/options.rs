//! The settings of the HTTP server.

use ipnet::IpNet;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The `[serve]` section of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The address and port to listen on. A socket passed by systemd takes precedence.
    pub listen: SocketAddr,
    /// Whether the site contains the source pages, the health page and the health feed.
    pub status_pages: bool,
    /// The maximum number of concurrent connections. Additional connections wait until one closes.
    pub max_connections: usize,
    /// The maximum number of concurrent connections from one IPv4 address or one IPv6 /64 prefix. Additional
    /// connections are closed.
    pub max_connections_per_ip: usize,
    /// Networks of reverse proxies. The limit per address does not apply to these proxies, because many clients share
    /// their addresses.
    pub trusted_proxies: Vec<IpNet>,
    /// The time limit for receiving request headers, and for a keep-alive connection to send its next request.
    #[serde(with = "crate::domain::duration")]
    pub header_timeout: SignedDuration,
    /// The time limit for a client to receive a response that does not fit into the send buffer.
    #[serde(with = "crate::domain::duration")]
    pub write_timeout: SignedDuration,
}

impl Default for Options {
    fn default() -> Self {
        let loopback = [(IpAddr::from([127, 0, 0, 0]), 8), (IpAddr::from(Ipv6Addr::LOCALHOST), 128)];
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 8686)),
            status_pages: true,
            max_connections: 4096,
            max_connections_per_ip: 64,
            trusted_proxies: loopback.into_iter().filter_map(|(ip, length)| IpNet::new(ip, length).ok()).collect(),
            header_timeout: SignedDuration::from_secs(10),
            write_timeout: SignedDuration::from_secs(60),
        }
    }
}
