//! Tests filters of published feeds by author, category, URL and regular expression, and mute rules.

use crate::support::cli_runner::CliRunner;
use crate::support::origin_server::{OriginServer, StubResponse};

#[tokio::test(flavor = "multi_thread")]
async fn feeds_are_filtered_by_author_category_url_and_expression() {
    let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
    let now = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let item = |number: u32, title: &str, author: &str, category: &str| {
        format!(
            "<item><guid>{number}</guid><link>{}</link><title>{title}</title><author>{author}</author>\
             <category>{category}</category><pubDate>{now}</pubDate></item>",
            origin.url(&format!("/{category}/{number}"))
        )
    };
    let items = [
        item(1, "Grid fails in the north", "Jane Doe", "Energy"),
        item(2, "Zoo opens a panda house", "John Roe", "Culture"),
        item(3, "Stars predict a fine week", "Horoscope desk", "Fun"),
    ];
    let feed = format!("<rss version=\"2.0\"><channel><title>News</title>{}</channel></rss>", items.concat());
    origin.serve("/feed", StubResponse::ok(feed));
    let config = std::fs::read_to_string(cli.folder.path().join("config.toml")).unwrap();
    let feeds = "[[publish.mute]]\nauthors = [\"horoscope\"]\n[[publish.feeds]]\nname = \"author\"\nauthors = [\"jane\"]\n\
                 [[publish.feeds]]\nname = \"category\"\ncategories = [\"culture\"]\n\
                 [[publish.feeds]]\nname = \"url\"\nurl_pattern = \"/energy/\"\n\
                 [[publish.feeds]]\nname = \"text\"\npattern = \"(grid|zoo) \"\nexclude_pattern = \"panda\"\n";
    cli.write_file("config.toml", &format!("{config}{feeds}"));
    cli.run(&["source", "add", &origin.url("/feed")]);
    let titles = |feed: &str| {
        let shown = cli.run_json(&["feed", "preview", feed]);
        let mut titles: Vec<String> = shown.as_array().unwrap().iter().map(|entry| entry.to_string()).collect();
        titles.sort();
        let known = ["Grid fails", "Zoo opens", "Stars predict"];
        known.into_iter().filter(|title| titles.iter().any(|entry| entry.contains(title))).collect::<Vec<_>>()
    };
    assert_eq!(titles("all"), ["Grid fails", "Zoo opens"], "the mute rule applies to all feeds");
    for (feed, expected) in
        [("author", "Grid fails"), ("category", "Zoo opens"), ("url", "Grid fails"), ("text", "Grid fails")]
    {
        assert_eq!(titles(feed), [expected], "{feed}");
    }
    let stories = cli.run_json(&["story", "list"]);
    let muted = stories.as_array().unwrap().iter().find(|story| story.to_string().contains("Stars predict")).unwrap();
    let why = cli.run(&["feed", "explain", "author", muted["id"].as_str().unwrap()]);
    assert!(
        why.contains("✗ a report matches the filter") && why.contains("✗ no report matches exclude_pattern"),
        "{why}"
    );
    cli.write_file("config.toml", "[[publish.feeds]]\nname = \"x\"\npattern = \"(\"\n");
    cli.assert_fails(&["config", "check"], "publish.feeds.0.pattern is not a valid regular expression");
    cli.write_file("config.toml", "[[publish.mute]]\n");
    cli.assert_fails(&["config", "check"], "has no condition");
}
