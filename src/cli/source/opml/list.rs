//! The sources that an OPML file describes, and messages about its faults.

use crate::cli::source::{language, outlet, tags, web_url};
use crate::domain::display_text::one_line;
use crate::domain::{FullTextMode, NewSource, OutletProvenance};
use crate::opml::FeedOutline;
use crate::opml::read::read_opml;
use crate::opml::well_formed::OpmlFault;
use crate::urls::outlet::outlet_of_url;
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::path::Path;
use url::Url;

/// The sources of a file, and its faults.
pub(super) struct List {
    pub sources: Vec<Described>,
    /// Number of duplicate subscriptions.
    pub repeated: usize,
    pub unusable: Vec<OpmlFault>,
    pub ampersands: Vec<usize>,
    pub fault: Option<OpmlFault>,
    pub ends_early: bool,
    repairs: Vec<String>,
}

/// A source as a file describes it.
pub(super) struct Described {
    pub new: NewSource,
    /// Whether the file sets a priority, including 0.
    pub has_priority: bool,
    /// Whether the file sets the full-text mode.
    pub has_full_text: bool,
}

/// Maximum number of lines that a message lists.
const MAX_LISTED_LINES: usize = 10;

pub(super) fn read(file: &Path, extra: &[String]) -> anyhow::Result<List> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let read = read_opml(&bytes).with_context(|| format!("{} is not an OPML file", file.display()))?;
    let mut list = List {
        sources: Vec::new(),
        repeated: 0,
        unusable: read.unusable,
        ampersands: read.bare_ampersand_lines,
        fault: read.fault,
        ends_early: read.is_truncated,
        repairs: read.problems.iter().map(|p| format!("{} ×{}: {}", p.kind.into_str(), p.count, p.detail)).collect(),
    };
    let mut seen = BTreeSet::new();
    for outline in read.outlines {
        let line = outline.line;
        match described(outline, extra) {
            Err(error) => list.unusable.push(OpmlFault { line, message: format!("{error:#}") }),
            Ok(source) if seen.insert(source.new.url.clone()) => list.sources.push(source),
            Ok(_) => list.repeated += 1,
        }
    }
    list.unusable.sort_by_key(|fault| fault.line);
    Ok(list)
}

fn described(outline: FeedOutline, extra: &[String]) -> anyhow::Result<Described> {
    let url = web_url(&outline.xml_url)?;
    let site = outline.html_url.as_deref().and_then(|site| Url::parse(site).ok());
    let guess = || site.as_ref().filter(|site| site.domain().is_some()).unwrap_or(&url);
    let named = outline.outlet.as_deref().map(outlet).transpose()?;
    let from = if named.is_some() { OutletProvenance::Operator } else { OutletProvenance::Guess };
    let priority = outline.priority.as_deref().map(|text| {
        let invalid_number = || format!("newsfold:priority must be an integer (found ‘{}’)", one_line(text, 40));
        text.trim().parse::<i32>().with_context(invalid_number)
    });
    let priority = priority.transpose()?;
    let full_text = outline.full_text.as_deref().map(|text| {
        let invalid_mode =
            || format!("newsfold:fullText must be no, group or publish (found ‘{}’)", one_line(text, 40));
        text.trim().parse::<FullTextMode>().with_context(invalid_mode)
    });
    let full_text = full_text.transpose()?;
    let mut all_tags = outline.categories;
    all_tags.extend_from_slice(extra);
    let new = NewSource {
        outlet: named.unwrap_or_else(|| outlet_of_url(guess())),
        outlet_provenance: from,
        url: url.to_string(),
        title: outline.title.map(|t| one_line(&t, 200)).filter(|t| !t.is_empty()),
        lang: outline.language.as_deref().map(language).transpose()?,
        priority: priority.unwrap_or_default(),
        tags: tags(&all_tags),
        full_text: full_text.unwrap_or_default(),
    };
    Ok(Described { new, has_priority: priority.is_some(), has_full_text: full_text.is_some() })
}

impl List {
    /// One message for each repair, skipped line and fault, in the format of compilers.
    pub fn complaints(&self, file: &Path) -> Vec<String> {
        let file = file.display();
        let mut all: Vec<String> = self.repairs.iter().map(|what| format!("{file}: repaired: {what}")).collect();
        if let Some(first) = self.ampersands.first() {
            let lines = numbers(&self.ampersands);
            all.push(format!("{file}:{first}: repaired: an unescaped & was read as a literal & on {lines}"));
        }
        if let Some(OpmlFault { line, message }) = &self.fault {
            all.push(format!("{file}:{line}: not well-formed, outlines may be missing: {message}"));
        }
        if self.repeated > 0 {
            all.push(format!("{file}: {} duplicate subscriptions", self.repeated));
        }
        all.extend(self.unusable.iter().map(|OpmlFault { line, message }| format!("{file}:{line}: {message}")));
        all
    }

    /// The same as JSON.
    pub fn complaints_as_json(&self) -> serde_json::Value {
        serde_json::json!({
            "repaired": self.repairs,
            "ampersand_lines": self.ampersands,
            "not_well_formed": self.fault,
            "ends_early": self.ends_early,
            "repeated": self.repeated,
            "unusable_lines": self.unusable,
        })
    }

    /// Whether a part of the file is certainly missing from the sources.
    pub fn is_incomplete(&self) -> bool {
        self.ends_early || !self.unusable.is_empty()
    }
}

fn numbers(lines: &[usize]) -> String {
    let named: Vec<String> = lines.iter().take(MAX_LISTED_LINES).map(usize::to_string).collect();
    let more = if lines.len() > MAX_LISTED_LINES { " and more" } else { "" };
    match lines.len() {
        1 => format!("line {}", named[0]),
        count => format!("{count} lines ({}{more})", named.join(", ")),
    }
}
