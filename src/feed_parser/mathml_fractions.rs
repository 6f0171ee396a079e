//! Writes the bars of MathML fractions as slashes, because readers of a feed see only the text of a formula: `1/2`.

use crate::markup::tokenizer::{MarkupToken, Tokenizer};

/// The maximum number of nested fractions. The bars of fractions that are nested more deeply are not written.
const MAX_DEPTH: usize = 16;

/// An open `<mfrac>`.
#[derive(Default)]
struct Fraction {
    children: usize,
    /// The number of open elements inside the fraction.
    depth: usize,
    /// The start of the current child, and the number of elements in it.
    child_start: usize,
    child_elements: usize,
}

/// Adds slashes to fractions, and parentheses around terms of several elements. Returns `None` if there are no
/// fractions.
pub fn with_fraction_slashes(html: &str) -> Option<String> {
    if !html.contains("mfrac") {
        return None;
    }
    let mut additions: Vec<(usize, &str)> = Vec::new();
    let mut open: Vec<Fraction> = Vec::new();
    let mut follows_digit = false;
    let (mut tokens, mut start) = (Tokenizer::new(html), 0);
    while let Some(token) = tokens.next() {
        match token {
            MarkupToken::Start(tag) if !tag.self_closing => {
                if let Some(fraction) = open.last_mut() {
                    if fraction.depth == 0 {
                        fraction.children += 1;
                        (fraction.child_start, fraction.child_elements) = (start, 0);
                        additions.extend((fraction.children == 2).then_some((start, "/")));
                    }
                    fraction.depth += 1;
                    fraction.child_elements += 1;
                }
                if is_fraction(tag.name) && open.len() < MAX_DEPTH {
                    // In `2<mfrac>`, the number is not part of the fraction.
                    let is_child = open.last().is_some_and(|outer| outer.depth == 1);
                    additions.extend((follows_digit && !is_child).then_some((start, " ")));
                    open.push(Fraction::default());
                }
            }
            MarkupToken::End(name) => {
                let ends_fraction = is_fraction(name) && open.pop_if(|fraction| fraction.depth == 0).is_some();
                if let Some(fraction) = open.last_mut() {
                    fraction.child_elements += usize::from(ends_fraction) * 2;
                    fraction.depth = fraction.depth.saturating_sub(1);
                    // A row with one element needs no parentheses.
                    if fraction.depth == 0 && fraction.child_elements > 2 {
                        additions.extend([(fraction.child_start, "("), (tokens.offset(), ")")]);
                    }
                }
            }
            MarkupToken::Text(text) => follows_digit = text.trim_end().ends_with(|c: char| c.is_ascii_digit()),
            _ => {}
        }
        start = tokens.offset();
    }
    // A slash precedes a parenthesis at the same point, because it was added first.
    additions.sort_by_key(|(at, _)| *at);
    let mut out = String::with_capacity(html.len() + additions.len());
    let mut copied = 0;
    for (at, text) in additions {
        out.push_str(&html[copied..at]);
        out.push_str(text);
        copied = at;
    }
    Some(out + &html[copied..])
}

fn is_fraction(name: &str) -> bool {
    name.rsplit(':').next().is_some_and(|name| name.eq_ignore_ascii_case("mfrac"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fraction_has_a_slash() {
        let text = |html: &str| {
            let html = with_fraction_slashes(html).unwrap();
            html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect::<String>()
        };
        assert_eq!(text("<mfrac><mn>1</mn><mn>2</mn></mfrac> cup"), "1/2 cup");
        assert_eq!(text("<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"), "1/2");
        assert_eq!(text("<mn>2</mn><mfrac><mn>1</mn><mn>2</mn></mfrac>"), "2 1/2");
        assert_eq!(text("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac>"), "(a+b)/2");
        assert_eq!(text("<m:mfrac><m:mn>1</m:mn><m:mfrac><m:mn>2</m:mn><m:mn>3</m:mn></m:mfrac></m:mfrac>"), "1/(2/3)");
        assert_eq!(text("<mfrac><mn>1</mn>"), "1");
        assert_eq!(text("</mfrac></mrow>1"), "1");
        assert_eq!(with_fraction_slashes("<p>1</p>"), None);
        let deep = "<mfrac><mn>1</mn>".repeat(100);
        assert_eq!(text(&deep).matches('/').count(), MAX_DEPTH);
    }
}
