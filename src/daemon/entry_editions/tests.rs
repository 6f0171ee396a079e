//! Checks under random sequences of events that the link of a published entry changes only if the linked report has
//! left the story.

use super::super::publisher::EditionPublisher;
use crate::clock::Clock;
use crate::domain::{
    CreatedStory, FeedFold, FeedVariant, Item, ItemId, ItemMove, JoinEvidence, NewItem, NewSource, PollOutcome,
    PollRecord, SourceEdit, SourceId, Story, StoryAssignment, StoryId, StoryItem, StoryPlacement, StoryRegrouping,
    Timestamp,
};
use crate::publish::{FeedOptions, Options, arrange_entries, choose_lead};
use crate::store::{
    ReadConnection, Store, WriteConnection, constraints, entry_languages, feed_entries, items, polls, sources, stories,
};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tempfile::TempDir;

const SEQUENCES: u64 = 8;
const EVENTS: usize = 50;
const LANGUAGES: [&str; 3] = ["en", "pl", "de"];
const SOURCES: usize = 6;

/// The random number generator SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn languages(&mut self) -> Vec<String> {
        let mut languages: Vec<String> = Vec::new();
        for _ in 0..self.below(4) {
            let language = LANGUAGES[self.below(3)].to_owned();
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
        languages
    }
}

/// The properties of an entry that readers have seen.
#[derive(Debug, Clone, PartialEq)]
struct ShownEntry {
    published_at: Timestamp,
    link: Option<String>,
    linked: ItemId,
    edition: u32,
    lead: ItemId,
    lang: Option<String>,
}

type EntryKey = (String, FeedVariant, StoryId);

/// The number of times that each relevant event happened. The test fails if one of them never happened.
#[derive(Debug, Default)]
struct Coverage {
    changed_links: usize,
    several_headlines: usize,
    changed_headlines: usize,
}

/// A newsfold instance to which a random sequence of events is applied.
struct Site {
    folder: TempDir,
    store: Store,
    clock: Clock,
    options: Options,
    random: Random,
    sources: Vec<SourceId>,
    item_count: usize,
    /// The items that each story contains, and the items that have left it.
    members: BTreeMap<StoryId, BTreeSet<ItemId>>,
    left: BTreeSet<(StoryId, ItemId)>,
    /// The entries that readers have seen, including removed entries, and the keys of the present entries.
    shown: HashMap<EntryKey, ShownEntry>,
    present: HashSet<EntryKey>,
    coverage: Coverage,
}

