//! Normalization of white space.

/// Replaces every run of Unicode white space with one space and trims both ends.
pub fn fold_whitespace(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// Folds white space like [`fold_whitespace`], but returns `None` if the text is blank.
pub fn fold_non_blank(text: &str) -> Option<String> {
    Some(fold_whitespace(text)).filter(|folded| !folded.is_empty())
}
