//! The facts about a source, as the command line and the source's page list them.

use super::{Audience, TimedText, backlog_count_text, count_of, duration, hub_status, last_error, probation_text};
use crate::domain::language::language_name;
use crate::domain::{FullTextMode, HubSubscription, OutletProvenance, PollingHints, Source, Timestamp};

/// The facts about a source that are not in its database row.
#[derive(Debug, Clone, Copy)]
pub struct SourceContext<'a> {
    pub hub: Option<&'a HubSubscription>,
    /// The number of the source's items that are in the backlog.
    pub backlog_items: u64,
    /// The end of the source's probation; `None` if the source was never on probation.
    pub probation_until: Option<Timestamp>,
}

/// Returns names and values in display order. Omits facts without information.
pub fn source_facts(
    source: &Source,
    context: SourceContext<'_>,
    audience: Audience<'_>,
) -> Vec<(&'static str, TimedText)> {
    let mut facts = vec![
        ("URL", audience.url(&source.url).into()),
        ("Outlet", outlet(source).into()),
        ("Language", source.lang.as_deref().map_or("unknown", |code| language_name(code).unwrap_or(code)).into()),
        ("Tags", if source.tags.is_empty() { "none".into() } else { source.tags.join(", ").into() }),
    ];
    if source.priority != 0 {
        facts.push(("Priority", source.priority.to_string().into()));
    }
    if source.aggregator {
        facts.push(("Aggregator", "the outlets named in the items count instead of the source's own outlet".into()));
    }
    facts.push(("Full text", full_text(source.full_text).into()));
    facts.push(("Added", source.added_at.into()));
    facts.push(("Probation", probation_text(context.probation_until)));
    facts.push(("Backlog", backlog_fact(source, context.backlog_items).into()));
    if let Some(success) = source.last_success_at.filter(|at| Some(*at) != source.last_poll_at) {
        facts.push(("Last success", success.into()));
    }
    if let Some(until) = source.hold_until {
        facts.push(("On hold", TimedText::from("until ").time(until).words(", at the server's request")));
    }
    if let Some(redirect) = &source.pending_redirect {
        let times = count_of(redirect.times as usize, "time", "times");
        let words = format!("to {}, seen {times} since ", audience.url(&redirect.to));
        facts.push(("Redirect", TimedText::from(words).time(redirect.since)));
    }
    if let Some(since) = source.gone_since {
        facts.push(("Gone", TimedText::from("the server has responded with 410 since ").time(since)));
    }
    if let Some(end) = &source.truncated_end {
        let text = match end.is_confirmed {
            true => "truncated at the same point as the previous document",
            false => "truncated; an incomplete last item is stored if the next document is truncated at the same point",
        };
        facts.push(("Last document", text.into()));
    }
    if let Some(hints) = polling_hints(&source.polling_hints) {
        facts.push(("Polling hints", hints.into()));
    }
    if source.failures > 0 {
        facts.push(("Failures", format!("{} in a row", source.failures).into()));
    }
    if !source.last_error.is_empty() {
        facts.push(("Last problem", last_error(source, audience)));
    }
    if let Some(hub) = context.hub {
        facts.push(("Hub", hub_status(hub, audience)));
    }
    facts
}

/// Describes the operator's settings for requests and grouping, for the operator only. Secrets are not shown.
pub fn request_facts(source: &Source) -> Vec<(&'static str, String)> {
    let settings = &source.request_settings;
    let mut facts = Vec::new();
    facts.extend(source.poll_interval.map(|interval| ("Interval", duration(interval))));
    facts.extend(settings.user_agent.clone().map(|text| ("User-Agent", text)));
    let mut secrets: Vec<&str> = settings.headers.iter().map(|(name, _)| name.as_str()).collect();
    secrets.extend(settings.cookie.as_ref().map(|_| "cookie"));
    if !secrets.is_empty() {
        facts.push(("Secrets", format!("{}, sent only to {}", secrets.join(", "), settings.origin)));
    }
    if settings.proxy.is_some() {
        facts.push(("Proxy", "set for this source".into()));
    }
    if !source.is_grouped {
        facts.push(("Grouping", "off: each item is a separate story".into()));
    }
    facts
}

fn backlog_fact(source: &Source, count: u64) -> String {
    match source.first_document_at {
        None if source.publish_backlog => "all items of its first document will be published".into(),
        None => "no document has been read yet".into(),
        Some(_) => backlog_count_text(count),
    }
}

fn outlet(source: &Source) -> String {
    let name = source.outlet_name.as_ref().map_or_else(String::new, |name| format!("{name}, "));
    let origin = match source.outlet_provenance {
        OutletProvenance::Operator => "set by the operator",
        OutletProvenance::Site => "from the feed's link",
        OutletProvenance::Guess => "guessed from the feed's URL",
    };
    format!("{name}{} ({origin})", source.outlet)
}

fn full_text(mode: FullTextMode) -> &'static str {
    match mode {
        FullTextMode::No => "off",
        FullTextMode::Group => "fetched for grouping only",
        FullTextMode::Publish => "fetched for grouping and published",
    }
}

/// Describes the feed's polling hints. Returns `None` if the feed gives none.
fn polling_hints(hints: &PollingHints) -> Option<String> {
    let mut parts = Vec::new();
    parts.extend(hints.ttl_minutes.map(|minutes| format!("at least {minutes} min between polls (ttl)")));
    parts.extend(hints.period_minutes.map(|minutes| format!("at least {minutes} min between polls (updatePeriod)")));
    if !hints.skip_hours.is_empty() {
        let hours: Vec<String> = hints.skip_hours.iter().map(u8::to_string).collect();
        parts.push(format!("no polls in the UTC hours {} (skipHours)", hours.join(", ")));
    }
    if !hints.skip_days.is_empty() {
        let days: Vec<String> = hints.skip_days.iter().map(|day| format!("{day:?}")).collect();
        parts.push(format!("no polls on {} (skipDays)", days.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
