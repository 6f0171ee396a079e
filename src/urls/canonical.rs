//! Links in canonical form: what two links to one article have in common.
//!
//! The canonical form is for comparing. It is never requested and never published: readers get the link as the feed
//! gave it.

use std::borrow::Cow;
use url::Url;

/// Query parameters that say where a click came from and not what is shown.
///
/// `utm_`, `ns_`: campaign tags of Google Analytics and Comscore; `fbclid`, `gclid`, `dclid`, `msclkid`, `yclid`,
/// `twclid`, `igshid`: click identifiers of the platforms that their names tell; `mc_cid`, `mc_eid`: Mailchimp;
/// `cmpid`, `CMP`, `ocid`, `ito`, `at_*`, `ref`, `rss`, `ftag`, `smid`, `partner`, `emc`: seen in outlets' own feeds.
const TRACKING: &[&str] = &[
    "fbclid",
    "gclid",
    "dclid",
    "msclkid",
    "yclid",
    "twclid",
    "igshid",
    "mc_cid",
    "mc_eid",
    "cmpid",
    "cmp",
    "ocid",
    "ito",
    "ref",
    "rss",
    "ftag",
    "smid",
    "partner",
    "emc",
    "traffic_source",
    // Not tracking, but another form of the same page.
    "amp",
    "outputtype",
    "feedtype",
    "feedname",
    "via",
    "source",
    "src",
];
const TRACKING_PREFIXES: &[&str] = &["utm_", "ns_", "at_", "wt.", "hsa_", "pk_", "mtm_"];

