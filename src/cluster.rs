//! Finds the items that report the same event.
//!
//! Pure: items in, assignments out, the same for the same past on every machine. It reads no database and no clock;
//! [`crate::daemon`] feeds it, writes down what it says, and restores it after a restart.
//!
//! An item becomes weighed terms ([`words`], [`vocabulary`]); an inverted index yields its neighbours ([`near`]); a
//! learned model judges each pair ([`pair`], [`model`]); the item joins the story to which its pairs link it best.
//! Every few minutes a second look groups the neighbourhood of what is new afresh ([`look`], [`group`]), so that the
//! order of arrival does not decide. The method and its figures: `docs/clustering.md`.

mod agglomerative;
mod candidates;
pub mod evaluation;
mod explain;
mod headline_kind;
mod join_evidence;
mod language;
mod near_duplicates;
mod pair_features;
mod pair_model;
mod recluster;
mod term_index;
mod tokenizer;
mod window;

pub use explain::PairExplanation;
pub use pair_features::{FEATURE_NAMES, PairFeatures};
pub use pair_model::PairModel;

use crate::domain::{Item, ItemId, JoinEvidence, JoinReason, StoryAssignment, StoryId, StoryPlacement};
use candidates::SearchBuffers;
use jiff::SignedDuration;
use language::LanguageRegistry;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use term_index::ItemSeq;
use tokenizer::{StemCache, TokenizedText, WordToken};
use window::{IndexedItem, ItemWindow, TermAggregates, TermKind, TitleNumber, WeightedTerm};
use xxhash_rust::xxh3::xxh3_64;

/// How near is near enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Items first seen so long ago are no longer compared with.
    #[serde(with = "crate::domain::duration")]
    pub window: SignedDuration,
    /// Items first seen so long ago stay in the story that they are in.
    #[serde(with = "crate::domain::duration")]
    pub revision_window: SignedDuration,
    /// The pause between two second looks.
    #[serde(with = "crate::domain::duration")]
    pub recluster_interval: SignedDuration,
    /// The score, 0 to 1, from which an item joins a story.
    pub threshold: f32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            window: SignedDuration::from_hours(72),
            revision_window: SignedDuration::from_hours(48),
            recluster_interval: SignedDuration::from_mins(5),
            threshold: 0.55,
        }
    }
}

/// How the pairs between two groups become one link.
#[derive(Debug, Clone, PartialEq)]
pub struct Linkage {
    /// The share of the best pair, against the mean of all.
    pub best: f32,
    /// Log-odds that are taken off for each e-fold of the smaller group's size.
    pub size: f32,
    /// The log-odds from which groups join.
    pub needed: f32,
    /// The log-odds of a pair that was never a candidate.
    pub missing: f32,
}

impl Linkage {
    /// What the program uses.
    pub fn of(options: &Options) -> Linkage {
        let threshold = options.threshold.clamp(0.001, 0.999);
        Linkage { best: 0.7, size: 0.4, needed: libm::logf(threshold / (1.0 - threshold)), missing: -4.0 }
    }

    /// The link of two groups of these sizes, in log-odds, from the sum and the best of the pairs that are known.
    fn link(&self, sum: f32, pairs: usize, best: f32, sizes: (usize, usize)) -> f32 {
        let all = (sizes.0 * sizes.1).max(pairs);
        let mean = (sum + (all - pairs) as f32 * self.missing) / all as f32;
        (1.0 - self.best) * mean + self.best * best - self.size * libm::logf(sizes.0.min(sizes.1).max(1) as f32)
    }
}

/// A score, 0 to 1, of log-odds.
fn sigmoid(log_odds: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-log_odds))
}

/// Places items. Holds what is needed of the items of the last days in memory.
pub struct Clusterer {
    options: Options,
    linkage: Linkage,
    model: PairModel,
    languages: LanguageRegistry,
    stems: StemCache,
    window: ItemWindow,
    scratch: SearchBuffers,
    forms: headline_kind::HeadlineClassifier,
    /// What came, or came near something new, since the last look.
    fresh: Vec<ItemSeq>,
    /// How many items there were when all were last judged anew.
    grown: usize,
    watched: Option<Vec<TrainingPair>>,
}

