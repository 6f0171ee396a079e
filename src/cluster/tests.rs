//! Tests grouping on small hand-written cases.

use super::item_seq::ItemSeq;
use super::{Clusterer, GroupingRule, IgnoredLink, Options};
use crate::domain::{
    ConstraintId, ConstraintKind, Embedding, GroupingConstraint, Item, ItemId, JoinReason, SourceId, StoryAssignment,
    StoryId, StoryPlacement, Timestamp,
};
use crate::evaluation::replay;
use jiff::SignedDuration;
use std::convert::Infallible;
use xxhash_rust::xxh3::xxh3_64;

/// Groups reports among unrelated news. Each line is `outlet | title | summary`. The reports arrive one per minute.
/// Returns, for each report, the position of the first report of its story.
fn stories(lang: &str, lines: &[&str]) -> Vec<usize> {
    let items = with_background(lang, lines);
    first_of_story(&replay(&mut Clusterer::new(Options::default()), &items)[BACKGROUND..])
}

fn first_of_story(found: &[StoryId]) -> Vec<usize> {
    found.iter().map(|story| found.iter().position(|other| other == story).unwrap()).collect()
}

/// The number of unrelated items before the reports of a case.
const BACKGROUND: usize = 120;

/// Returns the reports of a case after unrelated news, which gives their words realistic frequencies.
fn with_background(lang: &str, lines: &[&str]) -> Vec<Item> {
    const NOUNS: [&str; 12] = [
        "harvest",
        "museum",
        "budget",
        "orchestra",
        "glacier",
        "tariff",
        "vaccine",
        "novel",
        "railway",
        "beach",
        "senate",
        "yacht",
    ];
    let background = (0..BACKGROUND).map(|n| {
        let (a, b) = (NOUNS[n % 12], NOUNS[(n * 7 + n / 12) % 12]);
        let line =
            format!("o{n}.example | {a} plan number{n} for {b} | Officials in town{n} talk of {b} and {a} again");
        item(n as i64, &line, "en")
    });
    let reports = lines.iter().enumerate().map(|(n, line)| item((BACKGROUND + n) as i64, line, lang));
    background.chain(reports).collect()
}

fn item(id: i64, line: &str, lang: &str) -> Item {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(id);
    Item {
        id: ItemId(id),
        source: SourceId(xxh3_64(parts[0].as_bytes()) as i64),
        outlet_name: String::new(),
        source_title: String::new(),
        source_url: String::new(),
        outlet: parts[0].into(),
        priority: 0,
        guid: id.to_string(),
        url: None,
        canonical_url: parts.get(3).map(|s| s.to_string()),
        title: parts[1].into(),
        summary: parts[2].into(),
        content: None,
        author: None,
        lang: Some(lang.into()),
        image: None,
        enclosures: Vec::new(),
        published_at: None,
        first_seen_at: at,
        ranked_at: at,
        backlog_reason: None,
        source_age: None,
        reporter: None,
        article: None,
        embedding: None,
    }
}

/// Assigns an item. If the item starts a story, the story gets this ID.
fn assign(clusterer: &mut Clusterer, item: &Item, id: i64) -> StoryAssignment {
    let Ok(assignment) = clusterer.assign(item, |_| Ok::<_, Infallible>(StoryId::from_row(id)));
    assignment
}

const TRAIN: [&str; 4] = [
    "a.example | Marshal Dorn arrives in Veshna by armoured train for parade | The leader crossed the border at night",
    "b.example | Dorn's armoured train pulls into Veshna ahead of military parade | Guards lined the platform",
    "c.example | Storm closes the northern ports | Ferries stay in harbour until Tuesday",
    "d.example | Armoured train carries Marshal Dorn to Veshna parade | Neighbours watch the visit with concern",
];

#[test]
fn reports_of_one_event_share_a_story_and_others_do_not() {
    assert_eq!(stories("en", &TRAIN), [0, 0, 2, 0]);
}

