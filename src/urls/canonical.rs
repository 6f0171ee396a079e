//! Canonical forms of links. All links to one article have the same canonical form.
//!
//! Canonical forms are used only for comparison. newsfold never requests or publishes a canonical form. Readers get the
//! link from the feed.

use std::borrow::Cow;
use url::Url;

/// Query parameters that record a click or a campaign and never select a page: the click identifiers of platforms and
/// of Mailchimp.
#[rustfmt::skip]
const CLICK_PARAMETERS: &[&str] = &[
    "fbclid", "gclid", "dclid", "msclkid", "yclid", "twclid", "igshid", "mc_cid", "mc_eid",
];
/// Prefixes of campaign tags: `utm_` belongs to Google Analytics, `ns_` to Comscore.
const CLICK_ID_PREFIXES: &[&str] = &["utm_", "ns_", "at_", "wt.", "hsa_", "pk_", "mtm_"];
/// Query parameters that outlets add to the links in their feeds. At some outlets, such parameters select the page:
/// `ref` may be the number of an article.
#[rustfmt::skip]
const REFERRER_PARAMETERS: &[&str] = &[
    "cmpid", "cmp", "ocid", "ito", "ref", "rss", "ftag", "smid", "partner", "emc", "traffic_source", "via", "source", "src",
];
/// Query parameters that select another version of the same page.
const VARIANT_PARAMETERS: &[&str] = &["amp", "outputtype", "feedtype", "feedname"];

/// The maximum number of redirectors in a chain. A redirector may lead to an AMP cache, but longer chains are ignored.
const MAX_REDIRECTORS: usize = 3;

/// Returns the canonical form of a link: the target of redirectors and AMP caches, https, no `www.`, `m.` or `amp.`, no
/// fragment, no tracking parameters, a sorted query, and no trailing slash.
pub fn canonical_url(link: &Url) -> String {
    write_link(&final_target(link), |name| !is_click_parameter(name) && !is_referrer_parameter(name))
}

/// Returns the canonical form with the parts that may select one of several articles: parameters such as `ref`, and the
/// fragment.
pub fn exact_url(link: &Url) -> String {
    let link = final_target(link);
    let mut out = write_link(&link, |name| !is_click_parameter(name));
    // `#:~:text=` highlights words on the page (Text Fragments).
    let fragment = link.fragment().map(|fragment| fragment.split(":~:").next().unwrap_or_default());
    if let Some(fragment) = fragment.filter(|fragment| !fragment.is_empty()) {
        out.push('#');
        out.push_str(fragment);
    }
    out
}

/// Returns the target of redirectors and AMP caches.
fn final_target(link: &Url) -> Cow<'_, Url> {
    let mut link = Cow::Borrowed(link);
    for _ in 0..MAX_REDIRECTORS {
        match redirect_target(&link) {
            Some(target) => link = Cow::Owned(target),
            None => break,
        }
    }
    link
}

