//! Reads the declarations of a `style` attribute that determine whether readers see an element.

use crate::markup::tag::StartTag;

/// A declaration such as `width: 1px`, in lowercase and without comments.
pub(super) struct Declaration {
    pub property: String,
    pub value: String,
}

/// Returns the declarations of the `style` attribute.
pub(super) fn declarations(element: &StartTag<'_>) -> Vec<Declaration> {
    let style = element.attribute("style").map(|style| unescape(&without_comments(&style)).to_ascii_lowercase());
    let read = |declaration: &str| {
        let (property, value) = declaration.split_once(':')?;
        let value = value.split('!').next().unwrap_or_default();
        let property = property.trim();
        let property = property.strip_prefix("-webkit-").unwrap_or(property);
        Some(Declaration { property: property.to_owned(), value: value.trim().to_owned() })
    };
    style.iter().flat_map(|style| style.split(';')).filter_map(read).collect()
}

/// Removes comments. An unclosed comment extends to the end (CSS Syntax Level 3, §4.3.2).
fn without_comments(style: &str) -> String {
    let mut parts = style.split("/*");
    let mut out = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| out.push_str(part.split_once("*/").map_or("", |(_, after)| after)));
    out
}

/// Replaces escapes (CSS Syntax Level 3, §4.3.7): `\70` is a `p`. A separator that is escaped as a number does not
/// separate values, so it is dropped.
fn unescape(style: &str) -> String {
    const MAX_ESCAPE_DIGITS: usize = 6;
    let mut parts = style.split('\\');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take(MAX_ESCAPE_DIGITS).take_while(u8::is_ascii_hexdigit).count();
        let (escape, rest) = part.split_at(digits);
        let Some(c) = u32::from_str_radix(escape, 16).ok() else {
            out.push_str(rest);
            continue;
        };
        out.extend(char::from_u32(c).filter(|c| c.is_alphanumeric() || *c == '-'));
        out.push_str(rest.strip_prefix(|c: char| c.is_ascii_whitespace()).unwrap_or(rest));
    }
    out
}

/// Returns the functions in a value with their arguments: `scale(0) rotate(1deg)`.
pub(super) fn functions(value: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    value.split(')').filter_map(|function| {
        let (name, arguments) = function.split_once('(')?;
        let arguments = arguments.split([',', ' ']).map(str::trim).filter(|argument| !argument.is_empty());
        Some((name.trim(), arguments.collect()))
    })
}

/// Returns the number at the start of a value and the rest, which is its unit.
pub(super) fn number_and_unit(value: &str) -> Option<(f64, &str)> {
    let end = value.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(value.len());
    // In `1.2.3`, the number is 1.2.
    let end = value.match_indices('.').nth(1).map_or(end, |(second_point, _)| end.min(second_point));
    Some((value[..end].parse().ok()?, value[end..].trim()))
}

/// Returns a length in pixels, for text of 16 pixels in a window of 1000 by 1000 pixels (CSS Values and Units Level 4,
/// §6 and §10). `calc(2px - 1px)` is one pixel. Nested functions are not evaluated.
pub(super) fn pixels(value: &str) -> Option<f64> {
    let Some((name, arguments)) = functions(value).next() else { return plain_pixels(value) };
    let lengths = arguments.iter().copied().map(plain_pixels);
    match name {
        "min" => lengths.flatten().reduce(f64::min),
        "max" | "clamp" => lengths.collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max),
        _ => arguments.get(1..)?.chunks(2).try_fold(plain_pixels(arguments.first()?)?, |sum, term| match term {
            ["+", length] => Some(sum + plain_pixels(length)?),
            ["-", length] => Some(sum - plain_pixels(length)?),
            ["*", factor] => Some(sum * factor.parse::<f64>().ok()?),
            _ => None,
        }),
    }
}

fn plain_pixels(length: &str) -> Option<f64> {
    let (number, unit) = number_and_unit(length)?;
    let pixels_per_unit = match unit {
        "" | "px" => 1.0,
        "pt" => 4.0 / 3.0,
        "pc" | "em" | "rem" | "ic" | "lh" | "rlh" => 16.0,
        "ex" | "ch" | "cap" => 8.0,
        "in" => 96.0,
        "cm" => 37.8,
        "mm" => 3.78,
        "q" => 0.945,
        "vw" | "vh" | "vi" | "vb" | "vmin" | "vmax" | "svw" | "svh" | "lvw" | "lvh" | "dvw" | "dvh" => 10.0,
        _ => return None,
    };
    Some(number * pixels_per_unit)
}

/// Returns a percentage; `None` for another value.
pub(super) fn percent(value: &str) -> Option<f64> {
    number_and_unit(value).filter(|(_, unit)| *unit == "%").map(|(number, _)| number)
}
