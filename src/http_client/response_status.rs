//! Determines what the status of a response means (RFC 9110, section 15): a document, no change, a document that is
//! gone, a request to retry later, or a failure. The statuses of redirects are in [`super::redirect_target`].

use super::{
    Fetcher, NoDocument, RequestSpec, ResponseDocument, body_decoder, bot_challenge, failed, link_header,
    response_cache_headers,
};
use reqwest::{Response, StatusCode, header};
use url::Url;

impl Fetcher {
    /// Interprets a response that is not a redirect. Reads the body only if the response contains a document.
    pub(super) async fn read_response(
        &self,
        url: &Url,
        response: Response,
        spec: &RequestSpec<'_>,
    ) -> Result<ResponseDocument, NoDocument> {
        let headers = response.headers();
        let validators = response_cache_headers::validators(url, headers);
        let fresh_for = response_cache_headers::fresh_for(headers, spec.request.now);
        let retry_after = response_cache_headers::retry_after(headers, spec.request.now);
        if let Some(service) = bot_challenge::challenge_in_headers(headers) {
            return Err(NoDocument::Challenged { service, retry_after });
        }
        Err(match response.status() {
            // newsfold never sends range requests.
            StatusCode::PARTIAL_CONTENT => failed("the server sent only part of the document (206)"),
            StatusCode::NOT_MODIFIED if spec.request.validators.is_none_or(|sent| sent.url != url.as_str()) => {
                failed("the server responded with 304 (not modified) to an unconditional request")
            }
            StatusCode::NOT_MODIFIED => NoDocument::NotModified { validators, fresh_for },
            StatusCode::GONE => NoDocument::Gone,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                NoDocument::Throttled { retry_after, fresh_for }
            }
            StatusCode::FORBIDDEN => NoDocument::Refused { retry_after },
            status if status.is_success() => {
                let content_type =
                    headers.get(header::CONTENT_TYPE).map(|v| String::from_utf8_lossy(v.as_bytes()).into());
                let links = link_header::link_relations(headers, url);
                let body = body_decoder::receive(response, self.options.max_body_bytes, &self.large_body_slots)
                    .await
                    .map_err(|error| failed(error.to_string()))?;
                return Ok(ResponseDocument { body, content_type, validators, fresh_for, links });
            }
            status => failed(format!("the server responded with status {status}")),
        })
    }
}
