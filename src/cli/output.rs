//! Tables, JSON and prompts. Untrusted text goes through [`one_line`](crate::domain::display_text::one_line) before it is
//! printed to a terminal.

use crate::domain::Timestamp;
use crate::wording::Audience;
use anyhow::{Context as _, bail};
use comfy_table::{ContentArrangement, Table, presets};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{IsTerminal, Write};

/// Prints a value as JSON.
pub fn json<T: serde::Serialize>(value: &T) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}

/// Prints a line. Unlike `println!`, it does not panic when the pipe is closed.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Whether the reader of the output, such as `head`, has closed the pipe. Writes nothing.
pub fn reader_is_gone() -> bool {
    let out = std::io::stdout();
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut watched, Some(&now)).is_ok() && watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// Prints a table, fitted to the width of a terminal.
pub fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(head);
    let in_terminal = std::io::stdout().is_terminal();
    table.set_content_arrangement(if in_terminal { ContentArrangement::Dynamic } else { ContentArrangement::Disabled });
    for row in rows {
        table.add_row(row);
    }
    print(&table.trim_fmt())
}

/// A time in the operator's time zone.
pub fn time(at: Timestamp) -> String {
    Audience::Operator.time(at)
}

pub fn maybe_time(at: Option<Timestamp>) -> String {
    Audience::Operator.optional_time(at)
}

/// Asks for confirmation. Fails without a terminal, unless `--yes` is given.
pub fn confirm(question: &str, yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("{question} stdin is not a terminal, so nothing was changed; pass --yes to confirm");
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
