use std::collections::{HashMap, HashSet};

use omniroute_domain::Format;
use serde_json::Value;

use super::{BUILTIN, Catalog};
use crate::provider::{Provider, Risk, State, TestRule, Tier};
use crate::readiness::Readiness;
use crate::row::Row;

fn readiness(id: &str) -> String {
    Catalog::builtin().provider(id).map(|row| row.readiness().to_string()).unwrap_or_default()
}

fn chat_url(row: &Provider) -> String {
    row.chat.as_ref().map(|chat| chat.url()).unwrap_or_default()
}

#[test]
fn every_row_can_be_read_and_is_sound() {
    let rows: Vec<Value> = serde_json::from_str(BUILTIN).expect("the build script wrote a list");
    for value in &rows {
        let id = value.get("id").and_then(Value::as_str).unwrap_or("a row without an id").to_owned();
        let row: Row = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{id}: {error}"));
        row.check().unwrap_or_else(|error| panic!("{id}: {error}"));
    }
    assert_eq!(Catalog::builtin().providers().len(), rows.len());
    assert_eq!(rows.len(), 62, "the 61 providers of the fact sheet and the demo");
}

#[test]
fn every_fact_has_a_source_and_a_date() {
    for row in Catalog::builtin().providers() {
        assert!(!row.source.is_empty(), "{}", row.id);
        for model in &row.models {
            assert!(!model.source.is_empty() && model.checked <= row.checked, "{}/{}", row.id, model.id);
        }
    }
}

#[test]
fn a_prefix_leads_to_one_provider() {
    let catalog = Catalog::builtin();
    let mut owners: HashMap<String, String> = HashMap::new();
    for row in catalog.providers() {
        for prefix in row.all_prefixes() {
            let other = owners.insert(prefix.to_owned(), row.id.to_string());
            assert_eq!(other, None, "`{prefix}` belongs to `{}` too", row.id);
            let found = catalog.by_prefix(prefix).map(|(found, _)| &found.id);
            assert_eq!(found, Some(&row.id), "`{prefix}`");
        }
    }
}

#[test]
fn prefixes_lead_where_the_prefix_table_says() {
    let catalog = Catalog::builtin();
    let rows = [
        ("ds", "deepseek"),
        ("if", "qoder"),
        ("gc", "gemini-cli"),
        ("kmca", "kimi-coding"),
        ("agy", "antigravity"),
        ("pplx", "perplexity"),
        ("hf", "huggingface"),
        ("azure", "azure-openai"),
        ("azure-openai", "azure-openai"),
    ];
    for (prefix, id) in rows {
        assert_eq!(catalog.by_prefix(prefix).map(|(row, _)| row.id.as_str()), Some(id), "{prefix}");
    }
    assert!(catalog.by_prefix("DS").is_none() && catalog.by_prefix("").is_none());
}

#[test]
fn a_variants_prefix_leads_to_its_base_address() {
    let catalog = Catalog::builtin();
    let (row, variant) = catalog.by_prefix("zai").expect("a known prefix");
    assert_eq!(
        (row.id.as_str(), variant.map(|variant| &*variant.base_url)),
        ("glm", Some("https://api.z.ai/api/paas/v4"))
    );
    assert_eq!(row.variant_at("https://api.z.ai/api/paas/v4/").map(|variant| &*variant.prefix), Some("zai"));
    assert!(catalog.by_prefix("glm").is_some_and(|(_, variant)| variant.is_none()));
}

#[test]
fn ready_rows_have_a_chat_address_we_can_speak_to() {
    for row in Catalog::builtin().providers().filter(|row| row.tier != Tier::Demo) {
        let ready = match row.readiness() {
            Readiness::Ready => true,
            Readiness::NeedsBaseUrl { template } => {
                assert!(template.contains('{'), "{}", row.id);
                true
            }
            Readiness::Later { .. } | Readiness::Retired { .. } => false,
        };
        if !ready {
            continue;
        }
        let url = chat_url(row);
        let local = row.local && url.starts_with("http://localhost:");
        assert!(local || url.starts_with("https://") || row.template, "{}: {url}", row.id);
        assert!(url.ends_with("/chat/completions"), "{}: {url}", row.id);
        let format = row.chat.as_ref().and_then(|chat| chat.wire.as_ref()).and_then(|wire| wire.format());
        assert_eq!(format, Some(Format::OpenAiChat), "{}", row.id);
        assert!(row.takes_key() || row.works_without_key(), "{}", row.id);
        assert_ne!(row.test, TestRule::Nothing, "{}: a key that can be added can be tested", row.id);
    }
}

