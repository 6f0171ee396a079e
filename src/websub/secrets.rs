//! Generates tokens, secrets and challenges: 256 random bits from the operating system, through ring.

use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom, SystemRandom};

const SECRET_BYTES: usize = 32;

/// Generates a token, secret or challenge in hexadecimal; `None` if the system returns no random bytes.
pub fn generate() -> Option<String> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(HEXLOWER.encode(&bytes))
}

/// Returns whether a string has the format of a token. Other strings need no database lookup.
pub fn has_token_format(text: &str) -> bool {
    text.len() == SECRET_BYTES * 2 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn tokens_have_256_bits_and_do_not_repeat() {
        let tokens: HashSet<String> = (0..1000).map(|_| generate().unwrap()).collect();
        assert_eq!(tokens.len(), 1000);
        assert!(tokens.iter().all(|token| has_token_format(token) && token.len() == 64));
        for text in ["", "abc", &"A".repeat(64), &"g".repeat(64), &"a".repeat(65)] {
            assert!(!has_token_format(text), "{text}");
        }
    }
}
