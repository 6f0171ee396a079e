//! The formula of the inverse document frequency (IDF): how rare a term is among the items in the window.

/// The number of documents assumed to precede the first one, so that not all terms of the first items are rare.
const PRIOR_DOCUMENTS: f32 = 1000.0;
/// The number of document frequencies with a precomputed logarithm.
const CACHED_LOGARITHMS: u32 = 4096;

pub(super) struct IdfFormula {
    /// `ln(N + 1)`, where N is the number of documents plus [`PRIOR_DOCUMENTS`]. Every IDF uses this value.
    log_documents: f32,
    /// `ln(n + 0.5)` for small n. Every IDF uses one of these values.
    logarithms: Vec<f32>,
}

impl Default for IdfFormula {
    fn default() -> IdfFormula {
        IdfFormula {
            log_documents: log_documents(0),
            logarithms: (0..CACHED_LOGARITHMS).map(|n| libm::logf(n as f32 + 0.5)).collect(),
        }
    }
}

impl IdfFormula {
    pub(super) fn set_document_count(&mut self, documents: u32) {
        self.log_documents = log_documents(documents);
    }

    /// Returns the inverse document frequency of a term, divided by the value for an unseen term, so that it is between
    /// 0 and 1: `ln((N + 1) / (df + 0.5)) / ln((N + 1) / 0.5)`, at least 0.02. `df` is the number of documents with the
    /// term.
    pub(super) fn idf(&self, df: u32) -> f32 {
        let own = self.logarithms.get(df as usize).copied().unwrap_or_else(|| libm::logf(df as f32 + 0.5));
        ((self.log_documents - own) / (self.log_documents + std::f32::consts::LN_2)).max(0.02)
    }
}

fn log_documents(documents: u32) -> f32 {
    libm::logf(documents as f32 + PRIOR_DOCUMENTS + 1.0)
}
