//! Tests the HTML pages: filters, escaping of hostile text, caching, and secrets that must never appear.

use crate::support::origin_server::{OriginServer, StubResponse};
use crate::support::test_daemon::{TestDaemon, run_next_poll, start_and_poll_once};
use crate::support::{rss, wait_until};
use jiff::SignedDuration;
use newsfold::domain::{NewSource, SourceId, SourceState};
use newsfold::opml::read::read_opml;
use newsfold::store::{constraints, sources};
use newsfold::wording::{Audience, next_poll_text};
use reqwest::{Client, Method, Response};
use std::io::Read;

const GRID: &str = "grid | Grid fails in the north | Power went out in Veshna and in all the villages along the coast, \
                    and the repairs at the old station will take days, the ministry of energy said on Sunday evening";
const MUSEUM: &str = "museum | Museum opens its doors | Paintings return to the old hall";
const BANK: &str = "bank | Bank lifts its rates | The bank surprised markets";

async fn ask(daemon: &TestDaemon, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut request = client.request(method, format!("{}{path}", daemon.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn status(daemon: &TestDaemon, path: &str) -> u16 {
    ask(daemon, Method::GET, path, &[]).await.status().as_u16()
}

/// Requests the index page for a query.
async fn search(daemon: &TestDaemon, query: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse(&daemon.base).unwrap();
    url.query_pairs_mut().extend_pairs(query);
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200, "for {query:?}");
    answer.text().await.unwrap()
}

async fn add(daemon: &TestDaemon, url: &str, outlet: &str, tag: &str, lang: &str) -> SourceId {
    let new = NewSource {
        url: url.into(),
        outlet: outlet.into(),
        tags: vec![tag.into()],
        lang: Some(lang.into()),
        ..NewSource::default()
    };
    daemon.add_known_source(new).await
}

/// Starts a daemon that has polled three sources with three stories. Two sources report the grid story in the same
/// words.
async fn newsroom() -> (TestDaemon, Vec<OriginServer>, Vec<SourceId>) {
    let mut daemon = TestDaemon::new();
    let (mut origins, mut ids) = (Vec::new(), Vec::new());
    for (outlet, tag, lang, items) in [
        ("a.example", "energy", "en", vec![GRID, MUSEUM]),
        ("b.example", "world", "en", vec![GRID]),
        ("c.example", "money", "de", vec![BANK]),
    ] {
        let origin = OriginServer::start().await;
        origin.serve("/feed", StubResponse::ok(rss(&items)));
        ids.push(add(&daemon, &origin.url("/feed"), outlet, tag, lang).await);
        origins.push(origin);
    }
    daemon.start().await;
    daemon.advance(SignedDuration::from_secs(1));
    for id in &ids {
        daemon.wait_for_polls(*id, 1).await;
    }
    (daemon, origins, ids)
}

/// Returns the stories of the newsroom that a page lists.
fn listed(page: &str) -> Vec<&'static str> {
    let headlines = [("Grid fails", "grid"), ("Museum opens", "museum"), ("Bank lifts", "bank")];
    headlines.into_iter().filter(|(headline, _)| page.contains(headline)).map(|(_, name)| name).collect()
}

#[tokio::test]
async fn each_filter_narrows_the_index_page() {
    let (mut daemon, _origins, _) = newsroom().await;
    for (query, expected) in [
        (&[][..], &["grid", "museum", "bank"][..]),
        (&[("q", "veshna")], &["grid"]),
        (&[("q", "VESHNA north")], &["grid"]),
        (&[("q", "\"old hall\"")], &["museum"]),
        (&[("q", "\"hall old\"")], &[]),
        (&[("q", "old")], &["grid", "museum"]),
        (&[("q", "old"), ("tag", "world")], &["grid"]),
        (&[("tag", "energy")], &["grid", "museum"]),
        (&[("tag", "no such tag")], &[]),
        (&[("lang", "de")], &["bank"]),
        (&[("lang", "de, fr")], &["bank"]),
        (&[("lang", "de,en")], &["grid", "museum", "bank"]),
        (&[("lang", "en"), ("q", "bank")], &[]),
        (&[("outlets", "1"), ("page", "1")], &["grid", "museum", "bank"]),
        (&[("outlets", ""), ("q", ""), ("tag", ""), ("lang", "")], &["grid", "museum", "bank"]),
        (&[("page", "2")], &[]),
        (&[("page", "2"), ("q", "old")], &[]),
    ] {
        let page = search(&daemon, query).await;
        assert_eq!(listed(&page), expected, "for {query:?}");
        let is_empty = ["No stories found", "No older stories"].iter().any(|words| page.contains(words));
        assert_eq!(is_empty, expected.is_empty(), "for {query:?}");
    }
    // A copy does not count as a report, so only one outlet reports the grid story.
    assert_eq!(listed(&search(&daemon, &[("outlets", "2")]).await), Vec::<&str>::new());
    daemon.stop().await;
}

#[tokio::test]
async fn each_page_announces_only_its_own_feeds() {
    let (mut daemon, _origins, ids) = newsroom().await;
    let story = format!("/stories/{}", daemon.stories().await[0].id);
    let source = format!("/sources/{}", ids[0]);
    let none: &[&str] = &[];
    for (path, expected) in [
        ("/", &["/feeds/all", "/feeds/top"][..]),
        ("/?view=latest", &["/feeds/all", "/feeds/top"]),
        ("/?q=grid", &["/search"]),
        ("/feeds/top", &["/feeds/top"]),
        ("/feeds", &["/feeds/all", "/feeds/top"]),
        (&story, &[&story]),
        (&source, none),
        ("/sources", none),
        ("/health", &["/feeds/health"]),
    ] {
        let page = daemon.get(path).await;
        let head = page.split("</head>").next().unwrap();
        let links = head.split("<link rel=\"alternate\" type=\"application/atom+xml\"").skip(1);
        let address =
            |link: &str| link.split("href=\"").nth(1).and_then(|rest| Some(rest.split_once(".atom")?.0.to_owned()));
        let announced: Vec<String> = links.filter_map(address).collect();
        assert_eq!(announced, expected, "{path}: {head}");
        for feed in announced.iter().filter(|feed| ["/feeds/all", "/feeds/top"].contains(&feed.as_str())) {
            for format in ["rss", "json"] {
                assert!(head.contains(&format!("href=\"{feed}.{format}\">")), "{feed} as {format} on {path}");
            }
        }
    }
    daemon.stop().await;
}

#[tokio::test]
async fn form_shows_the_query_and_a_search_has_a_feed() {
    let (mut daemon, _origins, _) = newsroom().await;
    let page =
        search(&daemon, &[("q", "old \"hall\" & <b>"), ("tag", "energy"), ("lang", "en"), ("outlets", "1")]).await;
    assert!(page.contains("value=\"old &#34;hall&#34; &#38; &#60;b&#62;\""), "{page}");
    assert!(page.contains("<option selected>energy</option>"), "{page}");
    assert!(page.contains("<option value=\"en\" selected>English</option>"), "{page}");
    let feed = "href=\"/search.atom?q=old+%22hall%22+%26+%3Cb%3E\"";
    assert_eq!(page.matches(feed).count(), 2, "as an alternate link and as a visible link: {page}");
    assert_eq!(status(&daemon, "/search.atom?q=old+%22hall%22+%26+%3Cb%3E").await, 200);
    assert!(!search(&daemon, &[("q", "***")]).await.contains("search.atom"), "a search without words has no feed");
    assert!(search(&daemon, &[("q", "***")]).await.contains("No words to search for"));

    let target = "http://127.0.0.1:8686/?q=old+hall";
    let search = ask(&daemon, Method::GET, "/search?q=old+hall&evil=1%0d%0aset-cookie:x", &[]).await;
    assert_eq!((search.status().as_u16(), search.headers()["location"].to_str().unwrap()), (308, target));
    assert_eq!(status(&daemon, "/search?outlets=x").await, 400);
    daemon.stop().await;
}

#[tokio::test]
async fn any_search_text_is_answered_and_escaped() {
    let (mut daemon, _origins, _) = newsroom().await;
    let long = "grid ".repeat(2000);
    let one = "x".repeat(10_000);
    for typed in [
        "\"",
        "\"\"\"",
        "grid\"",
        "'",
        "grid AND",
        "OR",
        "NOT grid",
        "NEAR(grid north, 2)",
        "title:grid",
        "-grid",
        "grid*",
        "^grid",
        "{title} : grid",
        "(grid",
        "grid + north",
        "'; DROP TABLE item; --",
        "<script>alert(1)</script>",
        "\" onfocus=alert(1) autofocus=\"",
        "\0",
        "grid\0north",
        "\u{1b}[31m",
        "\u{202e}\u{200f}grid",
        "\u{feff}",
        "ﷺ",
        "🎉",
        "\r\nset-cookie: a=b",
        "%",
        "javascript:alert(1)",
        &long,
        &one,
    ] {
        for name in ["q", "tag", "lang"] {
            let page = search(&daemon, &[(name, typed)]).await;
            assert!(page.len() < 40_000, "bounded: {} bytes", page.len());
            for bad in ["<script", "onfocus=alert(1) autofocus=\"", "\0", "\u{1b}", "\u{202e}"] {
                assert!(!page.contains(bad), "{bad:?} for {name}={typed:?}");
            }
            assert_well_formed(&page);
        }
    }
    for query in ["q=%FF%FE", "q=%", "q=a&q=b", "=&&&", "q", "tag=%00", "outlets=1e9", "page=999999999999"] {
        assert!([200, 400].contains(&status(&daemon, &format!("/?{query}")).await), "for {query}");
    }
    assert_eq!(listed(&search(&daemon, &[("q", "\u{202e}gr\u{200f}id\0")]).await), ["grid"]);
    daemon.stop().await;
}

#[tokio::test]
async fn older_stories_are_on_further_pages_once_each() {
    let lines: Vec<String> = (0..95).map(|n| format!("{n} | zu{n}q vo{n}k | xe{n}j mi{n}t")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (mut daemon, _origin, _) = start_and_poll_once(StubResponse::ok(rss(&lines))).await;
    assert_eq!(daemon.stories().await.len(), 95, "each is a separate story");
    let mut seen = std::collections::BTreeSet::new();
    for page in 1..=4 {
        let text = search(&daemon, &[("view", "latest"), ("page", &page.to_string())]).await;
        let lines = text.split("<li class=\"single-line\">").skip(1);
        let on_page: Vec<&str> = lines.filter_map(|line| line.split("/stories/").nth(1)?.split('"').next()).collect();
        assert_eq!(on_page.len(), [40, 40, 15, 0][page - 1], "page {page}");
        assert_eq!(text.contains("rel=\"next\""), page < 3, "page {page}");
        assert_eq!(text.contains("rel=\"prev\""), page > 1, "page {page}");
        seen.extend(on_page.into_iter().map(str::to_owned));
    }
    assert_eq!(seen.len(), 95);
    daemon.stop().await;
}

#[tokio::test]
async fn page_of_a_feed_lists_its_stories() {
    let (mut daemon, _origins, _) = newsroom().await;
    for (name, expected) in [("all", &["grid", "museum", "bank"][..]), ("top", &[])] {
        assert_eq!(listed(&daemon.get(&format!("/feeds/{name}")).await), expected, "{name}");
    }
    for unknown in ["/feeds/none", "/feeds/health", "/feeds/all.stable"] {
        assert_eq!(status(&daemon, unknown).await, 404, "{unknown}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn choices_of_the_search_form_follow_the_tags_and_languages_of_sources() {
    let (mut daemon, _origins, _) = newsroom().await;
    let db = daemon.open_sqlite();
    let check = async |change: &str, shown: &[&str], hidden: &[&str]| {
        db.execute_batch(change).unwrap();
        let page = search(&daemon, &[]).await;
        let has = |choice: &str| page.contains(&format!(">{choice}</option>"));
        shown.iter().for_each(|choice| assert!(has(choice), "{choice} after {change:?}: {page}"));
        hidden.iter().for_each(|choice| assert!(!has(choice), "{choice} after {change:?}: {page}"));
    };
    check("", &["energy", "money", "world", "English", "German"], &["ports", "French"]).await;
    check("INSERT INTO source_tag (source_id, tag) VALUES (1, 'ports')", &["ports", "energy"], &[]).await;
    check("DELETE FROM source_tag WHERE tag = 'energy'", &["ports"], &["energy"]).await;
    check("UPDATE source SET lang = NULL, feed_lang = 'fr' WHERE id = 1", &["French", "English"], &[]).await;
    check("UPDATE source SET lang = 'fr' WHERE id = 2", &["French"], &["English"]).await;
    check("UPDATE source SET state = 'removed' WHERE id = 3", &["world"], &["money", "German"]).await;
    daemon.stop().await;
}

#[tokio::test]
async fn sections_of_the_front_page_keep_the_language() {
    let (mut daemon, _origins, _) = newsroom().await;
    let page = search(&daemon, &[("tag", "energy"), ("lang", "en")]).await;
    assert_eq!(listed(&page), ["grid", "museum"]);
    for link in [
        "href=\"/?lang=en\">Top",
        "href=\"/?lang=en&#38;view=latest\">Latest",
        "href=\"/?tag=energy&#38;lang=en\" aria-current=\"page\">energy",
        "href=\"/?tag=world&#38;lang=en\">world",
    ] {
        assert!(page.contains(link), "{link}: {page}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn section_leads_with_a_report_of_its_own_sources() {
    let (mut daemon, _origins, _) = newsroom().await;
    // The first source reports the grid story first. Only the second one has the tag.
    for (tag, own, other) in [("energy", "a.example", "b.example"), ("world", "b.example", "a.example")] {
        let page = search(&daemon, &[("tag", tag)]).await;
        let line = page.split("<li class=\"single-line\">").find(|line| line.contains("Grid fails")).unwrap();
        let outlet = |name: &str| line.contains(&format!("<bdi class=\"outlet\">{name}</bdi>"));
        assert!(outlet(own) && !outlet(other), "{tag}: {line}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn chosen_filter_is_visible_without_unfolding_the_form() {
    let (mut daemon, _origins, _) = newsroom().await;
    let page = search(&daemon, &[("lang", "de")]).await;
    assert!(page.contains("<p class=\"state\">Stories in German. <a href=\"/\">Show all</a></p>"), "{page}");
    assert!(page.contains("<details open><summary>Filters"), "{page}");
    assert!(search(&daemon, &[("q", "grid")]).await.contains("<details><summary>Filters"));
    for query in [&[][..], &[("tag", "energy")], &[("view", "latest")]] {
        let page = search(&daemon, query).await;
        assert!(page.contains("<details><summary>Filters") && !page.contains("class=\"state\""), "{query:?}: {page}");
    }
    let page = search(&daemon, &[("view", "latest"), ("page", "2")]).await;
    assert!(page.contains("aria-current=\"page\">Latest</a>") && !page.contains("Show all"), "{page}");
    daemon.stop().await;
}

#[tokio::test]
async fn list_shows_the_times_by_which_it_is_ordered() {
    let (mut daemon, _origins, _) = newsroom().await;
    daemon.open_sqlite().execute_batch("UPDATE story SET updated_at = updated_at + id % 7 * 50000000").unwrap();
    let page = search(&daemon, &[("view", "latest")]).await;
    let main = page.split("<main").nth(1).unwrap();
    let times: Vec<&str> = main.split("<time datetime=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let (mut day, mut before) = ("", "9");
    for time in times {
        if time.len() == 10 {
            day = time;
        } else {
            assert!(time.starts_with(day) && time <= before, "{time} below {day}, after {before}");
            before = time;
        }
    }
    assert_eq!(main.matches("<li class=\"single-line\">").count(), 3);
    daemon.stop().await;
}

#[tokio::test]
async fn headlines_are_short_and_do_not_repeat_the_outlet() {
    let long = format!("2 | {}", "Harbour ".repeat(60));
    let (mut daemon, _origin, _) =
        start_and_poll_once(StubResponse::ok(rss(&["1 | Ports reopen - A.example", &long]))).await;
    let front = daemon.get("/").await;
    assert!(front.contains(">Ports reopen</a>"), "{front}");
    assert!(front.contains("Harbour…</a>") && !front.contains(&"Harbour ".repeat(30)), "{front}");
    let story = daemon.stories().await.into_iter().find(|story| story.items[0].item.title.len() > 300).unwrap().id;
    let page = daemon.get(&format!("/stories/{story}")).await;
    assert!(page.contains(&"Harbour ".repeat(50)), "the story's page has the whole title: {page}");
    daemon.stop().await;
}

#[tokio::test]
async fn sources_of_an_outlet_share_its_name() {
    let mut daemon = TestDaemon::new();
    let mut origins = Vec::new();
    for (number, item) in [GRID, MUSEUM, BANK].into_iter().enumerate() {
        let origin = OriginServer::start().await;
        let titles = ["California", "Harbour Times - Sport", "Harbour Times World"];
        let document = rss(&[item]).replace("<title>News</title>", &format!("<title>{}</title>", titles[number]));
        origin.serve("/feed", StubResponse::ok(document));
        add(&daemon, &origin.url("/feed"), "harbourtimes.example", "news", "en").await;
        origins.push(origin);
    }
    daemon.start().await;
    wait_until("all stories are published", async || listed(&daemon.get("/").await).len() == 3).await;
    let count =
        async |name: &str| daemon.get("/").await.matches(&format!("<bdi class=\"outlet\">{name}</bdi>")).count();
    assert_eq!(count("Harbour Times").await, 3);
    daemon.open_sqlite().execute_batch("UPDATE source SET outlet_name = 'The Times' WHERE id = 3").unwrap();
    assert_eq!(count("The Times").await, 3);
    daemon.stop().await;
}

#[tokio::test]
async fn configured_sections_and_time_zone_apply_to_pages() {
    let mut daemon = TestDaemon::new();
    let sections =
        "timezone = \"Asia/Tokyo\"\n[[sections]]\ntag = \"energy\"\ntitle = \"Power\"\nlanguages = [\"en\", \"de\"]";
    let configured: newsfold::publish::Options = toml::from_str(sections).unwrap();
    daemon.config.publish.timezone = configured.timezone;
    daemon.config.publish.sections = configured.sections;
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&[GRID])));
    let id = add(&daemon, &origin.url("/feed"), "a.example", "energy", "de").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let section = "/?tag=energy&#38;lang=en%2Cde";
    assert!(daemon.get("/").await.contains(&format!("href=\"{section}\">Power")));
    let page = search(&daemon, &[("tag", "energy"), ("lang", "en,de")]).await;
    assert!(page.contains(&format!("href=\"{section}\" aria-current=\"page\"")), "{page}");
    assert!(page.contains("href=\"/\">Top"), "the languages of a section do not apply to the others: {page}");
    assert!(page.contains("English or German") && page.contains("Times are in Asia/Tokyo."), "{page}");
    assert_eq!(listed(&page), ["grid"]);
    let story = daemon.stories().await.remove(0).id;
    assert!(daemon.get(&format!("/stories/{story}")).await.contains(" JST</time>"));
    daemon.stop().await;
}

#[tokio::test]
async fn copies_are_folded_under_their_original() {
    let (mut daemon, _origins, _) = newsroom().await;
    let story =
        daemon.stories().await.into_iter().find(|story| story.items.len() == 2).expect("a story of two reports");
    let (own, copy) = (&story.items[0].item, &story.items[1].item);
    assert_eq!(story.items[1].copy_of, Some(own.id), "it is recognized as a copy");
    let page = daemon.get(&format!("/stories/{}", story.id)).await;
    let (before, folded) = page.split_once("<summary>1 copy of this report</summary>").expect("a fold");
    assert!(before.contains(&format!("id=\"item-{}\"", own.id)) && !before.contains(&copy.outlet), "{before}");
    assert!(folded.contains(&format!("id=\"item-{}\"", copy.id)) && folded.contains(&copy.outlet), "{folded}");
    // The reason links to the original.
    assert!(folded.contains(&format!("<a href=\"#item-{}\">{}’s report</a>", own.id, own.outlet)), "{folded}");
    assert_eq!(status(&daemon, &format!("/stories/{}.atom", story.id)).await, 200);
    for address in [format!("/stories/{}.atom", story.id), format!("https://news.example/{}", "grid")] {
        assert!(page.contains(&format!("href=\"{address}\"")), "{address}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn copy_whose_original_left_the_story_counts_as_one_outlet() {
    let (mut daemon, _origins, _) = newsroom().await;
    let story = daemon.stories().await.into_iter().find(|story| story.items.len() == 2).unwrap();
    let (id, own, now) = (story.id, story.items[0].item.id, daemon.now());
    daemon.store.write(move |db| constraints::split_story(db, &story, &[own], now)).await.unwrap().unwrap();
    daemon.wait_until_idle().await;
    let left = daemon.stories().await.into_iter().find(|story| story.id == id).unwrap();
    assert_eq!((left.items[0].copy_of, left.outlets().len()), (None, 1));
    let page = daemon.get(&format!("/stories/{id}")).await;
    assert!(page.contains("1 outlet") && !page.contains("copy"), "{page}");
    daemon.stop().await;
}

#[tokio::test]
async fn story_shows_earlier_versions_of_its_reports() {
    let (mut daemon, origin, id) =
        start_and_poll_once(StubResponse::ok(rss(&["1 | Minister stays | He said so"]))).await;
    let story = daemon.stories().await.remove(0).id;
    assert!(!daemon.get(&format!("/stories/{story}")).await.contains("earlier"));
    for changed in ["1 | Minister goes | He said so", "1 | Minister is gone | She said so"] {
        origin.serve("/feed", StubResponse::ok(rss(&[changed])));
        run_next_poll(&daemon, id).await;
    }
    let page = daemon.get(&format!("/stories/{story}")).await;
    let (now, before) = page.split_once("<summary>2 earlier headlines, 1 earlier summary</summary>").expect("a fold");
    assert!(now.contains("<h1 dir=\"auto\" lang=\"en\">Minister is gone</h1>") && !now.contains("Minister goes"));
    let (goes, stays) = (before.find("Minister goes").unwrap(), before.find("Minister stays").unwrap());
    assert!(goes < stays, "newest first");
    assert_eq!((before.matches("He said so").count(), before.matches("Until <time").count()), (1, 2), "{before}");
    daemon.stop().await;
}

#[tokio::test]
async fn source_page_shows_polls_and_the_hosts_of_their_urls_only() {
    let mut daemon = TestDaemon::new();
    let (origin, other) = (OriginServer::start().await, OriginServer::start().await);
    let elsewhere = other.url("/moved?key=secret").replace("http://", "http://eve:secret@");
    origin.serve("/feed", StubResponse::redirect_with_status(301, &elsewhere));
    other.serve("/moved", StubResponse::ok(rss(&["1 | One", "2 | Two"])));
    let url = origin.url("/feed?token=secret").replace("http://", "http://ann:secret@");
    let id = daemon.add_source(&url, "a.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let page = daemon.get(&format!("/sources/{id}")).await;
    let host = |origin: &OriginServer| origin.url("").trim_start_matches("http://").to_owned();
    assert!(page.contains(&host(&origin)) && page.contains(&host(&other)), "{page}");
    assert!(!page.contains("/moved") && !page.contains(&origin.url("/feed")), "{page}");
    let source = daemon.source(id).await;
    let reason = next_poll_text(&source.next_poll_reason).format(Audience::PUBLIC);
    assert!(page.contains(&reason.replace('\'', "&#39;")) && reason.len() > 10, "{reason}: {page}");
    assert_eq!(page.matches("<rect class=\"bar\"").count(), 30);
    assert!(page.contains("2 items in the 30 days up to the last poll"), "{page}");
    assert!(page.contains("<time datetime=\"2026-03-01\">1 Mar 2026</time></th><td class=\"number\">2</td>"), "{page}");

    // Error messages may also contain URLs.
    for status in [500, 404, 429] {
        other.serve("/moved", StubResponse::status(status).header("retry-after", b"7200"));
        run_next_poll(&daemon, id).await;
    }
    for path in [format!("/sources/{id}"), "/sources".into(), "/health".into(), "/".into()] {
        let page = daemon.get(&path).await;
        assert!(!page.contains("secret") && !page.contains("ann:"), "{path}: {page}");
    }
    let page = daemon.get(&format!("/sources/{id}")).await;
    assert_eq!(page.matches("<th scope=\"row\"><time datetime=\"2026-03-01T").count(), 4, "four polls: {page}");
    let health = daemon.get("/health").await;
    assert!(health.contains(&format!("href=\"/sources/{id}\"")) && health.contains("on hold"), "{health}");
    assert!(health.contains(&format!("<strong>{}", host(&other))), "the server on hold: {health}");
    daemon.stop().await;
}

#[tokio::test]
async fn health_page_shows_tasks_without_internal_addresses() {
    let mut daemon = TestDaemon::new();
    let id = daemon.add_source("http://10.0.0.7/feed?token=secret", "inside.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let page = daemon.get("/health").await;
    assert!(page.contains("All tasks are running.") && page.contains("Sources with problems"), "{page}");
    let state =
        "<span class=\"status bad\">1 of 1 sources failed at their last poll.</span> <span>All tasks are running.";
    assert!(page.contains(state), "failures come first: {page}");
    assert!(page.contains("its address is not public"), "{page}");
    let database = daemon.folder.path().to_str().unwrap().to_owned();
    for secret in ["token", "secret", &database] {
        assert!(!page.contains(secret), "{secret} in {page}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn sources_with_problems_come_first_and_filters_select_them() {
    let (mut daemon, _origins, ids) = newsroom().await;
    let broken = OriginServer::start().await;
    broken.serve("/feed", StubResponse::status(500));
    let failing = add(&daemon, &broken.url("/feed"), "z.example", "money", "de").await;
    daemon.advance(SignedDuration::from_secs(1));
    daemon.wait_for_polls(failing, 1).await;
    let page = daemon.get("/sources").await;
    let position = |id: &SourceId| page.find(&format!("href=\"/sources/{id}\"")).unwrap();
    assert!(ids.iter().all(|id| position(&failing) < position(id)), "{page}");
    assert!(page.contains("1 of 4 sources failed at their last poll."), "{page}");
    assert!(daemon.get("/health").await.contains("1 of 4 sources failed at their last poll."));
    let listed = async |query: &str| {
        let page = daemon.get(&format!("/sources?{query}")).await;
        ["a.example", "b.example", "c.example", "z.example"]
            .into_iter()
            .filter(|outlet| page.contains(outlet))
            .collect()
    };
    let both: Vec<&str> = listed("q=MONEY").await;
    assert_eq!(both, ["c.example", "z.example"]);
    let one: Vec<&str> = listed("q=money&show=problems").await;
    assert_eq!(one, ["z.example"]);
    let none: Vec<&str> = listed("q=nothing").await;
    assert_eq!((none, listed("page=2").await), (vec![], Vec::<&str>::new()));
    assert!(daemon.get("/sources?page=2").await.contains("No more sources."));
    daemon.stop().await;
}

#[tokio::test]
async fn status_pages_can_be_hidden() {
    let mut daemon = TestDaemon::new();
    daemon.config.serve.status_pages = false;
    let id = daemon.add_source("http://10.0.0.7/feed", "inside.example").await;
    daemon.start().await;
    for path in ["/sources", &format!("/sources/{id}"), "/health", "/feeds/health.atom"] {
        assert_eq!(status(&daemon, path).await, 404, "{path}");
    }
    for path in ["/", "/feeds", "/feeds/all"] {
        let page = daemon.get(path).await;
        assert!(!page.contains("/sources\"") && !page.contains("health"), "{path}: {page}");
    }
    assert_eq!(status(&daemon, "/healthz").await, 200);
    daemon.stop().await;
}

#[tokio::test]
async fn empty_front_page_says_what_it_waits_for() {
    let mut daemon = TestDaemon::new();
    daemon.config.publish.delay = SignedDuration::from_mins(10);
    daemon.start().await;
    assert!(daemon.get("/").await.contains("newsfold source add URL"));
    let origin = OriginServer::start().await;
    origin.serve("/feed", StubResponse::ok(rss(&[GRID])));
    add(&daemon, &origin.url("/feed"), "a.example", "energy", "en").await;
    assert!(daemon.get("/").await.contains("0 of 1 sources have been polled."));
    daemon.advance(SignedDuration::from_secs(1));
    let due = daemon.now() + SignedDuration::from_mins(10);
    let time = due.strftime("<time datetime=\"%Y-%m-%dT%H:%M:%SZ\">%-d %b %Y, %H:%M UTC</time>");
    let expected = format!("The first stories appear about {time}.");
    wait_until("the front page names the time", async || daemon.get("/").await.contains(&expected)).await;
    for path in ["/", "/?view=latest", "/feeds/all"] {
        let page = daemon.get(path).await;
        assert!(page.contains("1 of 1 sources have been polled. Stories appear 10 min after"), "{path}: {page}");
        assert!(!page.contains("must contain all words"), "{path}: {page}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn page_without_stories_counts_failures_and_names_no_delay_of_zero() {
    let mut daemon = TestDaemon::new();
    daemon.config.publish.delay = SignedDuration::ZERO;
    let id = daemon.add_source("http://10.0.0.7/feed", "inside.example").await;
    daemon.start().await;
    daemon.wait_for_polls(id, 1).await;
    let page = daemon.get("/").await;
    let expected = "1 of 1 sources have been polled; 1 failed at their last poll. Stories appear as soon as their first \
                    report is grouped.";
    assert!(page.contains(expected), "{page}");
    daemon.stop().await;
}

#[tokio::test]
async fn list_of_feeds_is_valid_opml() {
    let mut daemon = TestDaemon::new();
    daemon.config.publish.base_url = "https://desk.example/news/".parse().unwrap();
    let feed =
        "name = \"two\"\ntitle = \"Two & <more>\\u0001\"\nmin_outlets = 2\ntags = [\"energy\"]\nlanguages = [\"de\"]";
    let private = "name = \"hidden\"\ntitle = \"Ours\"\nprivate = true";
    daemon.config.publish.feeds = vec![toml::from_str(feed).unwrap(), toml::from_str(private).unwrap()];
    daemon.start().await;
    let answer = ask(&daemon, Method::GET, "/feeds.opml", &[]).await;
    assert_eq!(answer.headers()["content-type"], "text/x-opml; charset=utf-8");
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">"), "{text}");
    let list = read_opml(text.as_bytes()).unwrap();
    assert!(list.fault.is_none() && list.problems.is_empty() && list.unusable.is_empty(), "{text}");
    let outlines: Vec<(&str, Option<&str>)> =
        list.outlines.iter().map(|outline| (outline.xml_url.as_str(), outline.title.as_deref())).collect();
    let expected = [
        ("https://desk.example/news/feeds/all.atom", Some("newsfold")),
        ("https://desk.example/news/feeds/top.atom", Some("newsfold: top stories")),
        ("https://desk.example/news/feeds/two.atom", Some("Two & <more>")),
    ];
    assert_eq!(outlines, expected);
    let page = daemon.get("/feeds").await;
    assert!(page.contains("Stories from sources tagged ‘energy’, in German, reported by at least 2 outlets"), "{page}");
    assert!(page.contains("<code>https://desk.example/news/feeds/two.json</code>"), "{page}");
    assert!(page.contains("href=\"/news/feeds/two\">Two"), "{page}");
    assert!(daemon.get("/feeds/two").await.contains("<code>https://desk.example/news/feeds/two.atom</code>"));
    assert_eq!(status(&daemon, "/feeds/hidden").await, 404);
    assert!(page.contains("href=\"/news/feeds.opml\""), "links work below a path prefix: {page}");
    assert!(page.contains("href=\"/news/feeds/two.stable.rss\""), "{page}");
    for text in [text, page, daemon.get("/").await, daemon.get("/health").await] {
        assert!(!text.contains("hidden") && !text.contains("Ours"), "a private feed is disclosed: {text}");
    }
    daemon.stop().await;
}

/// Returns the paths of pages of every kind.
async fn every_page(daemon: &TestDaemon, ids: &[SourceId]) -> Vec<String> {
    let mut paths: Vec<String> = [
        "/",
        "/?view=latest",
        "/?tag=energy&lang=en",
        "/?q=grid",
        "/?q=nothing",
        "/?page=9",
        "/sources",
        "/health",
        "/feeds",
        "/feeds/all",
    ]
    .map(str::to_owned)
    .into();
    paths.extend(daemon.stories().await.iter().map(|story| format!("/stories/{}", story.id)));
    paths.extend(ids.iter().map(|id| format!("/sources/{id}")));
    paths
}

#[tokio::test]
async fn every_page_is_well_formed_and_links_to_the_list_of_feeds() {
    let (mut daemon, _origins, ids) = newsroom().await;
    for path in every_page(&daemon, &ids).await {
        let page = daemon.get(&path).await;
        assert_well_formed(&page);
        for address in ["href=\"/feeds.opml\">", "href=\"/feeds\""] {
            assert!(page.contains(address), "{address} on {path}");
        }
        for part in ["<a class=\"skip\" href=\"#main\">", "<main id=\"main\"", "rel=\"icon\"", "<html lang=\"en\">"] {
            assert_eq!(page.matches(part).count(), 1, "{part} on {path}");
        }
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        assert!(!page.contains("style=") && !page.contains("<script"), "{path}");
        assert_times_are_marked(&page);
    }
    daemon.stop().await;
}

#[tokio::test]
async fn pages_depend_on_the_database_only() {
    let (mut daemon, _origins, ids) = newsroom().await;
    daemon.stop().await;
    // Without polls, only the clock moves.
    for id in ids.clone() {
        daemon.store.write(move |db| sources::set_state(db, id, SourceState::Paused)).await.unwrap();
    }
    daemon.start().await;
    let mut before = Vec::new();
    for path in every_page(&daemon, &ids).await {
        before.push((path.clone(), daemon.get(&path).await));
    }
    daemon.advance(SignedDuration::from_hours(40 * 24));
    for (path, page) in before {
        assert_eq!(daemon.get(&path).await, page, "{path}");
    }
    daemon.stop().await;
}

#[tokio::test]
async fn pages_are_compressed_and_revalidated() {
    let (mut daemon, _origins, ids) = newsroom().await;
    let mut paths = every_page(&daemon, &ids).await;
    paths.push("/feeds.opml".into());
    for path in paths {
        let plain = ask(&daemon, Method::GET, &path, &[]).await;
        assert_eq!(plain.headers()["vary"], "Accept-Encoding");
        let plain = plain.bytes().await.unwrap();
        for (accepted, coding) in [("gzip", "gzip"), ("gzip, deflate, br, zstd", "br")] {
            let answer = ask(&daemon, Method::GET, &path, &[("accept-encoding", accepted)]).await;
            assert_eq!(answer.headers()["content-encoding"], coding, "{path}");
            let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
            let head = ask(&daemon, Method::HEAD, &path, &[("accept-encoding", accepted)]).await;
            assert_eq!((head.status().as_u16(), head.headers()["etag"].to_str().unwrap()), (200, tag.as_str()));
            assert_eq!(head.headers()["content-length"], answer.headers()["content-length"]);
            let bytes = answer.bytes().await.unwrap();
            assert!(decoded(coding, &bytes) == plain, "{path} in {coding}");
            assert!(bytes.len() * 10 < plain.len() * 8, "{path}: {} of {} bytes in {coding}", bytes.len(), plain.len());
            let again = [("accept-encoding", accepted), ("if-none-match", &tag)];
            assert_eq!(ask(&daemon, Method::GET, &path, &again).await.status(), 304, "{path}");
        }
    }
    daemon.stop().await;
}

fn decoded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap(),
        _ => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain).unwrap(),
    };
    plain
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let (mut daemon, _origins, ids) = newsroom().await;
    let removed = ids[0];
    daemon.store.write(move |db| sources::set_state(db, removed, SourceState::Removed)).await.unwrap();
    for path in [
        format!("/sources/{removed}"),
        "/sources/0".into(),
        "/sources/01".into(),
        "/sources/+2".into(),
        "/sources/-1".into(),
        "/sources/99999999999999999999".into(),
        "/sources/x".into(),
        "/stories/000000000000".into(),
        "/stories/short".into(),
        "/nowhere".into(),
    ] {
        let answer = ask(&daemon, Method::GET, &path, &[]).await;
        assert_eq!(answer.status(), 404, "{path}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("<h1>Not found</h1>"), "{path}");
        assert_well_formed(&page);
    }
    daemon.stop().await;
}

/// Panics if a page shows a time of day outside a `time` element. A description in SVG cannot contain a `time` element.
fn assert_times_are_marked(html: &str) {
    let mut rest = html;
    while let Some(at) = rest.find(" UTC") {
        let before = &rest[..at];
        let is_time = before.ends_with(|c: char| c.is_ascii_digit());
        let is_in = |element: &str| before.rfind(&format!("<{element} ")) > before.rfind(&format!("</{element}>"));
        assert!(!is_time || is_in("time") || is_in("desc"), "{}", &before[before.len().saturating_sub(200)..]);
        rest = &rest[at + 4..];
    }
}

/// Panics unless all elements are closed in order, and all attributes are quoted and unique in their element.
fn assert_well_formed(html: &str) {
    const EMPTY: [&str; 7] = ["meta", "link", "input", "br", "line", "circle", "rect"];
    let mut open: Vec<&str> = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    let rest = html.strip_prefix("<!doctype html>\n").expect("a document type");
    for part in rest.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap_or_else(|| panic!("an unterminated tag: {part}"));
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed in {html}");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "<{tag}>");
        assert!(tag.matches('"').count() % 2 == 0, "<{tag}>");
        let attributes: Vec<&str> =
            tag.split('"').step_by(2).filter_map(|part| part.trim().strip_suffix('=')).collect();
        let names: std::collections::BTreeSet<&&str> = attributes.iter().collect();
        assert_eq!(names.len(), attributes.len(), "<{tag}>");
        if let Some((_, id)) = tag.split_once(" id=\"") {
            assert!(ids.insert(id.split('"').next()), "a duplicate id: <{tag}>");
        }
        if !EMPTY.contains(&name) || name == "rect" && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?} in {html}");
}