#[test]
fn order_of_arrival_does_not_change_the_stories() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let lines = order.map(|n| TRAIN[n]);
        let found = stories("en", &lines);
        let storm = order.iter().position(|n| *n == 2).unwrap();
        for (n, story) in found.iter().enumerate() {
            assert_eq!(*story == storm, n == storm, "in order {order:?}: {found:?}");
        }
    }
}

/// Returns an embedding of 64 dimensions that points in the direction of a topic, with a part that all texts of the
/// language share.
fn embedding(topic: usize, language: usize) -> Option<Embedding> {
    let mut components = [0.05; 64];
    components[topic % 60] += 1.0;
    components[60 + language] += 1.0;
    Embedding::from_floats(&components)
}

#[test]
fn reports_in_two_languages_share_a_story_if_their_embeddings_are_similar() {
    let train = "x.example | Pociąg pancerny wiezie marszałka Dorna do Veshny | Parada odbędzie się w niedzielę";
    let grouped = |has_embeddings: bool, polish_topic: usize| {
        let mut items = with_background("en", &TRAIN);
        items.extend(
            (0..60).map(|n| item((200 + n) as i64, &format!("p{n}.example | Sprawa numer{n} | Tekst{n}"), "pl")),
        );
        items.push(item(300, train, "pl"));
        let last = items.len() - 1;
        for (n, item) in items.iter_mut().enumerate().filter(|_| has_embeddings) {
            let (topic, language) = match n {
                n if n == last => (polish_topic, 1),
                n if (BACKGROUND..BACKGROUND + 4).contains(&n) => (if n == BACKGROUND + 2 { 1 } else { 0 }, 0),
                n => (2 + n % 50, usize::from(n > BACKGROUND)),
            };
            item.embedding = embedding(topic, language);
        }
        (0i64..).zip(&mut items).for_each(|(id, item)| item.id = ItemId(id));
        let found = replay(&mut Clusterer::new(Options::default()), &items);
        found[BACKGROUND] == found[last]
    };
    assert!(grouped(true, 0), "the embeddings are similar");
    assert!(!grouped(true, 55), "the embeddings differ");
    assert!(!grouped(false, 0), "without embeddings, nothing relates the texts");
}

#[test]
fn revised_item_is_grouped_by_its_new_text() {
    let mut items = with_background("en", &TRAIN);
    let revised = items[BACKGROUND + 3].clone();
    items[BACKGROUND + 3] =
        Item { title: "Local choir wins a prize".into(), summary: String::new(), ..revised.clone() };
    let mut clusterer = Clusterer::new(Options::default());
    let found = replay(&mut clusterer, &items);
    assert_eq!(first_of_story(&found[BACKGROUND..]), [0, 0, 2, 3]);

    clusterer.revise(&revised);
    let now = revised.first_seen_at + SignedDuration::from_mins(1);
    let recluster = |clusterer: &mut Clusterer| {
        let mint = |_, _: &dyn Fn(StoryId) -> bool| Ok::<_, Infallible>(StoryId::from_row(9_999));
        let Ok(regrouping) = clusterer.recluster(now, mint, |_| Ok(None));
        regrouping
    };
    let regrouping = recluster(&mut clusterer);
    let moves: Vec<_> = regrouping.moved.iter().map(|moved| (moved.item, moved.into)).collect();
    assert_eq!(moves, [(revised.id, found[BACKGROUND])]);

    // A revision of an item outside the window has no effect.
    clusterer.revise(&Item { id: ItemId(50_000), ..revised.clone() });
    clusterer.revise(&items[BACKGROUND + 3]);
    let regrouping = recluster(&mut clusterer);
    let moves: Vec<_> = regrouping.moved.iter().map(|moved| (moved.item, moved.into)).collect();
    assert_eq!(moves, [(revised.id, StoryId::from_row(9_999))], "the item leaves a story that it no longer reports");
}

