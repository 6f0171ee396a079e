//! Detects bot challenges: responses that require a browser to prove that a person uses it. newsfold reports challenges
//! and never solves them.

use reqwest::header::HeaderMap;

/// The number of bytes at the start of a page in which to search for markers. Challenge pages are small.
const SEARCHED_BYTES: usize = 64 * 1024;

/// Returns the service whose documented response headers identify a challenge. Sources: developers.cloudflare.com,
/// "Detect a Challenge Page response"; AWS WAF, "Challenge and CAPTCHA actions"; vercel.com, "Attack Challenge Mode".
pub(super) fn challenge_in_headers(headers: &HeaderMap) -> Option<&'static str> {
    const HEADERS: [(&str, &[&str], &str); 4] = [
        ("cf-mitigated", &["challenge"], "Cloudflare"),
        ("x-amzn-waf-action", &["challenge", "captcha"], "AWS WAF"),
        ("x-vercel-mitigated", &["challenge"], "Vercel"),
        ("sg-captcha", &["challenge"], "SiteGround"),
    ];
    let has_value = |name: &str, values: &[&str]| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        values.iter().any(|known| value.contains(known))
    };
    if headers.contains_key("x-datadome") && has_value("content-type", &["text/html"]) {
        return Some("DataDome");
    }
    HEADERS.iter().find(|(name, values, _)| has_value(name, values)).map(|(_, _, service)| *service)
}

/// Returns the service whose challenge page the server sent instead of a feed.
pub fn challenge_in_page(page: &[u8]) -> Option<&'static str> {
    const MARKERS: [(&str, &str); 6] = [
        ("_cf_chl_opt", "Cloudflare"),
        ("_Incapsula_Resource", "Imperva"),
        ("captcha-delivery.com", "DataDome"),
        ("/.well-known/sgcaptcha/", "SiteGround"),
        ("awsWafCookieDomainList", "AWS WAF"),
        ("px-captcha", "HUMAN"),
    ];
    let start = String::from_utf8_lossy(&page[..page.len().min(SEARCHED_BYTES)]);
    MARKERS.iter().find(|(marker, _)| start.contains(marker)).map(|(_, service)| *service)
}
