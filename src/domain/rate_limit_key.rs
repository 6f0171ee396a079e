//! The address by which rate limits identify a client.

use std::net::{IpAddr, Ipv6Addr};

/// Returns an IPv4 address unchanged, and for an IPv6 address the first address of its /64 network. An IPv6 client
/// controls at least a /64 network (RFC 6177).
pub fn rate_limit_key(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}
