//! How many connections each address has open.

use ipnet::IpNet;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard};

/// Bounded by the connections there are: an address without one is forgotten.
pub(super) struct Counts {
    most: usize,
    proxies: Vec<IpNet>,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that is counted for as long as this lives.
pub(super) struct Place(Option<(Arc<Counts>, IpAddr)>);

impl Counts {
    pub(super) fn new(most: usize, proxies: Vec<IpNet>) -> Arc<Counts> {
        Arc::new(Counts { most, proxies, open: Mutex::default() })
    }

    /// A place for a connection from this address, unless it has as many as it may. A proxy always has one.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        if self.proxies.iter().any(|network| network.contains(&peer)) {
            return Some(Place(None));
        }
        let who = one_client(peer);
        let mut open = self.lock();
        let count = open.entry(who).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place(Some((self.clone(), who))))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((counts, who)) = self.0.take() else { return };
        let mut open = counts.lock();
        match open.get_mut(&who) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = open.remove(&who),
        }
    }
}

/// Of IPv6 a client has at least a whole /64 to choose its addresses from (RFC 6177).
fn one_client(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let counts = Counts::new(2, Vec::new());
        let held: Vec<Place> = (0..2).map(|_| counts.enter(ip("192.0.2.1")).unwrap()).collect();
        assert!(counts.enter(ip("192.0.2.1")).is_none());
        assert!(counts.enter(ip("::ffff:192.0.2.1")).is_none(), "the same address in other words");
        assert!(counts.enter(ip("192.0.2.2")).is_some());
        drop(held);
        assert!(counts.lock().is_empty(), "who has left is forgotten");
        assert!(counts.enter(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let counts = Counts::new(1, Vec::new());
        let _held = counts.enter(ip("2001:db8:0:1::1")).unwrap();
        assert!(counts.enter(ip("2001:db8:0:1:ffff::2")).is_none());
        assert!(counts.enter(ip("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn a_proxy_is_not_counted() {
        let counts = Counts::new(1, vec!["127.0.0.0/8".parse().unwrap()]);
        let held: Vec<Place> = (0..100).map(|_| counts.enter(ip("127.0.0.1")).unwrap()).collect();
        assert!(counts.enter(ip("::ffff:127.0.0.1")).is_some());
        assert_eq!(held.len(), 100);
    }
}
