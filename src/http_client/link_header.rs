//! The `Link` headers of an answer (RFC 8288): the hub and the name of a feed as its server gives them.
//!
//! They are strangers' text: so many bytes and links are looked at and no more. A relation that is about another
//! resource (`anchor`) is none of ours.

use reqwest::header::{HeaderMap, LINK};
use url::Url;

/// What the headers say for WebSub.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkRelations {
    /// rel=hub, in their order.
    pub hubs: Vec<Url>,
    /// The first rel=self.
    pub self_url: Option<Url>,
}

/// Bytes of all `Link` headers that are read.
const MAX_BYTES: usize = 16 * 1024;
/// LinkRelations that are read, and hubs that are kept.
const MAX_LINKS: usize = 100;
const MAX_HUBS: usize = 8;

/// The links of an answer from `base`.
pub(super) fn links(headers: &HeaderMap, base: &Url) -> LinkRelations {
    let mut found = LinkRelations::default();
    let mut bytes = 0;
    let mut links = 0;
    for value in headers.get_all(LINK) {
        bytes += value.len();
        if bytes > MAX_BYTES {
            break;
        }
        let text = String::from_utf8_lossy(value.as_bytes());
        let mut rest = text.as_ref();
        while let Some((target, parameters, after)) = link(rest) {
            rest = after;
            links += 1;
            if links > MAX_LINKS {
                return found;
            }
            take(&mut found, target, &parameters, base);
        }
    }
    found
}

/// A link's parameters: their names in small letters, and their values.
type Parameters = Vec<(String, String)>;

fn take(found: &mut LinkRelations, target: &str, parameters: &Parameters, base: &Url) {
    let first = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (Some(relations), None, Ok(url)) = (first("rel"), first("anchor"), base.join(target.trim())) else {
        return;
    };
    // Only the first `rel` of a link counts (RFC 8288, 3.3), and it may name several relations.
    for relation in relations.split_ascii_whitespace() {
        if relation.eq_ignore_ascii_case("hub") && found.hubs.len() < MAX_HUBS {
            found.hubs.push(url.clone());
        }
        if relation.eq_ignore_ascii_case("self") && found.self_url.is_none() {
            found.self_url = Some(url.clone());
        }
    }
}

/// The next link of a header: its target, its parameters, and what stands after it.
fn link(text: &str) -> Option<(&str, Parameters, &str)> {
    let (target, mut rest) = text.split_once('<')?.1.split_once('>')?;
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(after) = rest.strip_prefix(';') else {
            // A comma, the end, or what nobody can read: the next link is found by its `<`.
            return Some((target, parameters, rest));
        };
        let end = after.find([';', ',', '=']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => value(after.trim_start()),
            None => (String::new(), after),
        };
        parameters.push((name.trim().to_ascii_lowercase(), value));
        rest = after;
    }
}

/// A parameter's value, quoted or bare, and what stands after it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut signs = quoted.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(signs.next().map(|(_, escaped)| escaped)),
            _ => value.push(sign),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> (Vec<String>, Option<String>) {
        let headers = values.iter().map(|value| (LINK, value.parse().unwrap())).collect();
        let links = links(&headers, &Url::parse("https://news.example/a/feed").unwrap());
        (links.hubs.iter().map(Url::to_string).collect(), links.self_url.map(String::from))
    }

    fn check(values: &[&str], hubs: &[&str], own: Option<&str>) {
        assert_eq!(read(values), (hubs.iter().map(|h| h.to_string()).collect(), own.map(str::to_owned)), "{values:?}");
    }

    #[test]
    fn hub_and_self_are_found_however_they_are_written() {
        let (hub, own) = ("https://hub.example/", Some("https://news.example/feed"));
        check(&["<https://hub.example/>; rel=\"hub\"", "<https://news.example/feed>; rel=\"self\""], &[hub], own);
        check(&["<https://hub.example/>; rel=hub, </feed>;rel=self"], &[hub], own);
        check(
            &["</feed>; title=\"a, b; rel=\\\"hub\\\"\" ; REL = \"alternate Self\" , <//hub.example>;rel=HUB"],
            &[hub],
            own,
        );
        check(&["<https://hub.example/>; rel=hub; rel=self"], &[hub], None);
        check(&["<https://hub.example/>; rel=hub; anchor=\"https://other.example/\""], &[], None);
        check(
            &["<https://a.example/>; rel=hub, <https://b.example/>; rel=hub"],
            &["https://a.example/", "https://b.example/"],
            None,
        );
    }

    #[test]
    fn nonsense_is_no_link_and_ends() {
        for value in ["", "<", "<>", "rel=hub", "<a>;;;=;rel", "<a>; rel=\"hub", "<http://[>; rel=hub", ">;rel=self<"] {
            let (hubs, own) = read(&[value]);
            assert!(hubs.len() <= 1 && own.is_none(), "{value}");
        }
    }

    #[test]
    fn only_so_much_is_read() {
        let many = "<https://hub.example/>; rel=hub, ".repeat(400);
        assert_eq!(read(&[&many]).0.len(), MAX_HUBS);
        let long = format!("<https://hub.example/{}>; rel=hub", "a".repeat(MAX_BYTES));
        assert_eq!(read(&[&long]).0.len(), 0);
    }
}
