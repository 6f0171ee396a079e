//! Composes the text of an edition from the reports of a story.

use crate::domain::{Development, EditionReport, EditionText, Item, Story, StoryItem};
use crate::markup::entities::escape_html;
use crate::urls::redact::site_of;
use crate::wording::main_reason;

/// Returns the start page of the site to which an item links, or else of the host of the item's source.
pub(super) fn site_of_item(item: &Item) -> Option<String> {
    item.url.as_deref().and_then(site_of).or_else(|| site_of(&item.source_url))
}

/// The maximum size of a lead's content in an edition, in bytes. Longer content is omitted.
const MAX_CONTENT_BYTES: usize = 256 * 1024;
/// The maximum number of reports that an edition lists. The earliest reports are listed.
const MAX_REPORTS: usize = 500;

/// Composes the text of the edition that follows the edition with the text `known`. The new edition keeps the link,
/// unless the linked report has left the story. In that case, it takes both the title and the link from the new lead.
pub fn compose_edition(
    story: &Story,
    lead: &StoryItem,
    known: Option<&EditionText>,
    developments: Vec<Development>,
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
    EditionText {
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
    }
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
