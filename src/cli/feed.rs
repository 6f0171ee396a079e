//! `newsfold feed`: what is published, and what would stand in it.

mod subscribers;

use super::Context;
use super::output::{json, one_line, print, table, time};
use crate::publish::{FeedDocument, Format};
use crate::store::stories;
use anyhow::Context as _;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
pub enum Feed {
    /// List the published feeds and their URLs.
    List,
    /// Print what a feed holds.
    Preview {
        /// The feed's name, as `newsfold feed list` prints it.
        name: String,
        /// Print the document itself: atom, rss or json.
        #[arg(long, value_parser = ["atom", "rss", "json"])]
        format: Option<String>,
    },
    /// List those who subscribe at newsfold's own hub (publish.own_hub), or end a subscription.
    Subscribers(subscribers::Subscribers),
    /// List what the hubs of publish.hubs were told.
    Hubs,
}

impl Feed {
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            Feed::List => list(context),
            Feed::Hubs => subscribers::hubs(context).await,
            Feed::Subscribers(command) => command.run(context).await,
            Feed::Preview { name, format } => preview(context, &name, format.as_deref()).await,
        }
    }
}

fn list(context: &Context) -> anyhow::Result<ExitCode> {
    let options = context.config()?.publish;
    let feeds = options.published_feeds();
    let url = |name: &str, format: Format| options.url(&format!("feeds/{name}.{}", format.extension()));
    if context.json() {
        let rows: Vec<serde_json::Value> = feeds
            .iter()
            .map(|feed| serde_json::json!({"feed": feed, "urls": Format::ALL.map(|format| url(&feed.name, format))}))
            .collect();
        json(&rows)?;
    } else {
        let rows =
            feeds.iter().map(|feed| [feed.name.clone(), one_line(&feed.title, 60), url(&feed.name, Format::Atom)]);
        table(["feed", "title", "atom (also .rss and .json)"], rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn preview(context: &Context, name: &str, format: Option<&str>) -> anyhow::Result<ExitCode> {
    let (config, store) = context.open()?;
    let options = config.publish;
    let feed = options.published_feeds().into_iter().find(|feed| feed.name == name);
    let feed =
        feed.with_context(|| format!("there is no feed ‘{}’; `newsfold feed list` shows them", one_line(name, 80)))?;
    let selection = feed.selection.clone();
    let (instance, stories) =
        store.read(move |db| Ok((stories::instance(db)?, stories::select(db, &selection)?))).await?;
    if let Some(format) = format.and_then(Format::from_extension) {
        let document = FeedDocument { feed: &feed, instance: &instance, stories: &stories, options: &options };
        return print(String::from_utf8_lossy(&document.render(format)).trim_end()).map(|()| ExitCode::SUCCESS);
    }
    if context.json() {
        json(&stories)?;
        return Ok(ExitCode::SUCCESS);
    }
    table(
        ["story", "title", "outlets", "published"],
        stories.iter().map(|story| {
            let lead = story.lead().map_or("", |lead| lead.item.title.as_str());
            let at = story.published.as_ref().map_or_else(String::new, |p| time(p.at));
            [story.id.to_string(), one_line(lead, 100), story.outlets().len().to_string(), at]
        }),
    )?;
    Ok(ExitCode::SUCCESS)
}
