//! newsfold merges the feeds of many outlets into feeds with one entry per event, for any feed reader.
//!
//! The data flow, which [`crawl::poll_source`] and the tasks of [`daemon`] implement:
//!
//! ```text
//! due source → fetch → ResponseDocument → parse → ParsedFeed + problems → normalize → items → store (one transaction)
//!   → new item ids → cluster → StoryAssignment + evidence → store → story changed
//!   → publish policy → edition → feed entries → (on request or export) documents
//! ```
//!
//! The modules are listed in reading order: each module refers only to modules above it. The table in
//! `docs/ARCHITECTURE.md` lists their purposes and allowed imports; `tests/program/architecture.rs` enforces it.

pub mod domain;
pub mod clock;
pub mod metrics;
pub mod markup;
pub mod charset;
pub mod urls;
pub mod wording;
pub mod html;
pub mod opml;
pub mod feed_parser;
pub mod identity;
pub mod ingest;
pub mod cluster;
pub mod storyline;
pub mod encoder;
pub mod evaluation;
pub mod http_client;
pub mod store;
pub mod publish;
pub mod websub;
pub mod crawl;
pub mod serve;
pub mod config;
pub mod daemon;
pub mod cli;
