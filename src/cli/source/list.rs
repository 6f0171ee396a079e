//! `newsfold source list` and `show`.

use super::find;
use crate::cli::Context;
use crate::cli::output::{self, optional_time, time};
use crate::cli::table::{optional_table_time, table, table_time};
use crate::domain::display_text::one_line;
use crate::domain::{HubSubscription, Source, SourceState, Timestamp};
use crate::publish::probation_until;
use crate::store::items;
use crate::store::polls::{self, PollSummary};
use crate::store::sources::{self, SourceFilter};
use crate::store::websub_subscriptions;
use crate::wording::{
    Audience, SourceContext, last_error, next_poll_text, poll_error, poll_remarks, request_facts, source_facts,
};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct List {
    /// Only sources with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only sources that failed at the last poll, are on hold, or are gone.
    #[arg(long)]
    problems: bool,
    /// Only sources in this state.
    #[arg(long, value_name = "STATE")]
    state: Option<ListedState>,
    /// Order of the sources.
    #[arg(long, value_name = "ORDER", default_value = "outlet")]
    sort: SourceOrder,
    /// Maximum number of sources.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ListedState {
    Active,
    Paused,
    Gone,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum SourceOrder {
    /// By outlet and title.
    Outlet,
    /// By number.
    Number,
    /// By the time of the last poll, newest first.
    LastPoll,
    /// By the time of the next poll, earliest first.
    NextPoll,
}

impl List {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let filter = SourceFilter { tag: self.tag.clone(), problems: self.problems };
        let store = context.open_database()?;
        let mut found = store.read(move |db| sources::list(db, &filter)).await?;
        if let Some(shortage) = store.disk_shortage().filter(|_| self.problems) {
            eprintln!("newsfold: {shortage}");
        }
        if let Some(state) = self.state {
            let wanted = match state {
                ListedState::Active => SourceState::Active,
                ListedState::Paused => SourceState::Paused,
                ListedState::Gone => SourceState::Gone,
            };
            found.retain(|source| source.state == wanted);
        }
        match self.sort {
            SourceOrder::Outlet => {}
            SourceOrder::Number => found.sort_by_key(|source| source.id),
            SourceOrder::LastPoll => found.sort_by_key(|source| std::cmp::Reverse(source.last_poll_at)),
            SourceOrder::NextPoll => found.sort_by_key(|source| source.next_poll_at),
        }
        found.truncate(self.limit.unwrap_or(u32::MAX) as usize);
        print_list(context, &found, &self.none_found())
    }

    fn none_found(&self) -> String {
        let having = if self.problems { " and a problem" } else { "" };
        match &self.tag {
            _ if self.state.is_some() => "no source has this state; `newsfold source list` lists all sources".into(),
            Some(tag) => {
                format!(
                    "no source has the tag ‘{}’{having}; `newsfold source list` shows the tags of all sources",
                    one_line(tag, 60)
                )
            }
            None if self.problems => "no source has a problem".into(),
            None => "no sources; add one with `newsfold source add URL`".into(),
        }
    }
}

fn print_list(context: &Context, found: &[Source], none_found: &str) -> anyhow::Result<ExitCode> {
    context.print_rows(
        &found.iter().map(SourceRow::new).collect::<Vec<_>>(),
        none_found,
        &[
            ("no", |row| row.source.id.to_string()),
            ("title", |row| one_line(&row.source.title, 50)),
            ("outlet", |row| row.source.outlet.clone()),
            ("tags", |row| row.source.tags.join(", ")),
            ("state", |row| state(row.source)),
            ("last poll", |row| optional_table_time(row.source.last_poll_at)),
            ("next poll", |row| match row.source.state {
                SourceState::Active => table_time(row.source.next_poll_at),
                _ => "none".into(),
            }),
            ("problem", |row| one_line(&last_error(row.source, Audience::Operator).format(Audience::Operator), 80)),
        ],
    )
}

