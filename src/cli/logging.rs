//! The log on stderr: its level, its format, and priorities for the journal of systemd (sd-daemon(3)).

use std::fmt;
use std::io::IsTerminal;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{Format, FormatEvent, FormatFields, Full, Writer, format};
use tracing_subscriber::registry::LookupSpan;

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Starts logging. `NEWSFOLD_LOG` takes precedence over `default_filter`.
pub fn start(format_of_lines: LogFormat, default_filter: &str) {
    let (filter, fault) = filter(default_filter);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(is_colored());
    match format_of_lines {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text if is_connected_to_journal() => {
            builder.event_format(JournalFormat(format().with_target(false).with_ansi(false).without_time())).init()
        }
        LogFormat::Text => builder.init(),
    }
    if let Some(fault) = fault {
        tracing::warn!("NEWSFOLD_LOG is ignored, because {fault}; enter a filter such as newsfold=debug");
    }
}

/// Returns the filter, and the fault in `NEWSFOLD_LOG` if its value is not valid.
fn filter(default_filter: &str) -> (EnvFilter, Option<String>) {
    let given = std::env::var("NEWSFOLD_LOG").unwrap_or_default();
    let (filter, fault) = match EnvFilter::builder().parse(&given) {
        Ok(filter) if !given.trim().is_empty() => (filter, None),
        parsed => (
            EnvFilter::new(default_filter),
            parsed.err().map(|error| format!("{given:?} is not a valid filter: {error}")),
        ),
    };
    // html5ever logs the text of every item, which may contain the URL of a personal feed.
    (filter.add_directive("html5ever=off".parse().expect("a valid directive")), fault)
}

/// Returns whether log lines are colored (no-color.org).
fn is_colored() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Returns whether the journal reads stderr. A program that the service starts inherits the variable, but perhaps not
/// stderr.
fn is_connected_to_journal() -> bool {
    let Ok(stderr) = rustix::fs::fstat(std::io::stderr()) else { return false };
    std::env::var("JOURNAL_STREAM").is_ok_and(|stream| stream == format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

/// Prefixes each line with its priority, which the journal strips. The journal adds the time.
struct JournalFormat(Format<Full, ()>);

impl<S, N> FormatEvent<S, N> for JournalFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        write!(writer, "<{priority}>")?;
        self.0.format_event(context, writer, event)
    }
}