/// Writes a link without its fragment and with only those parameters that `is_kept` accepts.
fn write_link(link: &Url, is_kept: impl Fn(&str) -> bool) -> String {
    let mut out = format!("https://{}", bare_host(link.host_str().unwrap_or_default()));
    if let Some(port) = link.port().filter(|port| *port != 443) {
        out.push_str(&format!(":{port}"));
    }
    out.push_str(bare_path(link.path()));
    let mut query: Vec<(String, String)> = link
        .query_pairs()
        .filter(|(name, value)| is_kept(name) && !(name.is_empty() && value.is_empty()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    query.sort();
    for (index, (name, value)) in query.iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        out.extend(url::form_urlencoded::byte_serialize(name.as_bytes()));
        if !value.is_empty() {
            out.push('=');
            out.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        }
    }
    out
}

/// Returns the canonical form of a link; `None` if the link is not a valid URL.
pub fn canonical_url_from_str(link: &str) -> Option<String> {
    Url::parse(link).ok().map(|url| canonical_url(&url))
}

/// Removes the prefixes of device-specific sites (such as `m.`) from a host, if a registrable domain remains.
fn bare_host(host: &str) -> &str {
    // A host that ends in two dots is invalid, so its dots are kept.
    let mut host = host.strip_suffix('.').filter(|bare| !bare.is_empty() && !bare.ends_with('.')).unwrap_or(host);
    while let Some(rest) = without_device_prefix(host) {
        host = rest;
    }
    host
}

fn without_device_prefix(host: &str) -> Option<&str> {
    let rest = ["www.", "m.", "mobile.", "amp."].into_iter().find_map(|prefix| host.strip_prefix(prefix))?;
    let is_valid = psl::domain_str(rest).is_some() && !rest.split('.').any(str::is_empty);
    is_valid.then_some(rest)
}

/// Removes `/amp` from the start of a path, and slashes and `amp` from its end.
fn bare_path(path: &str) -> &str {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("/amp").filter(|rest| rest.starts_with('/') && rest.len() > 1) {
        path = rest;
    }
    loop {
        let bare = path.trim_end_matches('/');
        // Removing `amp` from `/x/..amp` would result in `/x/.`, which is a different path.
        let is_name = |name: &&str| !name.ends_with(['.', '/']) && !name.to_ascii_lowercase().ends_with("%2e");
        let bare = bare.strip_suffix("/amp").or(bare.strip_suffix(".amp").filter(is_name)).unwrap_or(bare);
        if bare == path {
            return path;
        }
        path = bare;
    }
}

/// A service that redirects to the URL in one of its query parameters.
struct Redirector {
    host: &'static str,
    path_prefix: &'static str,
    parameter: &'static str,
}

/// The link shims of Google, Facebook and Reddit, Microsoft Safe Links, Skimlinks, VigLink and Awin, based on their
/// documentation or on observed links.
const REDIRECTORS: [Redirector; 8] = [
    Redirector { host: "google.com", path_prefix: "/url", parameter: "q" },
    Redirector { host: "google.com", path_prefix: "/url", parameter: "url" },
    Redirector { host: "facebook.com", path_prefix: "/l.php", parameter: "u" },
    Redirector { host: "out.reddit.com", path_prefix: "/", parameter: "url" },
    Redirector { host: "safelinks.protection.outlook.com", path_prefix: "/", parameter: "url" },
    Redirector { host: "go.skimresources.com", path_prefix: "/", parameter: "url" },
    Redirector { host: "redirect.viglink.com", path_prefix: "/", parameter: "u" },
    Redirector { host: "awin1.com", path_prefix: "/cread.php", parameter: "ued" },
];

/// Returns the URL that is contained in the link of a redirector or of an AMP cache. Sends no request.
fn redirect_target(link: &Url) -> Option<Url> {
    let host = link.domain()?.trim_start_matches("www.");
    if host.ends_with(".cdn.ampproject.org") || is_within(host, "google.com") && link.path().starts_with("/amp/") {
        return amp_cache_target(link);
    }
    let parameter = |redirector: &Redirector| {
        let is_redirector = is_within(host, redirector.host) && link.path().starts_with(redirector.path_prefix);
        let value = || link.query_pairs().find(|(name, _)| name == redirector.parameter).map(|(_, value)| value);
        is_redirector.then(value).flatten()
    };
    let target = Url::parse(&REDIRECTORS.iter().find_map(parameter)?).ok()?;
    (matches!(target.scheme(), "http" | "https") && target.domain().is_some()).then_some(target)
}

/// Returns the URL in `/c/s/example.com/article`, where `s/` means https (amp.dev, "AMP Cache URL format").
fn amp_cache_target(link: &Url) -> Option<Url> {
    let rest = link.path().trim_start_matches('/').split_once('/')?.1;
    let (scheme, target) = rest.strip_prefix("s/").map_or(("http", rest), |target| ("https", target));
    let query = link.query().map(|query| format!("?{query}")).unwrap_or_default();
    Url::parse(&format!("{scheme}://{target}{query}")).ok().filter(|target| target.domain().is_some())
}

/// Returns whether a host is equal to a domain or is a subdomain of it.
fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// Returns whether a parameter never selects a page: it records a click, or selects another version of the same page.
fn is_click_parameter(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    CLICK_PARAMETERS.contains(&name.as_str())
        || VARIANT_PARAMETERS.contains(&name.as_str())
        || CLICK_ID_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn is_referrer_parameter(name: &str) -> bool {
    REFERRER_PARAMETERS.iter().any(|referrer| name.eq_ignore_ascii_case(referrer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(link: &str, expected: &str) {
        assert_eq!(canonical_url(&Url::parse(link).unwrap()), expected, "from {link}");
    }

    #[test]
    fn links_to_one_article_have_one_canonical_form() {
        check("http://www.a.example/x/?utm_source=rss&id=7#top", "https://a.example/x?id=7");
        check("https://m.a.example/x?b=2&a=1&fbclid=z", "https://a.example/x?a=1&b=2");
        check("https://a.example:443/story/amp/", "https://a.example/story");
        check("https://A.example:8443/", "https://a.example:8443");
        check("https://a.example/?p=12", "https://a.example?p=12");
        check("https://a.example/story?amp=1&outputType=amp", "https://a.example/story");
        check("https://amp.a.example/amp/story", "https://a.example/story");
    }

    #[test]
    fn canonical_form_of_a_canonical_link_is_itself() {
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
    fn exact_form_keeps_what_may_select_an_article() {
        for (link, expected) in [
            ("http://www.a.example/view/?ref=PR-7&utm_source=rss", "https://a.example/view?ref=PR-7"),
            ("https://a.example/notes?amp=1#4.2", "https://a.example/notes#4.2"),
            ("https://a.example/notes#:~:text=rain", "https://a.example/notes"),
            ("https://a.example/notes#", "https://a.example/notes"),
        ] {
            assert_eq!(exact_url(&Url::parse(link).unwrap()), expected, "from {link}");
        }
    }

    #[test]
    fn link_of_a_redirector_becomes_its_target() {
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
