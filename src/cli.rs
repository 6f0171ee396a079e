//! The command line: shows the same facts as the pages, and runs the commands of the operator.
//!
//! Commands read and write the database, with or without a running daemon. A running daemon notices their changes.
//! `--json` prints every table as JSON. Exit codes: 0 means success; 1 means failure, and the message gives the
//! reason and the next step; 2 means invalid arguments.

mod check;
mod config;
mod constraint;
mod db;
mod demo;
mod doctor;
mod encoder;
mod eval;
mod examples;
mod export;
mod feed;
mod healthcheck;
mod id_prefix;
mod input;
mod item;
mod logging;
mod manual;
mod origin;
mod output;
mod running_daemon;
mod serve;
mod source;
mod status;
mod story;
mod storyline;
mod table;

use crate::clock::Clock;
use crate::config::{self as config_file, Config, ConfigLocation};
use crate::daemon::DatabaseLock;
use crate::http_client::install_tls_provider;
use crate::store::{SERVICE_DATABASE, Store, is_service_database_unreadable, is_unreadable};
use anyhow::bail;
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// The examples in the long help of the program. [`examples`] has those of the commands.
const PROGRAM_EXAMPLES: &str = "\
Examples:
  newsfold source add example.org       Add the feed that a page links to
  newsfold serve                        Run the daemon
  newsfold status                       Show the state on one screen
  newsfold source list --problems       List sources with problems
  newsfold db backup news-backup.db     Copy the database while the daemon runs";

/// The end of the long help of the program, and of all manual pages.
const REFERENCE: &str = "\
Exit status:
  0  success
  1  failure; the message gives the reason and the next step
  2  invalid arguments

Environment:
  NEWSFOLD_CONFIG      configuration file, like --config
  NEWSFOLD_DATABASE    database file, like --database
  NEWSFOLD_LOG         log filter, for example newsfold=debug
  NEWSFOLD_LOG_FORMAT  log format: text or json
  NO_COLOR             if set, the log has no colors

Files:
  /etc/newsfold/config.toml       system configuration
  ~/.config/newsfold/config.toml  user configuration, which takes precedence
  /var/lib/newsfold/newsfold.db   database of the systemd service";

/// Merges many news feeds into feeds with one entry per event, listing every outlet that reported it.
#[derive(Parser)]
#[command(name = "newsfold", version, propagate_version = true, max_term_width = 100, after_long_help = format!("{PROGRAM_EXAMPLES}\n\n{REFERENCE}"))]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// The heading of the global options in the help.
const GLOBAL: &str = "Global options";

