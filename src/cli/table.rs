//! Tables of commands. Other programs get one line per row with absolute times. A terminal gets relative times, no
//! empty columns, and texts that are truncated to its width. IDs, URLs and domains are never truncated or wrapped.

use crate::domain::Timestamp;
use crate::domain::display_text::one_line;
use crate::wording::{Audience, duration};
use comfy_table::{ContentArrangement, Table, presets};
use jiff::SignedDuration;
use std::io::IsTerminal;

/// The heading of a column, and the function that returns its cell for a row.
pub type Column<T> = (&'static str, fn(&T) -> String);

/// The columns that a terminal may truncate.
const TEXT_COLUMNS: [&str; 7] = ["title", "name", "tags", "detail", "problem", "reason", "last failure"];
/// The minimum width of a column that is truncated, in characters.
const MIN_TEXT_WIDTH: usize = 12;
/// The blank characters next to a cell, including the separator of columns.
const PADDING: usize = 3;
/// Times that are further away than this are shown as dates.
const MAX_RELATIVE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Formats a table.
pub fn table<T>(rows: &[T], columns: &[Column<T>]) -> String {
    let cells = rows.iter().map(|row| columns.iter().map(|(_, cell)| cell(row)).collect()).collect();
    let headings = columns.iter().map(|(heading, _)| *heading).collect();
    let in_terminal = std::io::stdout().is_terminal();
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.load_style(if in_terminal { presets::UTF8_HORIZONTAL_ONLY } else { presets::NOTHING });
    // A serial console and some containers report a width of zero.
    let width = table.width().filter(|width| in_terminal && *width > 0);
    let (headings, cells) = match width {
        Some(width) => fit(headings, cells, width.into()),
        None => (headings, cells),
    };
    table.set_header(headings);
    table.add_rows(cells);
    table.trim_fmt()
}

/// Removes columns without content, and truncates texts so that a row fits a terminal of this width, if possible.
fn fit(
    mut headings: Vec<&'static str>,
    mut cells: Vec<Vec<String>>,
    terminal_width: usize,
) -> (Vec<&'static str>, Vec<Vec<String>>) {
    for column in (0..headings.len()).rev() {
        if cells.iter().all(|row| row[column].is_empty()) {
            headings.remove(column);
            cells.iter_mut().for_each(|row| _ = row.remove(column));
        }
    }
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.len()).collect();
    for row in &cells {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let excess =
        |widths: &[usize]| (widths.iter().sum::<usize>() + PADDING * widths.len()).saturating_sub(terminal_width);
    // Truncate the widest text first.
    while excess(&widths) > 0 {
        let is_text = |column: &usize| TEXT_COLUMNS.contains(&headings[*column]) && widths[*column] > MIN_TEXT_WIDTH;
        let Some(widest) = (0..widths.len()).filter(is_text).max_by_key(|column| widths[*column]) else { break };
        widths[widest] -= 1;
    }
    for row in &mut cells {
        for (cell, width) in row.iter_mut().zip(&widths) {
            if cell.chars().count() > *width {
                *cell = one_line(cell, width - 1);
            }
        }
    }
    (headings, cells)
}

/// Formats a time for a table: relative to the current time on a terminal, and absolute for other programs.
pub fn table_time(at: Timestamp) -> String {
    if std::io::stdout().is_terminal() { relative_time(at, Timestamp::now()) } else { Audience::Operator.time(at) }
}

/// Formats a time for a table, or `None` as “never”.
pub fn optional_table_time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".into(), table_time)
}

fn relative_time(at: Timestamp, now: Timestamp) -> String {
    let distance = now.duration_since(at);
    if distance.abs() > MAX_RELATIVE {
        return Audience::Operator.time(at).split(' ').next().unwrap_or_default().to_owned();
    }
    match distance.as_secs() {
        0 => "now".into(),
        1.. => format!("{} ago", duration(distance)),
        _ => format!("in {}", duration(distance.abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_fits_the_terminal_without_cutting_ids_and_urls() {
        let headings = vec!["no", "title", "origin", "reason"];
        let row = |title: &str| {
            vec!["12".to_owned(), title.to_owned(), "https://news.example.org:8443".to_owned(), String::new()]
        };
        let (headings, cells) = fit(headings, vec![row("Short"), row(&"long title ".repeat(9))], 60);
        assert_eq!(headings, ["no", "title", "origin"], "the empty column is left out");
        assert_eq!(cells[0], ["12", "Short", "https://news.example.org:8443"]);
        assert_eq!(cells[1][1], "long title long tit…");
        assert_eq!(cells[1][2], "https://news.example.org:8443");
        let width: usize = cells[1].iter().map(|cell| cell.chars().count() + PADDING).sum();
        assert!(width <= 60, "{width}");
    }

    #[test]
    fn columns_stay_readable_if_the_terminal_is_too_narrow() {
        let (_, cells) = fit(vec!["title", "origin"], vec![vec!["a".repeat(40), "b".repeat(40)]], 10);
        assert_eq!(cells[0], [format!("{}…", "a".repeat(11)), "b".repeat(40)]);
    }

    #[test]
    fn times_are_relative_within_a_week() {
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let at = |seconds| relative_time(now + SignedDuration::from_secs(seconds), now);
        assert_eq!([at(0), at(-90), at(7200)], ["now", "1 min ago", "in 2 h"]);
        assert_eq!(at(-30 * 24 * 3600).len(), "2026-01-31".len());
    }
}
