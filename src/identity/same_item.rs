//! Decides which matching properties prove that two items of one source with different guids are the same item.
//!
//! A link or title by itself proves nothing: some sources give all items the same link, and columns have the same title
//! every day. If the evidence is insufficient, an item counts as new: a duplicate joins the original's story, but an
//! overwritten item is lost.

use super::comparison::{Agreement, Comparison};
use super::links::LinkAgreement;
use Agreement::{Different, Same, Similar, Unknown};

pub fn is_same_item(items: &Comparison) -> bool {
    match items.link {
        LinkAgreement::Same => is_same_at_same_link(items),
        LinkAgreement::Similar => is_same_at_similar_link(items),
        LinkAgreement::Different => is_same_at_different_link(items),
        LinkAgreement::Unknown => is_same_without_link(items),
    }
}

fn is_same_at_same_link(items: &Comparison) -> bool {
    let is_dated_apart = items.date == Different;
    // The link leads to one article, and the dates of the items are close or unknown.
    let is_article = items.is_link_specific && !is_dated_apart;
    if is_article && !items.has_own_guid {
        return true;
    }
    match (items.title, items.text) {
        (Same, Same) => true,
        (Same, Similar | Unknown) => items.is_link_specific || !is_dated_apart,
        (Similar, Same) => items.is_link_specific || !is_dated_apart,
        (Same, Different) | (Similar, Unknown) => items.date == Same || is_article,
        (Similar, Different) => items.date == Same,
        (_, Same) => {
            items.date == Same
                || items.is_link_specific && items.is_text_specific
                || !items.has_own_guid && !is_dated_apart
        }
        (_, Similar) => items.date == Same || is_article && items.is_text_specific,
        (_, Different | Unknown) => items.date == Same && items.is_link_specific,
    }
}

fn is_same_at_similar_link(items: &Comparison) -> bool {
    match (items.title, items.text) {
        (Same, Same) => items.date != Different || items.is_text_specific,
        (Same, Similar | Unknown) => items.date == Same || items.is_title_specific && items.date != Different,
        (Same, Different) => items.date == Same && items.is_title_specific,
        (Similar, Same) => matches!(items.date, Same | Unknown) && items.is_text_specific,
        (_, Same) => items.date == Same && items.is_text_specific,
        _ => false,
    }
}

fn is_same_at_different_link(items: &Comparison) -> bool {
    match (items.title, items.text) {
        (Same, Same) => match items.date {
            Same => true,
            Similar => items.is_text_specific,
            Unknown => items.is_text_specific && items.is_title_specific,
            Different => false,
        },
        (Same, Similar) => items.date == Same,
        (Same, Unknown) => items.date == Same && items.is_title_specific,
        (Similar, Same) => items.date == Same && items.is_text_specific,
        _ => false,
    }
}

fn is_same_without_link(items: &Comparison) -> bool {
    let is_title_enough = items.is_title_specific || !items.has_own_guid;
    match (items.title, items.text) {
        (Same, Same) => items.date != Different,
        (Same, Similar) => items.date == Same || is_title_enough && items.date != Different,
        (Same, Unknown) => items.date == Same || is_title_enough && items.date != Different,
        (Same, Different) => items.date == Same && is_title_enough,
        (_, Same) => items.date == Same || items.is_text_specific && items.date == Unknown,
        (Similar, Similar) => items.date == Same && is_title_enough,
        _ => false,
    }
}