#[test]
fn readiness_says_what_is_missing() {
    let rows = [
        ("openai", "ready"),
        ("glm", "ready"),
        ("minimax", "ready"),
        ("gemini", "ready"),
        ("cohere", "ready"),
        ("ollama", "ready"),
        ("demo", "ready"),
        ("kimi-coding", "ready"),
        ("anthropic", "speaks `anthropic`, which comes later"),
        ("bedrock", "speaks `bedrock-converse`, which comes later"),
        ("perplexity", "speaks `openai-responses-perplexity`, which comes later"),
        ("claude", "needs a browser login and speaks `anthropic`; both come later"),
        ("github", "needs a device-code login, which comes later"),
        ("voyage", "has no chat; embeddings and rerank come later"),
        ("qwen", "retired since 2026-04-15, use `alibaba`"),
        ("iflow", "retired since 2026-04-17, use `qoder`"),
        (
            "cloudflare",
            "ready with its own base address, e.g. `https://api.cloudflare.com/client/v4/accounts/{account_id}/ai/v1`",
        ),
        ("openai-compatible", "ready with its own base address, e.g. `{base}`"),
    ];
    for (id, expected) in rows {
        assert_eq!(readiness(id), expected, "{id}");
    }
}

#[test]
fn a_way_other_than_the_vendors_favourite_is_used_where_it_is_ours() {
    let catalog = Catalog::builtin();
    let url = |id: &str| catalog.provider(id).map(|row| chat_url(row)).unwrap_or_default();
    assert_eq!(url("minimax"), "https://api.minimax.io/v1/chat/completions");
    assert_eq!(url("gemini"), "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions");
    let gemini = catalog.provider("gemini").expect("a row");
    let header = gemini.chat.as_ref().and_then(|chat| gemini.auth_header_at(chat)).expect("a header");
    assert_eq!((&*header.name, header.around()), ("Authorization", ("Bearer ", "")));
}

#[test]
fn a_public_model_list_proves_no_key() {
    let catalog = Catalog::builtin();
    for id in ["openrouter", "nvidia", "ollama-cloud"] {
        match &catalog.provider(id).expect("a row").test {
            TestRule::Get { endpoint, or_chat: _ } => assert_ne!(&*endpoint.name, "models", "{id}"),
            TestRule::Chat { model } => assert!(model.is_some(), "{id}"),
            TestRule::Nothing => panic!("{id} has no test"),
        }
    }
}

#[test]
fn tests_ask_models_the_row_has() {
    for row in Catalog::builtin().providers() {
        let model = match &row.test {
            TestRule::Get { endpoint: _, or_chat } => or_chat.as_ref(),
            TestRule::Chat { model } => model.as_ref(),
            TestRule::Nothing => None,
        };
        if let Some(model) = model {
            let facts = row.model(model.as_str()).unwrap_or_else(|| panic!("{}: `{model}` is not in the row", row.id));
            assert!(facts.shutdown.is_none() && facts.wire.is_none(), "{}: `{model}` ends or speaks otherwise", row.id);
        }
    }
}

#[test]
fn dead_providers_say_since_when_and_what_to_use() {
    for row in Catalog::builtin().providers().filter(|row| row.status.state == State::Dead) {
        assert!(row.status.since.is_some() && row.status.instead.is_some(), "{}", row.id);
    }
}

#[test]
fn risky_terms_come_with_a_warning() {
    for row in Catalog::builtin().providers().filter(|row| row.terms.risk >= Risk::Medium) {
        assert!(row.terms.note.is_some(), "{}", row.id);
    }
    let catalog = Catalog::builtin();
    let risk = |id: &str| catalog.provider(id).map(|row| row.terms.risk);
    assert_eq!([risk("claude"), risk("codex"), risk("openai")], [Some(Risk::High), Some(Risk::Low), Some(Risk::None)]);
}

