//! The address address_policy: which addresses a request may go to. Global unicast, and what the operator allows.
//!
//! It is the client's resolver, so that the addresses it has judged are the ones connected to, whatever DNS says a
//! moment later; URLs with a literal address, which no resolver sees, are judged by [`AddressPolicy::check_url`] on each hop.
//! Behind a proxy it is the proxy that connects: what our own DNS knows of a name is judged, the rest is the proxy's.
//! Sources: the IANA special-purpose address registries (RFC 6890) and RFC 4291, 6052, 3056, 4380.

use super::{Options, PortRange};
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Judges addresses.
#[derive(Debug, Clone)]
pub struct AddressPolicy {
    allowed: Vec<IpNet>,
    ports: Vec<PortRange>,
    /// The host of the operator's proxy, which may be anywhere.
    proxy: Option<String>,
}

/// Why a request was not made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ForbiddenAddress {
    #[error("only http and https are fetched, not {0}")]
    Scheme(String),
    #[error("the URL names no host")]
    NoHost,
    #[error("port {0} is not the web's; allow it in fetch.allowed_ports if it is meant")]
    Port(u16),
    #[error("{0} is not a public address; allow its network in fetch.allowed_networks if it is meant")]
    Address(IpAddr),
    #[error(
        "{name} leads only to addresses that are not public ({address}); allow the network in fetch.allowed_networks if it is meant"
    )]
    Name { name: String, address: IpAddr },
}

impl AddressPolicy {
    /// A policy that lets through public addresses and those that the operator allows.
    pub fn new(options: &Options) -> Self {
        let proxy = options.proxy.as_ref().and_then(|url| url.host_str()).map(str::to_owned);
        AddressPolicy { allowed: options.allowed_networks.clone(), ports: options.allowed_ports.clone(), proxy }
    }

    /// Judges what can be judged before a name is resolved: the scheme, and an address written in the URL.
    ///
    /// `Url` has by then read every spelling of an IPv4 address (decimal, octal, hexadecimal, short, full-width).
    pub fn check_url(&self, url: &Url) -> Result<(), ForbiddenAddress> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ForbiddenAddress::Scheme(url.scheme().to_owned()));
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if !self.ports.iter().any(|ports| ports.contains(port)) {
            return Err(ForbiddenAddress::Port(port));
        }
        match url.host() {
            None => Err(ForbiddenAddress::NoHost),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(address)) => self.check_address(address.into()),
            Some(Host::Ipv6(address)) => self.check_address(address.into()),
        }
    }

    /// Judges a name that a proxy is going to resolve, as far as we can.
    pub(super) async fn check_proxied_host(&self, url: &Url) -> Result<(), ForbiddenAddress> {
        let Some(Host::Domain(name)) = url.host().filter(|_| self.proxy.is_some()) else { return Ok(()) };
        let Ok(mut found) = tokio::net::lookup_host((name, 0)).await else { return Ok(()) };
        found.try_for_each(|address| self.check_address(address.ip()))
    }

    /// Whether a connection to this address may be made.
    pub fn check_address(&self, address: IpAddr) -> Result<(), ForbiddenAddress> {
        let address = unwrap(address);
        if self.allowed.iter().any(|network| network.contains(&address)) || is_public(address) {
            Ok(())
        } else {
            Err(ForbiddenAddress::Address(address))
        }
    }
}

impl Resolve for AddressPolicy {
    fn resolve(&self, name: Name) -> Resolving {
        let address_policy = self.clone();
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if address_policy.proxy.as_deref() == Some(name.as_str()) {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            let may: Vec<SocketAddr> =
                found.iter().copied().filter(|a| address_policy.check_address(a.ip()).is_ok()).collect();
            match found.first() {
                Some(first) if may.is_empty() => Err(ForbiddenAddress::Name { name, address: first.ip() }.into()),
                _ => Ok(Box::new(may.into_iter()) as Addrs),
            }
        })
    }
}

