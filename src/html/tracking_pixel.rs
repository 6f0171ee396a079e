//! Images that show nothing: they only count readers.
//!
//! Never looks at the address of an image, because tracking images have ordinary addresses. Reads the attributes of the
//! image alone, before the sanitizer removes `style` and `hidden`.

use crate::markup::tag::StartTag;

/// An image whose width or height has at most this number of pixels or per cent cannot be seen.
const MAX_INVISIBLE_SIZE: f64 = 2.0;
/// An image that is moved this number of pixels to the left or to the top is outside the page.
const OFF_PAGE_PIXELS: f64 = -500.0;

/// Whether an `<img>` declares that readers do not see it.
pub(super) fn is_tracking_pixel(image: &StartTag<'_>) -> bool {
    let is_tiny = |side| image.attribute(side).as_deref().and_then(parse_dimension).is_some_and(is_invisible_size);
    is_tiny("width") || is_tiny("height") || hides_element(image) || has_declaration(image, makes_invisible)
}

/// Whether an element declares that it and its content are not displayed.
pub(super) fn hides_element(element: &StartTag<'_>) -> bool {
    let hides = |property: &str, value: &str| match property {
        "display" => value == "none",
        "visibility" => matches!(value, "hidden" | "collapse"),
        _ => false,
    };
    element.attribute("hidden").is_some() || has_declaration(element, hides)
}

/// Whether a property and its value, both in lower case, are declared in the `style` attribute and match.
fn has_declaration(element: &StartTag<'_>, is_match: impl Fn(&str, &str) -> bool) -> bool {
    let matches = |declaration: &str| {
        declaration.split_once(':').is_some_and(|(property, value)| {
            let value = value.trim().to_ascii_lowercase();
            let value = value.trim_end_matches("!important").trim_end();
            is_match(&property.trim().to_ascii_lowercase(), value)
        })
    };
    element.attribute("style").is_some_and(|style| style.split(';').any(matches))
}

fn is_invisible_size(size: f64) -> bool {
    size <= MAX_INVISIBLE_SIZE
}

/// The rules for parsing dimension values (WHATWG HTML, §2.3.4.4): white space and text after the number are ignored.
fn parse_dimension(value: &str) -> Option<f64> {
    let value = value.trim_start();
    let is_unsigned = value.starts_with(|first: char| first.is_ascii_digit());
    if is_unsigned { parse_leading_number(value) } else { None }
}

/// The number at the start of a CSS value or a dimension.
fn parse_leading_number(value: &str) -> Option<f64> {
    let end = value.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(value.len());
    // Of `1.2.3`, the number is 1.2.
    let end = value.match_indices('.').nth(1).map_or(end, |(second_point, _)| end.min(second_point));
    value[..end].parse().ok()
}

/// Whether a declaration makes an image invisible that is displayed.
fn makes_invisible(property: &str, value: &str) -> bool {
    let number = parse_leading_number(value);
    match property {
        "opacity" => number == Some(0.0),
        "width" | "height" | "max-width" | "max-height" => {
            // Larger units make a small number visible: `2em`.
            let is_small_unit = value.ends_with(|c: char| c.is_ascii_digit() || c == '%') || value.ends_with("px");
            number.is_some_and(|size| size == 0.0 || is_small_unit && is_invisible_size(size))
        }
        "left" | "top" | "margin-left" | "margin-top" => number.is_some_and(|offset| offset <= OFF_PAGE_PIXELS),
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
        ] {
            assert!(is_dropped(attributes), "{attributes}");
        }
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
