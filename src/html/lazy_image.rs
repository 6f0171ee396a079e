//! Finds the real URL of an image that a script loads, without fetching anything.
//!
//! Before the script runs, `src` is missing or contains the URL of a spacer or a `data:` image. The real URL is in
//! `srcset` or another attribute. Names are not standardized: common names are tried first, then any image URL.

use super::tracking_pixel::{has_photo_size, is_photo_address, is_tracking_pixel, only_counts_readers};
use crate::markup::entities::{decode_entities, escape_html};
use crate::markup::tag::StartTag;

/// Attributes that always take precedence over `src`.
const LAZY_SOURCES: [&str; 4] = ["data-src", "data-lazy-src", "data-original", "data-lazy"];
const LAZY_SOURCE_SETS: [&str; 3] = ["data-srcset", "data-lazy-srcset", "nitro-lazy-srcset"];
/// Suffixes of the names of other attributes that contain the URL of an image if its `src` is not usable.
const SOURCE_NAMES: [&str; 8] =
    ["src", "file", "original", "data-url", "data-image", "data-img", "img-url", "image-url"];
/// The words in the file names of spacers, without digits: `1x1`, `spacer-16x9`.
#[rustfmt::skip]
const SPACER_WORDS: [&str; 27] = [
    "spacer", "space", "placeholder", "blank", "transparent", "trans", "clear", "empty", "none", "grey", "gray", "white",
    "x", "px", "lazy", "lazyload", "load", "loading", "loader", "spinner", "pixel", "dot", "img", "image", "default",
    "bg", "s",
];
/// The preferred minimum width. A narrower image of a `srcset` is used only if no image is wider.
const MIN_WIDTH: f64 = 800.0;
/// The maximum number of URLs of a `srcset` that are compared.
const MAX_CANDIDATES: usize = 64;

/// The image that an `<img>` displays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ImageSource {
    /// No visible image: the element is a tracking pixel.
    Invisible,
    /// The image at its `src`.
    Declared,
    /// The image at this URL, which a script would set.
    Lazy(String),
    /// The image at its `src`, which is a spacer or missing.
    Placeholder,
}

/// Determines the image that an element displays. `picture_source` is the URL of the preceding `<source>`.
pub(super) fn image_source(image: &StartTag<'_>, picture_source: Option<&str>) -> ImageSource {
    let lazy = real_address(image, picture_source);
    let is_photo = lazy.is_some() || declares_photo(image);
    if only_counts_readers(image, lazy.as_deref(), is_photo) {
        return ImageSource::Invisible;
    }
    match lazy {
        Some(address) => ImageSource::Lazy(address),
        None if is_placeholder(image) => ImageSource::Placeholder,
        None => ImageSource::Declared,
    }
}

/// Returns an `<img>` with this URL, `image`'s `alt` and `title`, and its dimensions unless they belong to a spacer.
pub(super) fn image_html(address: &str, image: &StartTag<'_>) -> String {
    let mut html = String::from("<img");
    let dimensions: &[&str] = if is_tracking_pixel(image, true) { &[] } else { &["width", "height"] };
    for name in ["alt", "title"].iter().chain(dimensions) {
        if let Some(value) = image.attribute(name) {
            html.push_str(&format!(" {name}=\"{}\"", escape_html(&value)));
        }
    }
    html.push_str(&format!(" src=\"{}\">", escape_html(address)));
    html
}

/// Returns the URL that the `<source>` of a picture declares.
pub(super) fn source_address(source: &StartTag<'_>) -> Option<String> {
    LAZY_SOURCE_SETS.iter().chain(&["srcset"]).find_map(|name| best_of_set(&source.attribute(name)?))
}

/// Returns whether an image has a declaration that tracking pixels do not need: a size, several files, or lazy loading.
pub(super) fn declares_photo(image: &StartTag<'_>) -> bool {
    let has = |name, word| image.attribute(name).is_some_and(|value| value.to_ascii_lowercase().contains(word));
    let has_addresses = || LAZY_SOURCES.iter().chain(&["srcset"]).any(|name| image.attribute(name).is_some());
    has_photo_size(image) || has_addresses() || has("loading", "lazy") || has("class", "lazy")
}

