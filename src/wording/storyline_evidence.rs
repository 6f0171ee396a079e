//! Describes why a story belongs to its storyline.

use crate::domain::{StorylineEvidence, UnusualTerm};

/// The minimum rate at which a term is described as unusual. Lower rates occur by chance.
const MIN_STATED_RATE: f32 = 3.0;

/// Returns why a story belongs to its storyline of `story_count` stories: `this story and others in the
/// storyline mention ‘Maduro’ and ‘Caracas’ (40 times their usual rate)`.
pub fn storyline_reason(evidence: &StorylineEvidence, story_count: u32) -> String {
    if let Some(constraint) = evidence.constraint {
        return format!("placed here by operator decision {constraint}");
    }
    if story_count == 1 {
        return "the only story of its storyline".into();
    }
    let in_other_language = evidence.cosine_across_languages.map(|cosine| {
        format!("the embedding of its text is similar to that of a story in another language (cosine {cosine:.2})")
    });
    if evidence.terms.is_empty() && in_other_language.is_none() {
        return match evidence.score > 0.0 {
            true => "similar to another story".into(),
            false => "the storyline started with this story".into(),
        };
    }
    let (unusual, others): (Vec<&UnusualTerm>, Vec<&UnusualTerm>) =
        evidence.terms.iter().partition(|term| term.rate >= MIN_STATED_RATE);
    let subject = "this story and others in the storyline";
    let unusual =
        (!unusual.is_empty()).then(|| format!("{subject} mention {} ({})", listed(&unusual), rate_text(&unusual)));
    let subject = if unusual.is_some() { "they also" } else { subject };
    let others = (!others.is_empty()).then(|| format!("{subject} mention {}", listed(&others)));
    unusual.into_iter().chain(others).chain(in_other_language).collect::<Vec<_>>().join("; ")
}

/// Describes a term: `‘Maduro’: 40 times its usual rate`.
pub fn term_rate_text(term: &UnusualTerm) -> String {
    if term.rate < MIN_STATED_RATE {
        return format!("‘{}’: not above its usual rate", term.term);
    }
    format!("‘{}’: {}", term.term, rate_text(&[term]))
}

/// Formats how often terms occur: `40 times their usual rate`, or `at least 40 times their usual rate` if the rates
/// differ.
fn rate_text(terms: &[&UnusualTerm]) -> String {
    let rates = || terms.iter().map(|term| term.rate.round());
    let (least, most) = (rates().fold(f32::INFINITY, f32::min), rates().fold(0.0, f32::max));
    let at_least = if least < most { "at least " } else { "" };
    let whose = if terms.len() == 1 { "its" } else { "their" };
    format!("{at_least}{least:.0} times {whose} usual rate")
}

/// Lists terms: `‘Maduro’, ‘Caracas’ and ‘Flores’`.
fn listed(terms: &[&UnusualTerm]) -> String {
    let quoted: Vec<String> = terms.iter().map(|term| format!("‘{}’", term.term)).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ConstraintId;

    fn reason(terms: &[(&str, f32)], change: impl FnOnce(&mut StorylineEvidence)) -> String {
        let terms = terms.iter().map(|(term, rate)| UnusualTerm { term: (*term).to_owned(), rate: *rate }).collect();
        let mut evidence = StorylineEvidence { score: 0.8, terms, ..StorylineEvidence::default() };
        change(&mut evidence);
        storyline_reason(&evidence, 2)
    }

    #[test]
    fn evidence_names_unusual_terms_with_their_rate() {
        let both = reason(&[("Maduro", 40.2), ("Caracas", 39.8)], |_| ());
        let expected =
            "this story and others in the storyline mention ‘Maduro’ and ‘Caracas’ (40 times their usual rate)";
        assert_eq!(both, expected);
        let different = reason(&[("Maduro", 200.0), ("Caracas", 40.0), ("jail", 3.5)], |_| ());
        assert!(different.ends_with(" mention ‘Maduro’, ‘Caracas’ and ‘jail’ (at least 4 times their usual rate)"));
        let mixed = reason(&[("Maduro", 40.0), ("jail", 1.2)], |_| ());
        assert!(mixed.ends_with(" mention ‘Maduro’ (40 times its usual rate); they also mention ‘jail’"), "{mixed}");
        let usual = reason(&[("jail", 1.2), ("court", 2.9)], |_| ());
        assert_eq!(usual, "this story and others in the storyline mention ‘jail’ and ‘court’");
    }

    #[test]
    fn evidence_states_that_a_story_in_another_language_has_a_similar_embedding() {
        let similar = |evidence: &mut StorylineEvidence| evidence.cosine_across_languages = Some(0.714);
        let stated = "the embedding of its text is similar to that of a story in another language (cosine 0.71)";
        assert_eq!(reason(&[], similar), stated);
        let with_term = reason(&[("Maduro", 40.0)], similar);
        assert!(with_term.ends_with(&format!(" mention ‘Maduro’ (40 times its usual rate); {stated}")), "{with_term}");
    }

    #[test]
    fn evidence_without_terms_names_the_decision_or_the_position_of_the_story() {
        let placed = reason(&[], |evidence| evidence.constraint = Some(ConstraintId(3)));
        assert_eq!(placed, "placed here by operator decision 3");
        assert_eq!(reason(&[], |evidence| evidence.score = 0.0), "the storyline started with this story");
        assert_eq!(storyline_reason(&StorylineEvidence::default(), 1), "the only story of its storyline");
    }
}