impl Site {
    async fn new(seed: u64) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("newsfold.db")).unwrap();
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        let mut random = Random(seed);
        let mut options = Options { delay: SignedDuration::ZERO, ..Options::default() };
        if random.chance(60) {
            options.min_update_interval = SignedDuration::ZERO;
        }
        let now = clock.now();
        let add = move |db: &WriteConnection| {
            let add = |n: usize| {
                let lang = Some(LANGUAGES[n % 3].to_owned());
                let url = format!("https://{n}.example/feed");
                let source = NewSource { url, outlet: format!("{n}.example"), lang, ..NewSource::default() };
                Ok(sources::add(db, &source, now, now)?.unwrap())
            };
            (0..SOURCES).map(add).collect()
        };
        let sources = store.write(add).await.unwrap();
        let mut site = Site {
            folder,
            store,
            clock,
            options,
            random,
            sources,
            item_count: 0,
            members: BTreeMap::new(),
            left: BTreeSet::new(),
            shown: HashMap::new(),
            present: HashSet::new(),
            coverage: Coverage::default(),
        };
        site.configure();
        site
    }

    /// Changes the languages of the site and of its feeds, or adds and removes feeds.
    fn configure(&mut self) {
        self.options.languages = if self.random.chance(50) { self.random.languages() } else { Vec::new() };
        let mut feeds: Vec<FeedOptions> = Vec::new();
        for name in ["first", "second", "third"] {
            if self.random.chance(80) {
                let mut feed: FeedOptions = toml::from_str(&format!("name = \"{name}\"")).unwrap();
                feed.languages = self.random.languages();
                feed.min_outlets = 1 + self.random.below(2) as u32;
                feed.fold = if self.random.chance(50) { FeedFold::Stories } else { FeedFold::Storylines };
                feeds.push(feed);
            }
        }
        self.options.feeds = feeds;
    }

    async fn stories(&self) -> Vec<Story> {
        let mut stories = self.store.read(|db| stories::recent(db, 1, 1000)).await.unwrap();
        stories.sort_by_key(|story| story.id);
        stories
    }

    /// Makes a random source report an event: either a new event or the event of a random story.
    async fn report(&mut self, joins: bool) {
        self.item_count += 1;
        let (n, now) = (self.item_count, self.clock.now());
        let source = self.sources[self.random.below(SOURCES)];
        let lang = self.random.chance(20).then(|| LANGUAGES[self.random.below(3)].to_owned());
        let stories = self.stories().await;
        let joined = Some(&stories).filter(|stories| joins && !stories.is_empty());
        let joined = joined.map(|stories| stories[self.random.below(stories.len())].clone());
        let is_copy = self.random.chance(15);
        let write = move |db: &WriteConnection| {
            polls::record_poll(db, &poll(source, now), None, &[new_item(n, lang, now)])?;
            let item = items::unassigned(db, 1, now)?.remove(0);
            let (story, placement) = match &joined {
                Some(story) => (story.id, StoryPlacement::Joined),
                None => (stories::mint_id(db, &item, |_| false)?, StoryPlacement::Created),
            };
            let original = joined.as_ref().and_then(|story| story.items.first()).map(|first| first.item.id);
            let copy_of = original.filter(|_| is_copy);
            let evidence = JoinEvidence::default();
            stories::assign_items(db, &[StoryAssignment { item: item.id, story, placement, copy_of, evidence }], now)
        };
        self.store.write(write).await.unwrap();
    }

    /// Moves a random report to another story or, sometimes, to a new story.
    async fn move_report(&mut self) {
        let now = self.clock.now();
        let stories = self.stories().await;
        let several: Vec<&Story> = stories.iter().filter(|story| story.items.len() > 1).collect();
        if several.is_empty() {
            return;
        }
        let from = several[self.random.below(several.len())].clone();
        let item: Item = from.items[self.random.below(from.items.len())].item.clone();
        let into = stories[self.random.below(stories.len())].id;
        let options = self.options.clone();
        let write = move |db: &WriteConnection| {
            let mut created = Vec::new();
            let mut target = into;
            if into == from.id {
                target = stories::mint_id(db, &item, |_| false)?;
                created.push(CreatedStory { story: target, first_item: item.id });
            }
            let evidence = JoinEvidence::default();
            let moved = vec![ItemMove { item: item.id, from: from.id, into: target, copy_of: None, evidence }];
            let regrouping = StoryRegrouping { created, moved, merged: Vec::new() };
            set_leads(db, &stories::apply_regrouping(db, &regrouping, now)?, &options)
        };
        self.store.write(write).await.unwrap();
    }

    /// Merges two stories, splits a story, merges two storylines, or undoes one of these decisions.
    async fn decide(&mut self) {
        let now = self.clock.now();
        let stories = self.stories().await;
        if stories.len() < 2 {
            return;
        }
        let kind = self.random.below(4);
        let one = stories[self.random.below(stories.len())].clone();
        let other = stories[self.random.below(stories.len())].clone();
        let (options, place) = (self.options.clone(), self.random.below(1000));
        let write = move |db: &WriteConnection| {
            let decided = match kind {
                0 => constraints::merge_stories(db, &one, &other, now)?,
                1 => constraints::split_story(db, &one, &[one.items[place % one.items.len()].item.id], now)?,
                2 => {
                    let storyline = |story: &Story| crate::store::storylines::get(db, story.storyline);
                    let (Some(one), Some(other)) = (storyline(&one)?, storyline(&other)?) else { return Ok(()) };
                    constraints::merge_storylines(db, &one, &other, now)?
                }
                _ => {
                    let all = constraints::list(db)?;
                    let Some(constraint) = all.get(place % all.len().max(1)) else { return Ok(()) };
                    constraints::undo(db, constraint.id, now)?
                }
            };
            let Ok(applied) = decided else { return Ok(()) };
            set_leads(db, &applied.leaderless, &options)
        };
        self.store.write(write).await.unwrap();
    }

    /// Changes the language or the priority of a source.
    async fn edit_source(&mut self) {
        let (id, now) = (self.sources[self.random.below(SOURCES)], self.clock.now());
        let mut edit = SourceEdit::default();
        match self.random.chance(60) {
            true => edit.lang = Some(LANGUAGES[self.random.below(3)].to_owned()),
            false => edit.priority = Some(self.random.below(3) as i32),
        }
        self.store.write(move |db| sources::edit(db, id, &edit, now)).await.unwrap();
    }

    async fn restart(&mut self) {
        self.store.checkpoint().await.unwrap();
        self.store = Store::open(&self.folder.path().join("newsfold.db")).unwrap();
    }

    /// Performs a random event. Returns its name, for messages.
    async fn change(&mut self) -> &'static str {
        let minutes = [1, 5, 40, 70, 300, 3000][self.random.below(6)];
        self.clock.advance(SignedDuration::from_mins(minutes));
        match self.random.below(100) {
            0..45 => {
                self.report(true).await;
                "a report joins a story"
            }
            45..55 => {
                self.report(false).await;
                "a report starts a story"
            }
            55..67 => {
                self.move_report().await;
                "a report moves"
            }
            67..80 => {
                self.decide().await;
                "the operator merges or splits"
            }
            80..87 => {
                self.edit_source().await;
                "a source changes"
            }
            87..95 => {
                self.configure();
                "the configuration changes"
            }
            _ => {
                self.restart().await;
                "newsfold restarts"
            }
        }
    }

    async fn publish(&self) {
        let publisher = EditionPublisher::new(&self.options);
        publisher.publish_all(&self.store, &self.clock, self.clock.now()).await.unwrap();
    }

    async fn entries(&self) -> HashMap<EntryKey, ShownEntry> {
        let feeds = self.options.published_feeds();
        let read = move |db: &ReadConnection| {
            let mut all = HashMap::new();
            for feed in &feeds {
                for variant in FeedVariant::ALL {
                    let page = feed_entries::current_page(db, feed, variant)?;
                    for entry in arrange_entries(&feed.selection, page.candidates) {
                        let text = entry.edition.text;
                        let shown = ShownEntry {
                            published_at: entry.published_at,
                            link: text.link,
                            linked: text.linked,
                            edition: entry.edition.number,
                            lead: text.lead,
                            lang: text.lang,
                        };
                        let key = (feed.name.clone(), variant, entry.edition.story);
                        assert_eq!(all.insert(key, shown), None, "a feed shows a story once");
                    }
                }
            }
            Ok(all)
        };
        self.store.read(read).await.unwrap()
    }

    async fn record_members(&mut self) {
        let mut members: BTreeMap<StoryId, BTreeSet<ItemId>> = BTreeMap::new();
        for story in self.stories().await {
            members.insert(story.id, story.items.iter().map(|report| report.item.id).collect());
        }
        for (story, items) in &self.members {
            let present = members.get(story);
            self.left.extend(
                items.iter().filter(|item| present.is_none_or(|now| !now.contains(item))).map(|item| (*story, *item)),
            );
        }
        self.members = members;
    }

    /// Compares the entries with the entries that readers have seen.
    async fn check(&mut self, event: &str, entries_stay: bool) {
        self.record_members().await;
        let entries = self.entries().await;
        for (key, entry) in &entries {
            let (feed, variant, story) = key;
            let Some(known) = self.shown.get(key) else { continue };
            let what = format!("{event}: {feed}{} {story}: {known:?} became {entry:?}", variant.suffix());
            assert_eq!(known.published_at, entry.published_at, "{what}");
            if known.linked != entry.linked {
                assert!(self.left.contains(&(*story, known.linked)), "the linked report has not left: {what}");
                self.coverage.changed_links += 1;
            } else {
                assert_eq!(known.link, entry.link, "{what}");
            }
            if *variant == FeedVariant::Stable && entries_stay && self.present.contains(key) {
                assert_eq!(known.edition, entry.edition, "a stable entry never changes: {what}");
            }
            self.coverage.changed_headlines += usize::from(known.lang != entry.lang);
        }
        self.check_languages(&entries).await;
        self.present = entries.keys().cloned().collect();
        self.shown.extend(entries);
    }

    /// Checks that the headline of a live entry is in the entry's language if the story has an original report in that
    /// language and nothing delays the next edition.
    async fn check_languages(&mut self, entries: &HashMap<EntryKey, ShownEntry>) {
        let stories: BTreeMap<StoryId, Story> =
            self.stories().await.into_iter().map(|story| (story.id, story)).collect();
        for ((feed, variant, id), entry) in entries {
            let (name, story_id) = (feed.clone(), *id);
            let language = self.store.read(move |db| entry_languages::find(db, &name, story_id)).await.unwrap();
            let (Some(Some(language)), FeedVariant::Live) = (language, variant) else { continue };
            let story = &stories[id];
            let in_language = |report: &&StoryItem| report.item.lang.as_ref() == Some(&language);
            let is_new = !self.shown.contains_key(&(feed.clone(), *variant, *id));
            if is_new && story.items.iter().filter(in_language).any(|report| report.copy_of.is_none()) {
                let lead = story.items.iter().find(|report| report.item.id == entry.lead);
                assert!(lead.is_some_and(|lead| in_language(&lead)), "{feed}: {entry:?} is not in {language}");
                let mut others = entries.iter().filter(|((_, _, other), _)| other == id);
                self.coverage.several_headlines += usize::from(others.any(|(_, other)| other.lead != entry.lead));
            }
        }
    }
}