/// A pair that was judged, for training.
#[derive(Debug, Clone, Copy)]
pub struct TrainingPair {
    pub items: (ItemId, ItemId),
    pub features: PairFeatures,
}

/// Terms, each with whether it is written with a capital where others are not.
type Cases = SmallVec<[(term_index::TermId, bool); MAX_TERMS]>;

/// Entries of a title or summary that are read, whatever their length.
const MAX_TERMS: usize = 64;

impl Clusterer {
    pub fn new(options: Options) -> Self {
        let linkage = Linkage::of(&options);
        Clusterer::with_model(options, PairModel::learned(), linkage)
    }

    /// A clusterer with another judgement, for training.
    pub fn with_model(options: Options, model: PairModel, linkage: Linkage) -> Self {
        Clusterer {
            options,
            linkage,
            model,
            languages: LanguageRegistry::default(),
            stems: StemCache::default(),
            window: ItemWindow::default(),
            scratch: SearchBuffers::default(),
            forms: headline_kind::HeadlineClassifier::default(),
            fresh: Vec::new(),
            grown: 0,
            watched: None,
        }
    }

    /// Keeps every pair that is judged from now on; [`Clusterer::take_recorded_pairs`] gives them out.
    pub fn record_pairs(&mut self) {
        self.watched = Some(Vec::new());
    }

    pub fn take_recorded_pairs(&mut self) -> Vec<TrainingPair> {
        self.watched.take().unwrap_or_default()
    }

    /// Takes in an item that was placed before, as after a restart. Items come in order of their ids.
    pub fn restore(&mut self, item: &Item, story: StoryId, copy_of: Option<ItemId>) {
        let (place, _) = self.take_in(item);
        if let Some(item) = self.window.at_mut(place) {
            item.copy_of = copy_of;
        }
        self.window.put(place, story);
    }

    /// Says where an item belongs, and remembers it there. `mint` gives the id for a story that the item founds; it is
    /// told which ids this clusterer knows.
    pub fn assign(&mut self, item: &Item, mint: impl FnOnce(&dyn Fn(StoryId) -> bool) -> StoryId) -> StoryAssignment {
        let (place, twin) = self.take_in(item);
        let Found { joins, copy_of, evidence } = self.find(place, twin);
        let (story, placement) = match joins {
            Some(story) => (story, StoryPlacement::Joined),
            None => (mint(&|id| self.window.knows(id)), StoryPlacement::Founded),
        };
        if let Some(item) = self.window.at_mut(place) {
            item.copy_of = copy_of;
        }
        self.window.put(place, story);
        StoryAssignment { item: item.id, story, placement, copy_of, evidence }
    }

    /// Items held in memory.
    pub fn active_items(&self) -> usize {
        self.window.len()
    }

    /// Remembers an item, in no story yet, and finds its neighbours. Returns the item with the same link, if any.
    fn take_in(&mut self, item: &Item) -> (ItemSeq, Option<ItemSeq>) {
        let seen = item.first_seen_at.as_second();
        self.window.expire(seen - self.options.window.as_secs());
        let number = self.languages.of(item.lang.as_deref());
        let language = self.languages.get(number);
        let text = TokenizedText::new(&item.title, &item.telling_text(), number, language, &mut self.stems);
        let capitals_tell = language.capitals_tell;
        let (outlet, teaches) = self.window.outlet(&item.outlet);
        let link = item.canonical_url.as_deref().map_or(0, |link| xxh3_64(link.as_bytes()).max(1));
        let (terms, numbers, cases) = self.weigh(&text, capitals_tell, teaches);
        let twin = self.window.by_link(link);
        let place = self.window.remember(IndexedItem {
            id: item.id,
            story: window::UNASSIGNED,
            copy_of: None,
            outlet,
            ranked_at: item.ranked_at.as_second(),
            first_seen_at: seen,
            link,
            sketch: near_duplicates::ShingleSketch::new(
                &text.terms().collect::<SmallVec<[tokenizer::TermHash; 128]>>(),
            ),
            form: self.forms.of(&text.title_letters),
            title_hash: xxh3_64(text.title_letters.as_bytes()) as u32,
            title: text.title_letters.into_boxed_str(),
            sums: TermAggregates::of(&terms),
            terms,
            near: SmallVec::new(),
            news: 0,
            passive: !teaches,
            follows: self.window.next(),
            numbers,
        });
        self.judge(place);
        // What repeats another's headline turns out to be passive only now: it has taught nothing, and is not looked at.
        if self.window.at(place).is_some_and(|item| item.passive) {
            cases.into_iter().for_each(|(entry, capital)| self.window.vocabulary.unsee_written(entry, capital));
        } else {
            candidates::file(&mut self.window, place);
            self.fresh.push(place);
        }
        (place, twin)
    }

