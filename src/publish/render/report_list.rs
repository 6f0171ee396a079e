//! The reports of a story in its entry: one line per outlet.

use super::value_format::{encode_uri, rfc3339};
use crate::domain::display_text::has_right_to_left;
use crate::domain::language::{language_name, other_language};
use crate::domain::{EditionReport, ItemId};
use crate::markup::entities::escape_html;
use crate::publish::options::Options;
use crate::wording::count_of;
use indexmap::IndexMap;
use std::fmt::Write;

/// Returns the first line of an entry: the number of outlets and reports; `None` for a single report.
pub fn counts_line(outlet_count: u32, reports: &[EditionReport]) -> Option<String> {
    let outlets = count_of(outlet_count as usize, "outlet", "outlets");
    (reports.len() > 1).then(|| format!("<p>{outlets}, {} reports</p>", reports.len()))
}

/// The report whose headline is the title of the entry.
#[derive(Clone, Copy)]
pub struct Lead<'a> {
    pub item: ItemId,
    pub lang: Option<&'a str>,
}

/// Appends one line for each outlet, with its first report that is not a copy and then its other reports, and the link
/// to the story's page. The line of the lead's outlet has no headline, because that headline is the title of the entry.
/// A single report is the entry itself, so it needs no list. Reports in a language other than that of the lead are
/// marked.
pub fn push_reports(out: &mut String, reports: &[EditionReport], lead: Lead<'_>, page: &str, options: &Options) {
    if reports.len() < 2 {
        return;
    }
    let mut outlets: IndexMap<&str, Vec<&EditionReport>> = IndexMap::new();
    for report in reports {
        outlets.entry(&report.outlet).or_default().push(report);
    }
    out.push_str("<ul>");
    for (_, mut reports) in outlets {
        let lead_at = reports.iter().position(|report| report.item == lead.item);
        let first_original = || reports.iter().position(|report| !report.is_copy);
        let best = reports.remove(lead_at.or_else(first_original).unwrap_or(0));
        let outlet = byline(best);
        out.push_str("<li>");
        if lead_at.is_some() {
            push_report(out, &outlet, best, lead.lang, options);
        } else {
            let _ = write!(out, "{}: ", isolated(&outlet));
            push_report(out, &best.title, best, lead.lang, options);
        }
        if !reports.is_empty() {
            let more = count_of(reports.len(), "more report", "more reports");
            // Readers that do not know these elements would show the summary on the line of the report.
            let _ = write!(out, "<br><details><summary>{more}</summary><ul>");
            for report in reports {
                out.push_str("<li>");
                push_report(out, &report.title, report, lead.lang, options);
                out.push_str("</li>");
            }
            out.push_str("</ul></details>");
        }
        out.push_str("</li>");
    }
    let _ = write!(out, "</ul><p><a href=\"{}\">All reports of this story</a></p>", escape_html(page));
}

/// Returns the name of the report's outlet, with the publication that the feed names.
pub fn byline(report: &EditionReport) -> String {
    let name = report.outlet_name.as_deref().unwrap_or(&report.outlet);
    report.reporter.as_ref().map_or_else(|| name.to_owned(), |reporter| format!("{reporter} via {name}"))
}

/// Appends a text that links to a report, the report's time, and the reason why it is in the story.
fn push_report(out: &mut String, text: &str, report: &EditionReport, language: Option<&str>, options: &Options) {
    let other_language = other_language(report.lang.as_deref(), language);
    let text = headline_html(text, other_language);
    match &report.url {
        Some(url) => {
            let _ = write!(out, "<a href=\"{}\">{text}</a>", escape_html(&encode_uri(url)));
        }
        None => out.push_str(&text),
    }
    let (datetime, time) = (rfc3339(report.at), options.timezone.short_time_with_zone(report.at));
    let _ = write!(out, ", <time datetime=\"{datetime}\">{time}</time>{}", language_mark(other_language));
    if report.is_copy {
        out.push_str(" (copy)");
    }
    if let Some(why) = report.reason.as_deref().filter(|_| options.show_evidence) {
        let _ = write!(out, "; {}", escape_html(why));
    }
}

