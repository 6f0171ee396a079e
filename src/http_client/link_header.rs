//! Parses the `Link` headers of a response (RFC 8288): the hubs and the self URL (`rel=self`) of a feed, for WebSub.
//!
//! The headers are untrusted, so their size and the number of links are limited. Links with an `anchor` describe
//! another resource and are ignored.

use reqwest::header::{HeaderMap, LINK};
use url::Url;

/// The links of a response that WebSub uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkRelations {
    /// The targets of rel=hub links, in order.
    pub hubs: Vec<Url>,
    /// The target of the first rel=self link.
    pub self_url: Option<Url>,
}

/// The limits for all `Link` headers of a response combined.
const MAX_LINK_BYTES: usize = 16 * 1024;
const MAX_LINKS: usize = 100;
const MAX_HUBS: usize = 8;

/// Parses the links of a response from `base`.
pub(super) fn link_relations(headers: &HeaderMap, base: &Url) -> LinkRelations {
    let mut relations = LinkRelations::default();
    let (mut bytes, mut links) = (0, 0);
    for value in headers.get_all(LINK) {
        bytes += value.len();
        if bytes > MAX_LINK_BYTES {
            break;
        }
        let text = String::from_utf8_lossy(value.as_bytes());
        let mut rest = text.as_ref();
        while let Some((target, after)) = rest.split_once('<').and_then(|(_, link)| link.split_once('>')) {
            let (parameters, after) = link_parameters(after);
            rest = after;
            links += 1;
            if links > MAX_LINKS {
                return relations;
            }
            // Only the first `rel` of a link counts (RFC 8288, section 3.3).
            let value = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            if let (Some(rel), None, Ok(url)) = (value("rel"), value("anchor"), base.join(target.trim())) {
                relations.add(rel, &url);
            }
        }
    }
    relations
}

impl LinkRelations {
    /// Adds a link. `rel` may contain several relation types.
    fn add(&mut self, rel: &str, url: &Url) {
        for relation in rel.split_ascii_whitespace() {
            if relation.eq_ignore_ascii_case("hub") && self.hubs.len() < MAX_HUBS {
                self.hubs.push(url.clone());
            } else if relation.eq_ignore_ascii_case("self") {
                self.self_url.get_or_insert_with(|| url.clone());
            }
        }
    }
}

/// Parses the parameters of a link and lowercases their names. Also returns the rest of the text.
fn link_parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut parameters = Vec::new();
    let mut rest = text.trim_start();
    while let Some(parameter) = rest.strip_prefix(';') {
        let (name, after) = parameter.split_at(parameter.find([';', ',', '=']).unwrap_or(parameter.len()));
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => parameter_value(after.trim_start()),
            None => (String::new(), after),
        };
        parameters.push((name.trim().to_ascii_lowercase(), value));
        rest = after.trim_start();
    }
    (parameters, rest)
}

/// Parses the value of a parameter, which is a token or a quoted string. Also returns the rest of the text.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((index, char)) = chars.next() {
        match char {
            '"' => return (value, &quoted[index + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(char),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> (Vec<String>, Option<String>) {
        let headers = values.iter().map(|value| (LINK, value.parse().unwrap())).collect();
        let links = link_relations(&headers, &Url::parse("https://news.example/a/feed").unwrap());
        (links.hubs.iter().map(Url::to_string).collect(), links.self_url.map(String::from))
    }

    fn check(values: &[&str], hubs: &[&str], own: Option<&str>) {
        assert_eq!(read(values), (hubs.iter().map(|h| h.to_string()).collect(), own.map(str::to_owned)), "{values:?}");
    }

    #[test]
    fn hub_and_self_are_found_in_every_notation() {
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
    fn malformed_links_are_ignored() {
        for value in ["", "<", "<>", "rel=hub", "<a>;;;=;rel", "<a>; rel=\"hub", "<http://[>; rel=hub", ">;rel=self<"] {
            let (hubs, own) = read(&[value]);
            assert!(hubs.len() <= 1 && own.is_none(), "{value}");
        }
    }

    #[test]
    fn bytes_and_links_are_limited() {
        let many = "<https://hub.example/>; rel=hub, ".repeat(400);
        assert_eq!(read(&[&many]).0.len(), MAX_HUBS);
        let long = format!("<https://hub.example/{}>; rel=hub", "a".repeat(MAX_LINK_BYTES));
        assert_eq!(read(&[&long]).0.len(), 0);
    }
}
