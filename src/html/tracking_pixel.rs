//! Recognizes invisible images, whose only purpose is to track readers. [`super::embedded_media`] removes them.
//!
//! The attributes of the image and of the elements around it are examined before the sanitizer removes `style` and
//! `hidden`. [`super::tracking_hosts`] examines the URL.

use super::style_attribute::{Declaration, declarations, functions, number_and_unit, percent, pixels};
use super::tracking_hosts::{is_counter, is_own_counter, names_counter};
use crate::markup::tag::StartTag;
use crate::urls::media_type::media_type_of;
use std::borrow::Cow;

/// The maximum size of an invisible image: a width or height of this many pixels or percent.
const MAX_INVISIBLE_SIZE: f64 = 2.0;
/// The minimum width or height of a photo in pixels.
const MIN_PHOTO_SIZE: f64 = 50.0;
/// The maximum offset, in pixels or percent, at which an image counts as outside the page. A slide beside the visible
/// slide has an offset of −100%.
const OFF_PAGE: f64 = -500.0;
/// The maximum opacity and scale of an invisible image, 0 to 1.
const MAX_INVISIBLE_OPACITY: f64 = 0.02;
#[rustfmt::skip]
const SIZES: [&str; 8] = [
    "width", "max-width", "inline-size", "max-inline-size", "height", "max-height", "block-size", "max-block-size",
];

/// Returns whether an `<img>` only tracks readers: it is invisible, or its URL, class or ID belongs to a tracker.
/// `lazy_address` is the URL that a script would set. `is_photo` states whether the image is certainly a photo, which
/// may be transparent until a script fades it in.
pub(super) fn only_counts_readers(image: &StartTag<'_>, lazy_address: Option<&str>, is_photo: bool) -> bool {
    // Spacers are as small as tracking pixels, and scripts fade images in. Tracking pixels have no lazy photo URL.
    let has_photo = lazy_address.is_some_and(is_photo_address);
    let address = lazy_address.map(Cow::Borrowed).or_else(|| image.attribute("src")).unwrap_or_default();
    let is_named_counter = || {
        let mut names = ["class", "id"].into_iter().filter_map(|name| image.attribute(name));
        !is_photo_address(&address) && names.any(|names| names_counter(&names))
    };
    let counts_readers =
        || is_counter(&address) || (!has_photo_size(image) && (is_own_counter(&address) || is_named_counter()));
    hides_element(image) || (is_tracking_pixel(image, is_photo) && !has_photo) || counts_readers()
}

/// Returns whether a URL ends in the file name of a photo. Most tracking pixels with an extension are GIF images.
pub(super) fn is_photo_address(address: &str) -> bool {
    media_type_of(address).is_some_and(|media_type| media_type.starts_with("image/") && media_type != "image/gif")
}

/// Returns whether an `<img>` or player declares that it is invisible. A photo may start transparent, because a script
/// fades it in.
pub(super) fn is_tracking_pixel(image: &StartTag<'_>, is_photo: bool) -> bool {
    let style = declarations(image);
    let is_tiny = |side| image.attribute(side).as_deref().and_then(parse_dimension).is_some_and(is_invisible_size);
    let is_invisible = |declaration: &Declaration| {
        makes_invisible(declaration) && !keeps_size(&style, &declaration.property)
            || !is_photo && makes_transparent(declaration)
    };
    is_tiny("width") || is_tiny("height") || hides_element(image) || style.iter().any(is_invisible)
}

/// Returns whether an element declares the size of a photo.
pub(super) fn has_photo_size(element: &StartTag<'_>) -> bool {
    let attributes = ["width", "height"].into_iter().filter_map(|side| element.attribute(side));
    let is_size = |declaration: &Declaration| matches!(&*declaration.property, "width" | "height");
    let style = declarations(element);
    let styled = style.iter().filter(|declaration| is_size(declaration)).filter_map(|size| pixels(&size.value));
    attributes.filter_map(|value| parse_dimension(&value)).chain(styled).any(|size| size >= MIN_PHOTO_SIZE)
}

/// Returns whether other declarations make an element visible even though its width or height is small: a minimum size,
/// or the padding of a box with a fixed aspect ratio.
fn keeps_size(style: &[Declaration], dimension: &str) -> bool {
    let is_larger = |value: &str| number_and_unit(value).is_some_and(|_| !is_invisible_length(value));
    style.iter().any(|Declaration { property, value }| match (dimension, property.as_str()) {
        ("height", "aspect-ratio") => true,
        ("width", "min-width") | ("height", "min-height" | "padding" | "padding-top" | "padding-bottom") => {
            value.split_ascii_whitespace().any(is_larger)
        }
        _ => false,
    })
}

/// Returns whether an element declares that it and its content are hidden.
fn hides_element(element: &StartTag<'_>) -> bool {
    let hides = |declaration: &Declaration| match (declaration.property.as_str(), declaration.value.as_str()) {
        ("display", value) => value == "none",
        ("visibility", value) => matches!(value, "hidden" | "collapse"),
        ("content-visibility", value) => value == "hidden",
        _ => false,
    };
    element.attribute("hidden").is_some() || declarations(element).iter().any(hides)
}