fn real_address(image: &StartTag<'_>, picture_source: Option<&str>) -> Option<String> {
    // Browsers accept spaces in a URL.
    let address = |name| image.attribute(name).map(|value| value.trim().replace(' ', "%20"));
    let named = LAZY_SOURCES.iter().find_map(|name| address(name).filter(|address| is_address(address)));
    let lazy = named.or_else(|| LAZY_SOURCE_SETS.iter().find_map(|name| best_of_set(&image.attribute(name)?)));
    if lazy.is_some() || !is_placeholder(image) {
        return lazy;
    }
    let set = || image.attribute("srcset").and_then(|set| best_of_set(&set));
    picture_source.map(str::to_owned).or_else(set).or_else(|| unnamed_address(image))
}

/// Returns the first URL of a photo in any attribute, or else the first URL in an attribute for URLs.
fn unnamed_address(image: &StartTag<'_>) -> Option<String> {
    let addresses: Vec<(String, String)> = image
        .attributes()
        .map(|(name, value)| (name.to_ascii_lowercase(), decode_entities(value).trim().to_owned()))
        .filter(|(name, value)| !matches!(name.as_str(), "src" | "alt" | "title") && is_address(value))
        .collect();
    let is_named = |name: &str| SOURCE_NAMES.iter().any(|end| name.ends_with(end));
    let photo = addresses.iter().find(|(_, address)| is_photo_address(address));
    let named = || addresses.iter().find(|(name, address)| is_named(name) && address.contains('/'));
    photo.or_else(named).map(|(_, address)| address.to_owned())
}

fn is_placeholder(image: &StartTag<'_>) -> bool {
    let Some(source) = image.attribute("src").filter(|source| is_address(source)) else { return true };
    let path = source.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let file_name = path.rsplit('/').next().unwrap_or_default();
    let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    let mut words = stem.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| SPACER_WORDS.contains(&word))
}

fn is_address(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let is_other_scheme = ["data:", "about:", "blob:", "javascript:", "#"].iter().any(|start| value.starts_with(start));
    // A script replaces the variables of a template such as `photo_{width}x.jpg`.
    let is_template = value.contains('{') || value.contains("%7b");
    value.contains(['/', '.']) && !is_other_scheme && !is_template && !value.contains(char::is_whitespace)
}

/// Returns the smallest sufficiently wide image of a `srcset`, or else the widest image (WHATWG HTML, §4.8.4.2.1).
fn best_of_set(set: &str) -> Option<String> {
    let mut best: Option<(f64, &str)> = None;
    let mut rest = set;
    for _ in 0..MAX_CANDIDATES {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (address, after) = rest.split_at(end);
        let descriptor_end = if address.ends_with(',') { 0 } else { after.find(',').unwrap_or(after.len()) };
        let width = described_width(after[..descriptor_end].trim());
        rest = &after[descriptor_end..];
        let address = address.trim_end_matches(',');
        if is_address(address) && best.is_none_or(|(other, _)| is_better_width(width, other)) {
            best = Some((width, address));
        }
    }
    best.map(|(_, address)| address.to_owned())
}

/// Returns the width in pixels that a descriptor such as `640w` or `2x` declares.
fn described_width(descriptor: &str) -> f64 {
    let number = |unit| descriptor.strip_suffix(unit).and_then(|number| number.trim().parse::<f64>().ok());
    number('w').or_else(|| number('x').map(|density| density * MIN_WIDTH)).unwrap_or(MIN_WIDTH)
}

