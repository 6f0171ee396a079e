//! A request to a hub: a form that is posted (WebSub, section 5.1), by the rules of every other request.
//!
//! Each hop is judged by the address address_policy and waits for its turn. Of redirects only 307 and 308 are followed, which
//! keep the method, and never from https to http: the form carries a secret. No more of an answer is read than what
//! tells a person why a hub refused.

use super::{AcquirePermit, Fetcher, Origin, PermitDenied, body_decoder, cache_headers, explain, redirect};
use crate::domain::Timestamp;
use crate::domain::display_text::one_line;
use reqwest::{Response, StatusCode, header};
use std::time::Duration;
use tokio::time::Instant;
use url::{Url, form_urlencoded};

/// What a hub said to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubResponse {
    /// It takes the request and will verify it (202), or has done so already (204 of older hubs).
    Accepted,
    Refused {
        detail: String,
        status: Option<u16>,
        retry_after: Option<Duration>,
    },
}

/// Bytes of a refusal that are read for its words.
const MAX_WORDS: usize = 2 * 1024;

impl Fetcher {
    /// Posts a form to a hub.
    pub async fn post_to_hub(
        &self,
        hub: &Url,
        form: &[(&str, &str)],
        now: Timestamp,
        turn: &AcquirePermit<'_>,
    ) -> HubResponse {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut at = hub.clone();
        let mut left = self.total_timeout();
        for _ in 0..=self.options.max_redirects {
            if let Err(reason) = self.address_policy.check_url(&at) {
                return refused(reason.to_string());
            }
            if let Err(reason) = self.address_policy.check_proxied_host(&at).await {
                return refused(reason.to_string());
            }
            match turn(Origin::from_url(&at)).await {
                Ok(()) => {}
                Err(PermitDenied::OnHold(until)) => {
                    let detail = format!("{} asked not to be asked before {until}", Origin::from_url(&at));
                    let retry_after = until.duration_since(now).try_into().ok();
                    return HubResponse::Refused { detail, status: None, retry_after };
                }
                Err(PermitDenied::Failed(reason)) => return refused(reason),
            }
            let pass = self.origin_limiter.enter(&at).await;
            let start = Instant::now();
            let hop = tokio::time::timeout(left, self.post(&at, &form, now)).await;
            left = left.saturating_sub(start.elapsed());
            drop(pass);
            match hop {
                Ok(Ok(next)) if at.scheme() == "https" && next.scheme() != "https" => {
                    return refused("it leads from https to http, where the secret could be read".into());
                }
                Ok(Ok(next)) => at = next,
                Ok(Err(answer)) => return answer,
                Err(_) => return refused(format!("no whole answer within {:#}", self.options.total_timeout)),
            }
        }
        refused(format!("more than {} redirects", self.options.max_redirects))
    }

    /// One hop: where it leads on to, or what was answered.
    async fn post(&self, at: &Url, form: &str, now: Timestamp) -> Result<Url, HubResponse> {
        let request = self
            .client
            .post(at.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.to_owned());
        let header_timeout = self.options.header_timeout;
        let response = tokio::time::timeout(header_timeout.unsigned_abs(), request.send())
            .await
            .map_err(|_| refused(format!("no answer within {header_timeout:#}")))?
            .map_err(|error| refused(explain(&error)))?;
        match response.status() {
            status if status.is_success() => Err(HubResponse::Accepted),
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => match redirect::target(at, &response) {
                Some(Ok(redirect)) => Ok(redirect.to),
                Some(Err(detail)) => Err(refused(detail)),
                None => Err(refused("a redirect that leads nowhere".into())),
            },
            status => {
                let retry_after = cache_headers::retry_after(response.headers(), now);
                let words = self.words(response).await;
                let detail = if words.is_empty() { String::new() } else { format!(": {words}") };
                let detail = format!("it answered {status}{detail}");
                Err(HubResponse::Refused { detail, status: Some(status.as_u16()), retry_after })
            }
        }
    }

    /// What a refusal says in plain text. A hub that sends a page, or much, has not said it in words.
    async fn words(&self, response: Response) -> String {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/plain") || response.headers().contains_key(header::CONTENT_ENCODING) {
            return String::new();
        }
        let said = body_decoder::receive(response, MAX_WORDS, &self.large_body_slots)
            .await
            .and_then(body_decoder::ResponseBody::decode);
        one_line(&String::from_utf8_lossy(&said.unwrap_or_default()), 200)
    }
}

fn refused(detail: String) -> HubResponse {
    HubResponse::Refused { detail, status: None, retry_after: None }
}
