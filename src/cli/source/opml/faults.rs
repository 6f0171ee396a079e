//! Messages about the faults in a subscription list, in the format `FILE:LINE: MESSAGE`.

use super::subscription_file::SimilarAddress;
use crate::opml::OpmlFault;
use crate::opml::read::SubscriptionList;
use std::process::ExitCode;

/// The maximum number of lines that a message lists.
const MAX_LISTED_LINES: usize = 10;

/// Prints one message for each repair, skipped line and fault.
pub fn print_faults(list: &SubscriptionList, repeated: usize, file: &str) {
    for repair in repairs(list) {
        eprintln!("{file}: repaired: {repair}");
    }
    if let Some(first) = list.bare_ampersand_lines.first() {
        let lines = line_numbers(&list.bare_ampersand_lines);
        eprintln!("{file}:{first}: repaired: an unescaped & was read as a literal & on {lines}");
    }
    if let Some(OpmlFault { line, message }) = &list.fault {
        eprintln!("{file}:{line}: not well-formed, so outlines may be missing: {message}");
    }
    if let Some(OpmlFault { line, message }) = &list.exceeded_limit {
        eprintln!("{file}:{line}: {message}");
    }
    if repeated > 0 {
        eprintln!("{file}: {repeated} subscriptions repeat an earlier one; their tags are added to it");
    }
    for OpmlFault { line, message } in &list.unusable {
        eprintln!("{file}:{line}: {message}");
    }
}

pub fn repairs(list: &SubscriptionList) -> Vec<String> {
    list.problems.iter().map(|p| format!("{} ×{}: {}", p.kind.into_str(), p.count, p.detail)).collect()
}

fn line_numbers(lines: &[usize]) -> String {
    let named: Vec<String> = lines.iter().take(MAX_LISTED_LINES).map(usize::to_string).collect();
    let more = if lines.len() > MAX_LISTED_LINES { " and more" } else { "" };
    match lines.len() {
        1 => format!("line {}", named[0]),
        count => format!("{count} lines ({}{more})", named.join(", ")),
    }
}

pub fn print_similar(similar: &[SimilarAddress], file: &str) {
    for SimilarAddress { line, url, like } in similar {
        eprintln!("{file}:{line}: {url} may be the same feed as {like}");
    }
}

/// Returns a failure if a part of the file could not be used.
pub fn exit_code(list: &SubscriptionList) -> ExitCode {
    let is_complete = !list.is_truncated && list.exceeded_limit.is_none() && list.unusable.is_empty();
    if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
