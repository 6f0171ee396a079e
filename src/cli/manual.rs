//! `newsfold man`: manual pages, generated from the help.

use super::REFERENCE;
use anyhow::Context as _;
use std::path::Path;

/// Writes a manual page for each command into a directory.
pub fn write_pages(command: clap::Command, directory: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot write to {}", directory.display());
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let name = command.get_name().to_owned();
    let command = with_reference(command);
    clap_mangen::generate_to(command, directory).with_context(cannot)?;
    for entry in std::fs::read_dir(directory).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let is_page = path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&name));
        if is_page && path.extension().is_some_and(|extension| extension == "1") {
            let page = std::fs::read_to_string(&path).with_context(cannot)?;
            std::fs::write(&path, with_sections(&page)).with_context(cannot)?;
        }
    }
    Ok(())
}

/// Adds exit status, environment and files to the end of the pages of all subcommands.
fn with_reference(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let add = |below: clap::Command| {
        let examples = below.get_after_long_help().map_or_else(String::new, |help| format!("{help}\n\n"));
        with_reference(below.after_long_help(examples + REFERENCE))
    };
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, add))
}

/// Moves each part of the end of the help, which the generator puts into one section, to its own section, as usual for
/// manual pages (man-pages(7)). A part begins with a line such as `Exit status:`.
fn with_sections(page: &str) -> String {
    let Some((before, rest)) = page.split_once(".SH EXTRA\n") else { return page.to_owned() };
    let (extra, after) = rest.split_at(rest.find("\n.SH ").map_or(rest.len(), |end| end + 1));
    let mut out = before.to_owned();
    let mut is_open = false;
    for line in extra.lines().filter(|line| !line.is_empty()) {
        let heading = line.strip_suffix(':').filter(|heading| !heading.starts_with(' '));
        if heading.is_some() || !is_open {
            out.push_str(if is_open { ".fi\n" } else { "" });
            out.push_str(&format!(".SH \"{}\"\n.nf\n", heading.unwrap_or("Notes").to_uppercase()));
            is_open = true;
        }
        if heading.is_none() {
            out.push_str(line);
            out.push('\n');
        }
    }
    out + if is_open { ".fi\n" } else { "" } + after
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[test]
    fn examples_are_valid_commands() {
        let mut count = 0;
        let mut waiting = vec![super::super::Arguments::command()];
        while let Some(command) = waiting.pop() {
            waiting.extend(command.get_subcommands().cloned());
            let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter_map(|line| line.strip_prefix("  newsfold ")) {
                let arguments = line.split("  ").next().unwrap().split(' ');
                let parsed = super::super::Arguments::try_parse_from(std::iter::once("newsfold").chain(arguments));
                assert!(parsed.is_ok(), "{line}: {}", parsed.err().unwrap());
                count += 1;
            }
        }
        assert!(count > 30, "{count}");
    }

    #[test]
    fn parts_of_the_help_become_sections() {
        let page = ".SH NAME\nx\n.SH EXTRA\nExamples:\n  x y\n\nExit status:\n  0  success\n.SH VERSION\nv1\n";
        let expected = ".SH NAME\nx\n.SH \"EXAMPLES\"\n.nf\n  x y\n.fi\n.SH \"EXIT STATUS\"\n.nf\n  0  success\n.fi\n\
                        .SH VERSION\nv1\n";
        assert_eq!(with_sections(page), expected);
        assert_eq!(with_sections(".SH EXTRA\nText\n"), ".SH \"NOTES\"\n.nf\nText\n.fi\n");
    }
}
