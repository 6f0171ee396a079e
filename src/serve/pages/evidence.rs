//! Why a report is in its story, in words that readers understand: outlets are named in the place of items' numbers.

use crate::domain::{ItemId, JoinReason, Story, StoryItem};

/// One reason: words, a report of the same story that they lead to, and what follows.
pub(super) struct Because {
    pub before: String,
    pub report: Option<(ItemId, String)>,
    pub after: String,
}

/// The reasons for which a report is in its story; the last one is the score, where there is one.
pub(super) fn because(report: &StoryItem, story: &Story) -> Vec<Because> {
    let evidence = &report.evidence;
    let mut all = Vec::new();
    if !evidence.joined() {
        let nearest = if evidence.reasons.is_empty() { "nothing like it was known" } else { "what came nearest" };
        all.push(plain(format!("it began the story; {nearest}")));
    }
    all.extend(evidence.reasons.iter().map(|reason| in_words(reason, story)));
    if evidence.needed > 0.0 {
        all.push(plain(format!("score {:.2}, needed {:.2}", evidence.score, evidence.needed)));
    }
    all
}

fn in_words(reason: &JoinReason, story: &Story) -> Because {
    match reason {
        JoinReason::SameLink { with } => about("it links to the same article as", *with, "", story),
        JoinReason::Copy { of, likeness } => {
            about(&format!("{:.0}% of its text is that of", likeness * 100.0), *of, "", story)
        }
        JoinReason::NearTitle { with, likeness } => {
            let after = format!(" by {:.0}%", likeness * 100.0);
            about("its headline is like that of", *with, &after, story)
        }
        other => plain(other.to_string()),
    }
}

fn plain(before: String) -> Because {
    Because { before, report: None, after: String::new() }
}

/// A reason that leads to another report, which may meanwhile be in another story, or gone.
fn about(before: &str, item: ItemId, after: &str, story: &Story) -> Because {
    match story.items.iter().find(|report| report.item.id == item) {
        Some(report) => Because {
            before: format!("{before} "),
            report: Some((item, format!("{}’s report", report.item.outlet))),
            after: after.to_owned(),
        },
        None => plain(format!("{before} item {item}, which is elsewhere now{after}")),
    }
}
