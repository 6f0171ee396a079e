//! Tests encoders with a model of a few hundred bytes, and with invalid files.

use crate::support::cli_runner::CliRunner;

#[cfg(not(feature = "encoder"))]
#[test]
fn program_without_encoders_names_the_build_option() {
    let cli = CliRunner::new();
    cli.write_file("model.onnx", "");
    cli.write_file("vocab.txt", "");
    cli.assert_fails(&["encoder", "check", cli.folder.path().to_str().unwrap()], "--features encoder");
}

#[test]
fn missing_files_are_named() {
    let cli = CliRunner::new();
    let folder = cli.folder.path().to_str().unwrap();
    cli.assert_fails(&["encoder", "check", "/missing/encoder"], "cannot read /missing/encoder");
    cli.assert_fails(&["encoder", "check", folder], "contains no model; put model.onnx");
    cli.write_file("model.onnx", "");
    cli.assert_fails(&["encoder", "check", folder], "contains no tokenizer");
}

#[cfg(feature = "encoder")]
mod with_feature {
    use crate::support::cli_runner::CliRunner;
    use crate::support::daemon_process::{database_path, start_daemon};
    use crate::support::origin_server::{OriginServer, StubResponse};
    use crate::support::tiny_encoder::{model_with, write_tiny_encoder};
    use crate::support::{rss_of_today, wait_until};
    use newsfold::encoder::{Encoder, Error, TokenizerKind, add_embeddings};
    use newsfold::evaluation::{items_of_dataset, parse_dataset};
    use std::time::Duration;
    use tempfile::TempDir;

    fn tiny() -> (TempDir, Encoder) {
        let folder = tempfile::tempdir().unwrap();
        write_tiny_encoder(folder.path());
        let encoder = Encoder::load(folder.path()).unwrap();
        (folder, encoder)
    }

    fn load_error(folder: &TempDir) -> Error {
        Encoder::load(folder.path()).err().expect("the encoder is not usable")
    }

    #[test]
    fn embedding_is_the_direction_of_the_mean_of_the_tokens() {
        let (_folder, encoder) = tiny();
        let facts = encoder.facts();
        assert_eq!((facts.dimensions, facts.vocabulary, facts.tokenizer), (3, 8, TokenizerKind::Vocabulary));
        let [storm, burza, election] = ["Storm", "burza", "Elections"].map(|text| encoder.encode(text).unwrap());
        assert_eq!(storm.components(), [127, 0, 0]);
        assert_eq!(election.components(), [0, 125, 25]);
        assert!(storm.cosine(&burza) > 0.99 && storm.cosine(&election) < 0.01);
    }

    #[test]
    fn texts_of_any_length_and_script_are_encoded() {
        let (_folder, encoder) = tiny();
        let texts = ["storm ".repeat(200_000), "x".repeat(1 << 20), "嵐\u{0}\u{202e}".repeat(100_000), String::new()];
        let [long, word, chinese, empty] = texts.map(|text| encoder.encode(&text));
        assert_eq!(long.unwrap(), encoder.encode("storm").unwrap());
        assert_eq!(word.unwrap().components(), [0, 0, 127]);
        assert!(chinese.is_ok());
        assert!(matches!(empty, Err(Error::Failed(_))), "a text without tokens has no direction");
        // The name of a special token in a text is ordinary text.
        assert!(encoder.encode("storm [PAD]").is_ok());
    }