/// Returns a headline as HTML, with its language if it is not the language of the entry.
pub fn headline_html(title: &str, other_language: Option<&str>) -> String {
    let title = isolated(title);
    match other_language {
        Some(code) => format!("<span lang=\"{}\">{title}</span>", escape_html(code)),
        None => title,
    }
}

/// Returns a text as HTML. Right-to-left text is isolated, so that it does not change the order of the words around it.
pub fn isolated(text: &str) -> String {
    let escaped = escape_html(text);
    if has_right_to_left(text) { format!("<bdi>{escaped}</bdi>") } else { escaped }
}

/// Returns the name of a language that is not the language of the entry, in parentheses.
pub fn language_mark(other_language: Option<&str>) -> String {
    other_language.and_then(language_name).map_or_else(String::new, |name| format!(" ({name})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn report(outlet: &str, title: &str, is_copy: bool) -> EditionReport {
        EditionReport {
            item: ItemId(1),
            outlet: outlet.into(),
            outlet_name: None,
            reporter: None,
            title: title.into(),
            lang: None,
            url: None,
            at: Timestamp::UNIX_EPOCH,
            is_copy,
            reason: None,
        }
    }

    fn list(reports: &[EditionReport]) -> String {
        let mut out = String::new();
        let lead = Lead { item: ItemId(7), lang: Some("en") };
        push_reports(&mut out, reports, lead, "https://n.example/stories/1", &Options::default());
        out
    }

    #[test]
    fn each_outlet_has_one_line_with_its_other_reports_behind_it() {
        let reports =
            [report("a.example", "A copy", true), report("b.example", "B", false), report("a.example", "A", false)];
        assert_eq!(counts_line(2, &reports).unwrap(), "<p>2 outlets, 3 reports</p>");
        let time = "<time datetime=\"1970-01-01T00:00:00Z\">1 Jan 00:00 UTC</time>";
        assert_eq!(
            list(&reports).replace(time, "1 Jan"),
            "<ul><li>a.example: A, 1 Jan<br><details><summary>1 more report</summary><ul>\
             <li>A copy, 1 Jan (copy)</li></ul></details></li><li>b.example: B, 1 Jan</li></ul>\
             <p><a href=\"https://n.example/stories/1\">All reports of this story</a></p>"
        );
    }

    #[test]
    fn line_of_the_lead_has_no_headline() {
        let lead = EditionReport { item: ItemId(7), ..report("a.example", "The title", false) };
        let found = list(&[report("a.example", "Earlier", false), lead, report("b.example", "B", false)]);
        let time = "<time datetime=\"1970-01-01T00:00:00Z\">1 Jan 00:00 UTC</time>";
        assert_eq!(
            found.replace(time, "1 Jan"),
            "<ul><li>a.example, 1 Jan<br><details><summary>1 more report</summary><ul><li>Earlier, 1 Jan</li></ul></details></li>\
             <li>b.example: B, 1 Jan</li></ul><p><a href=\"https://n.example/stories/1\">All reports of this story</a></p>"
        );
    }

    #[test]
    fn reports_in_other_languages_than_the_lead_are_marked() {
        let in_language = |code: &str, title| EditionReport { lang: Some(code.into()), ..report(code, title, false) };
        let list = list(&[in_language("en", "Storm"), in_language("pl", "Burza")]);
        assert!(list.contains("<span lang=\"pl\">Burza</span>") && list.contains("UTC</time> (Polish)"), "{list}");
        assert!(!list.contains("(English)") && !list.contains("lang=\"en\""), "{list}");
    }

    #[test]
    fn right_to_left_names_and_headlines_are_isolated() {
        let list = list(&[report("الجزيرة", "عاصفة", false), report("b.example", "Storm", false)]);
        assert!(list.starts_with("<ul><li><bdi>الجزيرة</bdi>: <bdi>عاصفة</bdi>, "), "{list}");
        assert!(list.contains("<li>b.example: Storm, "), "{list}");
    }

    #[test]
    fn entry_of_a_single_report_has_no_list() {
        let reports = [report("a.example", "A", false)];
        assert_eq!((counts_line(1, &reports), list(&reports)), (None, String::new()));
    }
}
