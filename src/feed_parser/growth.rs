//! How much longer than they stand in a document its addresses may become.
//!
//! `<link>a</link>` with a base of two thousand letters becomes two thousand letters, and a letter of Arabic six. A
//! document of nothing else would need many times its size in memory, so all its addresses together may grow by as
//! much as the document is long, which those of real feeds do not by far.

/// What is left of the growth that a document is allowed.
pub struct Growth {
    left: usize,
}

/// Granted to every document: a small one may have a long base.
const GRANTED: usize = 1024 * 1024;

impl Growth {
    pub fn of(document: &str) -> Self {
        Growth { left: document.len() + GRANTED }
    }

    /// Whether an address may become so much longer; if so, it has.
    pub fn allows(&mut self, said: &str, address: &str) -> bool {
        let grown = address.len().saturating_sub(said.len());
        let allowed = grown <= self.left;
        self.left -= if allowed { grown } else { 0 };
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_grow_until_the_document_has_no_room_for_it() {
        let mut growth = Growth { left: 10 };
        assert!(growth.allows("a", "http://a"));
        assert!(!growth.allows("a", "http://a"));
        assert!(growth.allows("http://a", "http://a"));
    }
}