fn is_better_width(width: f64, than: f64) -> bool {
    if width >= MIN_WIDTH { than < MIN_WIDTH || width < than } else { than < width }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(attributes: &str) -> ImageSource {
        image_source(&StartTag { name: "img", attribute_text: attributes, self_closing: false }, None)
    }

    #[test]
    fn lazy_image_has_its_real_address() {
        for attributes in [
            "data-src=/b.jpg",
            "src='' data-src='/b.jpg'",
            "src=data:image/gif;base64,AA data-lazy-src=/b.jpg",
            "src='data:image/svg+xml,%3Csvg a.b/%3E' data-original=' /b.jpg '",
            "src=about:blank data-lazy=/b.jpg",
            "src=/s.gif data-src=/b.jpg",
            "src=/s.gif width=1 height=1 data-src=/b.jpg",
            "style='opacity:0' data-src=/b.jpg",
            "data-srcset='/a.jpg 300w, /b.jpg 900w, /c.jpg 3000w'",
            "srcset='/a.jpg 300w, /b.jpg 600w'",
            "srcset='/b.jpg, /c.jpg 2x'",
            "srcset='/b.jpg 1x,/c.jpg 2x'",
            "src=/img/spacer.gif srcset='/b.jpg 2x'",
            "src=/lazy-placeholder.png data-hi-res-src=/b.jpg",
            "data-id=7 data-caption='a. b' data-full-url=/b.jpg",
            "src=/static/none.gif file=/b.jpg zoomfile=/c.jpg",
            "src=/1x1.png nitro-lazy-srcset='/b.jpg 900w' nitro-lazy-src=/c.jpg",
            "src=/img/grey.gif data-url=/b.jpg",
            "src=/img/spacer-16x9.png real_src=/b.jpg",
        ] {
            assert_eq!(source(attributes), ImageSource::Lazy("/b.jpg".into()), "{attributes}");
        }
    }

    #[test]
    fn lazy_address_needs_no_extension() {
        for attributes in [
            "src=data:, data-url=/photo/7",
            "src=/none.gif file=/photo/7",
            "nitro-lazy-src=/photo/7",
            "src=/loading.gif data-link=/news/7 data-img-url=/photo/7",
        ] {
            assert_eq!(source(attributes), ImageSource::Lazy("/photo/7".into()), "{attributes}");
        }
    }

    #[test]
    fn spaces_in_an_address_are_encoded() {
        assert_eq!(source("data-src='/my photo.jpg'"), ImageSource::Lazy("/my%20photo.jpg".into()));
    }

    #[test]
    fn image_with_an_address_keeps_it() {
        for attributes in [
            "src=/b.jpg",
            "src=/b.jpg srcset='/c.jpg 2x'",
            "src=/b.jpg data-src=data:image/gif;base64,AA",
            "src=/b.jpg data-large-file=/c.jpg data-lazy=true",
            "src=/b.jpg loading=lazy",
            "src=/loading-dock-fire.jpg data-hi-res-src=/c.jpg",
            "src=/blank-verse.jpg srcset='/c.jpg 2x'",
            "src=/photo-7-none-left.jpg data-url=/c.jpg",
            "src=/1.jpg data-url=/c.jpg",
            "src=/b?id=7 style=opacity:0 loading=lazy",
            "src=/b.jpg style='opacity:0' width=600 height=400",
            "src=/b.jpg style='opacity:0;height:20em'",
            "src=/b.jpg data-src='/b_{width}x.jpg'",
            "src=/b.jpg data-src=/%7B%7Bimage.url%7D%7D.jpg",
        ] {
            assert_eq!(source(attributes), ImageSource::Declared, "{attributes}");
        }
    }

    #[test]
    fn lazy_tracking_pixel_is_invisible() {
        for attributes in [
            "width=1 height=1 data-src='https://t.example/p?u=1'",
            "width=1 height=1 data-src=/p.gif",
            "data-src=/b.jpg style=display:none",
            "data-src=/b.jpg hidden",
            "src=/b.jpg style=opacity:0",
            "src=/b.jpg style=opacity:0 width=20 height=20",
            "src=https://pixel.wp.com/b.gif?blog=1 width=600",
            "src=/stats/matomo.php?idsite=1",
            "data-src=/stats/matomo.php?idsite=1",
            "src=/p?id=7 class=tracking-pixel",
        ] {
            assert_eq!(source(attributes), ImageSource::Invisible, "{attributes}");
        }
    }

    #[test]
    fn image_without_any_address_is_a_placeholder() {
        for attributes in ["", "src=data:image/gif;base64,AA", "src='#' data-src='{url}'", "src=/spacer.gif"] {
            assert_eq!(source(attributes), ImageSource::Placeholder, "{attributes}");
        }
    }
}