#[test]
fn revised_items_have_the_same_terms_and_weights_as_if_they_were_new() {
    let items = with_background("en", &TRAIN);
    let clusterer_of = |items: &[Item]| {
        let mut clusterer = Clusterer::new(Options::default());
        replay(&mut clusterer, items);
        clusterer
    };
    let mut revised = clusterer_of(&items);
    let document_count = revised.window.term_index.document_count;
    for item in &items {
        revised.revise(&Item {
            title: format!("{} now", item.title),
            summary: "Other words entirely".into(),
            ..item.clone()
        });
    }
    items.iter().for_each(|item| revised.revise(item));
    let fresh = clusterer_of(&items);
    assert_eq!(revised.window.term_index.document_count, document_count);
    for n in 0..items.len() {
        let seq = ItemSeq(n as u32);
        let terms = |clusterer: &Clusterer| {
            let terms = clusterer.window[seq].terms.iter();
            let index = &clusterer.window.term_index;
            let mut terms: Vec<_> =
                terms.map(|term| (index.surface_form(term.id).to_owned(), index.idf(term.id))).collect();
            terms.sort_by(|a, b| a.0.cmp(&b.0));
            terms
        };
        assert_eq!(terms(&revised), terms(&fresh), "item {n}");
    }
}

/// Each language has two reports of one event in different words, and one report of another event.
#[test]
#[allow(clippy::too_many_lines, reason = "a table of texts in many languages")]
fn reports_of_one_event_share_a_story_in_every_language() {
    for (lang, lines) in [
        (
            "de",
            [
                "a.example | Erdbeben erschüttert Ankhoro: vier Tote | Ein starkes Erdbeben hat die Hafenstadt Ankhoro getroffen",
                "b.example | Mindestens vier Tote nach Erdbeben in Ankhoro | Helfer suchen in der Hafenstadt nach Verschütteten",
                "c.example | Waldbrand bei Belmora breitet sich aus | Die Feuerwehr kämpft gegen die Flammen",
            ],
        ),
        (
            "fr",
            [
                "a.example | Un séisme frappe Ankhoro et fait quatre morts | Un fort tremblement de terre a touché la ville portuaire",
                "b.example | Quatre morts dans un séisme à Ankhoro | Les secours fouillent la ville portuaire",
                "c.example | Un incendie de forêt menace Belmora | Les pompiers luttent contre les flammes",
            ],
        ),
        (
            "es",
            [
                "a.example | Un terremoto sacude Ankhoro y deja cuatro muertos | El fuerte sismo golpeó la ciudad portuaria",
                "b.example | Cuatro muertos tras el terremoto en Ankhoro | Los equipos de rescate buscan en la ciudad portuaria",
                "c.example | Un incendio forestal amenaza Belmora | Los bomberos luchan contra las llamas",
            ],
        ),
        (
            "pt",
            [
                "a.example | Terremoto em Ankhoro deixa quatro mortos | Um forte sismo atingiu a cidade portuária",
                "b.example | Quatro mortos após terremoto atingir Ankhoro | Equipes de resgate procuram na cidade portuária",
                "c.example | Incêndio florestal ameaça Belmora | Bombeiros lutam contra as chamas",
            ],
        ),
        (
            "it",
            [
                "a.example | Terremoto ad Ankhoro, quattro morti | Una forte scossa ha colpito la città portuale",
                "b.example | Quattro morti per il terremoto ad Ankhoro | I soccorritori cercano nella città portuale",
                "c.example | Incendio minaccia Belmora | I pompieri lottano contro le fiamme",
            ],
        ),
        (
            "nl",
            [
                "a.example | Aardbeving treft Ankhoro, vier doden | Een zware aardbeving heeft de havenstad getroffen",
                "b.example | Vier doden bij aardbeving in Ankhoro | Hulpdiensten zoeken in de havenstad naar slachtoffers",
                "c.example | Bosbrand bedreigt Belmora | Brandweer vecht tegen de vlammen",
            ],
        ),
        (
            "ru",
            [
                "a.example | Землетрясение в Анхоро: четверо погибших | Сильное землетрясение произошло в портовом городе Анхоро",
                "b.example | Четверо погибших при землетрясении в Анхоро | Спасатели ищут людей в портовом городе",
                "c.example | Лесной пожар угрожает Бельморе | Пожарные борются с огнем",
            ],
        ),
        (
            "pl",
            [
                "a.example | Trzęsienie ziemi w Ankhoro, cztery ofiary | Silne trzęsienie ziemi nawiedziło portowe miasto Ankhoro",
                "b.example | Cztery ofiary trzęsienia ziemi w Ankhoro | Ratownicy szukają ludzi w portowym mieście",
                "c.example | Pożar lasu zagraża Belmorze | Strażacy walczą z ogniem",
            ],
        ),
        (
            "zh",
            [
                "a.example | 安科罗发生强烈地震造成四人死亡 | 港口城市安科罗周日发生强烈地震",
                "b.example | 安科罗地震已致四人死亡 | 救援人员在港口城市搜寻幸存者",
                "c.example | 贝尔莫拉森林大火蔓延 | 消防员正在与火焰搏斗",
            ],
        ),
        (
            "ja",
            [
                "a.example | アンコロで強い地震、4人死亡 | 港湾都市アンコロで日曜日に強い地震が発生した",
                "b.example | アンコロの地震で4人が死亡 | 救助隊が港湾都市で生存者を捜索している",
                "c.example | ベルモラで山火事が拡大 | 消防隊が消火にあたっている",
            ],
        ),
        (
            "ko",
            [
                "a.example | 안코로에서 강한 지진으로 네 명 사망 | 항구 도시 안코로에 강한 지진이 발생했다",
                "b.example | 안코로 지진으로 네 명 숨져 | 구조대가 항구 도시에서 생존자를 찾고 있다",
                "c.example | 벨모라 산불 확산 | 소방관들이 불길과 싸우고 있다",
            ],
        ),
        (
            "th",
            [
                "a.example | แผ่นดินไหวรุนแรงในอันโคโร เสียชีวิตสี่ราย | แผ่นดินไหวเขย่าเมืองท่าอันโคโรในวันอาทิตย์",
                "b.example | เสียชีวิตสี่รายจากแผ่นดินไหวในอันโคโร | หน่วยกู้ภัยค้นหาผู้รอดชีวิตในเมืองท่า",
                "c.example | ไฟป่าลุกลามใกล้เบลโมรา | นักดับเพลิงกำลังต่อสู้กับเปลวไฟ",
            ],
        ),
    ] {
        assert_eq!(stories(lang, &lines), [0, 0, 2], "in {lang}");
    }
}

