//! The address policy: requests go only to global unicast addresses and to networks that the operator allows.
//!
//! The policy is also the resolver of the HTTP client. The connection therefore uses the checked addresses, even if DNS
//! returns different addresses a moment later. IP addresses in URLs bypass the resolver; [`AddressPolicy::check_url`]
//! checks them for each request. Behind a proxy, the proxy resolves names: the policy checks the addresses that our own
//! DNS returns, and the proxy must check the addresses that it uses itself.
//!
//! Sources: the IANA special-purpose address registries (RFC 6890), RFC 4291, 6052, 3056 and 4380.

use super::options::{Options, PortRange};
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// The addresses and ports that requests may use.
#[derive(Debug, Clone)]
pub struct AddressPolicy {
    allowed_networks: Vec<IpNet>,
    allowed_ports: Vec<PortRange>,
    /// The host of the operator's proxy. It may have any address.
    proxy_host: Option<String>,
}

/// The reason why a request was not sent.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ForbiddenAddress {
    #[error("the scheme {0} is not supported; use http or https")]
    Scheme(String),
    #[error("the URL has no host")]
    NoHost,
    #[error("port {0} is not allowed; add it to fetch.allowed_ports if this is intended")]
    Port(u16),
    #[error("{0} is not a public address; add its network to fetch.allowed_networks if this is intended")]
    Address(IpAddr),
    #[error(
        "{name} resolves only to addresses that are not public ({address}); add the network to \
         fetch.allowed_networks if this is intended"
    )]
    Name { name: String, address: IpAddr },
}

impl ForbiddenAddress {
    /// Returns whether the error contains an address inside our network, which must not be published.
    pub fn is_private(&self) -> bool {
        matches!(self, ForbiddenAddress::Address(_) | ForbiddenAddress::Name { .. })
    }
}

impl AddressPolicy {
    pub fn new(options: &Options) -> Self {
        AddressPolicy {
            allowed_networks: options.allowed_networks.clone(),
            allowed_ports: options.allowed_ports.clone(),
            proxy_host: options.proxy.as_ref().and_then(|url| url.host_str()).map(str::to_owned),
        }
    }

    /// Checks a URL before a request: applies [`AddressPolicy::check_url`] and, behind a proxy, checks the addresses
    /// that our own DNS returns for the host.
    pub(super) async fn check(&self, url: &Url) -> Result<(), ForbiddenAddress> {
        self.check_url(url)?;
        let Some(Host::Domain(name)) = url.host().filter(|_| self.proxy_host.is_some()) else { return Ok(()) };
        let Ok(mut found) = tokio::net::lookup_host((name, 0)).await else { return Ok(()) };
        found.try_for_each(|address| self.check_address(address.ip()))
    }

    /// Performs the checks that need no name resolution: scheme, port, and literal address.
    ///
    /// `Url` has already normalized all notations of an IPv4 address (decimal, octal, hexadecimal, short, full-width).
    pub fn check_url(&self, url: &Url) -> Result<(), ForbiddenAddress> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ForbiddenAddress::Scheme(url.scheme().to_owned()));
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if !self.allowed_ports.iter().any(|ports| ports.contains(port)) {
            return Err(ForbiddenAddress::Port(port));
        }
        match url.host() {
            None => Err(ForbiddenAddress::NoHost),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(address)) => self.check_address(address.into()),
            Some(Host::Ipv6(address)) => self.check_address(address.into()),
        }
    }

    /// Checks whether connections to the address are allowed.
    pub fn check_address(&self, address: IpAddr) -> Result<(), ForbiddenAddress> {
        let address = embedded_ipv4(address);
        let is_public = match address {
            IpAddr::V4(v4) => is_public_v4(v4),
            IpAddr::V6(v6) => is_public_v6(v6),
        };
        if self.allowed_networks.iter().any(|network| network.contains(&address)) || is_public {
            Ok(())
        } else {
            Err(ForbiddenAddress::Address(address))
        }
    }
}

impl Resolve for AddressPolicy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.clone();
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if policy.proxy_host.as_deref() == Some(name.as_str()) {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            let allowed: Vec<SocketAddr> =
                found.iter().copied().filter(|address| policy.check_address(address.ip()).is_ok()).collect();
            match found.first() {
                Some(first) if allowed.is_empty() => Err(ForbiddenAddress::Name { name, address: first.ip() }.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Returns the IPv4 address embedded in a mapped, compatible, NAT64, 6to4, ISATAP or Teredo IPv6 address. Any other
/// address is returned unchanged.
fn embedded_ipv4(address: IpAddr) -> IpAddr {
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
        // ISATAP embeds the address in the interface identifier, under any prefix (RFC 5214, section 6.1).
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => v4(high, low),
        // Teredo inverts the bits of the client's address (RFC 4380, section 4).
        [0x2001, 0, .., high, low] => v4(!high, !low),
        _ => address,
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = a == 0
        || a >= 224
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    // Global unicast is 2000::/3. All other addresses are reserved, local or multicast.
    let global = s[0] & 0xe000 == 0x2000;
    let special = match s {
        // These ranges are reserved for IETF protocol assignments (2001::/23) and for documentation (2001:db8::/32;
        // 3fff::/20, RFC 9637).
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
    fn every_spelling_of_a_local_address_is_forbidden() {
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
            assert!(forbidden(&format!("http://{host}/")), "{host} is allowed");
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        for host in ["8.8.8.8", "192.0.1.1", "[2606:4700::1111]", "[64:ff9b::808:808]", "name.example"] {
            assert!(!forbidden(&format!("https://{host}/")), "{host} is forbidden");
        }
    }

    #[test]
    fn only_http_and_https_are_allowed() {
        for url in ["ftp://a.example/", "file:///etc/passwd", "gopher://a.example/", "data:text/plain,x"] {
            assert!(forbidden(url), "{url} is allowed");
        }
    }

    #[test]
    fn only_allowed_ports_are_used() {
        for url in ["http://a.example:25/", "https://a.example:22/", "http://8.8.8.8:53/", "http://a.example:0/"] {
            assert!(forbidden(url), "{url} is allowed");
        }
        assert!(!forbidden("http://a.example:8080/"));
        let policy =
            AddressPolicy::new(&Options { allowed_ports: vec![PortRange { from: 81, to: 81 }], ..Options::default() });
        assert!(policy.check_url(&Url::parse("http://a.example:81/").unwrap()).is_ok());
        assert!(policy.check_url(&Url::parse("http://a.example/").unwrap()).is_err());
    }

    #[tokio::test]
    async fn name_that_resolves_to_a_local_address_is_refused_at_the_connection() {
        let resolve = |name: &str| {
            let policy = AddressPolicy::new(&Options::default());
            let name = name.parse().unwrap();
            async move { policy.resolve(name).await.map(|found| found.count()).map_err(|error| error.to_string()) }
        };
        let refusal = resolve("localhost").await.unwrap_err();
        assert!(refusal.contains("not public"), "{refusal}");
    }

    #[test]
    fn allowed_network_opens_only_that_network() {
        let networks = vec!["127.0.0.0/8".parse().unwrap()];
        let policy = AddressPolicy::new(&Options { allowed_networks: networks, ..Options::default() });
        assert!(policy.check_address("127.0.0.1".parse().unwrap()).is_ok());
        assert!(policy.check_address("::ffff:127.0.0.1".parse().unwrap()).is_ok());
        assert!(policy.check_address("10.0.0.1".parse().unwrap()).is_err());
        assert!(policy.check_address("::1".parse().unwrap()).is_err());
    }
}
