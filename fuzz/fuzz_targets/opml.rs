//! A subscription list from a stranger; and what is written of it is read again as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use newsfold::opml::FeedOutline;
use newsfold::opml::read::read_opml;
use newsfold::opml::write::write_opml;

fuzz_target!(|data: &[u8]| {
    let Ok(list) = read_opml(data) else { return };
    let lines = 1 + data.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() * 2 + data.len();
    for outline in &list.outlines {
        assert!(!outline.xml_url.is_empty() && (1..=lines).contains(&outline.line));
        assert!(outline.categories.iter().all(|category| !category.is_empty()));
    }

    let written = write_opml("Subscriptions", &list.outlines);
    let again = read_opml(written.as_bytes()).expect("what was written is OPML");
    assert_eq!((&again.fault, again.ends_early), (&None, false), "{written}");
    assert_eq!((again.unusable.as_slice(), again.ampersands.as_slice()), (&[][..], &[][..]), "{written}");
    assert!(again.problems.is_empty(), "{:?}", again.problems);
    assert_eq!(said(&list.outlines), said(&again.outlines), "{written}");
});

/// What outlines say, in no order: a list is written by its folders.
fn said(outlines: &[FeedOutline]) -> Vec<[&str; 6]> {
    let mut said: Vec<[&str; 6]> = outlines
        .iter()
        .map(|outline| {
            [
                outline.xml_url.as_str(),
                outline.title.as_deref().unwrap_or(&outline.xml_url),
                outline.html_url.as_deref().unwrap_or_default(),
                outline.language.as_deref().unwrap_or_default(),
                outline.outlet.as_deref().unwrap_or_default(),
                outline.priority.as_deref().unwrap_or_default(),
            ]
        })
        .collect();
    said.sort_unstable();
    said
}