/// A source. The reason for its next poll is given both as data and as text.
#[derive(serde::Serialize)]
struct SourceRow<'a> {
    #[serde(flatten)]
    source: &'a Source,
    next_poll_text: String,
}

impl SourceRow<'_> {
    fn new(source: &Source) -> SourceRow<'_> {
        SourceRow { source, next_poll_text: next_poll_text(&source.next_poll_reason).format(Audience::Operator) }
    }
}

fn state(source: &Source) -> String {
    match source.last_outcome {
        Some(outcome) => format!("{}, {}", source.state.into_str(), outcome.into_str()),
        None => source.state.into_str().to_owned(),
    }
}

pub async fn show(context: &Context, name: &str, count: u32) -> anyhow::Result<ExitCode> {
    let store = context.open_database()?;
    let source = find(&store, name).await?;
    let id = source.id;
    let (past, hub, backlog_items) = store
        .read(move |db| {
            Ok((polls::latest(db, id, count)?, websub_subscriptions::get(db, id)?, items::count_backlog(db, id)?))
        })
        .await?;
    // A configuration that is not valid is reported when the database is opened.
    let probation_until = context.config().ok().and_then(|config| probation_until(&source, &config.publish));
    let context_facts = SourceContext { hub: hub.as_ref(), backlog_items, probation_until };
    let mut text = output::facts(&facts(&source, context_facts));
    if !past.is_empty() {
        text.push('\n');
        text += &table(
            &past,
            &[
                ("poll", |poll| table_time(poll.started_at)),
                ("outcome", |poll| poll.outcome.into_str().to_owned()),
                ("status", |poll| poll.status.map_or_else(String::new, |status| status.to_string())),
                ("bytes", |poll| poll.bytes.to_string()),
                ("items", |poll| poll.items.to_string()),
                ("new", |poll| poll.new_items.to_string()),
                ("changed", |poll| poll.changed_items.to_string()),
                ("detail", |poll| {
                    let failure = poll_error(poll.outcome, &poll.detail, poll.detail_time, Audience::Operator);
                    let remarks = poll_remarks(failure, &poll.problems, Audience::Operator);
                    remarks.iter().map(|text| text.format(Audience::Operator)).collect::<Vec<_>>().join("; ")
                }),
            ],
        );
    }
    let source = SourceRow::new(&source);
    context.print(&SourceDetails { source, backlog_items, probation_until, hub: hub.as_ref(), polls: &past }, text)
}

/// A source with its latest polls.
#[derive(serde::Serialize)]
struct SourceDetails<'a> {
    #[serde(flatten)]
    source: SourceRow<'a>,
    /// The number of the source's items that are in the backlog.
    backlog_items: u64,
    /// `None` for a source that was added on the database's first day.
    probation_until: Option<Timestamp>,
    hub: Option<&'a HubSubscription>,
    polls: &'a [PollSummary],
}

/// Returns the properties of a source. The first properties are not in [`source_facts`], because the source page shows
/// them outside its list of facts.
fn facts(source: &Source, context: SourceContext<'_>) -> Vec<(&'static str, String)> {
    let next = match source.state {
        SourceState::Active => {
            let reason = next_poll_text(&source.next_poll_reason).format(Audience::Operator);
            format!("{} ({reason})", time(source.next_poll_at))
        }
        _ => "none".into(),
    };
    let mut facts = vec![
        ("Source", source.id.to_string()),
        ("Title", one_line(&source.title, 200)),
        ("Website", one_line(source.site_url.as_deref().unwrap_or("unknown"), 200)),
        ("State", state(source)),
        ("Last poll", optional_time(source.last_poll_at)),
        ("Next poll", next),
    ];
    let others = source_facts(source, context, Audience::Operator).into_iter();
    facts.extend(others.map(|(name, value)| (name, value.format(Audience::Operator))));
    facts.extend(request_facts(source));
    facts
}
