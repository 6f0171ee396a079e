//! Serves the site under a path. A reverse proxy may or may not remove the path of `publish.base_url` from requests.

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use url::Url;

/// Makes routes also available below the path of the base URL. Paths without the prefix take precedence, because most
/// proxies remove it.
pub fn also_below_base_path(routes: Router, base_url: &Url) -> Router {
    let prefix = base_url.path().trim_end_matches('/').to_owned();
    if prefix.is_empty() {
        return routes;
    }
    let remove_prefix = move |mut request: Request| {
        if let Some(rest) = without_prefix(request.uri(), &prefix) {
            *request.uri_mut() = rest;
        }
        std::future::ready(request)
    };
    let prefixed = Router::new().fallback_service(routes.clone()).layer(axum::middleware::map_request(remove_prefix));
    routes.fallback_service(prefixed)
}

/// Returns the URI with the prefix removed from its path; `None` if the path does not start with the prefix.
fn without_prefix(uri: &Uri, prefix: &str) -> Option<Uri> {
    let rest = uri.path().strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
    let path = if rest.is_empty() { "/" } else { rest };
    match uri.query() {
        Some(query) => format!("{path}?{query}").parse().ok(),
        None => path.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_segments_are_removed() {
        for (path, rest) in [
            ("/tools/news", Some("/")),
            ("/tools/news/", Some("/")),
            ("/tools/news?q=a", Some("/?q=a")),
            ("/tools/news/feeds/all.atom", Some("/feeds/all.atom")),
            ("/tools/newsletter", None),
            ("/feeds/all.atom", None),
        ] {
            let found = without_prefix(&path.parse().unwrap(), "/tools/news");
            assert_eq!(found.map(|uri| uri.to_string()).as_deref(), rest, "{path}");
        }
    }
}
