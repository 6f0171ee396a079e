//! The URLs of well-known services that track readers with an image or a player.
//!
//! Such an image may declare no dimensions, so only its URL shows what it is. The table covers the services that occur
//! in feeds. Sources: the documentation of each service, and the list EasyPrivacy (<https://easylist.to>).

use url::Url;

/// The hosts of trackers, each with a prefix of the paths at which it tracks readers. A host also matches its
/// subdomains. An empty prefix matches every path, because the host serves only trackers.
#[rustfmt::skip]
const COUNTERS: &[(&str, &str)] = &[
    // Publishing systems and newsletters
    ("pixel.wp.com", ""), ("stats.wordpress.com", ""), ("stats.wp.com", ""), ("feeds.wordpress.com", "/1.0/"),
    ("feedburner.com", "/~"), ("feedproxy.google.com", "/~"), ("feedsportal.com", ""),
    ("blogger.googleusercontent.com", "/tracker/"), ("medium.com", "/_/stat"), ("eotrx.substackcdn.com", "/open"),
    ("substack.com", "/o/"), ("substack.com", "/open"), ("email.substack.com", ""), ("tracking.feedpress.com", ""),
    ("tracking.feedpress.it", ""), ("follow.it", "/track"), ("pheedo.com", ""), ("list-manage.com", "/track/"),
    ("mandrillapp.com", "/track/"), ("sendgrid.net", "/wf/"), ("hubspot.com", "/__pt"), ("hubspot.com", "/e1t/o"),
    ("hubspotlinks.com", ""), ("hs-analytics.net", ""), ("exct.net", "/open"), ("convertkit-mail.com", "/o"),
    ("counter.theconversation.com", ""), ("pixel.propublica.org", ""), ("p.typekit.net", ""),
    // Statistics
    ("google-analytics.com", ""), ("analytics.google.com", ""), ("googletagmanager.com", ""), ("scorecardresearch.com", ""),
    ("quantserve.com", ""), ("chartbeat.net", ""), ("parsely.com", ""), ("imrworldwide.com", ""), ("omtrdc.net", ""),
    ("2o7.net", ""), ("sitestat.com", ""), ("xiti.com", ""), ("ati-host.net", ""), ("estat.com", ""), ("statcounter.com", "/c.php"),
    ("c.statcounter.com", ""), ("histats.com", ""), ("sitemeter.com", ""), ("clicky.com", "/in.php"), ("getclicky.com", ""),
    ("matomo.cloud", ""), ("plausible.io", "/api/"), ("goatcounter.com", "/count"), ("cloudflareinsights.com", ""),
    ("met.vgwort.de", ""), ("prolitteris.ch", ""), ("ioam.de", ""), ("iocnt.net", ""), ("ivwbox.de", ""),
    ("mc.yandex.ru", ""), ("mc.yandex.com", ""), ("mc.webvisor.org", ""), ("counter.yadro.ru", ""), ("top-fwz1.mail.ru", ""),
    ("counter.rambler.ru", ""), ("hit.gemius.pl", ""), ("toplist.cz", "/count"), ("hm.baidu.com", ""), ("cnzz.com", ""),
    // Advertisements and social networks
    ("facebook.com", "/tr"), ("doubleclick.net", ""), ("googleadservices.com", ""), ("googlesyndication.com", ""),
    ("amazon-adsystem.com", "/e/ir"), ("assoc-amazon.com", "/e/ir"), ("adnxs.com", ""), ("mathtag.com", ""), ("criteo.com", ""),
    ("analytics.twitter.com", ""), ("t.co", "/i/adsct"), ("ads.linkedin.com", ""),
    ("ct.pinterest.com", ""), ("bat.bing.com", ""), ("tr.snapchat.com", ""), ("analytics.tiktok.com", ""),
    ("alb.reddit.com", ""), ("vk.com", "/rtrg"), ("imp.tradedoubler.com", ""), ("linksynergy.com", "/fs-bin/show"),
];
/// Suffixes of the paths of trackers that run on the publisher's own host.
#[rustfmt::skip]
const OWN_COUNTERS: &[&str] = &[
    "/matomo.php", "/piwik.php", "/__utm.gif", "/__ptq.gif", "/mf.gif", "/tr.gif", "/wf/open", "/track/open.php",
    "/count.gif", "/counter.gif", "/pixel.gif", "/pixel.php", "/pixel.png", "/1x1.gif", "/1x1.png", "/beacon.gif",
    "/tracking.gif", "/track.gif", "/tracker.gif", "/webbug.gif", "/hit.gif", "/impression.gif", "/open.gif",
    "/open.aspx", "/trackopen", "/cgi-bin/ivw", "/hit.xiti",
];
/// Parts of the paths and queries of trackers that run on the publisher's own host: FeedBurner, Adobe Analytics, and
/// WordPress's Republication Tracker.
const OWN_COUNTER_PARTS: &[&str] = &["/~r/", "/b/ss/", "republication-pixel="];
/// Words in the class and ID of tracking images.
const COUNTER_WORDS: &[&str] =
    &["pixel", "tracker", "tracking", "beacon", "webbug", "zählpixel", "zaehlpixel", "counter", "zählmarke"];

