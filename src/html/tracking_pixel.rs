//! Recognizes invisible images, whose only purpose is to count readers.
//!
//! The address of an image is ignored, because tracking images have ordinary addresses. Only the attributes of the
//! image and of the elements around it are examined, before the sanitizer removes `style` and `hidden`.

use crate::markup::tag::StartTag;

/// The maximum size of an invisible image: a width or height of this many pixels or percent.
const MAX_INVISIBLE_SIZE: f64 = 2.0;
/// The offset of an image outside the page, in pixels and in percent of the window.
const OFF_PAGE_PIXELS: f64 = -500.0;
const OFF_PAGE_PERCENT: f64 = -100.0;
/// The maximum opacity of an invisible image, 0 to 1.
const MAX_INVISIBLE_OPACITY: f64 = 0.02;

/// Returns whether an `<img>` declares that it is invisible.
pub(super) fn is_tracking_pixel(image: &StartTag<'_>) -> bool {
    let is_tiny = |side| image.attribute(side).as_deref().and_then(parse_dimension).is_some_and(is_invisible_size);
    let is_invisible = |name: &str, value: &str| makes_invisible(name, value) && !keeps_size(image, name);
    is_tiny("width") || is_tiny("height") || hides_element(image) || has_declaration(image, is_invisible)
}

/// Returns whether other declarations make an element visible although its width or height is small: a minimum size, or
/// the padding of a box with a fixed aspect ratio.
fn keeps_size(element: &StartTag<'_>, dimension: &str) -> bool {
    let is_larger = |value: &str| parse_leading_number(value).is_some_and(|size| !is_invisible_size(size));
    has_declaration(element, |name, value| {
        let keeps = match dimension {
            "width" => matches!(name, "min-width"),
            "height" => matches!(name, "min-height" | "padding" | "padding-top" | "padding-bottom" | "aspect-ratio"),
            _ => false,
        };
        keeps && (name == "aspect-ratio" || value.split_ascii_whitespace().any(is_larger))
    })
}

/// Returns whether an element declares that it and its content are hidden.
pub(super) fn hides_element(element: &StartTag<'_>) -> bool {
    let hides = |property: &str, value: &str| match property {
        "display" => value == "none",
        "visibility" => matches!(value, "hidden" | "collapse"),
        _ => false,
    };
    element.attribute("hidden").is_some() || has_declaration(element, hides)
}

/// Returns whether an element declares that images inside it are invisible. A small box shows what is larger than the box,
/// unless it clips its content or both its dimensions are small.
pub(super) fn hides_content(element: &StartTag<'_>) -> bool {
    let is_small = |sides: [&str; 2]| {
        has_declaration(element, |name, value| {
            sides.contains(&name) && makes_invisible(name, value) && !keeps_size(element, name)
        })
    };
    let clips =
        has_declaration(element, |name, value| name.starts_with("overflow") && matches!(value, "hidden" | "clip"));
    let (is_narrow, is_low) = (is_small(["width", "max-width"]), is_small(["height", "max-height"]));
    let is_invisible = |name: &str, value: &str| {
        !matches!(name, "width" | "max-width" | "height" | "max-height") && makes_invisible(name, value)
    };
    hides_element(element)
        || (is_narrow && is_low)
        || (clips && (is_narrow || is_low))
        || has_declaration(element, is_invisible)
}

/// Returns whether the `style` attribute contains a declaration that matches. `is_match` receives lowercase text.
fn has_declaration(element: &StartTag<'_>, is_match: impl Fn(&str, &str) -> bool) -> bool {
    let matches = |declaration: &str| {
        declaration.split_once(':').is_some_and(|(property, value)| {
            let value = value.trim().to_ascii_lowercase();
            let value = value.split('!').next().unwrap_or_default().trim_end();
            is_match(&property.trim().to_ascii_lowercase(), value)
        })
    };
    element.attribute("style").is_some_and(|style| style.split(';').any(matches))
}

fn is_invisible_size(size: f64) -> bool {
    size <= MAX_INVISIBLE_SIZE
}

/// Parses a dimension value (WHATWG HTML, §2.3.4.4). Ignores white space and any text after the number.
fn parse_dimension(value: &str) -> Option<f64> {
    let value = value.trim_start();
    let is_unsigned = value.starts_with(|first: char| first.is_ascii_digit());
    if is_unsigned { parse_leading_number(value) } else { None }
}

/// Returns the number at the start of a CSS value or a dimension.
fn parse_leading_number(value: &str) -> Option<f64> {
    let end = value.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(value.len());
    // In `1.2.3`, the number is 1.2.
    let end = value.match_indices('.').nth(1).map_or(end, |(second_point, _)| end.min(second_point));
    value[..end].parse().ok()
}

/// Returns whether a declaration makes a displayed image invisible.
fn makes_invisible(property: &str, value: &str) -> bool {
    let number = parse_leading_number(value);
    match property {
        "opacity" => number.is_some_and(|opacity| opacity <= MAX_INVISIBLE_OPACITY),
        "transform" => value.contains("scale(0)"),
        "clip" => value.starts_with("rect(0") && !value.contains(|c: char| matches!(c, '1'..='9')),
        "width" | "height" | "max-width" | "max-height" => {
            // With larger units, even a small number is visible: `2em`.
            let is_small_unit = value.ends_with(|c: char| c.is_ascii_digit() || c == '%') || value.ends_with("px");
            number.is_some_and(|size| size == 0.0 || is_small_unit && is_invisible_size(size))
        }
        "left" | "right" | "top" | "margin-left" | "margin-top" => {
            let limit = if value.ends_with("vw") || value.ends_with("vh") { OFF_PAGE_PERCENT } else { OFF_PAGE_PIXELS };
            number.is_some_and(|offset| offset <= limit)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_dropped(attributes: &str) -> bool {
        is_tracking_pixel(&StartTag { name: "img", attribute_text: attributes, self_closing: false })
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
        ] {
            assert!(is_dropped(attributes), "{attributes}");
        }
    }

    #[test]
    fn box_with_a_fixed_aspect_ratio_shows_its_content() {
        let hides = |style: &str| {
            let attributes = format!("style=\"{style}\"");
            hides_content(&StartTag { name: "div", attribute_text: &attributes, self_closing: false })
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
            "style='width:2em'",
            "style='margin-left:-10px'",
            "style='border-width:1px'",
            "alt='display:none'",
        ] {
            assert!(!is_dropped(attributes), "{attributes}");
        }
    }
}
