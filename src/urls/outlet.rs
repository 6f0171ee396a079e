//! The outlet of a URL: its registrable domain, or its channel on a host that many publishers share.

use super::shared_host::{channel_of_url, is_shared_host};
use unicode_security::{MixedScript, confusable_detection::skeleton};
use url::{Host, Url};

/// Returns the channel of a URL on a shared host, or its registrable domain (Public Suffix List), or its host.
pub fn outlet_of_url(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(host)) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            let domain = psl::domain_str(&host).unwrap_or(&host);
            readable_outlet(&channel_of_url(url, &host, domain).unwrap_or_else(|| domain.to_owned()))
        }
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

/// Services that host the feeds of other publishers. Their domain is not the domain of the outlet.
#[rustfmt::skip]
const FEED_HOSTS: &[&str] = &[
    "feedburner.com", "feedsportal.com", "feedblitz.com", "feedpress.me", "feedpress.com", "superfeedr.com",
    "feed43.com", "fetchrss.com", "politepol.com", "rss.app", "rsshub.app", "feedly.com",
];

/// Returns the outlet of the website to which a feed links; `None` if the website is an IP address, a service that
/// hosts feeds of other publishers, or a shared host without a channel.
pub fn outlet_of_site(site: &Url) -> Option<String> {
    site.domain()?;
    let outlet = outlet_of_url(site);
    // Google served the feeds of FeedBurner from this host.
    let is_feed_host = FEED_HOSTS.contains(&outlet.as_str()) || site.domain() == Some("feedproxy.google.com");
    (!is_feed_host && !is_shared_host(&outlet) && !outlet.is_empty()).then_some(outlet)
}

/// Returns an outlet for display, with an internationalized domain in its own script: `bücher.example` for
/// `xn--bcher-kva.example`. A label that mixes scripts or resembles an ASCII label stays encoded (UTS #39).
pub fn readable_outlet(outlet: &str) -> String {
    let (host, channel) = outlet.find('/').map_or((outlet, ""), |slash| outlet.split_at(slash));
    let labels: Vec<String> = host.to_lowercase().split('.').map(readable_label).collect();
    labels.join(".") + channel
}

fn readable_label(label: &str) -> String {
    if !label.starts_with("xn--") {
        return label.to_owned();
    }
    let (unicode, result) = idna::domain_to_unicode(label);
    let is_safe = result.is_ok() && unicode.as_str().is_single_script() && !skeleton(&unicode).all(|c| c.is_ascii());
    if is_safe { unicode } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlet(url: &str) -> String {
        outlet_of_url(&Url::parse(url).unwrap())
    }

    #[test]
    fn outlet_is_the_registrable_domain() {
        assert_eq!(outlet("https://feeds.bbci.co.uk/news/rss.xml"), "bbci.co.uk");
        assert_eq!(outlet("https://news.example.com./feed"), "example.com");
        assert_eq!(outlet("http://127.0.0.1:80/feed"), "127.0.0.1");
        assert_eq!(outlet("http://[::1]/feed"), "[::1]");
        assert_eq!(outlet("http://localhost/feed"), "localhost");
    }

    #[test]
    fn channel_is_the_outlet_on_a_shared_host() {
        for (url, expected) in [
            ("https://www.youtube.com/feeds/videos.xml?channel_id=UCab_C", "youtube.com/channel/UCab_C"),
            ("https://www.youtube.com/channel/UCab_C", "youtube.com/channel/UCab_C"),
            ("https://www.youtube.com/@HarbourTV/videos", "youtube.com/@harbourtv"),
            ("https://old.reddit.com/r/Harbours/.rss", "reddit.com/r/harbours"),
            ("https://www.reddit.com/user/lamp/submitted.rss", "reddit.com/user/lamp"),
            ("https://social.example/@vika.rss", "social.example/@vika"),
            ("https://social.example/users/vika.atom", "social.example/@vika"),
            ("https://quay.substack.com/feed", "quay.substack.com"),
            ("https://medium.com/feed/@vika", "medium.com/@vika"),
            ("https://medium.com/feed/quay-notes", "medium.com/quay-notes"),
            ("https://vika.medium.com/feed", "vika.medium.com"),
            ("https://quay.blogspot.com/feeds/posts/default", "quay.blogspot.com"),
            ("https://quay.blogspot.co.uk/feeds/posts/default", "quay.blogspot.com"),
            ("https://medium.com/feed/tag/fog", "medium.com/tag/fog"),
            ("https://feeds.acast.com/public/shows/Fog-Horn", "acast.com/shows/fog-horn"),
            ("https://anchor.fm/s/1f2/podcast/rss", "anchor.fm/s/1f2"),
            ("https://quay.wordpress.com/feed/", "quay.wordpress.com"),
            ("https://quay.tumblr.com/rss", "quay.tumblr.com"),
            ("https://github.com/quay/lamp/releases.atom", "github.com/quay"),
            ("https://bsky.app/profile/quay.example/rss", "bsky.app/profile/quay.example"),
            ("https://lemmy.example/feeds/c/harbours.xml?sort=New", "lemmy.example/c/harbours"),
            ("https://tube.example/feeds/videos.xml?videoChannelId=7", "tube.example/channel/7"),
        ] {
            assert_eq!(outlet(url), expected, "of {url}");
        }
    }

    #[test]
    fn service_that_hosts_feeds_is_not_an_outlet() {
        let outlet = |url: &str| outlet_of_site(&Url::parse(url).unwrap());
        assert_eq!(outlet("https://www.bbc.co.uk/news"), Some("bbc.co.uk".into()));
        assert_eq!(outlet("http://feeds.feedburner.com/x"), None);
        assert_eq!(outlet("http://feedproxy.google.com/x"), None);
        assert_eq!(outlet("http://127.0.0.1/"), None);
        assert_eq!(outlet("https://www.youtube.com/"), None);
        assert_eq!(outlet("https://substack.com/"), None);
    }

    #[test]
    fn internationalized_domain_is_shown_in_its_script_unless_it_imitates_another() {
        assert_eq!(outlet("https://www.bücher.example/feed"), "bücher.example");
        assert_eq!(readable_outlet("XN--BCHER-KVA.example"), "bücher.example");
        assert_eq!(outlet("https://новости.example/"), "новости.example");
        // The first label consists of Cyrillic letters that look like Latin letters. The second label mixes both
        // scripts.
        assert_eq!(outlet("https://аррӏе.example/"), "xn--80ak6aa92e.example");
        assert!(outlet("https://pаypal.example/").starts_with("xn--"));
        assert_eq!(readable_outlet("youtube.com/channel/UCab_C"), "youtube.com/channel/UCab_C");
    }
}