#[derive(Args)]
struct Global {
    /// Configuration file [default: newsfold/config.toml in the user's configuration directory, else
    /// /etc/newsfold/config.toml, else the built-in defaults].
    #[arg(long, value_name = "FILE", env = "NEWSFOLD_CONFIG", global = true, help_heading = GLOBAL)]
    config: Option<PathBuf>,
    /// Database file (overrides the configuration).
    #[arg(long, value_name = "FILE", env = "NEWSFOLD_DATABASE", global = true, help_heading = GLOBAL)]
    database: Option<PathBuf>,
    /// Print JSON instead of tables.
    #[arg(long, global = true, help_heading = GLOBAL)]
    json: bool,
    /// Increase log verbosity (-v: info, -vv: debug).
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = GLOBAL)]
    verbose: u8,
    /// Format of log lines.
    #[arg(long, value_name = "FORMAT", env = "NEWSFOLD_LOG_FORMAT", default_value = "text", global = true, help_heading = GLOBAL)]
    log_format: logging::LogFormat,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon: poll sources, group items, publish and serve feeds.
    #[command(after_long_help = examples::SERVE)]
    Serve(serve::Serve),
    /// Run a demo with fictional outlets on this machine, without configuration or network access.
    Demo(demo::Demo),
    /// Manage sources, the feeds that newsfold polls.
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// List polled servers and release rate-limit holds.
    #[command(subcommand)]
    Origin(origin::OriginCommand),
    /// Inspect published feeds.
    #[command(subcommand)]
    Feed(feed::FeedCommand),
    /// Export the site as static files for a web server, an object store or a CDN.
    #[command(after_long_help = examples::EXPORT)]
    Export(export::Export),
    /// Inspect and correct stories.
    #[command(subcommand)]
    Story(story::StoryCommand),
    /// Inspect and correct storylines, the stories that report an event and its consequences.
    #[command(subcommand)]
    Storyline(storyline::StorylineCommand),
    /// Inspect items.
    #[command(subcommand)]
    Item(item::ItemCommand),
    /// Show the state of newsfold on one screen: daemon, sources, queues, disk and problems.
    Status(status::Status),
    /// Check the configuration and the environment, and suggest a fix for each problem (exit code 1 if a problem is
    /// found).
    #[command(after_long_help = examples::DOCTOR)]
    Doctor(doctor::Doctor),
    /// Check the configuration file.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Check whether the running daemon is healthy (exit code 0) or not (1).
    #[command(after_long_help = examples::HEALTHCHECK)]
    Healthcheck(healthcheck::Healthcheck),
    /// Inspect, check, back up and restore the database.
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Parse a feed from a file or URL and print the result, without storing anything.
    #[command(after_long_help = examples::CHECK)]
    Check(check::Check),
    /// Check an encoder: a neural network that helps to group reports in different words and languages.
    #[command(subcommand)]
    Encoder(encoder::EncoderCommand),
    /// Group labeled items and score the result.
    Eval(eval::Eval),
    /// Print a shell completion script.
    Completions {
        /// Shell for which to print the script.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write the manual pages to a directory.
    Man {
        /// Directory to write to.
        #[arg(value_name = "DIR", default_value = ".")]
        directory: PathBuf,
    },
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logging::start(arguments.global.log_format, log_filter(&arguments));
    install_tls_provider();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("cannot start")),
    };
    let result = runtime.block_on(run(arguments));
    // A blocking read whose result is no longer needed must not delay the exit.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let context = Context { clock: Clock::system(), global: arguments.global, opened: OnceCell::new() };
    let result = dispatch(arguments.command, &context).await;
    if let Some(store) = context.opened.get() {
        running_daemon::note_other_configuration(&context, store).await;
        running_daemon::checkpoint_without_daemon(store).await;
    }
    result
}