    fn judge(&mut self, place: ItemSeq) {
        let mut pairs = Vec::new();
        let watching = self.watched.is_some();
        candidates::judge(&mut self.window, place, &self.model, &mut self.scratch, |other, features| {
            if watching {
                pairs.push((other, *features));
            }
        });
        let id = |place| self.window.at(place).map(|item: &IndexedItem| item.id);
        if let (Some(watched), Some(own)) = (&mut self.watched, id(place)) {
            let other = pairs.iter().filter_map(|(other, features)| Some((id(*other)?, *features)));
            watched.extend(
                other.map(|(other, features)| TrainingPair { items: (own.min(other), own.max(other)), features }),
            );
        }
    }

    /// The item's terms with their weights in a unit vector, the numbers of its title, and where a capital tells a name.
    fn weigh(
        &mut self,
        text: &TokenizedText,
        capitals_tell: bool,
        teaches: bool,
    ) -> (Box<[WeightedTerm]>, Box<[TitleNumber]>, Cases) {
        #[derive(Default)]
        struct Count {
            title: u8,
            summary: u8,
            number: bool,
        }
        let vocabulary = &mut self.window.vocabulary;
        let mut counts: SmallVec<[(tokenizer::TermHash, u32, Count); MAX_TERMS]> = SmallVec::new();
        let mut numbers = SmallVec::<[TitleNumber; 4]>::new();
        let mut cases = Cases::new();
        let headline = is_headline_case(&text.title);
        let entries = vocabulary.entries(text.terms());
        let mut entries = entries.iter();
        for (in_title, tokens) in [(true, &text.title), (false, &text.summary)] {
            let mut last: Option<(u32, bool)> = None;
            for (token, entry) in tokens.iter().zip(&mut entries) {
                let known = counts.iter().position(|(term, ..)| *term == token.term);
                let at = match known {
                    Some(at) => at,
                    None if counts.len() < MAX_TERMS => {
                        let entry = vocabulary.hold(token.term, *entry, text.written(in_title, token), teaches);
                        counts.push((token.term, entry, Count::default()));
                        counts.len() - 1
                    }
                    None => continue,
                };
                let (_, entry, count) = &mut counts[at];
                let place = if in_title { &mut count.title } else { &mut count.summary };
                *place = place.saturating_add(1);
                count.number |= token.number;
                if teaches && capitals_tell && !token.initial && !token.number && !(in_title && headline) {
                    vocabulary.seen_written(*entry, token.capital);
                    cases.push((*entry, token.capital));
                }
                if token.number && in_title {
                    let (of, named) = last.unwrap_or((*entry, false));
                    numbers.push(TitleNumber { of, number: *entry, named: named && capitals_tell && !headline });
                }
                last = Some((*entry, token.capital && !token.number));
            }
        }
        let mut terms: SmallVec<[(u32, f32, f32, Count); MAX_TERMS]> = counts
            .into_iter()
            .map(|(_, entry, count)| {
                let rarity = vocabulary.rarity(entry);
                let places = 1.5 * f32::from(count.title) + 0.6 * f32::from(count.summary.min(3));
                (entry, places.sqrt() * rarity, rarity, count)
            })
            .collect();
        terms.sort_unstable_by_key(|(entry, ..)| *entry);
        let length = terms.iter().map(|(_, weight, ..)| weight * weight).sum::<f32>().sqrt().max(1e-6);
        let weighed = terms.into_iter().map(|(entry, weight, rarity, count)| {
            let kind = match count.number {
                true => TermKind::Number,
                false if vocabulary.is_name(entry) => TermKind::Name,
                false => TermKind::Word,
            };
            WeightedTerm::new(entry, weight / length, rarity, count.title > 0, kind)
        });
        (weighed.collect(), numbers.into_iter().collect(), cases)
    }

