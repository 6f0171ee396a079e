//! Determines the hub and the topic that a feed declares (WebSub, section 4). All functions are pure.
//!
//! `Link` headers take precedence over links in the document. Without a `rel=self` link, there is no topic and
//! therefore no subscription.

use crate::domain::DeclaredHub;
use crate::http_client::LinkRelations;
use url::Url;

/// The maximum length of a hub or topic URL in bytes. Longer URLs are ignored. URLs with credentials are ignored too,
/// because credentials must not reach third parties.
const MAX_URL_BYTES: usize = 2048;

/// Selects the hub and the topic for a subscription; `None` if the feed does not declare both.
pub fn discover_hub(links: &LinkRelations, feed_hubs: &[Url], feed_self: Option<&Url>) -> Option<DeclaredHub> {
    let hubs = if links.hubs.iter().any(is_usable) { &links.hubs } else { feed_hubs };
    let usable = || hubs.iter().filter(|hub| is_usable(hub));
    // Prefer a hub with TLS, because the request contains a secret.
    let hub = usable().find(|hub| hub.scheme() == "https").or_else(|| usable().next())?;
    let topic = links.self_url.as_ref().or(feed_self).filter(|topic| is_usable(topic))?;
    Some(DeclaredHub { hub: hub.to_string(), topic: topic.to_string() })
}

fn is_usable(url: &Url) -> bool {
    let has_no_credentials = url.username().is_empty() && url.password().is_none();
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && has_no_credentials
        && url.as_str().len() <= MAX_URL_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn check(header: (&[&str], Option<&str>), feed: (&[&str], Option<&str>), expect: Option<(&str, &str)>) {
        let urls = |list: &[&str]| list.iter().map(|text| url(text)).collect::<Vec<_>>();
        let links = LinkRelations { hubs: urls(header.0), self_url: header.1.map(url) };
        let found = discover_hub(&links, &urls(feed.0), feed.1.map(url).as_ref());
        let expect = expect.map(|(hub, topic)| DeclaredHub { hub: hub.into(), topic: topic.into() });
        assert_eq!(found, expect);
    }

    #[test]
    fn headers_take_precedence_over_the_document_and_a_topic_is_required() {
        let (a, b, own, other) =
            ("https://a.example/", "https://b.example/", "https://f.example/1", "https://f.example/2");
        check((&[a], Some(own)), (&[b], Some(other)), Some((a, own)));
        check((&[], None), (&[b], Some(other)), Some((b, other)));
        check((&[a], None), (&[], Some(other)), Some((a, other)));
        check((&[a], None), (&[b], None), None);
        check((&[], Some(own)), (&[], Some(own)), None);
        check((&["ftp://x.example/"], Some(own)), (&[b], None), Some((b, own)));
        check((&["http://plain.example/", b], Some(own)), (&[], None), Some((b, own)));
        check((&["http://plain.example/"], Some(own)), (&[], None), Some(("http://plain.example/", own)));
        check((&[a], Some("mailto:x@f.example")), (&[], None), None);
        check((&[a], Some("https://ann:secret@f.example/1")), (&[], None), None);
        check((&["https://eve@a.example/"], Some(own)), (&[], None), None);
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES));
        check((&[&long], Some(own)), (&[], None), None);
    }
}
