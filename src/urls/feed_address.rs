//! Feed URLs as people and programs write them: with a scheme for feed readers, or in one of several forms.

use std::borrow::Cow;
use url::Url;

/// Schemes that ask a browser to open a feed reader or a podcast client. None of these schemes is registered. The
/// expired draft-obasanjo-feed-URI-scheme describes `feed`.
const SUBSCRIPTION_SCHEMES: [&str; 3] = ["feed", "itpc", "pcast"];

/// Removes a subscription scheme from a URL: `feed://host` becomes `http://host`, and `feed:https://host` becomes
/// `https://host`. Leaves other text unchanged.
pub fn without_subscription_scheme(address: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = address.split_once(':') else { return address.into() };
    // In `feed:8080/news`, `feed` is a host and 8080 is a port.
    let is_port = rest.starts_with(|c: char| c.is_ascii_digit()) && !rest.contains('.');
    if is_port || !SUBSCRIPTION_SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return address.into();
    }
    let Some(after_slashes) = rest.strip_prefix("//") else { return rest.into() };
    for scheme in ["http", "https"] {
        let head = after_slashes.get(..scheme.len()).filter(|head| head.eq_ignore_ascii_case(scheme));
        // Browsers write `feed://https://host` as `feed://https//host`.
        if let Some(tail) = head.and_then(|head| after_slashes[head.len()..].trim_start_matches(':').strip_prefix("//"))
        {
            return format!("{scheme}://{tail}").into();
        }
    }
    format!("http://{after_slashes}").into()
}

/// Returns other URLs that probably serve the same feed: with http instead of https, with or without `www.`, and with
/// or without a slash at the end of the path.
pub fn similar_addresses(url: &Url) -> Vec<String> {
    let mut forms = vec![url.clone()];
    add_forms(&mut forms, |url| {
        let other = if url.scheme() == "https" { "http" } else { "https" };
        url.set_scheme(other).is_ok()
    });
    add_forms(&mut forms, |url| {
        let Some(host) = url.domain().map(str::to_owned) else { return false };
        let other = host.strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned);
        url.set_host(Some(&other)).is_ok()
    });
    add_forms(&mut forms, |url| {
        let path = url.path().to_owned();
        let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
        url.set_path(&other);
        url.path() != path
    });
    forms.into_iter().skip(1).map(String::from).collect()
}

/// Applies `change` to a copy of each form and adds the copies that it changed.
fn add_forms(forms: &mut Vec<Url>, change: impl Fn(&mut Url) -> bool) {
    let mut changed = forms.clone();
    changed.retain_mut(|url| change(url));
    forms.append(&mut changed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_subscription_schemes_become_http_addresses() {
        for (written, expected) in [
            ("feed://news.example/rss", "http://news.example/rss"),
            ("feed:https://news.example/rss", "https://news.example/rss"),
            ("FEED:HTTP://news.example/rss", "HTTP://news.example/rss"),
            ("feed://https://news.example/rss", "https://news.example/rss"),
            ("feed://https//news.example/rss", "https://news.example/rss"),
            ("Feed://HTTP//news.example/rss", "http://news.example/rss"),
            ("feed://httpbin.example/rss", "http://httpbin.example/rss"),
            ("feed:news.example/rss", "news.example/rss"),
            ("feed:/rss.xml", "/rss.xml"),
            ("itpc://cast.example/rss", "http://cast.example/rss"),
            ("pcast:https://cast.example/rss", "https://cast.example/rss"),
            ("https://feed.example/rss", "https://feed.example/rss"),
            ("feed.example:8080/rss", "feed.example:8080/rss"),
            ("feed:8080/rss", "feed:8080/rss"),
            ("feed", "feed"),
            ("", ""),
        ] {
            assert_eq!(without_subscription_scheme(written), expected, "for {written}");
        }
    }

    #[test]
    fn similar_addresses_differ_in_scheme_www_and_last_slash() {
        let similar = |url: &str| {
            let mut all = similar_addresses(&Url::parse(url).unwrap());
            all.sort();
            all
        };
        assert_eq!(
            similar("https://a.example/feed?x=1"),
            [
                "http://a.example/feed/?x=1",
                "http://a.example/feed?x=1",
                "http://www.a.example/feed/?x=1",
                "http://www.a.example/feed?x=1",
                "https://a.example/feed/?x=1",
                "https://www.a.example/feed/?x=1",
                "https://www.a.example/feed?x=1",
            ]
        );
        assert_eq!(similar("http://127.0.0.1:81/"), ["https://127.0.0.1:81/"]);
    }
}
