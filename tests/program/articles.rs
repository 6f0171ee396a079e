//! The pages of items: read by all rules, used for grouping, published where that is allowed.

use crate::support::origin::{Answer, Origin};
use crate::support::until;
use crate::support::world::World;
use jiff::{SignedDuration, Timestamp};
use newsfold::domain::{FullTextMode, NewSource, SourceId};

const RAIN: &str = "<p>The mountain pass above Veshna was closed on Sunday evening after two days of rain, the road office \
    said.</p><p>Mud and stones cover the road, and engineers expect the work to last until Friday.</p>";
const MORE_RAIN: &str = "<p>Rain closed the mountain pass above Veshna on Sunday evening, and the road office expects mud \
    and stones to cover the road until Friday.</p><p>Engineers of the road office began to work in the night.</p>";
const BANK: &str = "<p>The central bank lifted its key rate by half a point on Sunday, more than traders had expected.</p>\
    <p>Inflation stays high, the governor said, and the bank would go on until prices fall.</p>";

fn page(headline: &str, paragraphs: &str, teasers: &[&str]) -> Answer {
    let teasers: String = teasers.iter().map(|teaser| format!("<li><a href=\"/x\">{teaser}</a></li>")).collect();
    let boxes = format!("<div><h2>Don’t miss</h2><ul>{teasers}</ul></div>");
    Answer::ok(format!(
        "<html><head><title>{headline}</title></head><body><nav>Home World Sport</nav><article><h1>{headline}</h1>\
         {paragraphs}{boxes}</article><aside><h2>Related articles</h2><ul>{teasers}</ul></aside>{boxes}</body></html>"
    ))
    .header("content-type", b"text/html; charset=utf-8")
}

/// A feed of one item that has a headline and a link, and says nothing else.
fn feed(origin: &Origin, headline: &str) -> Answer {
    let link = origin.url("/article");
    Answer::ok(format!(
        "<rss version=\"2.0\"><channel><title>N</title><language>en</language><item><guid>{link}</guid>\
         <title>{headline}</title><link>{link}</link></item></channel></rss>"
    ))
}

async fn add(world: &World, origin: &Origin, outlet: &str, full_text: FullTextMode) -> SourceId {
    let new = NewSource { url: origin.url("/feed"), outlet: outlet.into(), full_text, ..NewSource::default() };
    let now = world.now();
    let add = world.store.write(move |db| newsfold::store::sources::add(db, &new, now, now));
    add.await.unwrap().unwrap()
}

/// Origins whose feeds have the headlines, and their pages.
async fn origins(all: &[(&str, &str, &[&str])]) -> Vec<Origin> {
    let mut origins = Vec::new();
    for (headline, paragraphs, teasers) in all {
        let origin = Origin::start().await;
        origin.serve("/feed", feed(&origin, headline));
        origin.serve("/article", page(headline, paragraphs, teasers));
        origins.push(origin);
    }
    origins
}

async fn polled(world: &mut World, origins: &[Origin], full_text: FullTextMode) {
    let mut ids = Vec::new();
    for (n, origin) in origins.iter().enumerate() {
        ids.push(add(world, origin, &format!("outlet{n}.example"), full_text).await);
    }
    world.start().await;
    for id in ids {
        world.pass(SignedDuration::from_secs(1));
        world.polled(id, 1).await;
    }
}

const HEADLINES: [(&str, &str, &[&str]); 3] = [
    ("Veshna cut off", RAIN, &["Bank lifts its key rate by half a point", "Inflation stays high, says the governor"]),
    (
        "Mud on the road",
        MORE_RAIN,
        &["Bank lifts its key rate by half a point", "Inflation stays high, says the governor"],
    ),
    ("Half a point more", BANK, &["Rain closes the mountain pass above Veshna", "Mud and stones cover the road"]),
];

#[tokio::test]
async fn articles_bring_together_what_headlines_do_not_and_teasers_bring_together_nothing() {
    let origins = origins(&HEADLINES).await;
    for (full_text, expected) in [(FullTextMode::No, 3), (FullTextMode::Group, 2)] {
        let mut world = World::new();
        polled(&mut world, &origins, full_text).await;
        let stories = world.stories().await;
        assert_eq!(stories.len(), expected, "{full_text:?}");
        if full_text == FullTextMode::Group {
            let shared = stories.iter().find(|story| story.items.len() == 2).unwrap();
            assert!(shared.items.iter().all(|report| report.item.title != "Half a point more"));
            let atom = world.get("/feeds/all.atom").await;
            assert!(!atom.contains("engineers expect"), "the text is for grouping alone");
        }
        world.stop().await;
    }
    for origin in &origins {
        assert_eq!((origin.count("/robots.txt"), origin.count("/article")), (1, 1), "only where it is wanted");
        assert_eq!(origin.most_at_once(), 1);
    }
}

#[tokio::test]
async fn the_article_is_published_where_that_is_allowed() {
    let origins = origins(&HEADLINES[..1]).await;
    let mut world = World::new();
    polled(&mut world, &origins, FullTextMode::Publish).await;
    let json = world.get("/feeds/all.json").await;
    assert!(json.contains("engineers expect the work to last until Friday"), "{json}");
    assert!(!json.contains("Bank lifts"), "and nothing of what stands around it");
    world.stop().await;
}

#[tokio::test]
async fn robots_txt_is_kept_to() {
    let origins = origins(&HEADLINES[..1]).await;
    origins[0]
        .serve("/robots.txt", Answer::ok("User-agent: *\nAllow: /\n\nUser-agent: newsfold\nDisallow: /article\n"));
    let mut world = World::new();
    polled(&mut world, &origins, FullTextMode::Group).await;
    assert_eq!((origins[0].count("/robots.txt"), origins[0].count("/article")), (1, 0));
    let traffic = world.store.read(|db| newsfold::store::origins::traffic(db, Timestamp::MIN, Timestamp::MIN));
    assert_eq!(traffic.await.unwrap()[0].requests, 2, "the feed and robots.txt");
    let item = world.stories().await[0].items[0].item.id;
    let state = world.store.read(move |db| newsfold::store::full_text::article_state(db, item)).await.unwrap();
    assert_eq!(state.as_deref(), Some("failed: robots.txt does not allow it"));
    world.stop().await;
}

#[tokio::test]
async fn a_page_that_does_not_come_keeps_no_item_from_its_story() {
    let origins = origins(&HEADLINES[..1]).await;
    origins[0].serve("/article", Answer::ok("").held());
    let mut world = World::new();
    let id = add(&world, &origins[0], "a.example", FullTextMode::Group).await;
    world.start().await;
    until("its page is asked for", async || origins[0].count("/article") == 1).await;
    assert_eq!(world.polls(id).await.len(), 1);
    assert_eq!(world.stories().await.len(), 0, "it is waited for");
    world.pass(SignedDuration::from_mins(11));
    until("the item has a story", async || world.stories().await.len() == 1).await;
    origins[0].let_go();
    world.stop().await;
}
