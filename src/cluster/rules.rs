//! The rules that override scores. They hold after each assignment and each reclustering pass.

use super::agglomerative::{Constraint, forbids_merge};
use super::equal_titles::EqualTitles;
use super::indexed_item::IndexedItem;
use super::numbered_series::is_numbered_series;
use super::window::ItemWindow;
use serde::Serialize;

/// A rule that always or never joins two items. If several rules apply, [`ItemWindow::rule`] determines which one
/// decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
pub enum GroupingRule {
    /// A must-link constraint.
    #[strum(to_string = "the operator merged their stories")]
    OperatorMerged,
    /// A cannot-link constraint.
    #[serde(rename = "operator")]
    #[strum(to_string = "the operator separated them")]
    OperatorSeparated,
    #[strum(to_string = "they have the same link")]
    SameLink,
    #[strum(to_string = "they belong to a numbered series: only their numbers differ")]
    NumberedSeries,
    #[strum(to_string = "their titles name a recurring column, and their texts differ")]
    RecurringColumn,
}

impl GroupingRule {
    /// Returns whether the rule joins the items rather than separating them.
    pub fn joins(self) -> bool {
        matches!(self, GroupingRule::OperatorMerged | GroupingRule::SameLink)
    }
}

/// Why two items are not joined even though their links are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
pub enum IgnoredLink {
    #[strum(to_string = "it leads to a home or section page")]
    NoArticle,
    #[strum(to_string = "a source uses it for several items")]
    Reused,
}

impl ItemWindow {
    /// Returns the rule that applies to two items.
    pub(super) fn rule(&self, a: &IndexedItem, b: &IndexedItem) -> Option<GroupingRule> {
        let (of_a, of_b) = (self.constraints(a.id), self.constraints(b.id));
        if forbids_merge(of_a, of_b) {
            Some(GroupingRule::OperatorSeparated)
        } else if requires_merge(of_a, of_b) {
            Some(GroupingRule::OperatorMerged)
        } else if self.have_same_link(a, b) {
            Some(GroupingRule::SameLink)
        } else if is_numbered_series(a, b) {
            Some(GroupingRule::NumberedSeries)
        } else {
            is_recurring_column(a, b).then_some(GroupingRule::RecurringColumn)
        }
    }

    /// Returns whether the contents of two items prevent them from sharing a story.
    pub(super) fn are_separate(&self, a: &IndexedItem, b: &IndexedItem) -> bool {
        (is_numbered_series(a, b) || is_recurring_column(a, b)) && !self.have_same_link(a, b)
    }

    /// Returns whether two items share a link that identifies one event.
    pub(super) fn have_same_link(&self, a: &IndexedItem, b: &IndexedItem) -> bool {
        a.link == b.link && a.link.is_some_and(|link| self.links.identifies_event(link))
    }

    /// Returns why two items are not joined even though their links are equal.
    pub(super) fn ignored_link(&self, a: &IndexedItem, b: &IndexedItem) -> Option<IgnoredLink> {
        let link = a.link.filter(|link| b.link == Some(*link))?;
        if !link.is_article() {
            Some(IgnoredLink::NoArticle)
        } else {
            self.links.is_reused(link).then_some(IgnoredLink::Reused)
        }
    }
}

fn is_recurring_column(a: &IndexedItem, b: &IndexedItem) -> bool {
    let pair = EqualTitles(a, b);
    a.has_same_title(b) && pair.are_of_a_recurring_column() || pair.are_of_a_rubric()
}

fn requires_merge(one: &[Constraint], other: &[Constraint]) -> bool {
    let decisions = |constraints: &[Constraint]| -> Vec<i64> {
        let must_link = |constraint: &Constraint| match constraint {
            Constraint::MustLink { decision } => Some(*decision),
            Constraint::CannotLink { .. } => None,
        };
        constraints.iter().filter_map(must_link).collect()
    };
    let of_other = decisions(other);
    decisions(one).iter().any(|decision| of_other.contains(decision))
}