async fn dispatch(command: Command, context: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(command) => command.run(context).await,
        Command::Demo(command) => command.run(context).await,
        Command::Source(command) => command.run(context).await,
        Command::Origin(command) => command.run(context).await,
        Command::Feed(command) => command.run(context).await,
        Command::Export(command) => command.run(context).await,
        Command::Story(command) => command.run(context).await,
        Command::Storyline(command) => command.run(context).await,
        Command::Item(command) => command.run(context).await,
        Command::Status(command) => command.run(context).await,
        Command::Doctor(command) => command.run(context).await,
        Command::Config(command) => command.run(context),
        Command::Healthcheck(command) => command.run(context).await,
        Command::Db(command) => command.run(context).await,
        Command::Check(command) => command.run(context).await,
        Command::Encoder(command) => command.run(context),
        Command::Eval(command) => command.run(context).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "newsfold", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { directory } => {
            manual::write_pages(Arguments::command(), &directory)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The state that every command needs: the clock and the global options.
struct Context {
    clock: Clock,
    global: Global,
    /// The database, once the command has opened it.
    opened: OnceCell<Store>,
}

impl Context {
    fn config(&self) -> anyhow::Result<Config> {
        Ok(self.with_options(self.config_location().read()?))
    }

    fn config_location(&self) -> ConfigLocation {
        ConfigLocation { given: self.global.config.clone() }
    }

    /// Applies the options of the command line to the settings of the file.
    fn with_options(&self, mut file: Config) -> Config {
        if let Some(database) = &self.global.database {
            file.database = Some(database.clone());
        }
        file
    }

    /// Returns the settings for a command that must also work if the file is not valid, and the error in that case.
    fn lenient_config(&self) -> (Config, Option<config_file::Error>) {
        let (file, error) = self.config_location().read_leniently();
        (self.with_options(file), error)
    }

    /// Returns the settings for a command that needs only the database. Prints a note if the file is not valid.
    ///
    /// # Errors
    /// Returns an error if the file may specify another database that this program cannot determine.
    fn database_config(&self) -> anyhow::Result<Config> {
        let (config, error) = self.lenient_config();
        let Some(error) = error else { return Ok(config) };
        if config.database.is_none() && self.config_location().may_name_database() {
            let error = anyhow::Error::new(error);
            return Err(error.context("the configuration may specify another database; choose it with --database FILE"));
        }
        eprintln!("newsfold: {error}\nnewsfold: this command needs only the database, so it continues");
        Ok(config)
    }

    /// Opens the database, which must exist, for a command that needs no other settings.
    fn open_database(&self) -> anyhow::Result<Store> {
        self.open_existing(&self.database_config()?)
    }

    /// Returns the path of the database, which may not exist.
    ///
    /// # Errors
    /// Returns an error if the current user may not read the database, or may not check whether it exists.
    fn database_path(&self, config: &Config) -> anyhow::Result<PathBuf> {
        let path = config.database_path();
        let is_hidden = config.database.is_none() && !path.exists() && is_service_database_unreadable();
        let unreadable = if is_hidden { Path::new(SERVICE_DATABASE) } else { &path };
        if is_hidden || is_unreadable(&path) {
            bail!(
                "permission denied: the current user cannot read the database {}; run the command as root or as the owner \
                 of the database, or choose another database with --database FILE",
                unreadable.display()
            );
        }
        Ok(path)
    }

    /// Returns the path of the database, which must exist.
    fn existing_database(&self, config: &Config) -> anyhow::Result<PathBuf> {
        let path = self.database_path(config)?;
        if !path.exists() && DatabaseLock::is_held(&path) {
            bail!(
                "the database {} was deleted while a daemon uses it; stop the daemon, and restore a backup with \
                 `newsfold db restore FILE`",
                path.display()
            );
        }
        if !path.exists() {
            bail!(
                "there is no database {}; add a source with `newsfold source add URL`, start the daemon, or choose \
                 another database with --database FILE",
                path.display()
            );
        }
        Ok(path)
    }

    /// Opens the database, which must exist.
    fn open(&self) -> anyhow::Result<(Config, Store)> {
        let config = self.config()?;
        let store = self.open_existing(&config)?;
        Ok((config, store))
    }

    /// Opens the database of these settings, which must exist.
    fn open_existing(&self, config: &Config) -> anyhow::Result<Store> {
        self.existing_database(config)?;
        self.open_with(config)
    }

    /// Opens the database and creates it if it does not exist.
    fn open_or_create(&self) -> anyhow::Result<(Config, Store)> {
        let config = self.config()?;
        let store = self.open_with(&config)?;
        Ok((config, store))
    }

    fn open_with(&self, config: &Config) -> anyhow::Result<Store> {
        let path = self.database_path(config)?;
        if config.database.is_none() && path == Path::new(SERVICE_DATABASE) {
            eprintln!("newsfold: using the database of the service, {SERVICE_DATABASE}");
        }
        let store = Store::open(&path)?;
        Ok(self.opened.get_or_init(|| store).clone())
    }

    fn json(&self) -> bool {
        self.global.json
    }
}

/// Returns the log filter that applies if `NEWSFOLD_LOG` is not set.
fn log_filter(arguments: &Arguments) -> &'static str {
    match (arguments.global.verbose, &arguments.command) {
        (0, Command::Serve(_)) | (1, _) => "newsfold=info",
        (0, Command::Demo(_)) => "newsfold=warn",
        // Commands do not retry, and print the failure themselves.
        (0, _) => "newsfold=warn,newsfold::store::access_failures=off",
        _ => "newsfold=debug",
    }
}

/// Resolves on SIGINT or SIGTERM, but not on SIGHUP, so that a command under nohup continues.
async fn termination_signal() -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("newsfold: {error:#}");
    ExitCode::FAILURE
}

/// Returns whether the process that reads the output, such as `head`, has closed the pipe.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