/// The canonical form of a link: https, no `www.`, `m.` or `amp.`, no fragment, no tracking, sorted query, no
/// trailing slash.
pub fn canonical_url(link: &Url) -> String {
    let mut link = Cow::Borrowed(link);
    // A redirector may lead to a cache; more than that is a trap.
    for _ in 0..3 {
        match behind(&link) {
            Some(target) => link = Cow::Owned(target),
            None => break,
        }
    }
    let link = link.as_ref();
    let mut out = format!("https://{}", bare_host(link.host_str().unwrap_or_default()));
    if let Some(port) = link.port().filter(|port| *port != 443) {
        out.push_str(&format!(":{port}"));
    }
    out.push_str(bare_path(link.path()));
    let mut query: Vec<(String, String)> = link
        .query_pairs()
        .filter(|(name, value)| !(is_tracking(name) || name.is_empty() && value.is_empty()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    query.sort();
    for (place, (name, value)) in query.iter().enumerate() {
        out.push(if place == 0 { '?' } else { '&' });
        out.extend(url::form_urlencoded::byte_serialize(name.as_bytes()));
        if !value.is_empty() {
            out.push('=');
            out.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        }
    }
    out
}

/// The canonical form of a link; `None` if it is not a valid URL.
pub fn canonical_url_from_str(link: &str) -> Option<String> {
    Url::parse(link).ok().map(|url| canonical_url(&url))
}

/// The host without the names that outlets give their editions for devices, as long as a registrable domain is left.
fn bare_host(host: &str) -> &str {
    // A name that ends in two dots is another name, and none that exists.
    let mut host = host.strip_suffix('.').filter(|bare| !bare.is_empty() && !bare.ends_with('.')).unwrap_or(host);
    let shorter = |host: &'_ str| {
        let prefix = ["www.", "m.", "mobile.", "amp."].into_iter().find(|prefix| host.starts_with(prefix))?;
        let rest = &host[prefix.len()..];
        let is_name = psl::domain_str(rest).is_some() && !rest.split('.').any(str::is_empty);
        is_name.then_some(prefix.len())
    };
    while let Some(length) = shorter(host) {
        host = &host[length..];
    }
    host
}

/// The path without slashes and `amp` at its end, and `/amp` at its beginning.
fn bare_path(path: &str) -> &str {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("/amp").filter(|rest| rest.starts_with('/') && rest.len() > 1) {
        path = rest;
    }
    loop {
        let bare = path.trim_end_matches('/');
        // What would be left of `/x/..amp` has another meaning.
        let is_name = |name: &&str| !name.ends_with(['.', '/']) && !name.to_ascii_lowercase().ends_with("%2e");
        let bare = bare.strip_suffix("/amp").or(bare.strip_suffix(".amp").filter(is_name)).unwrap_or(bare);
        if bare == path {
            return path;
        }
        path = bare;
    }
}

/// Redirectors that carry their target in a parameter, as their own documentation or their links show: Google's and
/// Facebook's and Reddit's link shims, Microsoft's Safe Links, Skimlinks, VigLink, Awin.
const REDIRECTORS: &[(&str, &str, &str)] = &[
    ("google.com", "/url", "q"),
    ("google.com", "/url", "url"),
    ("facebook.com", "/l.php", "u"),
    ("out.reddit.com", "/", "url"),
    ("safelinks.protection.outlook.com", "/", "url"),
    ("go.skimresources.com", "/", "url"),
    ("redirect.viglink.com", "/", "u"),
    ("awin1.com", "/cread.php", "ued"),
];

/// The article behind a redirector that names it, or behind an AMP cache (`news-example.cdn.ampproject.org/c/s/…`,
/// `google.com/amp/s/…`; amp.dev, “AMP Cache URL format”). Nothing is asked.
fn behind(link: &Url) -> Option<Url> {
    let host = link.domain()?.trim_start_matches("www.");
    let is_at = |name: &str| host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    if host.ends_with(".cdn.ampproject.org") || is_at("google.com") && link.path().starts_with("/amp/") {
        let rest = link.path().trim_start_matches('/').split_once('/')?.1;
        let (scheme, target) = rest.strip_prefix("s/").map_or(("http", rest), |target| ("https", target));
        let query = link.query().map(|query| format!("?{query}")).unwrap_or_default();
        return Url::parse(&format!("{scheme}://{target}{query}")).ok().filter(|target| target.domain().is_some());
    }
    let (_, _, parameter) = REDIRECTORS
        .iter()
        .filter(|(name, path, _)| is_at(name) && link.path().starts_with(path))
        .find(|(_, _, parameter)| link.query_pairs().any(|(name, _)| name == *parameter))?;
    let (_, target) = link.query_pairs().find(|(name, _)| name == parameter)?;
    Url::parse(&target).ok().filter(|target| matches!(target.scheme(), "http" | "https") && target.domain().is_some())
}

fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TRACKING.contains(&name.as_str()) || TRACKING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(link: &str, expected: &str) {
        assert_eq!(canonical_url(&Url::parse(link).unwrap()), expected, "from {link}");
    }

    #[test]
    fn links_to_one_article_are_one() {
        check("http://www.a.example/x/?utm_source=rss&id=7#top", "https://a.example/x?id=7");
        check("https://m.a.example/x?b=2&a=1&fbclid=z", "https://a.example/x?a=1&b=2");
        check("https://a.example:443/story/amp/", "https://a.example/story");
        check("https://A.example:8443/", "https://a.example:8443");
        check("https://a.example/?p=12", "https://a.example?p=12");
        check("https://a.example/story?amp=1&outputType=amp", "https://a.example/story");
        check("https://amp.a.example/amp/story", "https://a.example/story");
    }

    #[test]
    fn a_canonical_link_is_its_own_canonical_form() {
        for (link, expected) in [
            ("https://amp.www.a.example./story.amp//", "https://a.example/story"),
            ("https://a.example/story/amp/amp", "https://a.example/story"),
            ("https://a.example/x/..amp", "https://a.example/x/..amp"),
            ("http://a.example:443/?=&&b", "https://a.example?b"),
            ("https://www.co.uk/", "https://www.co.uk"),
            ("https://./x", "https://./x"),
            ("https://a.0../", "https://a.0.."),
            ("https://www.a8../", "https://www.a8.."),
        ] {
            check(link, expected);
            check(expected, expected);
        }
    }

    #[test]
    fn what_stands_behind_a_redirector_is_the_article() {
        let story = "https://a.example/story?id=7";
        check("https://www.google.com/url?sa=t&url=https%3A%2F%2Fa.example%2Fstory%3Fid%3D7&usg=x", story);
        check("https://l.facebook.com/l.php?u=http%3A%2F%2Fwww.a.example%2Fstory%3Fid%3D7%26fbclid%3Dz&h=1", story);
        check("https://www-a-example.cdn.ampproject.org/c/s/www.a.example/story/amp?id=7", story);
        check("https://www.google.com/amp/s/amp.a.example/story?id=7", story);
        check(
            "https://a.example/url?q=https%3A%2F%2Fb.example%2F",
            "https://a.example/url?q=https%3A%2F%2Fb.example%2F",
        );
        check(
            "https://www.google.com/url?q=javascript%3Aalert(1)",
            "https://google.com/url?q=javascript%3Aalert%281%29",
        );
    }
}