/// Returns whether a URL belongs to a tracker, based on its host and path.
pub fn is_counter(address: &str) -> bool {
    let address = address.trim();
    let absolute = if address.starts_with("//") { format!("https:{address}") } else { address.to_owned() };
    let Ok(url) = Url::parse(&absolute) else { return false };
    let host = url.host_str().unwrap_or_default();
    let is_host =
        |name: &str| host.strip_suffix(name).is_some_and(|subdomain| subdomain.is_empty() || subdomain.ends_with('.'));
    COUNTERS.iter().any(|(name, path)| is_host(name) && url.path().starts_with(path))
}

/// Returns whether a URL resembles that of a tracker on any host.
pub(super) fn is_own_counter(address: &str) -> bool {
    let address = address.trim().to_ascii_lowercase();
    let path = address.split(['?', '#']).next().unwrap_or_default();
    OWN_COUNTERS.iter().any(|end| path.ends_with(end)) || OWN_COUNTER_PARTS.iter().any(|part| address.contains(part))
}

/// Returns whether an attribute with names, such as `class`, names a tracker: `tracking-pixel`.
pub(super) fn names_counter(value: &str) -> bool {
    let value = value.to_lowercase();
    value.split(|c: char| !c.is_alphanumeric()).any(|word| COUNTER_WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counter_is_recognized_by_its_host_and_path() {
        for address in [
            "https://pixel.wp.com/b.gif?blog=1",
            "//www.google-analytics.com/collect?v=1",
            "https://www.facebook.com/tr?id=1&ev=PageView",
            "https://sb.scorecardresearch.com/p?c1=2",
            "http://feeds.feedburner.com/~r/bay/~4/a1",
            "https://vg08.met.vgwort.de/na/a1",
            "https://medium.com/_/stat?event=post.clientViewed",
            "https://mc.yandex.ru/watch/1",
        ] {
            assert!(is_counter(address), "{address}");
        }
        for address in [
            "https://i0.wp.com/bay.example/seal.jpg",
            "https://www.facebook.com/photos/7.jpg",
            "https://medium.com/max/800/a1.jpeg",
            "https://track.example/facebook.com/tr",
            "https://notmc.yandex.ru.example/watch/1",
            "/watch/1",
        ] {
            assert!(!is_counter(address), "{address}");
        }
        for address in ["/stats/matomo.php?idsite=1", "https://rss.bay.example/~r/bay/~4/a1", "/rss/3/mf.gif"] {
            assert!(is_own_counter(address), "{address}");
        }
        for address in ["/photos/seal.gif", "/reviews/pixel-9.png", "/pixel/9.jpg"] {
            assert!(!is_own_counter(address), "{address}");
        }
    }
}
