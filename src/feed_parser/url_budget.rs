//! Bounds the memory that the URLs of one document use.
//!
//! Resolving makes URLs longer: `<link>a</link>` under a base of 2,000 bytes becomes 2,000 bytes, and percent-encoding
//! makes one Arabic letter six bytes. A document of nothing else would need many times its size in memory. So all URLs of
//! a document together may grow by the document's length, far more than the URLs of real feeds do.

/// How many more bytes the URLs of a document may grow by.
pub struct UrlBudget {
    remaining_bytes: usize,
}

/// Granted to every document, since a small one may have a long base.
const GRANTED_BYTES: usize = 1024 * 1024;

impl UrlBudget {
    pub fn for_document(text: &str) -> Self {
        UrlBudget { remaining_bytes: text.len() + GRANTED_BYTES }
    }

    /// Spends what resolving `written` to `resolved` costs. Returns false, and spends nothing, if too little remains.
    pub fn try_spend(&mut self, written: &str, resolved: &str) -> bool {
        let growth = resolved.len().saturating_sub(written.len());
        let is_allowed = growth <= self.remaining_bytes;
        if is_allowed {
            self.remaining_bytes -= growth;
        }
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_grow_until_the_budget_is_spent() {
        let mut budget = UrlBudget { remaining_bytes: 10 };
        assert!(budget.try_spend("a", "http://a"));
        assert!(!budget.try_spend("a", "http://a"));
        assert!(budget.try_spend("http://a", "http://a"));
    }
}
