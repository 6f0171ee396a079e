//! Sanitizes HTML and converts it to text.
//!
//! The first byte selects the base of relative links; the rest is the HTML.

#![no_main]

use libfuzzer_sys::fuzz_target;
use newsfold::html::MAX_HTML_BYTES;
use newsfold::html::plain_text::html_to_text;
use newsfold::html::sanitize::sanitize_html;
use newsfold_fuzz::{MAX_SANITIZED_BYTES, check_harmless};
use url::Url;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let html = String::from_utf8_lossy(bytes);
    let base = match choice % 4 {
        0 => None,
        1 => Some("https://news.example/2026/".to_owned()),
        2 => Some("http://[2001:db8::1]:8080/?a=\"'<>&b".to_owned()),
        _ => Some(format!("https://news.example/{}/", "long/".repeat(1_000))),
    };
    let base = base.map(|base| Url::parse(&base).unwrap());

    let clean = sanitize_html(&html, base.as_ref());
    assert!(clean.len() <= MAX_SANITIZED_BYTES, "{} bytes become {}", html.len(), clean.len());
    check_harmless(&clean);
    // Items are sanitized again when they are published.
    let again = sanitize_html(&clean, None);
    check_harmless(&again);
    // The second pass truncates longer HTML and drops longer links, and resolving may have made a link longer.
    let longest_value = clean.split('"').map(str::len).max().unwrap_or_default();
    if clean.len() <= MAX_HTML_BYTES && longest_value <= 8 * 1024 {
        assert_eq!(clean, again, "sanitized HTML is unchanged");
    }

    let text = html_to_text(&html);
    assert!(text.len() <= html.len() * 2 + 16, "{} bytes become {}", html.len(), text.len());
    assert_eq!(text, text.split_whitespace().collect::<Vec<_>>().join(" "), "white space is folded");
});
