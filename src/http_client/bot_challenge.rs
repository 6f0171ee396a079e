//! Bot challenges: answers that ask a browser to prove that a person sits before it. They are told, never solved.

use reqwest::header::HeaderMap;

/// Who challenges by these headers, where somebody does. They are the ones that the services document for it.
pub(super) fn challenge_in_headers(headers: &HeaderMap) -> Option<&'static str> {
    let says = |name: &str, words: &[&str]| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        words.iter().any(|word| value.contains(word))
    };
    // developers.cloudflare.com, "Detect a Challenge Page response"; AWS WAF, "Challenge and CAPTCHA actions";
    // vercel.com, "Attack Challenge Mode".
    if says("cf-mitigated", &["challenge"]) {
        Some("Cloudflare")
    } else if says("x-amzn-waf-action", &["challenge", "captcha"]) {
        Some("AWS WAF")
    } else if says("x-vercel-mitigated", &["challenge"]) {
        Some("Vercel")
    } else if headers.contains_key("x-datadome") && says("content-type", &["text/html"]) {
        Some("DataDome")
    } else if says("sg-captcha", &["challenge"]) {
        Some("SiteGround")
    } else {
        None
    }
}

/// Who challenges on this page, which came where a feed was asked for.
pub fn challenge_in_page(page: &[u8]) -> Option<&'static str> {
    const MARKS: [(&str, &str); 6] = [
        ("_cf_chl_opt", "Cloudflare"),
        ("_Incapsula_Resource", "Imperva"),
        ("captcha-delivery.com", "DataDome"),
        ("/.well-known/sgcaptcha/", "SiteGround"),
        ("awsWafCookieDomainList", "AWS WAF"),
        ("px-captcha", "HUMAN"),
    ];
    // Such pages are small, and their marks stand at the beginning.
    let start = String::from_utf8_lossy(&page[..page.len().min(64 * 1024)]);
    MARKS.iter().find(|(mark, _)| start.contains(mark)).map(|(_, who)| *who)
}
