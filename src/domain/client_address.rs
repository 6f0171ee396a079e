//! The address by which rate limits identify a client.

use std::net::{IpAddr, Ipv6Addr};

/// Returns an IPv4 address, or the first address of an IPv6 client's /64: a client controls at least a /64 (RFC 6177).
pub fn client_address(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}