    fn find(&self, place: ItemSeq, twin: Option<ItemSeq>) -> Found {
        let Some(item) = self.window.at(place) else { return Found::nothing() };
        if let Some(twin) = twin.and_then(|twin| self.window.at(twin)) {
            let copy_of = Some(twin.copy_of.unwrap_or(twin.id));
            let reasons = vec![JoinReason::SameLink { with: twin.id }];
            let evidence = JoinEvidence { score: 1.0, needed: self.options.threshold, reasons };
            return Found { joins: Some(twin.story), copy_of, evidence };
        }
        let copy = join_evidence::copy(&self.window, item);
        let best = match copy {
            Some((original, _)) => self.window.at(original).map(|original| (original.story, f32::MAX)),
            None => self.best_story(item),
        };
        let Some((story, link)) = best else { return Found::nothing() };
        let joins = link > self.linkage.needed;
        let original = copy.and_then(|(place, share)| Some((self.window.at(place)?, share)));
        let evidence = self.evidence(place, self.window.members(story), link, original);
        let copy_of = original.map(|(original, _)| original.copy_of.unwrap_or(original.id));
        Found { joins: joins.then_some(story), copy_of: copy_of.filter(|_| joins), evidence }
    }

    /// The story to which an item's pairs link it best.
    fn best_story(&self, item: &IndexedItem) -> Option<(StoryId, f32)> {
        let mut stories: SmallVec<[(StoryId, f32, usize, f32); candidates::MAX_NEIGHBORS]> = SmallVec::new();
        for near in item.near.iter().filter(|near| near.score() > agglomerative::MIN_PAIR_LOG_ODDS) {
            let Some(other) = self.window.at(near.place) else { continue };
            match stories.iter_mut().find(|(story, ..)| *story == other.story) {
                Some((_, sum, pairs, best)) => {
                    (*sum, *pairs, *best) = (*sum + near.score(), *pairs + 1, best.max(near.score()));
                }
                None => stories.push((other.story, near.score(), 1, near.score())),
            }
        }
        // A link is never better than the best of its pairs: stories that can't be best any more need not be asked for.
        stories.sort_unstable_by(|a, b| b.3.total_cmp(&a.3).then(a.0.cmp(&b.0)));
        let mut found: Option<(StoryId, f32)> = None;
        for (story, sum, pairs, best) in stories {
            if found.is_some_and(|(_, link)| best < link) {
                break;
            }
            let link = self.linkage.link(sum, pairs, best, (1, self.window.voices(story)));
            if found.is_none_or(|(known, than)| link > than || (link == than && story < known)) {
                found = Some((story, link));
            }
        }
        found
    }
}

/// Whether most words of a title are capitalised, so that a capital tells nothing.
fn is_headline_case(title: &[WordToken]) -> bool {
    let words = title.iter().filter(|token| !token.number);
    let (all, capital) = words.fold((0, 0), |(all, capital), word| (all + 1, capital + usize::from(word.capital)));
    all <= 3 || capital * 10 >= all * 6
}

struct Found {
    joins: Option<StoryId>,
    copy_of: Option<ItemId>,
    evidence: JoinEvidence,
}

impl Found {
    fn nothing() -> Found {
        Found { joins: None, copy_of: None, evidence: JoinEvidence::default() }
    }
}

#[cfg(test)]
mod tests;
