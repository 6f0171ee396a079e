//! What newsfold makes of material: documents of other parsers' suites, hostile ones, real ones, labelled stories, and
//! made-up worlds to poll in.

mod clusters;
mod conformance;
mod corpus;
mod hostile;
mod policies;
#[path = "../support/mod.rs"]
mod support;
