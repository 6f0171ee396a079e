//! The outlet of a URL, which is its registrable domain.

use url::{Host, Url};

/// The registrable domain of a URL (Public Suffix List), else its host.
pub fn outlet_of_url(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(domain)) => {
            let domain = domain.trim_end_matches('.').to_ascii_lowercase();
            psl::domain_str(&domain).unwrap_or(&domain).to_owned()
        }
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

/// Services that host feeds of other publishers, so that their domain is not that of the outlet.
#[rustfmt::skip]
const FEED_HOSTS: &[&str] = &[
    "feedburner.com", "feedsportal.com", "feedblitz.com", "feedpress.me", "feedpress.com", "superfeedr.com",
    "feed43.com", "fetchrss.com", "politepol.com", "rss.app", "rsshub.app", "feedly.com",
];

/// The outlet of the website that a feed links to; `None` if that is an IP address or a service that hosts feeds of other
/// publishers.
pub fn outlet_of_site(site: &Url) -> Option<String> {
    site.domain()?;
    let outlet = outlet_of_url(site);
    // Google served the feeds of FeedBurner from this host.
    let is_feed_host = FEED_HOSTS.contains(&outlet.as_str()) || site.domain() == Some("feedproxy.google.com");
    (!is_feed_host && !outlet.is_empty()).then_some(outlet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlet_is_the_registrable_domain() {
        let outlet = |url: &str| outlet_of_url(&Url::parse(url).unwrap());
        assert_eq!(outlet("https://feeds.bbci.co.uk/news/rss.xml"), "bbci.co.uk");
        assert_eq!(outlet("https://news.example.com./feed"), "example.com");
        assert_eq!(outlet("http://127.0.0.1:80/feed"), "127.0.0.1");
        assert_eq!(outlet("http://[::1]/feed"), "[::1]");
        assert_eq!(outlet("http://localhost/feed"), "localhost");
    }

    #[test]
    fn service_that_hosts_feeds_is_not_an_outlet() {
        let outlet = |url: &str| outlet_of_site(&Url::parse(url).unwrap());
        assert_eq!(outlet("https://www.bbc.co.uk/news"), Some("bbc.co.uk".into()));
        assert_eq!(outlet("http://feeds.feedburner.com/x"), None);
        assert_eq!(outlet("http://feedproxy.google.com/x"), None);
        assert_eq!(outlet("http://127.0.0.1/"), None);
    }
}
