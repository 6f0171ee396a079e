//! newsfold: one entry per event, from many outlets' feeds, in the reader you already use.
//!
//! The line, which [`crawl::poll_source`] and the tasks of [`daemon`] walk:
//!
//! ```text
//! due source → fetch → FetchOutcome → parse → ParsedFeed + problems → normalize → items → store (one transaction)
//!   → new item ids → cluster → Assignment + evidence → store → story changed
//!   → publish policy → (on request) feed → bytes
//! ```
//!
//! The modules in reading order. Which may name which is a table in `docs/ARCHITECTURE.md`, held by `tests/tidy.rs`.

pub mod domain;

pub mod charset;
pub mod clock;
pub mod markup;
pub mod urls;
pub mod wording;

pub mod html;

pub mod cluster;
pub mod crawl;
pub mod feed_parser;
pub mod http_client;
pub mod ingest;
pub mod opml;
pub mod publish;
pub mod serve;
pub mod store;
pub mod websub;

pub mod config;
pub mod daemon;

pub mod cli;