#[test]
fn products_with_different_numbers_are_separate_stories() {
    let found = stories(
        "en",
        &[
            "a.example | Lumen 9 phone launched with brighter screen | The maker showed its new phone",
            "b.example | Lumen 10 phone said to come with brighter screen | The maker is working on its new phone",
        ],
    );
    assert_eq!(found, [0, 1]);
}

#[test]
fn daily_series_of_one_outlet_is_not_one_story() {
    let found = stories(
        "en",
        &[
            "a.example | Quordle today: hints and answers for Wednesday, June 21 (game 513) | Looking for Quordle hints?",
            "a.example | Quordle today: hints and answers for Thursday, June 22 (game 514) | Looking for Quordle hints?",
            "a.example | Quordle today: hints and answers for Friday, June 23 (game 515) | Looking for Quordle hints?",
        ],
    );
    assert_eq!(found, [0, 1, 2]);
}

#[test]
fn headline_with_homoglyphs_joins_the_plain_one() {
    let found = stories(
        "en",
        &[
            TRAIN[0],
            "z.example | M\u{430}rshal D\u{43e}rn arrives in V\u{200b}eshna by armoured tr\u{430}in for parade | The leader crossed the border",
        ],
    );
    assert_eq!(found, [0, 0]);
}

#[test]
fn items_with_the_same_url_share_a_story_and_the_second_is_a_copy() {
    let mut clusterer = Clusterer::new(Options::default());
    let first = item(1, "a.example | One headline | words | https://a.example/x", "en");
    let second = item(2, "b.example | Another headline entirely | other | https://a.example/x", "en");
    let created = assign(&mut clusterer, &first, 1);
    let joined = assign(&mut clusterer, &second, 2);
    assert_eq!((created.placement, joined.placement), (StoryPlacement::Created, StoryPlacement::Joined));
    assert_eq!((joined.story, joined.copy_of), (created.story, Some(first.id)));
    assert!(joined.evidence.reasons.contains(&JoinReason::SameLink { item: ItemId(1) }));
}