/// Whether readers see the content of an element.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ContentVisibility {
    #[default]
    Visible,
    /// A script may fade the content in.
    Transparent,
    Hidden,
}

/// Returns what an element declares about the images inside it. Content that is larger than a small box remains
/// visible, unless the box clips it or both dimensions of the box are small.
pub(super) fn content_visibility(element: &StartTag<'_>) -> ContentVisibility {
    let style = declarations(element);
    let is_small = |sides: [&str; 2]| {
        style.iter().any(|size| {
            sides.contains(&size.property.as_str()) && makes_invisible(size) && !keeps_size(&style, &size.property)
        })
    };
    let clips = style.iter().any(|declaration| {
        declaration.property.starts_with("overflow") && matches!(declaration.value.as_str(), "hidden" | "clip")
    });
    let (is_narrow, is_low) = (is_small(["width", "max-width"]), is_small(["height", "max-height"]));
    let is_invisible =
        |declaration: &Declaration| !SIZES.contains(&declaration.property.as_str()) && makes_invisible(declaration);
    let is_hidden = hides_element(element)
        || (is_narrow && is_low)
        || (clips && (is_narrow || is_low))
        || style.iter().any(is_invisible);
    match is_hidden {
        true => ContentVisibility::Hidden,
        false if style.iter().any(makes_transparent) => ContentVisibility::Transparent,
        false => ContentVisibility::Visible,
    }
}

fn is_invisible_size(size: f64) -> bool {
    (0.0..=MAX_INVISIBLE_SIZE).contains(&size)
}

/// Returns whether a CSS length is at most two pixels or two percent.
fn is_invisible_length(value: &str) -> bool {
    pixels(value).or_else(|| percent(value)).is_some_and(is_invisible_size)
}

/// Parses a dimension value (WHATWG HTML, §2.3.4.4). Ignores white space and any text after the number.
fn parse_dimension(value: &str) -> Option<f64> {
    let value = value.trim_start();
    let is_unsigned = value.starts_with(|first: char| first.is_ascii_digit());
    if is_unsigned { number_and_unit(value).map(|(number, _)| number) } else { None }
}

/// Returns whether a declaration makes a displayed image transparent.
fn makes_transparent(Declaration { property, value }: &Declaration) -> bool {
    match property.as_str() {
        "opacity" => is_nearly_zero(value),
        "filter" => {
            functions(value).any(|(name, arguments)| name == "opacity" && arguments.iter().any(|a| is_nearly_zero(a)))
        }
        _ => false,
    }
}

/// Returns whether a declaration makes a displayed image too small to see, clips it, or moves it off the page.
fn makes_invisible(Declaration { property, value }: &Declaration) -> bool {
    let is_off_page = |value: &str| pixels(value).or_else(|| percent(value)).is_some_and(|offset| offset <= OFF_PAGE);
    match property.as_str() {
        "transform" => functions(value).any(|(name, arguments)| {
            name.starts_with("scale") && arguments.iter().any(|scale| is_nearly_zero(scale))
                || name.starts_with("matrix") && arguments.first().is_some_and(|scale| is_nearly_zero(scale))
                || name.starts_with("translate") && arguments.iter().any(|offset| is_off_page(offset))
        }),
        "scale" | "zoom" => value.split_ascii_whitespace().any(is_nearly_zero),
        "clip" | "clip-path" => functions(value).any(|(name, arguments)| clips_all(name, &arguments)),
        size if SIZES.contains(&size) => is_invisible_length(value),
        "left" | "right" | "top" | "bottom" | "inset" | "translate" | "margin" | "margin-left" | "margin-top"
        | "text-indent" => value.split_ascii_whitespace().any(is_off_page),
        _ => false,
    }
}

fn is_nearly_zero(value: &str) -> bool {
    number_and_unit(value).is_some_and(|(number, unit)| {
        let number = if unit == "%" { number / 100.0 } else { number };
        (0.0..=MAX_INVISIBLE_OPACITY).contains(&number)
    })
}

