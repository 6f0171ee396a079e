//! Tests the complete program: its commands, its daemon, the requests it sends and the documents it serves.
//!
//! The tests are in one binary, because each binary is linked separately. Linking thirty binaries took six minutes and
//! four gigabytes.

mod architecture;
mod backlog;
mod backup;
mod cli;
mod cli_messages;
mod constraints;
mod damaged_database;
mod daemon;
mod delivery_failures;
mod demo;
mod editions;
mod encoder;
mod etiquette;
mod export;
mod faults;
mod feed_filling;
mod feed_filters;
mod feed_rules;
mod folding;
mod fetch_limits;
mod full_text;
mod grouping_passes;
mod health;
mod holds;
mod item_identity;
mod languages;
mod last_modified;
mod metrics;
mod operator_commands;
mod origin_leases;
mod pages;
mod query_plans;
mod readme;
mod recovery;
mod reload;
mod request_settings;
mod root_commands;
mod scale;
mod secrets;
mod sources;
mod storylines;
#[path = "../support/mod.rs"]
mod support;
mod truncation;
mod webhooks;
mod websub_hub_delivery;
mod websub_hub_requests;
mod websub_pushes;
mod websub_subscriptions;