#[test]
fn wire_text_under_another_headline_is_a_copy() {
    let wire = "Rescue boats brought ninety passengers ashore after the ferry caught fire off the northern cape, the coast \
                guard said, adding that two sailors were treated for smoke and that the hull holds";
    let mut clusterer = Clusterer::new(Options::default());
    let lines = [
        format!("a.example | Ferry fire off the cape | {wire}"),
        format!("b.example | Ninety saved as ferry burns | CAPE TOWN (Northern Wire) {wire}. Read more on our site."),
    ];
    let assigned: Vec<StoryAssignment> = lines
        .iter()
        .enumerate()
        .map(|(n, line)| assign(&mut clusterer, &item(n as i64, line, "en"), n as i64))
        .collect();
    assert_eq!((assigned[1].story, assigned[1].copy_of), (assigned[0].story, Some(ItemId(0))));
}

/// Groups reports, then adds a constraint and reclusters twice.
fn stories_with_constraint(lines: &[&str], constraint: GroupingConstraint) -> Vec<usize> {
    let items = with_background("en", lines);
    let mut clusterer = Clusterer::new(Options::default());
    let mut found = replay(&mut clusterer, &items);
    clusterer.add_constraint(&constraint);
    for round in 1..3 {
        let now = items.last().unwrap().first_seen_at + SignedDuration::from_hours(round);
        let Ok(regrouping) = clusterer.recluster(
            now,
            |first, _| Ok::<_, Infallible>(StoryId::from_row(10_000 * round + first.0)),
            |_| Ok(None),
        );
        for moved in regrouping.moved {
            found[moved.item.0 as usize] = moved.into;
        }
    }
    first_of_story(&found[BACKGROUND..])
}

/// Creates a constraint on reports, which are given by their positions.
fn constraint(kind: ConstraintKind, stayed: &[i64], moved: &[i64]) -> GroupingConstraint {
    let items = |positions: &[i64]| positions.iter().map(|n| ItemId(BACKGROUND as i64 + n)).collect();
    let (stayed, moved) = (items(stayed), items(moved));
    GroupingConstraint { id: ConstraintId(1), kind, made_at: Timestamp::UNIX_EPOCH, undone_at: None, stayed, moved }
}

#[test]
fn items_that_the_operator_separated_stay_separate() {
    let found = stories_with_constraint(&TRAIN, constraint(ConstraintKind::CannotLink, &[0], &[1]));
    assert_ne!(found[0], found[1]);
    let found = stories_with_constraint(&TRAIN, constraint(ConstraintKind::Split, &[0, 1], &[3]));
    assert_eq!(found, [0, 0, 2, 3]);
}

#[test]
fn items_that_the_operator_merged_stay_together() {
    assert_eq!(stories_with_constraint(&TRAIN, constraint(ConstraintKind::Merge, &[0, 1, 3], &[2])), [0, 0, 0, 0]);
}

#[test]
fn explanation_gives_score_and_shared_terms() {
    let mut clusterer = Clusterer::new(Options::default());
    replay(&mut clusterer, &with_background("en", &TRAIN));
    let together = clusterer.explain(ItemId(120), ItemId(121)).unwrap();
    assert!(
        together.score > together.threshold && together.shared_terms.contains(&"armoured".to_owned()),
        "{together:?}"
    );
    let separate = clusterer.explain(ItemId(120), ItemId(122)).unwrap();
    assert!(separate.score < separate.threshold && separate.shared_terms.is_empty(), "{separate:?}");
    assert_eq!(clusterer.explain(ItemId(120), ItemId(9999)), None);
}

