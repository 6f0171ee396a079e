//! Limits the open connections per client address.

use crate::domain::rate_limit_key;
use ipnet::IpNet;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The number of open connections per address. Addresses without connections use no memory.
pub struct ConnectionLimit {
    max_per_client: usize,
    proxies: Vec<IpNet>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A permit that counts as a connection until it is dropped. Connections of proxies are not counted.
pub struct ConnectionPermit(Option<(Arc<ConnectionLimit>, IpAddr)>);

impl ConnectionLimit {
    pub fn new(max_per_client: usize, proxies: Vec<IpNet>) -> Arc<ConnectionLimit> {
        Arc::new(ConnectionLimit { max_per_client, proxies, open: Mutex::default() })
    }

    /// Returns a permit for a connection from this address; `None` if the client has reached the limit.
    pub fn acquire(self: &Arc<Self>, peer: IpAddr) -> Option<ConnectionPermit> {
        let peer = peer.to_canonical();
        if self.proxies.iter().any(|network| network.contains(&peer)) {
            return Some(ConnectionPermit(None));
        }
        let client = rate_limit_key(peer);
        let mut open = self.open.lock();
        let count = open.entry(client).or_default();
        if *count >= self.max_per_client {
            return None;
        }
        *count += 1;
        Some(ConnectionPermit(Some((self.clone(), client))))
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let Some((limit, client)) = self.0.take() else { return };
        let mut open = limit.open.lock();
        match open.get_mut(&client) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = open.remove(&client),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn address_is_limited_until_its_connections_close() {
        let limit = ConnectionLimit::new(2, Vec::new());
        let permits: Vec<ConnectionPermit> = (0..2).map(|_| limit.acquire(ip("192.0.2.1")).unwrap()).collect();
        assert!(limit.acquire(ip("192.0.2.1")).is_none());
        assert!(limit.acquire(ip("::ffff:192.0.2.1")).is_none(), "the same address, mapped to IPv6");
        assert!(limit.acquire(ip("192.0.2.2")).is_some());
        drop(permits);
        assert!(limit.open.lock().is_empty(), "an address without connections takes no memory");
        assert!(limit.acquire(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn ipv6_network_is_one_client() {
        let limit = ConnectionLimit::new(1, Vec::new());
        let _permit = limit.acquire(ip("2001:db8:0:1::1")).unwrap();
        assert!(limit.acquire(ip("2001:db8:0:1:ffff::2")).is_none());
        assert!(limit.acquire(ip("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn proxy_is_not_limited() {
        let limit = ConnectionLimit::new(1, vec!["127.0.0.0/8".parse().unwrap()]);
        let permits: Vec<ConnectionPermit> = (0..100).map(|_| limit.acquire(ip("127.0.0.1")).unwrap()).collect();
        assert!(limit.acquire(ip("::ffff:127.0.0.1")).is_some());
        assert_eq!(permits.len(), 100);
    }
}
