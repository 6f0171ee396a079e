//! Describes why an item belongs to its story.

use super::count_of;
use crate::domain::{ItemId, JoinEvidence, JoinReason, StoryId};

/// One reason: its wording and, if the wording refers to an item or a story, that item or story. Pages display it as a
/// link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonText {
    pub text: String,
    pub refers_to: Option<ReasonTarget>,
}

/// What a reason refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonTarget {
    Item(ItemId),
    Story(StoryId),
}

/// Returns all reasons for an item's place in its story. The score comes last, if the item was compared with others.
pub fn join_reasons(evidence: &JoinEvidence) -> Vec<ReasonText> {
    let mut reasons: Vec<ReasonText> = evidence.reasons.iter().map(reason_text).collect();
    let score = format!("{:.2} (threshold {:.2})", evidence.score, evidence.threshold);
    match (evidence.joined(), evidence.threshold > 0.0) {
        (true, true) => reasons.push(plain(format!("score {score}"))),
        (true, false) => {}
        (false, true) => reasons.insert(0, plain(format!("first report; closest match scored {score}"))),
        (false, false) if reasons.is_empty() => reasons.push(plain("first report; no similar item was found".into())),
        (false, false) => reasons.insert(0, plain("first report; closest match".into())),
    }
    reasons
}

/// Joins [`join_reasons`] into a sentence without a period: `shares ‘grid’, ‘Veshna’; score 0.71 (threshold 0.52)`.
pub fn reason_sentence(evidence: &JoinEvidence) -> String {
    join_reasons(evidence).iter().map(ReasonText::to_string).collect::<Vec<_>>().join("; ")
}

/// Returns the most informative reason, without the score. Returns `None` for the first report of a story.
pub fn main_reason(evidence: &JoinEvidence) -> Option<String> {
    let rank = |reason: &&JoinReason| match reason {
        JoinReason::SameLink { .. } | JoinReason::Copy { .. } => 0,
        JoinReason::SharedTerms { .. } => 1,
        JoinReason::Constrained { .. } => 2,
        _ => 3,
    };
    let reason = evidence.reasons.iter().min_by_key(rank).filter(|reason| rank(reason) < 3)?;
    evidence.joined().then(|| reason_text(reason).to_string())
}

fn reason_text(reason: &JoinReason) -> ReasonText {
    let percent = |likeness: f32| format!("{:.0}%", likeness * 100.0);
    match reason {
        JoinReason::SameLink { item } => about("same link as".to_owned(), *item),
        JoinReason::Copy { item, similarity } => about(format!("{} of its text matches", percent(*similarity)), *item),
        JoinReason::SimilarTitle { item, similarity } => {
            about(format!("title {} similar to that of", percent(*similarity)), *item)
        }
        JoinReason::SharedTerms { terms } => {
            let quoted: Vec<String> = terms.iter().map(|term| format!("‘{term}’")).collect();
            plain(format!("shares {}", quoted.join(", ")))
        }
        JoinReason::DifferentNumbers { numbers } => plain(format!("but differs in numbers ({})", numbers.join(", "))),
        JoinReason::Merged { from } => about_story("merged from", *from),
        JoinReason::Regrouped { from } => about_story("moved in a regrouping pass from", *from),
        JoinReason::Constrained { constraint } => plain(format!("placed here by operator decision {constraint}")),
        JoinReason::StorySize { outlets, hours } => {
            plain(format!("{} within {hours} h", count_of(*outlets as usize, "outlet", "outlets")))
        }
    }
}

fn plain(text: String) -> ReasonText {
    ReasonText { text, refers_to: None }
}

fn about(text: String, item: ItemId) -> ReasonText {
    ReasonText { text, refers_to: Some(ReasonTarget::Item(item)) }
}

fn about_story(text: &str, story: StoryId) -> ReasonText {
    ReasonText { text: text.to_owned(), refers_to: Some(ReasonTarget::Story(story)) }
}

impl std::fmt::Display for ReasonText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.refers_to {
            Some(ReasonTarget::Item(item)) => write!(f, "{} item {item}", self.text),
            Some(ReasonTarget::Story(story)) => write!(f, "{} story {story}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_reads_as_a_sentence() {
        let evidence = JoinEvidence {
            score: 0.714,
            threshold: 0.52,
            reasons: vec![
                JoinReason::SharedTerms { terms: vec!["armoured".into(), "Veshna".into()] },
                JoinReason::StorySize { outlets: 3, hours: 5 },
            ],
        };
        let sentence = "shares ‘armoured’, ‘Veshna’; 3 outlets within 5 h; score 0.71 (threshold 0.52)";
        assert_eq!(reason_sentence(&evidence), sentence);
        assert_eq!(main_reason(&evidence).as_deref(), Some("shares ‘armoured’, ‘Veshna’"));
        let alone = JoinEvidence { score: 0.07, threshold: 0.55, reasons: Vec::new() };
        assert_eq!(reason_sentence(&alone), "first report; closest match scored 0.07 (threshold 0.55)");
        assert_eq!(reason_sentence(&JoinEvidence::default()), "first report; no similar item was found");
    }
}