#[test]
fn restart_changes_no_assignment() {
    let lines = [
        "a.example | Quake shakes Ankhoro | A strong earthquake hit the city of Ankhoro",
        "b.example | Earthquake in Ankhoro kills four | Rescuers search the city",
        "c.example | Rescuers dig in Ankhoro after the earthquake | Four are dead in the city",
        "d.example | Bank lifts rates | The central bank raised its rate",
    ];
    for restart_at in 0..lines.len() {
        let mut uninterrupted = Clusterer::new(Options::default());
        let mut assigned = Vec::new();
        for (n, line) in lines.iter().enumerate() {
            assigned.push(assign(&mut uninterrupted, &item(n as i64, line, "en"), n as i64));
        }
        let mut resumed = Clusterer::new(Options::default());
        for (n, line) in lines.iter().enumerate() {
            if n < restart_at {
                resumed.restore(&item(n as i64, line, "en"), assigned[n].story);
            } else {
                let again = assign(&mut resumed, &item(n as i64, line, "en"), n as i64);
                assert_eq!(again, assigned[n], "restarted after {restart_at} items");
            }
        }
    }
}

#[test]
fn expired_items_are_not_matched() {
    let mut clusterer = Clusterer::new(Options::default());
    let line = "a.example | Quake shakes Ankhoro | A strong earthquake | https://a.example/x";
    let mut late = item(2, line, "en");
    assign(&mut clusterer, &item(1, line, "en"), 1);
    late.first_seen_at += SignedDuration::from_hours(80);
    let assigned = assign(&mut clusterer, &late, 2);
    assert_eq!((assigned.placement, clusterer.active_items()), (StoryPlacement::Created, 1));
}

/// Groups reports as [`stories`] does, and again with a restart. Both runs must produce the same stories.
fn stories_with_and_without_restart(lines: &[&str]) -> Vec<usize> {
    let items = with_background("en", lines);
    let mut found = replay(&mut Clusterer::new(Options::default()), &items);
    let before = first_of_story(&found[BACKGROUND..]);
    let mut restarted = Clusterer::new(Options::default());
    for (item, story) in items.iter().zip(&found) {
        restarted.restore(item, *story);
    }
    let now = items.last().unwrap().first_seen_at + SignedDuration::from_mins(20);
    let Ok(regrouping) =
        restarted.recluster(now, |first, _| Ok::<_, Infallible>(StoryId::from_row(10_000 + first.0)), |_| Ok(None));
    for moved in regrouping.moved {
        found[moved.item.0 as usize] = moved.into;
    }
    assert_eq!(first_of_story(&found[BACKGROUND..]), before, "the restart changed stories");
    before
}

#[test]
fn items_of_two_sources_with_one_link_share_a_story_after_every_pass() {
    let found = stories_with_and_without_restart(&[
        "a.example | Tide gates close for repair | Engineers drain the basin | https://a.example/2026/tide-gates",
        "b.example | Chess club wins the regional cup | Nine boards | https://b.example/2026/chess",
        "z.example | What we read today | A pick from our desk | https://a.example/2026/tide-gates",
    ]);
    assert_eq!(found, [0, 1, 0]);
}

#[test]
fn excluded_item_stays_with_the_item_that_has_its_link() {
    let headline = "Marshal Dorn arrives in Veshna by armoured train for parade";
    let other = format!("a.example | {headline} | The leader crossed the border | https://a.example/1");
    let excluded = format!("b.example | {headline} | The leader crossed the border | https://c.example/9");
    let same_link = "c.example | Library opens on Sundays | Readers may stay until ten | https://c.example/9";
    let found = stories_with_and_without_restart(&[&other, &excluded, same_link]);
    assert_eq!(found[1], found[2], "{found:?}");
}

#[test]
fn link_that_one_source_uses_for_several_items_joins_none() {
    let found = stories_with_and_without_restart(&[
        "a.example | Tide gates close for repair | Engineers drain the basin | https://a.example/ticker",
        "b.example | Chess club wins the regional cup | Nine boards | https://a.example/ticker",
        "a.example | Bakers ask for cheaper flour | The guild writes a letter | https://a.example/ticker",
    ]);
    assert_eq!(found, [0, 1, 2]);
}