    #[test]
    fn tokenizer_definition_and_prefix_are_read_from_the_folder() {
        let (folder, encoder) = tiny();
        let vocabulary = serde_json::json!({ "type": "Unigram", "unk_id": 1, "vocab": [
            ["<pad>", 0.0], ["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0],
            ["▁storm", -1.0], ["▁burza", -1.0], ["▁election", -1.0], ["s", -1.0],
        ]});
        let special = |id: u32, content: &str| {
            serde_json::json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true })
        };
        let definition = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null, "decoder": null, "post_processor": null,
            "added_tokens": [special(0, "<pad>"), special(1, "<unk>"), special(2, "<s>"), special(3, "</s>")],
            "normalizer": { "type": "NFKC" },
            "pre_tokenizer": { "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true },
            "model": vocabulary,
        });
        std::fs::write(folder.path().join("tokenizer.json"), definition.to_string()).unwrap();
        let prompts = r#"{ "prompts": { "query": "election " }, "default_prompt_name": "query" }"#;
        std::fs::write(folder.path().join("config_sentence_transformers.json"), prompts).unwrap();
        let changed = Encoder::load(folder.path()).unwrap();
        assert_eq!((changed.facts().tokenizer, &*changed.facts().prefix), (TokenizerKind::Definition, "election "));
        assert_ne!(changed.facts().hash, encoder.facts().hash);
        assert_eq!(changed.encode("storm").unwrap().components(), [90, 90, 0]);
    }

    #[test]
    fn unusable_models_are_rejected() {
        let (folder, _) = tiny();
        let path = folder.path().join("model.onnx");
        let model = std::fs::read(&path).unwrap();
        let broken = [
            Vec::new(),
            b"not a model".to_vec(),
            model[..model.len() / 2].to_vec(),
            // This model has more dimensions than an embedding may have.
            model_with(8, &[1.0; 8 * 5000]),
            // This model has fewer vectors than tokens.
            model_with(1, &[1.0, 0.0]),
            model_with(8, &[f32::NAN; 24]),
        ];
        for (n, bytes) in broken.into_iter().enumerate() {
            std::fs::write(&path, bytes).unwrap();
            let error = load_error(&folder);
            assert!(matches!(error, Error::NotUsable { .. } | Error::Failed(_)), "model {n}: {error}");
        }
        let file = std::fs::File::create(&path).unwrap();
        file.set_len((1 << 30) + 1).unwrap();
        assert!(matches!(load_error(&folder), Error::TooLarge { .. }));
    }

    #[test]
    fn unusable_tokenizers_are_rejected() {
        let (folder, _) = tiny();
        for text in ["", "{", "{\"model\": 1}", "\u{0}"] {
            std::fs::write(folder.path().join("tokenizer.json"), text).unwrap();
            assert!(matches!(load_error(&folder), Error::NotUsable { .. }), "{text:?}");
        }
    }

    #[test]
    fn check_fails_if_the_model_recognizes_nothing() {
        let (folder, _) = tiny();
        let result = CliRunner::new().run_json_failing(&["encoder", "check", folder.path().to_str().unwrap()]);
        assert_eq!((&result["dimensions"], &result["passed"]), (&3.into(), &false.into()));
        assert!(result["texts_per_second"].as_f64().unwrap() > 0.0);
    }

    const CONFIG: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[fetch]\nallowed_networks = [\"127.0.0.0/8\"]\n\
                          min_origin_delay = \"0s\"\n[publish]\ndelay = \"0s\"\n[metrics]\nenabled = false\n";

    /// Returns the stored embeddings of the encoder in use, as pairs of a title and a vector, and whether grouping has
    /// read them.
    fn embeddings(cli: &CliRunner) -> (Vec<(String, Vec<u8>)>, bool) {
        let sqlite = rusqlite::Connection::open(database_path(cli.folder.path())).unwrap();
        sqlite.busy_timeout(Duration::from_secs(20)).unwrap();
        let sql = "SELECT title, vector FROM item_embedding JOIN item ON item.id = item_id
                   JOIN encoder_model ON encoder_model.id = encoder_id WHERE is_current ORDER BY title";
        let mut statement = sqlite.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let rows = rows.collect::<Result<_, _>>().unwrap();
        let is_read = sqlite.query_one("SELECT count(*) = 0 FROM revised_item", [], |row| row.get(0)).unwrap();
        (rows, is_read)
    }

    #[test]
    fn simulated_feed_uses_the_embeddings_of_the_evaluation() {
        let (cli, (encoder, _)) = (CliRunner::new(), tiny());
        let item = |lang: &str, title: &str| {
            serde_json::json!({
                "id": lang, "outlet": format!("{lang}.example"), "published": "2026-01-05T08:00:00Z", "title": title,
                "summary": "", "url": format!("https://{lang}.example/1"), "story": "storm", "lang": lang,
            })
        };
        cli.write_file("gold.jsonl", &format!("{}\n{}\n", item("en", "Storm"), item("pl", "Burza")));
        let gold = cli.folder.path().join("gold.jsonl");
        let entries = |options: &[&str]| {
            let arguments = [&["eval", gold.to_str().unwrap(), "--feed"], options].concat();
            cli.run_json(&arguments)["simulated_feed"]["entries"].clone()
        };
        assert_eq!(entries(&[]), 2);
        assert_eq!(entries(&["--encoder", encoder.path().to_str().unwrap()]), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn daemon_encodes_items_and_encodes_them_again_after_a_change() {
        let (cli, origin, (encoder, _)) = (CliRunner::new(), OriginServer::start().await, tiny());
        let folder = encoder.path().to_str().unwrap();
        let config = format!("{CONFIG}[cluster]\nrecluster_interval = \"1s\"\nencoder = \"{folder}\"\n");
        cli.write_file("config.toml", &config);
        origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Storm", "2 | Election"])));
        cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
        let stored = |expected: &[(&str, [i8; 3])]| {
            let expected = expected
                .iter()
                .map(|(text, vector)| ((*text).to_owned(), vector.map(|component| component.cast_unsigned()).to_vec()));
            (expected.collect::<Vec<_>>(), true)
        };

        let daemon = start_daemon(cli.folder.path(), "");
        let both = stored(&[("Election", [0, 127, 0]), ("Storm", [127, 0, 0])]);
        wait_until("both items have an embedding", async || embeddings(&cli) == both).await;
        assert_eq!(cli.run_json(&["status"])["stored"]["queues"]["items_to_encode"], 0);

        origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Elections", "2 | Election"])));
        cli.run(&["source", "poll", "1"]);
        let revised = stored(&[("Election", [0, 127, 0]), ("Elections", [0, 125, 25])]);
        wait_until("the revised item has another embedding", async || embeddings(&cli) == revised).await;

        // In this other model, all tokens have the same vector.
        drop(daemon);
        std::fs::write(encoder.path().join("model.onnx"), model_with(8, &[-1.0, 0.0, 0.0].repeat(8))).unwrap();
        let daemon = start_daemon(cli.folder.path(), "");
        let changed = stored(&[("Election", [-127, 0, 0]), ("Elections", [-127, 0, 0])]);
        wait_until("both items have an embedding of the new model", async || embeddings(&cli) == changed).await;

        drop(daemon);
        cli.write_file("config.toml", CONFIG);
        let _daemon = start_daemon(cli.folder.path(), "");
        wait_until("no embeddings are used", async || embeddings(&cli).0.is_empty()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn stories_in_two_languages_share_a_storyline_because_of_their_embeddings() {
        let (cli, origin, (encoder, _)) = (CliRunner::new(), OriginServer::start().await, tiny());
        let folder = encoder.path().to_str().unwrap();
        cli.write_file("config.toml", CONFIG);
        for (code, title) in [("en", "Storm"), ("pl", "Burza"), ("fr", "Election")] {
            let feed = rss_of_today(&[&format!("{code} | {title}")]);
            let feed = feed.replace("<language>en<", &format!("<language>{code}<"));
            origin.serve(&format!("/{code}"), StubResponse::ok(feed));
            cli.run(&["source", "add", &origin.url(&format!("/{code}")), "--outlet", &format!("{code}.example")]);
        }
        // If the items were not separated, both reports of the storm would be one story.
        cli.run(&["item", "separate", "1", "2"]);
        let config = format!("{CONFIG}[cluster]\nrecluster_interval = \"1s\"\nencoder = \"{folder}\"\n");
        cli.write_file("config.toml", &config);
        let storylines = || {
            let listed = cli.run_json(&["storyline", "list"]);
            let row = |row: &serde_json::Value| (row["id"].as_str().unwrap().to_owned(), row["stories"].clone());
            listed.as_array().unwrap().iter().map(row).collect::<Vec<_>>()
        };

        let daemon = start_daemon(cli.folder.path(), "");
        wait_until("the stories share a storyline", async || storylines().len() == 1).await;
        let found = storylines();
        assert_eq!(found[0].1, 2, "{found:?}");
        let explained = cli.run(&["storyline", "explain", &found[0].0]);
        let reason = "the embedding of its text is similar to that of a story in another language (cosine 1.00)";
        assert!(explained.contains(reason), "{explained}");

        drop(daemon);
        let _daemon = start_daemon(cli.folder.path(), "");
        origin.serve("/fr", StubResponse::ok(rss_of_today(&["new | Unknown"])));
        cli.run(&["source", "poll", "3"]);
        let is_grouped = async || cli.run_json(&["status"])["stored"]["counts"]["published"] == 4;
        wait_until("a new story is published after a pass over all stories", is_grouped).await;
        assert_eq!(storylines(), found, "a restart changes nothing");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn daemon_groups_items_and_reports_an_encoder_that_is_not_usable() {
        let (cli, origin) = (CliRunner::new(), OriginServer::start().await);
        cli.write_file("config.toml", &format!("{CONFIG}[cluster]\nencoder = \"/missing/encoder\"\n"));
        origin.serve("/feed", StubResponse::ok(rss_of_today(&["1 | Storm"])));
        cli.run(&["source", "add", &origin.url("/feed"), "--no-fetch"]);
        let daemon = start_daemon(cli.folder.path(), "");
        wait_until("the item is published", async || cli.run_json(&["status"])["stored"]["counts"]["published"] == 1)
            .await;
        wait_until("the fault is logged", async || daemon.log().contains("cannot read /missing/encoder")).await;
        let is_reported = async || cli.run_json(&["status"])["problems"].to_string().contains("encoder: cannot read");
        wait_until("the fault is reported", is_reported).await;
    }

    #[test]
    fn doctor_reports_an_encoder_that_is_not_usable() {
        let cli = CliRunner::new();
        let (folder, _) = tiny();
        let finding = || {
            cli.write_file("config.toml", &format!("{CONFIG}[cluster]\nencoder = {:?}\n", folder.path()));
            // The exit code depends on the other checks.
            let output = cli.command(&["--json", "doctor"]).output().unwrap();
            let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            findings.as_array().unwrap().iter().find(|finding| finding["check"] == "encoder").unwrap().clone()
        };
        let usable = finding();
        assert!(usable["verdict"] == "ok" && usable["detail"].as_str().unwrap().contains("3 dimensions"), "{usable}");
        std::fs::remove_file(folder.path().join("model.onnx")).unwrap();
        let missing = finding();
        assert!(
            missing["verdict"] == "error" && missing["detail"].as_str().unwrap().contains("contains no model"),
            "{missing}"
        );
        assert!(missing["fix"].as_str().unwrap().contains("docs/encoder.md"), "{missing}");
    }

    #[test]
    fn evaluation_keeps_embeddings_for_the_next_run() {
        let (folder, encoder) = tiny();
        let line = |id: u32, title: &str| {
            format!(
                "{{\"id\":\"{id}\",\"outlet\":\"a.example\",\"published\":\"2026-01-02T03:04:05Z\",\
                 \"title\":\"{title}\",\"story\":{id}}}\n"
            )
        };
        let labeled =
            parse_dataset(&(0..9).map(|id| line(id, "Storms near the election")).collect::<String>()).unwrap();
        let cache = folder.path().join("embeddings");
        let run = || {
            let mut items = items_of_dataset(&labeled);
            add_embeddings(&encoder, Some(&cache), &mut items).unwrap();
            assert!(items.iter().all(|item| item.embedding == Some(encoder.encode(&item.title).unwrap())));
            std::fs::metadata(&cache).unwrap().len()
        };
        let written = run();
        assert_eq!(written, 9 * (16 + 2 + 3));
        assert_eq!(run(), written, "nothing is computed again");
        let gold = folder.path().join("gold.jsonl");
        std::fs::write(&gold, (0..3).map(|id| line(id, "Storm")).collect::<String>()).unwrap();
        let [gold, encoder] = [gold.as_path(), folder.path()].map(|path| path.to_str().unwrap());
        CliRunner::new().run_json(&["eval", gold, "--encoder", encoder]);
    }
}
