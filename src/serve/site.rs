//! The service of the site. A feed that is in memory and current is sent without the router, whose layers and extractors
//! take more time than the rest of a 304 response. Such a response is the same as that of the router.

use super::feed_cache::FeedCache;
use super::host_header::has_one_host;
use super::metrics_endpoint::count_request;
use axum::Router;
use axum::http::{Method, Request};
use axum::response::Response;
use std::time::Instant;

/// The route of feeds, by which requests are counted.
const FEED_ROUTE: &str = "/feeds/{file}";

#[derive(Clone)]
pub struct Site {
    pub router: Router,
    feeds: Option<FeedCache>,
}

impl Site {
    pub(super) fn new(router: Router, feeds: FeedCache) -> Site {
        Site { router, feeds: Some(feeds) }
    }

    /// Returns the response with a feed that is in memory and current; `None` if the router must respond.
    pub fn respond_from_memory<B>(&self, request: &Request<B>) -> Option<Response> {
        let start = Instant::now();
        let feeds = self.feeds.as_ref().filter(|_| request.method() == Method::GET && has_one_host(request))?;
        let file = request.uri().path().strip_prefix("/feeds/").filter(|_| request.uri().query().is_none())?;
        let response = feeds.current(file)?.respond(request.headers())?;
        count_request(FEED_ROUTE, &response, start);
        Some(response)
    }
}

/// A site without feeds, such as that of the metrics.
impl From<Router> for Site {
    fn from(router: Router) -> Site {
        Site { router, feeds: None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::feed_resource::FeedResource;
    use super::*;
    use crate::clock::Clock;
    use crate::publish::Options;
    use crate::store::Store;
    use axum::http::{StatusCode, header};
    use std::sync::Arc;

    #[tokio::test]
    async fn only_valid_requests_for_a_current_feed_are_answered_from_memory() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("news.db")).unwrap();
        let options = Arc::new(Options::default());
        let all = FeedResource::from_file_name("all.atom", &options.published_feeds()).unwrap();
        let cache = FeedCache::new(store, options, Clock::system());
        let site = Site::new(Router::new(), cache.clone());
        let status = |method: Method, target: &str, headers: &[(header::HeaderName, &str)]| {
            let mut request = Request::builder().method(method).uri(target).header(header::HOST, "news.example");
            for (name, value) in headers {
                request = request.header(name, *value);
            }
            site.respond_from_memory(&request.body(()).unwrap()).map(|response| response.status())
        };
        assert_eq!(status(Method::GET, "/feeds/all.atom", &[]), None, "the feed has not been rendered");
        cache.response(all).await.unwrap();
        assert_eq!(status(Method::GET, "/feeds/all.atom", &[]), Some(StatusCode::OK));
        let not_modified = status(Method::GET, "/feeds/all.atom", &[(header::IF_NONE_MATCH, "*")]);
        assert_eq!(not_modified, Some(StatusCode::NOT_MODIFIED));
        for target in ["/feeds/all.atom?a=b", "/feeds/top.atom", "/feeds/all.atom/", "/feeds/%61ll.atom", "/all.atom"] {
            assert_eq!(status(Method::GET, target, &[]), None, "{target}");
        }
        for method in [Method::HEAD, Method::POST, Method::OPTIONS] {
            assert_eq!(status(method, "/feeds/all.atom", &[]), None);
        }
        for refused in [(header::HOST, "other.example"), (header::ACCEPT_ENCODING, "identity;q=0")] {
            assert_eq!(status(Method::GET, "/feeds/all.atom", std::slice::from_ref(&refused)), None, "{refused:?}");
        }
    }
}
