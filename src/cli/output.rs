//! Texts, JSON and prompts of commands. Untrusted text passes through [`one_line`](crate::domain::display_text::one_line) before
//! it is printed to a terminal.

use super::Context;
use super::table::{Column, table};
use crate::domain::Timestamp;
use crate::wording::Audience;
use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use std::io::{BufWriter, IsTerminal, Write};
use std::process::ExitCode;

impl Context {
    /// Prints `value` as JSON with `--json`, and `text` otherwise.
    pub fn print(&self, value: &impl Serialize, text: impl AsRef<str>) -> anyhow::Result<ExitCode> {
        if self.json() {
            json(value)?;
        } else {
            print(text.as_ref())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Prints rows as JSON or as a table. `if_empty` replaces an empty table.
    pub fn print_rows<T: Serialize>(
        &self,
        rows: &[T],
        if_empty: &str,
        columns: &[Column<T>],
    ) -> anyhow::Result<ExitCode> {
        self.print(&rows, if rows.is_empty() { if_empty.to_owned() } else { table(rows, columns) })
    }
}

/// Streams a value as JSON, because a value may be large.
pub fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Prints a line. Does not panic if the pipe is closed, unlike `println!`.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Returns whether the process that reads the output, such as `head`, has closed the pipe. Writes nothing.
pub fn reader_is_gone() -> bool {
    let out = std::io::stdout();
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut watched, Some(&now)).is_ok() && watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// Formats names and values, one pair per line.
pub fn facts(facts: &[(&str, String)]) -> String {
    let lines: Vec<String> = facts.iter().map(|(name, value)| format!("{name:>13}  {value}")).collect();
    lines.join("\n")
}

/// Formats a time in the operator's time zone.
pub fn time(at: Timestamp) -> String {
    Audience::Operator.time(at)
}

/// Formats a time, or `None` as “never”.
pub fn optional_time(at: Option<Timestamp>) -> String {
    Audience::Operator.optional_time(at)
}

/// Asks for confirmation. Fails if there is no terminal, unless `--yes` is given.
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