fn set_leads(db: &WriteConnection, leaderless: &[Story], options: &Options) -> crate::store::Result<()> {
    for story in leaderless {
        if let Some(lead) = choose_lead(story, options) {
            stories::set_lead(db, story.id, lead.item.id)?;
        }
    }
    Ok(())
}

fn poll(source: SourceId, now: Timestamp) -> PollRecord {
    PollRecord { status: Some(200), items: 1, ..PollRecord::empty(source, now, PollOutcome::Read) }
}

fn new_item(n: usize, lang: Option<String>, now: Timestamp) -> NewItem {
    NewItem {
        guid: n.to_string(),
        url: Some(format!("https://news.example/{n}")),
        canonical_url: None,
        title: format!("Report {n}"),
        summary: format!("Text of report {n}"),
        content: None,
        categories: Vec::new(),
        author: None,
        lang,
        image: None,
        enclosures: Vec::new(),
        published_at: Some(now),
        is_day_only: false,
        is_incomplete: false,
        reporter: None,
        backlog_reason: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn link_of_a_published_entry_changes_only_if_its_report_has_left_the_story() {
    let mut total = Coverage::default();
    for seed in 0..SEQUENCES {
        let mut site = Site::new(seed).await;
        for number in 0..EVENTS {
            let event = site.change().await;
            site.publish().await;
            let event_name = format!("sequence {seed}, event {number} ({event})");
            site.check(&event_name, event != "the configuration changes").await;
        }
        total.changed_links += site.coverage.changed_links;
        total.several_headlines += site.coverage.several_headlines;
        total.changed_headlines += site.coverage.changed_headlines;
    }
    let Coverage { changed_links, several_headlines, changed_headlines } = total;
    assert!(changed_links > 20 && several_headlines > 20 && changed_headlines > 20, "{total:?}");
}