#[test]
fn wires_are_names_we_know() {
    let known: HashSet<&str> = [
        "openai-chat",
        "openai-responses",
        "openai-responses-codex",
        "openai-responses-perplexity",
        "openai-models",
        "openai-models-bare-array",
        "openai-embeddings",
        "openai-images",
        "openai-speech",
        "openai-transcriptions",
        "openai-moderations",
        "anthropic",
        "anthropic-models",
        "gemini",
        "gemini-cli",
        "antigravity",
        "kiro",
        "kiro-models",
        "cursor",
        "codex-models",
        "copilot-models",
        "ollama",
        "ollama-tags",
        "cohere-v2",
        "cohere-rerank",
        "cohere-models",
        "bedrock-converse",
        "bedrock-invoke-anthropic",
        "bedrock-count-tokens",
        "bedrock-models",
        "vertex-anthropic",
        "vertex-predict",
        "minimax-t2a",
        "minimax-image",
        "fireworks-image",
        "siliconflow-image",
        "hyperbolic-image",
        "hyperbolic-audio",
        "nvidia-rerank",
        "deepinfra-rerank",
        "voyage-embeddings",
        "voyage-rerank",
        "deepgram",
        "assemblyai",
        "elevenlabs",
        "nanobanana",
    ]
    .into();
    for row in Catalog::builtin().providers() {
        let wires = row.endpoints.iter().filter_map(|endpoint| endpoint.wire.as_ref());
        for wire in wires.chain(row.models.iter().filter_map(|model| model.wire.as_ref())) {
            assert!(known.contains(wire.as_str()), "{}: `{wire}`", row.id);
        }
    }
}

#[test]
fn no_row_holds_what_looks_like_a_secret() {
    let rows: Value = serde_json::from_str(BUILTIN).expect("the build script wrote a list");
    let mut texts = Vec::new();
    collect(&rows, &mut texts);
    for text in texts {
        assert!(!looks_secret(text), "{text}");
    }
    for secret in [
        "GOCSPX-abc",
        "sk-proj-0123456789abcdef0123",
        "AIzaSyA0123456789abcdefghijklmnopqrstuv",
        "x 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
    ] {
        assert!(looks_secret(secret), "{secret}");
    }
}

fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(list) => list.iter().for_each(|value| collect(value, texts)),
        Value::Object(map) => map.values().for_each(|value| collect(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Known beginnings of keys, and long words that mix letters and digits without any break.
fn looks_secret(text: &str) -> bool {
    let word = |letter: char| !letter.is_ascii_alphanumeric();
    let begins = ["GOCSPX-", "AIza", "AKIA", "ghp_", "gho_", "xai-", "gsk_", "hf_", "eyJ"];
    let long = |word: &str| {
        word.len() >= 24 && word.chars().any(|c| c.is_ascii_digit()) && word.chars().any(|c| c.is_ascii_alphabetic())
    };
    begins.iter().any(|begin| text.contains(begin) && text.len() > begin.len() + 2)
        || text.split(word).any(long)
        || text.split("sk-").skip(1).any(|rest| rest.bytes().take_while(u8::is_ascii_alphanumeric).count() >= 16)
        || text.contains("sk-proj-")
        || text.contains("sk-ant-")
}

#[test]
fn the_demo_is_honest_about_itself() {
    let catalog = Catalog::builtin();
    let demo = catalog.provider("demo").expect("the demo is built in");
    let ids: Vec<&str> = demo.models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(ids, ["echo", "slow", "rate-limited", "down", "broken-stream", "hang"]);
    assert!(demo.closed && demo.works_without_key() && demo.chat.is_none());
    for model in &demo.models {
        assert!(model.about.is_some() && model.price.is_some_and(|price| price.input == 0 && price.output == 0));
    }
}

#[test]
fn prices_are_read_as_the_vendors_give_them() {
    let catalog = Catalog::builtin();
    let flash = catalog.provider("deepseek").and_then(|row| row.model("deepseek-flash")).and_then(|model| model.price);
    let flash = flash.expect("a price");
    assert_eq!((flash.input, flash.output, flash.cache_read), (150_000, 600_000, Some(3_000)));
}

fn row(id: &str, checked: &str, more: &str) -> String {
    format!(
        "id = \"{id}\"\nname = \"Fresh\"\ntier = \"cheap\"\nchecked = \"{checked}\"\nsource = \"a test\"\nauth = [\"api-key\"]\n\
         status = {{ state = \"active\" }}\nterms = {{ risk = \"none\" }}\n{more}"
    )
}

#[track_caller]
fn overridden(files: &[(&str, String)]) -> (Catalog, Vec<String>) {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    let (catalog, warnings) = Catalog::builtin().overridden(files);
    (catalog, warnings.iter().map(ToString::to_string).collect())
}

#[test]
fn a_row_that_is_not_older_replaces_the_built_in_one() {
    for checked in ["2026-11-20", "2027-01-05"] {
        let (catalog, warnings) = overridden(&[("groq.toml", row("groq", checked, ""))]);
        assert_eq!(catalog.provider("groq").map(|row| &*row.name), Some("Fresh"));
        assert_eq!((catalog.providers().len(), warnings.len()), (62, 0));
    }
}

#[test]
fn an_older_row_changes_nothing_and_is_named() {
    let (catalog, warnings) = overridden(&[("groq.toml", row("groq", "2026-11-19", ""))]);
    assert_eq!(catalog.provider("groq").map(|row| &*row.name), Some("Groq"));
    assert_eq!(
        warnings,
        ["`groq.toml`: the row was checked 2026-11-19, the one in use 2026-11-20; the older row is not used"]
    );
}

#[test]
fn a_new_provider_joins_with_its_prefixes() {
    let (catalog, warnings) = overridden(&[("acme.toml", row("acme", "2026-12-01", "prefixes = [\"ac\"]\n"))]);
    assert_eq!(catalog.by_prefix("ac").map(|(row, _)| row.id.as_str()), Some("acme"));
    assert_eq!((catalog.providers().len(), warnings.len()), (63, 0));
}

#[test]
fn a_taken_prefix_stays_with_its_owner() {
    let (catalog, warnings) =
        overridden(&[("acme.toml", row("acme", "2026-12-01", "prefixes = [\"ds\", \"groq\"]\n"))]);
    assert_eq!(catalog.by_prefix("ds").map(|(row, _)| row.id.as_str()), Some("deepseek"));
    assert!(catalog.by_prefix("acme").is_some(), "the rest of the row is used");
    assert_eq!(
        warnings,
        [
            "`acme.toml`: prefix `ds` belongs to `deepseek` already and keeps leading there",
            "`acme.toml`: prefix `groq` belongs to `groq` already and keeps leading there",
        ]
    );
    let (catalog, warnings) = overridden(&[("ds.toml", row("ds", "2026-12-01", ""))]);
    assert!(catalog.provider("ds").is_none());
    assert_eq!(warnings, ["`ds.toml`: id `ds` is a prefix of `deepseek` already; the row is not used"]);
}

#[test]
fn a_broken_file_is_named_with_its_line_and_stops_nothing() {
    let files = [
        ("a.toml", "id = \"a\"\nname = [".to_owned()),
        ("b.toml", row("b", "2026-12-01", "teir = \"x\"\n")),
        ("c.toml", row("c", "2026-12-01", "[endpoints]\nchat = { post = \"/x\" }\n")),
        ("d.toml", row("d", "yesterday", "")),
        ("groq.toml", row("groq", "2026-12-01", "")),
    ];
    let (catalog, warnings) = overridden(&files);
    assert_eq!(catalog.provider("groq").map(|row| &*row.name), Some("Fresh"), "the sound file is used");
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    let begins =
        ["`a.toml` line 2: ", "`b.toml` line 9: ", "`c.toml`: endpoint `chat` is a path", "`d.toml` line 4: a date"];
    for (warning, begin) in warnings.iter().zip(begins) {
        assert!(warning.starts_with(begin) && warning.ends_with("; the row is not used"), "{warning}");
    }
}

#[test]
fn the_page_of_providers_has_a_line_for_each() {
    let catalog = Catalog::builtin();
    let page = crate::docs::providers_page(&catalog);
    assert_eq!(page.lines().filter(|line| line.starts_with("| ")).count(), catalog.providers().len() + 1);
    let columns = |line: &str| line.matches(" | ").count();
    let counts: HashSet<usize> = page.lines().filter(|line| line.starts_with("| ")).map(columns).collect();
    assert_eq!(counts.len(), 1, "every line has the same columns");
    assert!(page.contains("| Groq | `groq` | `groq/` | free | active | api-key | openai-chat |"), "{page}");
}