/// Returns whether a shape (CSS Shapes Level 1, CSS Masking Level 1 `clip`) shows no part of an image.
fn clips_all(shape: &str, arguments: &[&str]) -> bool {
    let is_small = |start: &str, end: &str| {
        pixels(start).zip(pixels(end)).is_some_and(|(start, end)| end - start <= MAX_INVISIBLE_SIZE)
    };
    match (shape, arguments) {
        ("inset", [first, ..]) => {
            // As for `margin`, a missing side equals the opposite side.
            let side = |at: usize| arguments.get(at).and_then(|side| percent(side));
            let (top, right) = (percent(first), side(1).or(percent(first)));
            let opposite = [side(2).or(top), side(3).or(right)];
            [top, right].into_iter().zip(opposite).any(|pair| matches!(pair, (Some(a), Some(b)) if a + b >= 100.0))
        }
        ("rect", [top, right, bottom, left]) => is_small(top, bottom) || is_small(left, right),
        ("circle" | "ellipse", [radius, ..]) => number_and_unit(radius).is_some_and(|(radius, _)| radius == 0.0),
        ("polygon", points) => points.iter().all(|point| number_and_unit(point).is_none_or(|(point, _)| point == 0.0)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_dropped(attributes: &str) -> bool {
        is_tracking_pixel(&StartTag { name: "img", attribute_text: attributes, self_closing: false }, false)
    }

    #[test]
    fn image_that_readers_cannot_see_is_a_tracking_pixel() {
        for attributes in [
            "width=1 height=1",
            "width=\"1px\"",
            "height=' 1'",
            "width=01",
            "width=\"1.0\"",
            "width=1%",
            "width=0",
            "WIDTH=2",
            "height=\"1;\"",
            "hidden",
            "hidden=''",
            "style=\"display:none\"",
            "style=\"border:0; DISPLAY : none !important\"",
            "style='visibility:hidden'",
            "style='opacity:0'",
            "style='opacity: 0.0'",
            "style='width:1px;height:1px'",
            "style='max-height:0'",
            "style='width:0em'",
            "style='position:absolute;left:-9999px'",
            "style='position:absolute;right:-9999px'",
            "style='position:absolute;left:-100vw'",
            "style='max-height:1px ! important'",
            "style='transform:scale(0)'",
            "style='clip:rect(0 0 0 0)'",
            "style='opacity:.01'",
            "style='opacity:1%'",
            "style='filter:blur(1px) opacity(0)'",
            "style='filter:opacity(0%)'",
            "style='-webkit-filter:opacity(0)'",
            "style='display:/* none */none'",
            "style='/* a */width/**/:1px'",
            "style='width:1pt'",
            "style='height:0.1em'",
            "style='height:.01in'",
            "style='width:0.3mm'",
            "style='width:.1vw'",
            "style='width:calc(1px)'",
            "style='width:calc(2px - 1px)'",
            "style='width:calc(1px * 1)'",
            "style='width:min(1px, 100%)'",
            "style='clip-path:inset(50%)'",
            "style='clip-path:inset(0 100% 0 0)'",
            "style='clip-path:circle(0 at 50% 50%)'",
            "style='clip-path:polygon(0 0, 0 0)'",
            "style='clip:rect(1px, 1px, 1px, 1px)'",
            "style='transform:scale(0, 0)'",
            "style='transform:translateX(-9999px)'",
            "style='left:-100em'",
            "style='margin:-9999px 0 0'",
            "style='left:-9999%'",
            "style='zoom:0'",
            "style='max-inline-size:0'",
            r"style='dis\70lay:none'",
            r"style='display:\00006e one'",
            r"style='d\isplay:n\6f\6e e'",
        ] {
            assert!(is_dropped(attributes), "{attributes}");
        }
    }

    #[test]
    fn box_with_a_fixed_aspect_ratio_shows_its_content() {
        let hides = |style: &str| {
            let attributes = format!("style=\"{style}\"");
            let tag = StartTag { name: "div", attribute_text: &attributes, self_closing: false };
            content_visibility(&tag) == ContentVisibility::Hidden
        };
        assert!(!hides("position:relative;height:0;padding-bottom:56.25%;overflow:hidden"));
        assert!(!hides("height:0;padding:40% 0 0;overflow:hidden"));
        assert!(hides("height:0;overflow:hidden"));
        assert!(hides("height:0;padding:0;overflow:hidden"));
    }

    #[test]
    fn image_that_readers_see_is_not_a_tracking_pixel() {
        for attributes in [
            "",
            "width=100 height=20",
            "width=3",
            "width=auto",
            "width=''",
            "width=-1",
            "width=100%",
            "style='width:100%;height:auto'",
            "style='width: 0; min-width: 100% !important'",
            "style='height:0; aspect-ratio:16/9'",
            "style='clip:rect(0px, 60px, 200px, 0px)'",
            "style='transform:scale(0.9)'",
            "style='display:block'",
            "style='opacity:0.5'",
            "style='filter:opacity(50%)'",
            "style='/* display:none */'",
            "style='width:calc(100% - 1px)'",
            "style='width:calc(1px + 20px)'",
            "style='width:calc()'",
            "style='width:max(1px, 50%)'",
            "style='width:min(600px, 100%)'",
            "style='width:1in'",
            "style='height:1vh'",
            "style='clip-path:inset(0 10%)'",
            "style='clip-path:circle(40%)'",
            "style='clip-path:polygon(0 0, 100% 0, 100% 90%)'",
            "style='transform:translate(-50%, 0)'",
            "style='width:2em'",
            "style='margin-left:-10px'",
            "style='border-width:1px'",
            "style='margin-left:-100%'",
            r"style='x\3b display\3a none'",
            "style='zoom:1'",
            "alt='display:none'",
        ] {
            assert!(!is_dropped(attributes), "{attributes}");
        }
    }
}
