//! Tests sentence encoders with a model of a few hundred bytes, and with files that are not usable.

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
    cli.assert_fails(&["encoder", "check", folder], "contains no model; put it there as model.onnx");
    cli.write_file("model.onnx", "");
    cli.assert_fails(&["encoder", "check", folder], "contains no tokenizer");
}

#[cfg(feature = "encoder")]
mod with_feature {
    use crate::support::cli_runner::CliRunner;
    use crate::support::tiny_encoder::{model_with, write_tiny_encoder};
    use newsfold::encoder::{Encoder, Error, TokenizerKind, add_embeddings};
    use newsfold::evaluation::{items_of_dataset, parse_dataset};
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
        assert_eq!(encoder.encode("storm [PAD]").is_ok(), true);
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
            // More dimensions than an embedding may have.
            model_with(8, &[1.0; 8 * 5000]),
            // Fewer vectors than tokens.
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
