//! The program as a whole: its commands, its daemon, what it asks of servers and what it serves. One binary for all,
//! since every further one links everything anew: thirty of them took six minutes and four gigabytes.

mod architecture;
mod articles;
mod cli;
mod constraints;
mod cli_messages;
mod daemon;
mod dates;
mod demo;
mod editions;
mod etiquette;
mod export;
mod faults;
mod holds;
mod identity;
mod limits;
mod pages;
mod readme;
mod sources;
#[path = "../support/mod.rs"]
mod support;

mod turns;
mod websub_hub_delivery;
mod websub_hub_requests;
mod websub_pushes;
mod websub_subscriptions;
