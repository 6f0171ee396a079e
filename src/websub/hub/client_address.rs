//! The address of the client that sends a request to the hub, behind a trusted reverse proxy or not.

use crate::domain::rate_limit_key;
use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// Returns the key of the client of a request for rate limits; `None` if the address of the client is unknown.
pub(super) fn client_of_request(request: &Request, proxies: &[IpNet]) -> Option<String> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?.0.ip();
    client(peer, request.headers(), proxies)
}

/// Returns the client of a connection. A trusted proxy appends the client's address to `X-Forwarded-For`. The client
/// controls all earlier addresses in the header.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> Option<String> {
    let mut ip = peer.to_canonical();
    if proxies.iter().any(|network| network.contains(&ip)) {
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        ip = forwarded.rsplit(',').next()?.trim().parse::<IpAddr>().ok()?.to_canonical();
    }
    Some(rate_limit_key(ip).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &[&str], expect: Option<&str>) {
        let proxies = ["127.0.0.0/8".parse().unwrap()];
        let headers = forwarded.iter().map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap()));
        let client = client(peer.parse().unwrap(), &headers.collect(), &proxies);
        assert_eq!(client.as_deref(), expect, "{peer} {forwarded:?}");
    }

    #[test]
    fn forwarded_address_is_trusted_only_from_a_proxy() {
        check("192.0.2.7", &[], Some("192.0.2.7"));
        check("192.0.2.7", &["198.51.100.1"], Some("192.0.2.7"));
        check("127.0.0.1", &["198.51.100.1"], Some("198.51.100.1"));
        check("127.0.0.1", &["10.0.0.1, 198.51.100.1"], Some("198.51.100.1"));
        check("127.0.0.1", &["10.0.0.1", "198.51.100.1"], Some("198.51.100.1"));
        check("::ffff:127.0.0.1", &["2001:db8:1:2:3:4:5:6"], Some("2001:db8:1:2::"));
        check("127.0.0.1", &[], None);
        check("127.0.0.1", &["unknown"], None);
    }

    #[test]
    fn request_without_a_peer_address_has_no_client() {
        let request = Request::builder().header("x-forwarded-for", "198.51.100.1").body(Default::default()).unwrap();
        assert_eq!(client_of_request(&request, &["127.0.0.0/8".parse().unwrap()]), None);
    }
}
