//! The sources that a subscription list describes.

use crate::cli::input::{read_at_most, shown_name};
use crate::cli::source::request_options::poll_interval;
use crate::cli::source::{outlet, tags, web_url};
use crate::domain::display_text::one_line;
use crate::domain::language::language_code;
use crate::domain::{FullTextMode, NewSource, OutletProvenance};
use crate::opml::read::{MAX_BYTES, MAX_CATEGORIES, SubscriptionList, read_opml};
use crate::opml::{FeedOutline, OpmlFault};
use crate::urls::feed_address::similar_addresses;
use crate::urls::outlet::{outlet_of_site, outlet_of_url};
use anyhow::Context as _;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::str::FromStr;
use url::Url;

/// The sources of an OPML file, and the faults in the file.
pub struct OpmlFile {
    pub sources: Vec<DescribedSource>,
    /// The number of subscriptions that repeat an earlier one.
    pub repeated: usize,
    /// The parsed file with its faults. Its outlines have been moved to `sources`.
    pub list: SubscriptionList,
}

/// A source as described by a file.
pub struct DescribedSource {
    pub line: usize,
    pub new: NewSource,
    /// Whether the file sets a priority, including 0.
    pub has_priority: bool,
    /// Whether the file sets the full-text mode.
    pub has_full_text: bool,
    /// Whether the file states whether the source is an aggregator.
    pub has_aggregator: bool,
    /// Whether the file states whether the items are grouped.
    pub has_grouped: bool,
}

pub fn read(file: &Path, extra_tags: &[String]) -> anyhow::Result<OpmlFile> {
    let bytes = read_at_most(file, MAX_BYTES as u64 + 1)?;
    let mut list = read_opml(&bytes).with_context(|| format!("{} is not an OPML file", shown_name(file)))?;
    let (mut sources, mut repeated): (Vec<DescribedSource>, _) = (Vec::new(), 0);
    let mut index_by_url = HashMap::new();
    for outline in std::mem::take(&mut list.outlines) {
        let line = outline.line;
        match described_source(outline, extra_tags) {
            Err(error) => list.unusable.push(OpmlFault { line, message: format!("{error:#}") }),
            Ok(source) => match index_by_url.entry(source.new.url.clone()) {
                Entry::Vacant(vacant) => {
                    vacant.insert(sources.len());
                    sources.push(source);
                }
                Entry::Occupied(index) => {
                    repeated += 1;
                    sources[*index.get()].merge(source);
                }
            },
        }
    }
    list.unusable.sort_by_key(|fault| fault.line);
    Ok(OpmlFile { sources, repeated, list })
}

impl DescribedSource {
    /// Adds the tags of another outline of the same feed, for example in another folder. Also adds the settings that
    /// only the other outline has.
    fn merge(&mut self, other: DescribedSource) {
        let DescribedSource { new, has_priority, has_full_text, has_aggregator, has_grouped, line: _ } = other;
        let tags: BTreeSet<String> = self.new.tags.drain(..).chain(new.tags).collect();
        self.new.tags = tags.into_iter().take(MAX_CATEGORIES).collect();
        self.new.title = self.new.title.take().or(new.title);
        self.new.lang = self.new.lang.take().or(new.lang);
        if self.new.outlet_provenance == OutletProvenance::Guess && new.outlet_provenance == OutletProvenance::Operator
        {
            (self.new.outlet, self.new.outlet_provenance) = (new.outlet, new.outlet_provenance);
        }
        if !self.has_priority && has_priority {
            (self.new.priority, self.has_priority) = (new.priority, true);
        }
        if !self.has_full_text && has_full_text {
            (self.new.full_text, self.has_full_text) = (new.full_text, true);
        }
        if !self.has_aggregator && has_aggregator {
            (self.new.aggregator, self.has_aggregator) = (new.aggregator, true);
        }
        self.new.poll_interval = self.new.poll_interval.or(new.poll_interval);
        if !self.has_grouped && has_grouped {
            (self.new.is_ungrouped, self.has_grouped) = (new.is_ungrouped, true);
        }
    }
}

/// A URL that probably serves the same feed as another URL.
#[derive(serde::Serialize)]
pub struct SimilarAddress {
    pub line: usize,
    pub url: String,
    pub like: String,
}

/// Returns the URLs in a file that are similar to an earlier URL in the file or to the URL of an existing source. They
/// remain separate sources, because only the operator knows whether the feeds are identical.
pub fn similar_addresses_of(wanted: &[DescribedSource], existing: Vec<String>) -> Vec<SimilarAddress> {
    let mut known: HashSet<String> = existing.into_iter().collect();
    let mut similar = Vec::new();
    for DescribedSource { line, new, .. } in wanted {
        let forms = Url::parse(&new.url).map(|url| similar_addresses(&url)).unwrap_or_default();
        if let Some(like) = forms.into_iter().find(|form| known.contains(form)) {
            similar.push(SimilarAddress { line: *line, url: new.url.clone(), like });
        }
        known.insert(new.url.clone());
    }
    similar
}

fn described_source(outline: FeedOutline, extra_tags: &[String]) -> anyhow::Result<DescribedSource> {
    let line = outline.line;
    let url = web_url(&outline.xml_url)?;
    let site = outline.html_url.as_deref().and_then(|site| Url::parse(site).ok());
    let default_outlet = || site.as_ref().and_then(outlet_of_site).unwrap_or_else(|| outlet_of_url(&url));
    let given_outlet = outline.outlet.as_deref().map(outlet).transpose()?;
    let outlet_provenance = if given_outlet.is_some() { OutletProvenance::Operator } else { OutletProvenance::Guess };
    let priority = setting::<i32>(outline.priority, "newsfold:priority must be an integer")?;
    let full_text = setting::<FullTextMode>(outline.full_text, "newsfold:fullText must be no, group or publish")?;
    let aggregator = setting::<bool>(outline.aggregator, "newsfold:aggregator must be true or false")?;
    let grouped = setting::<bool>(outline.grouped, "newsfold:grouped must be true or false")?;
    let interval = outline.interval.map(|text| poll_interval("newsfold:interval", &one_line(&text, 40))).transpose()?;
    let new = NewSource {
        outlet: given_outlet.unwrap_or_else(default_outlet),
        outlet_provenance,
        url: url.to_string(),
        title: outline.title.map(|title| one_line(&title, 200)).filter(|title| !title.is_empty()),
        lang: outline.language.as_deref().and_then(language_code).map(str::to_owned),
        priority: priority.unwrap_or_default(),
        tags: tags(&[&outline.categories, extra_tags].concat())?,
        full_text: full_text.unwrap_or_default(),
        aggregator: aggregator.unwrap_or_default(),
        poll_interval: interval,
        is_ungrouped: grouped == Some(false),
        ..NewSource::default()
    };
    Ok(DescribedSource {
        line,
        new,
        has_priority: priority.is_some(),
        has_full_text: full_text.is_some(),
        has_aggregator: aggregator.is_some(),
        has_grouped: grouped.is_some(),
    })
}

/// Parses the value of an optional attribute.
fn setting<T: FromStr>(text: Option<String>, rule: &str) -> anyhow::Result<Option<T>> {
    let parse =
        |text: String| text.trim().parse().ok().with_context(|| format!("{rule} (found ‘{}’)", one_line(&text, 40)));
    text.map(parse).transpose()
}
