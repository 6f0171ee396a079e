//! Composes the text of an edition from the reports of a story.

use super::lead_choice::choose_lead_in;
use super::options::Options;
use crate::domain::{Development, EditionReport, EditionText, Item, ItemId, LanguageLead, Story, StoryItem};
use crate::markup::entities::escape_html;
use crate::urls::redact::site_of;
use crate::wording::main_reason;

/// Returns the start page of the site that an item links to, or else of the host of its source.
pub(super) fn site_of_item(item: &Item) -> Option<String> {
    item.url.as_deref().and_then(site_of).or_else(|| site_of(&item.source_url))
}

/// The maximum size of a lead's content in an edition, in bytes. Longer content is omitted.
const MAX_CONTENT_BYTES: usize = 256 * 1024;
/// The maximum number of reports that an edition lists. The earliest reports are listed.
const MAX_REPORTS: usize = 500;

/// Composes the text of a new edition after the edition with the text `known`. The new edition keeps the link, unless
/// the linked report has left the story. In that case, it takes both the title and the link from the new lead. The same
/// applies to the lead in each language that a feed requires.
pub fn compose_edition(
    story: &Story,
    lead: &StoryItem,
    known: Option<&EditionText>,
    developments: Vec<Development>,
    options: &Options,
) -> EditionText {
    let item = &lead.item;
    let is_present = |known: &&EditionText| story.items.iter().any(|report| report.item.id == known.linked);
    let (linked, link) = match known.filter(is_present) {
        Some(known) => (known.linked, &known.link),
        None => (item.id, &item.url),
    };
    let article = item.article.as_ref().filter(|article| article.publishable);
    let texts = if article.is_some() { item } else { item_with_text(story, item) };
    let is_multilingual = story.items.iter().any(|report| report.item.lang != item.lang);
    let reports = story.items.iter().take(MAX_REPORTS).map(|report| EditionReport {
        item: report.item.id,
        outlet: report.item.outlet.clone(),
        outlet_name: Some(&report.item.outlet_name).filter(|name| **name != report.item.outlet).cloned(),
        reporter: report.item.reporter.clone(),
        title: report.item.title.clone(),
        lang: report.item.lang.clone().filter(|_| is_multilingual),
        url: report.item.url.clone(),
        at: report.item.ranked_at,
        is_copy: report.copy_of.is_some(),
        reason: main_reason(&report.evidence),
    });
    let mut text = EditionText {
        lead: item.id,
        title: item.title.clone(),
        link: link.clone(),
        linked,
        summary: texts.summary.clone(),
        content: content(item, texts),
        article: article.map(|article| article.text.clone()),
        lang: item.lang.clone(),
        image: item.image.clone(),
        source: item.source,
        enclosures: item.enclosures.clone(),
        source_title: item.source_title.clone(),
        author: item.author.clone(),
        site: site_of_item(item),
        tags: story.tags.clone(),
        reports: reports.collect(),
        merged_count: story.merged_count,
        storyline: (!developments.is_empty()).then_some(story.storyline),
        developments,
        language_leads: Vec::new(),
    };
    if is_multilingual {
        text.language_leads = language_leads(story, &text, known, options);
    }
    text
}

/// Returns the leads in the languages that feeds require, where they differ from the story's lead.
fn language_leads(
    story: &Story,
    text: &EditionText,
    known: Option<&EditionText>,
    options: &Options,
) -> Vec<LanguageLead> {
    let languages = options.feed_languages().into_iter();
    languages.filter_map(|language| language_lead(story, language, text, known, options)).collect()
}

/// Returns the lead in a language, unless it equals the story's lead in `text`. Readers of a feed in this language know
/// the text `known`: the lead and its link remain as long as their reports are in the story.
fn language_lead(
    story: &Story,
    language: &str,
    text: &EditionText,
    known: Option<&EditionText>,
    options: &Options,
) -> Option<LanguageLead> {
    let previous = known.and_then(|known| known.language_leads.iter().find(|lead| lead.lang == language));
    let is_known_lead = known.is_some_and(|known| known.lang.as_deref() == Some(language));
    let is_in_language = text.lang.as_deref() == Some(language);
    if is_in_language && previous.is_none() && (is_known_lead || text.linked == text.lead) {
        return None;
    }
    let known = match (previous, known) {
        (Some(lead), _) => Some((lead.item, lead.linked, &lead.link)),
        (None, Some(known)) if is_known_lead => Some((known.lead, known.linked, &known.link)),
        _ => None,
    };
    let find = |id: ItemId| story.items.iter().find(|report| report.item.id == id);
    let is_present = |id: &ItemId| find(*id).is_some();
    let report = known.and_then(|(lead, ..)| find(lead)).or_else(|| choose_lead_in(story, language, options))?;
    let item = &report.item;
    let (linked, link) = match known.filter(|(_, linked, _)| is_present(linked)) {
        Some((_, linked, link)) => (linked, link),
        None => (item.id, &item.url),
    };
    (item.id != text.lead || linked != text.linked).then(|| LanguageLead {
        lang: language.to_owned(),
        item: item.id,
        title: item.title.clone(),
        link: link.clone(),
        linked,
        summary: item.summary.clone(),
        content: bounded_content(item),
        image: item.image.clone(),
        source: item.source,
        enclosures: item.enclosures.clone(),
        source_title: item.source_title.clone(),
        author: item.author.clone(),
        site: site_of_item(item),
    })
}

/// Returns the lead if it has text, otherwise the first report that has text.
fn item_with_text<'s>(story: &'s Story, lead: &'s Item) -> &'s Item {
    let items = story.news().chain(&story.items).map(|report| &report.item);
    // Some sources repeat the title as text.
    let has_text = |item: &&Item| !item.summary.is_empty() && item.summary != item.title;
    std::iter::once(lead).chain(items).find(has_text).unwrap_or(lead)
}

/// Returns the content of a lead, followed by the content of the report whose text the lead uses. A lead without text
/// may have an image.
fn content(lead: &Item, texts: &Item) -> Option<String> {
    let is_textless = lead.id != texts.id && lead.summary.is_empty();
    let Some(own) = bounded_content(lead).filter(|_| is_textless) else { return bounded_content(texts) };
    Some(own + &bounded_content(texts).unwrap_or_else(|| format!("<p>{}</p>", escape_html(&texts.summary))))
}

fn bounded_content(item: &Item) -> Option<String> {
    item.content.clone().filter(|content| content.len() <= MAX_CONTENT_BYTES)
}
