//! The outlet that a URL belongs to.

use url::{Host, Url};

/// The outlet that a URL belongs to: its registrable domain (Public Suffix List), else its host.
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

/// Services that serve other publishers' feeds: their own domains say nothing about whose a feed is.
const FEED_HOSTS: &[&str] = &[
    "feedburner.com",
    "feedsportal.com",
    "feedblitz.com",
    "feedpress.me",
    "feedpress.com",
    "superfeedr.com",
    "feed43.com",
    "fetchrss.com",
    "politepol.com",
    "rss.app",
    "rsshub.app",
    "feedly.com",
];

/// The outlet of the site that a feed calls its own; `None` where that is an address without a name or a service that
/// serves others' feeds.
pub fn outlet_of_site(site: &Url) -> Option<String> {
    site.domain()?;
    let outlet = outlet_of_url(site);
    // Google served FeedBurner's feeds under this name of its own.
    let is_feed_host = FEED_HOSTS.contains(&outlet.as_str()) || site.domain() == Some("feedproxy.google.com");
    (!is_feed_host && !outlet.is_empty()).then_some(outlet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlet_is_the_registrable_domain() {
        let outlet = |url: &str| outlet_of_url(&Url::parse(url).unwrap());
        assert_eq!(outlet("https://feeds.bbci.co.uk/news/rss.xml"), "bbci.co.uk");
        assert_eq!(outlet("https://news.example.com./feed"), "example.com");
        assert_eq!(outlet("http://127.0.0.1:80/feed"), "127.0.0.1");
        assert_eq!(outlet("http://[::1]/feed"), "[::1]");
        assert_eq!(outlet("http://localhost/feed"), "localhost");
    }

    #[test]
    fn a_service_that_serves_feeds_is_nobodys_outlet() {
        let outlet = |url: &str| outlet_of_site(&Url::parse(url).unwrap());
        assert_eq!(outlet("https://www.bbc.co.uk/news"), Some("bbc.co.uk".into()));
        assert_eq!(outlet("http://feeds.feedburner.com/x"), None);
        assert_eq!(outlet("http://feedproxy.google.com/x"), None);
        assert_eq!(outlet("http://127.0.0.1/"), None);
    }
}