#[test]
fn link_to_a_home_or_section_page_joins_no_items() {
    let found = stories_with_and_without_restart(&[
        "a.example | Tide gates close for repair | Engineers drain the basin | https://a.example/news",
        "b.example | Chess club wins the regional cup | Nine boards | https://a.example/news",
        "c.example | Bakers ask for cheaper flour | The guild writes a letter | https://a.example",
        "d.example | Library opens on Sundays | Readers may stay until ten | https://a.example",
    ]);
    assert_eq!(found, [0, 1, 2, 3]);
}

#[test]
fn operator_may_separate_items_with_one_link() {
    let lines = [
        "a.example | Tide gates close for repair | Engineers drain the basin | https://a.example/gates",
        "b.example | What we read today | A pick from our desk | https://a.example/gates",
        "c.example | Our links | For the evening | https://a.example/gates",
    ];
    let found = stories_with_constraint(&lines, constraint(ConstraintKind::CannotLink, &[0], &[1]));
    assert_ne!(found[0], found[1]);
    assert!(found[2] == found[0] || found[2] == found[1], "{found:?}");
}

#[test]
fn items_of_a_recurring_column_with_different_texts_are_different_stories() {
    let found = stories_with_and_without_restart(&[
        "a.example | Readers' letters | A sailor thanks the lamp keepers of the eastern mole | https://a.example/l/1",
        "a.example | Readers' letters | Teachers want warmer classrooms before the frost | https://a.example/l/2",
        "b.example | Forecast | Rain and gusts until midnight | https://b.example/w/1",
        "c.example | Forecast | Sunny hills, mild valleys | https://c.example/w/1",
        "a.example | Harbour Tonight, Saturday 31 October | Mussels and brass bands | https://a.example/p/1",
        "a.example | Harbour Tonight, Sunday 1 November | The ferry strike explained | https://a.example/p/2",
        "d.example | Package update | | https://d.example/1",
        "d.example | Package update | | https://d.example/2",
    ]);
    assert_eq!(found, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn japanese_columns_and_regular_sections_of_two_outlets_are_different_stories() {
    let found = stories_with_and_without_restart(&[
        "a.example | 浜風だより | 秋祭りの太鼓が町に響く。子どもたちは夜遅くまで練習を続け、祖父の世代の節回しを覚えているという。 | https://a.example/1",
        "b.example | 浜風だより | 図書館の閉館時間が早くなった。仕事帰りに本を借りる人は困っているという声を聞く。 | https://b.example/1",
        "a.example | 今日の運勢 | おひつじ座は新しい出会いに恵まれる一日です。おうし座は金運が上昇しています。ふたご座は休息を大切に。 | https://a.example/2",
        "b.example | 今日の運勢 | おひつじ座は仕事で評価される一日です。おうし座は健康に注意しましょう。ふたご座は旅行が吉です。 | https://b.example/2",
        "a.example | 渡し船が港の入り口で座礁 | 渡し船が六十人を乗せたまま港の入り口で座礁した。引き船が向かっている。 | https://a.example/3",
        "b.example | 渡し船が港の入り口で座礁 | 港の入り口で渡し船が座礁し、引き船が向かっている。乗客は六十人。 | https://b.example/3",
    ]);
    assert_eq!(found, [0, 1, 2, 3, 4, 4]);
}

#[test]
fn long_similar_texts_of_a_regular_section_are_different_stories() {
    const HOROSCOPE: [&str; 2] = [
        "Aries: a good day for love and money, so trust your instinct. Taurus: rest, and avoid a quarrel at work. Gemini: a \
         friend brings news of a journey. Cancer: money comes, and love waits. Leo: speak softly at home tonight.",
        "Aries: avoid a quarrel at home, and rest tonight. Taurus: a friend brings money, so trust your instinct. Gemini: love \
         waits at work. Cancer: a good day for a journey. Leo: speak softly, because news of money comes from a friend.",
    ];
    const WEATHER: [&str; 2] = [
        "Saturday stays dry in the north with highs of 12 degrees. Wind from the west reaches 30 kilometres an hour, and the \
         night brings fog in the valleys with lows of 4 degrees. Sunday starts cloudy.",
        "Sunday stays dry in the north with highs of 9 degrees. Wind from the east reaches 50 kilometres an hour, and the \
         night brings fog in the valleys with lows of 1 degrees. Monday starts cloudy.",
    ];
    const LOG: [&str; 2] = [
        "Four freighters came in with the morning tide, and two tugs took the tanker to the eastern mole. A yacht lost its \
         anchor near the lamp, and the crane worked until noon.",
        "Two tugs came in with the morning tide, and a freighter lost its anchor near the eastern mole. The crane took four \
         yachts to the lamp, and the tanker worked until noon.",
    ];
    let lines = [
        format!("a.example | Daily horoscope | {} | https://a.example/1", HOROSCOPE[0]),
        format!("b.example | Horoscope today: what the stars say | {} | https://b.example/1", HOROSCOPE[1]),
        format!("a.example | Weather forecast | {} | https://a.example/3", WEATHER[0]),
        format!("b.example | Weather forecast | {} | https://b.example/4", WEATHER[1]),
        format!("c.example | Log of the harbour pilot | {} | https://c.example/5", LOG[0]),
        format!("c.example | Log of the harbour pilot | {} | https://c.example/6", LOG[1]),
        format!("d.example | Daily horoscope | {} | https://d.example/7", HOROSCOPE[0]),
    ];
    let found = stories_with_and_without_restart(&lines.each_ref().map(String::as_str));
    assert_eq!(found, [0, 1, 2, 3, 4, 5, 0]);
}

#[test]
fn daily_program_with_a_long_title_is_a_story_each_day() {
    const MINUTES_PER_DAY: i64 = 24 * 60;
    let program = [
        "a.example | Mole Radio: the late concert with Vika Lamp | Brass from the quay | https://a.example/1",
        "a.example | Mole Radio: the late concert with Vika Lamp | Two fiddlers and a choir | https://a.example/2",
        "a.example | Answers from our pension adviser | May I retire at sixty if I paid abroad? | https://a.example/3",
        "a.example | Answers from our pension adviser | Who inherits if I never paid tax? | https://a.example/4",
    ];
    let mut clusterer = Clusterer::new(Options::default());
    for (day, line) in (0..).zip(program) {
        let item = item(day * MINUTES_PER_DAY, line, "en");
        let assignment = assign(&mut clusterer, &item, day);
        assert_eq!(assignment.story, StoryId::from_row(day), "{line}");
    }
}

#[test]
fn equal_titles_are_one_story_if_texts_agree_or_the_title_names_an_event() {
    let found = stories_with_and_without_restart(&[
        "a.example | Package update | The archive fixes an overflow in the tide calculator | https://a.example/1",
        "a.example | Package update | The archive fixes an overflow in the tide calculator | https://a.example/2",
        "a.example | Night ferry to Veshna runs aground off the northern cape | Sixty people wait | https://a.example/3",
        "a.example | Night ferry to Veshna runs aground off the northern cape | Tugs leave Ankhoro | https://a.example/4",
        "b.example | Night ferry to Veshna runs aground off the northern cape | | https://b.example/5",
    ]);
    assert_eq!(found, [0, 0, 2, 2, 2]);
}

#[test]
fn explanation_names_the_rule_that_decides() {
    let mut clusterer = Clusterer::new(Options::default());
    let lines = [
        "a.example | Readers' letters | A sailor thanks the lamp keepers | https://a.example/l/1",
        "a.example | Readers' letters | Teachers want warmer classrooms | https://a.example/l/2",
        "b.example | What we read | A pick from our desk | https://a.example/l/2",
        "c.example | Chess club wins | Nine boards | https://a.example",
        "d.example | Bakers ask for flour | The guild writes | https://a.example",
    ];
    for (n, line) in lines.iter().enumerate() {
        assign(&mut clusterer, &item(n as i64, line, "en"), n as i64);
    }
    let explain = |one, other| clusterer.explain(ItemId(one), ItemId(other)).unwrap();
    assert_eq!(explain(0, 1).rule, Some(GroupingRule::RecurringColumn));
    assert_eq!(explain(1, 2).rule, Some(GroupingRule::SameLink));
    assert_eq!((explain(3, 4).rule, explain(3, 4).ignored_link), (None, Some(IgnoredLink::NoArticle)));
}
