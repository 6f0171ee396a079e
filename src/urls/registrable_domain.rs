//! The registrable domain of a URL, for holds on all servers of one operator.

use psl::Type;
use url::Url;

/// Returns the domain that was registered (`blogs.example` for `https://ann.blogs.example`); `None` for an IP address.
/// Unlike the outlet, the registrable domain covers all customers of a hosting service, because they share the limits
/// of its servers. Private suffixes of the Public Suffix List are therefore ignored.
pub fn registrable_domain(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.domain()?.trim_end_matches('.').to_ascii_lowercase();
    let mut name = host.as_str();
    let suffix = loop {
        let suffix = psl::suffix_str(name)?;
        if psl::suffix(name.as_bytes())?.typ() != Some(Type::Private) {
            break suffix;
        }
        name = suffix.split_once('.')?.1;
    };
    let label = host.strip_suffix(suffix)?.strip_suffix('.')?.rsplit('.').next()?;
    Some(format!("{label}.{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registrable_domain_spans_the_customers_of_a_host() {
        let check =
            |url: &str, expected: Option<&str>| assert_eq!(registrable_domain(url).as_deref(), expected, "{url}");
        check("https://ann.blogs.example:8443", Some("blogs.example"));
        check("http://feeds.BBCI.co.uk/rss.xml", Some("bbci.co.uk"));
        check("https://ann.blogspot.com/feeds", Some("blogspot.com"));
        check("https://a.b.s3.amazonaws.com/", Some("amazonaws.com"));
        for without in ["http://127.0.0.1/feed", "http://[::1]/", "https://co.uk/", "no url"] {
            check(without, None);
        }
    }
}
