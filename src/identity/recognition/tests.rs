//! Recognition by guid, link and title, and what rules it out.

use super::*;

const RAIN: &str = "Rain closes the mountain pass";

fn item(link: &str, title: &str) -> NewItem {
    NewItem {
        guid: String::new(),
        url: None,
        canonical_url: (!link.is_empty()).then(|| link.to_owned()),
        title: title.to_owned(),
        summary: String::new(),
        content: None,
        author: None,
        lang: None,
        image: None,
        published_at: None,
    }
}

fn stored(same_link: &[i64], same_title: &[i64]) -> StoredMatches {
    let ids = |ids: &[i64]| ids.iter().map(|id| ItemId(*id)).collect();
    StoredMatches::NewGuid { same_link: ids(same_link), is_link_removed: false, same_title: ids(same_title) }
}

fn check<const N: usize>(document: [(NewItem, StoredMatches); N], expected: [ItemRecognition; N]) {
    let (items, matches): (Vec<_>, Vec<_>) = document.into_iter().unzip();
    assert_eq!(recognize_items(&items, &matches), expected);
}

fn known(id: i64, by: MatchedBy) -> ItemRecognition {
    ItemRecognition::Known(ItemId(id), by)
}

#[test]
fn guid_takes_precedence_over_link_and_link_over_title() {
    check([(item("a", RAIN), StoredMatches::Guid(ItemId(1)))], [known(1, MatchedBy::Guid)]);
    check([(item("a", RAIN), stored(&[1], &[2]))], [known(1, MatchedBy::Link)]);
    check([(item("a", RAIN), stored(&[], &[2]))], [known(2, MatchedBy::Title)]);
    check([(item("a", RAIN), stored(&[], &[]))], [ItemRecognition::New]);
}

#[test]
fn link_or_title_of_several_items_identifies_none() {
    check([(item("a", RAIN), stored(&[1, 2], &[]))], [ItemRecognition::New]);
    check([(item("a", RAIN), stored(&[], &[1, 2]))], [ItemRecognition::New]);
    check([(item("a", "1"), stored(&[1], &[])), (item("a", "2"), stored(&[1], &[]))], [ItemRecognition::New; 2]);
    check([(item("a", RAIN), stored(&[], &[1])), (item("b", RAIN), stored(&[], &[1]))], [ItemRecognition::New; 2]);
    check([(item("a", "Morning briefing"), stored(&[], &[1]))], [ItemRecognition::New]);
}

#[test]
fn item_under_its_guid_is_not_also_another_item() {
    let under_its_guid = || (item("b", "Pass reopens on Friday"), StoredMatches::Guid(ItemId(1)));
    let both = [known(1, MatchedBy::Guid), ItemRecognition::New];
    check([under_its_guid(), (item("a", RAIN), stored(&[1], &[]))], both);
    check([under_its_guid(), (item("a", RAIN), stored(&[], &[1]))], both);
    check(
        [(item("a", "Pass closed by rain"), stored(&[], &[1])), (item("b", RAIN), stored(&[1], &[]))],
        [ItemRecognition::New, known(1, MatchedBy::Link)],
    );
}

#[test]
fn removed_item_is_not_new() {
    check([(item("a", RAIN), StoredMatches::RemovedGuid)], [ItemRecognition::Removed]);
    let removed = StoredMatches::NewGuid { same_link: vec![], is_link_removed: true, same_title: vec![ItemId(1)] };
    check([(item("a", RAIN), removed.clone())], [ItemRecognition::Removed]);
    check([(item("", RAIN), removed)], [known(1, MatchedBy::Title)]);
}
