//! Fetches the robots.txt of an origin and keeps it for a day (RFC 9309). Requests for feeds do not depend on it: it
//! concerns only the pages of items.

use super::PollContext;
use crate::domain::duration::after;
use crate::http_client::{DocumentRequest, origin_of};
use crate::store;
use crate::store::poll_leases::PollLease;
use crate::store::robots_txt::{self, RobotsFile};
use jiff::SignedDuration;
use robotxt::Robots;
use url::Url;

/// The product token that robots.txt files use to refer to newsfold.
const PRODUCT_TOKEN: &str = "newsfold";
/// The time for which a robots.txt, or the failure to fetch it, is cached (RFC 9309, section 2.4).
const ROBOTS_LIFETIME: SignedDuration = SignedDuration::from_hours(24);
const ROBOTS_FAILURE_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// The maximum number of bytes of a robots.txt to read (RFC 9309, section 2.5).
const MAX_ROBOTS_BYTES: usize = 500 * 1024;

/// Returns the robots.txt of the URL's origin, from the cache or from the server.
pub(super) async fn robots_of(
    context: &PollContext,
    url: &Url,
    request: DocumentRequest<'_>,
    lease: &PollLease,
) -> store::Result<Robots> {
    let (origin, now) = (origin_of(url), context.clock.now());
    let cached = {
        let origin = origin.clone();
        context.store.read(move |db| robots_txt::cached(db, &origin, now)).await?
    };
    let file = match cached {
        Some(file) => file,
        None => {
            let file = fetch_robots(context, url, request, lease).await?;
            let saved = file.clone();
            context.store.write(move |db| robots_txt::save(db, &origin, &saved)).await?;
            file
        }
    };
    Ok(match file.body {
        Some(body) => Robots::parse(&body, PRODUCT_TOKEN),
        None if file.allow_all => Robots::allow_all(),
        None => Robots::disallow_all(),
    })
}

/// Fetches a robots.txt. A missing file allows everything. A server error disallows everything until the next attempt
/// (RFC 9309, section 2.3.1).
async fn fetch_robots(
    context: &PollContext,
    url: &Url,
    request: DocumentRequest<'_>,
    lease: &PollLease,
) -> store::Result<RobotsFile> {
    let now = request.now;
    let mut url = url.clone();
    url.set_path("/robots.txt");
    url.set_query(None);
    url.set_fragment(None);
    let fetched = context.fetcher.fetch_page(&url, request, &context.permits(lease)).await;
    context.record_requests(fetched.requests).await?;
    let failure = RobotsFile { expires_at: after(now, ROBOTS_FAILURE_LIFETIME), allow_all: false, body: None };
    let expires_at = after(now, ROBOTS_LIFETIME);
    Ok(match fetched.outcome {
        Ok(document) => match tokio::task::spawn_blocking(|| document.body.decode()).await {
            Ok(Ok(mut text)) => {
                text.truncate(MAX_ROBOTS_BYTES);
                RobotsFile { expires_at, allow_all: true, body: Some(text) }
            }
            _ => failure,
        },
        _ if fetched.status.is_some_and(|status| (400..500).contains(&status) && status != 429) => {
            RobotsFile { expires_at, allow_all: true, body: None }
        }
        _ => failure,
    })
}
