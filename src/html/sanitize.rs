//! Makes HTML from the web safe to publish: allowed elements and attributes, absolute http links, no scripts, styles,
//! frames or tracking pixels.
//!
//! Invisible images such as tracking pixels are removed first: [`super::tracking_pixel`] recognizes them, and
//! [`super::embedded_media`] removes them. The module sends no requests, and passes only HTML of limited size and depth
//! to ammonia.

use super::allow_list::{ALLOWED_ELEMENTS, ELEMENT_ATTRIBUTES, GLOBAL_ATTRIBUTES, sanitizer_for_elements};
use super::embedded_media::expose_media;
use super::link_resolution::LinkRules;
use super::plain_text::html_to_text;
use super::rebalance::rebalance_html;
use super::truncate_html;
use crate::domain::language::language_code;
use crate::markup::entities::escape_html;
use crate::urls::redact::without_credentials;
use ammonia::{Builder, UrlRelative};
use parking_lot::Mutex;
use std::sync::{Arc, LazyLock};
use url::Url;

/// The sanitizer for HTML with only absolute links.
static ABSOLUTE_LINK_SANITIZER: LazyLock<Builder<'static>> =
    LazyLock::new(|| link_sanitizer(|link| LinkRules::default().resolve(link)));

/// Sanitizes HTML. Resolves relative links against `base`, or removes them if there is no base. Removes links with a
/// scheme other than http and https, and images that readers cannot see.
///
/// HTML longer than [`super::MAX_HTML_BYTES`] is truncated. HTML that is nested too deeply becomes plain text.
pub fn sanitize_html(html: &str, base: Option<&Url>) -> String {
    match base {
        None => sanitize(html, &LinkRules::default(), &ABSOLUTE_LINK_SANITIZER),
        Some(base) => {
            let rules = LinkRules { base: Some(base.clone()), ..LinkRules::default() };
            RuledSanitizer::default().sanitize(html, rules)
        }
    }
}

/// A sanitizer for several fragments of HTML, each with rules for its links. Its lists of elements and attributes are
/// built only once.
pub struct RuledSanitizer {
    /// The rules for the current fragment.
    rules: Arc<Mutex<LinkRules>>,
    builder: Builder<'static>,
}

impl Default for RuledSanitizer {
    fn default() -> Self {
        let rules = Arc::<Mutex<LinkRules>>::default();
        let current = rules.clone();
        let mut builder = link_sanitizer(move |link| current.lock().resolve(link));
        // The attribute filter resolves or removes relative links.
        builder.url_relative(UrlRelative::PassThrough);
        RuledSanitizer { rules, builder }
    }
}

impl RuledSanitizer {
    /// Sanitizes HTML like [`sanitize_html`], with rules for the links.
    pub fn sanitize(&mut self, html: &str, mut rules: LinkRules) -> String {
        rules.base = rules.base.map(without_credentials);
        *self.rules.lock() = rules.clone();
        sanitize(html, &rules, &self.builder)
    }
}

fn sanitize(html: &str, rules: &LinkRules, sanitizer: &Builder<'_>) -> String {
    let base_bytes = rules.base.as_ref().map_or(0, |base| base.as_str().len());
    let Some(html) = rebalance_html(&expose_media(truncate_html(html), rules), base_bytes) else {
        return escape_html(&html_to_text(html));
    };
    let cleaned = sanitizer.clean(&html).to_string();
    strip_leading_newlines_in_pre(&remove_images_without_source(&cleaned))
}

/// Returns a sanitizer that replaces each link by the result of `resolve` and removes it if there is none.
fn link_sanitizer(resolve: impl Fn(&str) -> Option<Url> + Send + Sync + 'static) -> Builder<'static> {
    let mut builder = sanitizer_for_elements(ALLOWED_ELEMENTS);
    let of_elements = ELEMENT_ATTRIBUTES.map(|(element, attributes)| (element, attributes.iter().copied().collect()));
    builder
        .generic_attributes(GLOBAL_ATTRIBUTES.iter().copied().collect())
        .tag_attributes(of_elements.into_iter().collect())
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(move |_, attribute, value| match attribute {
            "href" | "src" => {
                let url = resolve(value)?;
                // An absolute link without credentials stays as written.
                let is_final = !value.contains('@') && Url::parse(value).is_ok();
                Some(if is_final { value.into() } else { String::from(url).into() })
            }
            "lang" => language_code(value).map(|_| value.into()),
            _ => Some(value.into()),
        });
    builder
}

/// Removes images whose URL the sanitizer removed.
fn remove_images_without_source(html: &str) -> String {
    let mut parts = html.split("<img");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // ammonia escapes every `>` in an attribute value.
        let (attributes, text) = part.split_at(part.find('>').map_or(part.len(), |end| end + 1));
        if attributes.contains(" src=") {
            out.push_str("<img");
            out.push_str(attributes);
        }
        out.push_str(text);
    }
    out
}

/// Removes line feeds at the start of `<pre>`, because each parse of the HTML would remove the first of them.
fn strip_leading_newlines_in_pre(html: &str) -> String {
    let html = html.replace("\r\n", "\n").replace('\r', "\n");
    let mut parts = html.split("<pre");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (attributes, text) = part.split_at(part.find('>').map_or(part.len(), |end| end + 1));
        out.push_str("<pre");
        out.push_str(attributes);
        out.push_str(text.trim_start_matches('\n'));
    }
    out
}
