//! Tokens and secrets that nobody guesses: 256 bits of the operating system's randomness each, by aws-lc-rs.

use crate::domain::display_text::hex;

/// The bytes of a token and of a secret.
const SECRET_BYTES: usize = 32;

/// A fresh token or secret, in hexadecimal. `None` where the system has no randomness, and then there is none to be had.
pub fn generate() -> Option<String> {
    let mut bytes = [0; SECRET_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

/// Whether a text can be a token at all. What can't be is not looked up.
pub fn is_token(text: &str) -> bool {
    text.len() == SECRET_BYTES * 2 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let drawn: HashSet<String> = (0..1000).map(|_| generate().unwrap()).collect();
        assert_eq!(drawn.len(), 1000);
        assert!(drawn.iter().all(|token| is_token(token) && token.len() == 64));
        for text in ["", "abc", &"A".repeat(64), &"g".repeat(64), &"a".repeat(65)] {
            assert!(!is_token(text), "{text}");
        }
    }
}