/// The IPv4 address that an IPv6 address stands for, where it does: mapped, compatible, NAT64, 6to4, Teredo.
fn unwrap(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let s = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) != (0, 0) && (high, low) != (0, 1) => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // ISATAP puts it into the interface's part, below any prefix (RFC 5214, section 6.1).
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => v4(high, low),
        // Teredo carries the client's address inverted (RFC 4380, section 4).
        [0x2001, 0, .., high, low] => v4(!high, !low),
        _ => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0
        || a == 10
        || a == 127
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        || a >= 224;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    // Global unicast is 2000::/3; everything else is reserved, local or multicast.
    let global = s[0] & 0xe000 == 0x2000;
    let special = match s {
        // IETF protocol assignments, 2001::/23; documentation; documentation (RFC 9637).
        [0x2001, second, ..] => second < 0x0200 || second == 0x0db8,
        [0x3fff, second, ..] => second < 0x1000,
        _ => false,
    };
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(url: &str) -> bool {
        AddressPolicy::new(&Options::default()).check_url(&Url::parse(url).unwrap()).is_err()
    }

    #[test]
    fn no_spelling_of_a_local_address_gets_through() {
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "１２７.0.0.1",
            "0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001:0:1:2:3:4:80ff:fffe]",
            "[2606:4700::5efe:7f00:1]",
            "[fe80::1]",
            "[fc00::1]",
            "[ff02::1]",
            "[2001:db8::1]",
            "[64:ff9b:1::1]",
            "[100::1]",
        ] {
            assert!(forbidden(&format!("http://{host}/")), "{host} got through");
        }
    }

    #[test]
    fn public_addresses_get_through() {
        for host in ["8.8.8.8", "192.0.1.1", "[2606:4700::1111]", "[64:ff9b::808:808]", "name.example"] {
            assert!(!forbidden(&format!("https://{host}/")), "{host} was refused");
        }
    }

    #[test]
    fn only_the_web_is_fetched() {
        for url in ["ftp://a.example/", "file:///etc/passwd", "gopher://a.example/", "data:text/plain,x"] {
            assert!(forbidden(url), "{url} got through");
        }
    }

    #[test]
    fn only_ports_of_the_web_are_asked_unless_the_operator_says_otherwise() {
        for url in ["http://a.example:25/", "https://a.example:22/", "http://8.8.8.8:53/", "http://a.example:0/"] {
            assert!(forbidden(url), "{url} got through");
        }
        assert!(!forbidden("http://a.example:8080/"));
        let address_policy =
            AddressPolicy::new(&Options { allowed_ports: vec![PortRange { from: 81, to: 81 }], ..Options::default() });
        assert!(address_policy.check_url(&Url::parse("http://a.example:81/").unwrap()).is_ok());
        assert!(address_policy.check_url(&Url::parse("http://a.example/").unwrap()).is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_to_a_local_address_is_refused_where_the_connection_is_made() {
        let resolve = |name: &str| {
            let address_policy = AddressPolicy::new(&Options::default());
            let name = name.parse().unwrap();
            async move { address_policy.resolve(name).await.map(|found| found.count()).map_err(|error| error.to_string()) }
        };
        let refusal = resolve("localhost").await.unwrap_err();
        assert!(refusal.contains("not public"), "{refusal}");
    }

    #[test]
    fn the_operator_allows_a_network_not_everything() {
        let networks = vec!["127.0.0.0/8".parse().unwrap()];
        let address_policy = AddressPolicy::new(&Options { allowed_networks: networks, ..Options::default() });
        assert!(address_policy.check_address("127.0.0.1".parse().unwrap()).is_ok());
        assert!(address_policy.check_address("::ffff:127.0.0.1".parse().unwrap()).is_ok());
        assert!(address_policy.check_address("10.0.0.1".parse().unwrap()).is_err());
        assert!(address_policy.check_address("::1".parse().unwrap()).is_err());
    }
}
