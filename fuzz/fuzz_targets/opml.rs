//! Reads a subscription list, writes it and reads it again: both results must be equal.

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
    let again = read_opml(written.as_bytes()).expect("a written list is OPML");
    assert_eq!((&again.fault, again.is_truncated), (&None, false), "{written}");
    assert_eq!((again.unusable.as_slice(), again.bare_ampersand_lines.as_slice()), (&[][..], &[][..]), "{written}");
    assert!(again.problems.is_empty(), "{:?}", again.problems);
    assert_eq!(values(&list.outlines), values(&again.outlines), "{written}");
});

/// The values of outlines, sorted, because a list is written in the order of its folders.
fn values(outlines: &[FeedOutline]) -> Vec<[&str; 6]> {
    let mut values: Vec<[&str; 6]> = outlines
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
    values.sort_unstable();
    values
}
