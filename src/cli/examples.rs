//! The examples of commands, in the long help and in the manual pages. A test parses each of them.

pub const SERVE: &str = "\
Examples:
  newsfold serve                            Run with the system or user configuration
  newsfold serve --listen 127.0.0.1:9000    Listen on another port";

pub const EXPORT: &str = "\
Examples:
  newsfold export /srv/www/news             Write the site for a web server";

pub const HEALTHCHECK: &str = "\
Examples:
  newsfold healthcheck                              Check the daemon on this machine
  newsfold healthcheck --url http://news.internal   Check another daemon";

pub const DOCTOR: &str = "\
Examples:
  newsfold doctor                               Check everything
  newsfold doctor --url https://example.org/    Check outbound HTTP with this URL
  newsfold doctor --json                        Print the findings for a script";

pub const CHECK: &str = "\
Examples:
  newsfold check https://example.org/feed    Fetch and parse a feed
  newsfold check feed.xml                    Parse a file
  newsfold check -                           Parse standard input";

pub const SOURCE_ADD: &str = "\
Examples:
  newsfold source add example.org                               Add the feed that a page links to
  newsfold source add https://example.org/feed --tag world      Add a feed with a tag
  newsfold source add https://example.org/feed --no-fetch       Let the daemon read it later";

pub const SOURCE_LIST: &str = "\
Examples:
  newsfold source list --problems                   List sources with problems
  newsfold source list --tag world --limit 10       List ten sources with a tag
  newsfold source list --sort last-poll --json      Print all sources for a script";

pub const SOURCE_EDIT: &str = "\
Examples:
  newsfold source edit 7 --title Courier                    Change the title
  newsfold source edit 7 --tag world --tag energy           Replace the tags
  newsfold source edit 7 --url https://example.org/feed     Poll another URL
  newsfold source edit 7 --interval 1h                      Change the time between polls";

pub const SOURCE_IMPORT: &str = "\
Examples:
  newsfold source import feeds.opml               Add the sources of another reader
  newsfold source import feeds.opml --tag world   Also tag these sources";

pub const SOURCE_EXPORT: &str = "\
Examples:
  newsfold source export                Print all sources as OPML
  newsfold source export --tag world    Print the sources with a tag";

pub const SOURCE_SYNC: &str = "\
Examples:
  newsfold source sync feeds.opml --dry-run   Show what would change
  newsfold source sync feeds.opml --yes       Apply the changes without a prompt";

pub const FEED_PREVIEW: &str = "\
Examples:
  newsfold feed preview top                  List the entries
  newsfold feed preview top --format atom    Print the document";

pub const FEED_EXPLAIN: &str = "\
Examples:
  newsfold feed explain top 0a1b2c    Explain why a story is or is not in the feed";

pub const STORY_LIST: &str = "\
Examples:
  newsfold story list                                 List the newest stories
  newsfold story list --min-outlets 3 --limit 10      List ten stories that several outlets report";

pub const STORY_MERGE: &str = "\
Examples:
  newsfold story merge 0a1b2c 3d4e5f    Merge two stories about one event";

pub const STORY_SPLIT: &str = "\
Examples:
  newsfold story split 0a1b2c 12 15    Move two items of the story to a new story";

pub const DB_BACKUP: &str = "\
Examples:
  newsfold db backup news-backup.db           Copy the database while the daemon runs
  newsfold db backup --force news-backup.db   Replace an older backup";

pub const DB_RESTORE: &str = "\
Examples:
  newsfold db restore news-backup.db          Replace the database after a prompt
  newsfold db restore --yes news-backup.db    Replace the database without a prompt";
