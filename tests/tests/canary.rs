//! Secrets stay where they belong: after everything that a day brings, none of the keys used is
//! found in the data folder, the logs, the outputs or an answer.

use omniroute_testkit::{Call, Gate, Provider, Script, Setup, chat, failure};
use omniroute_tests::scene::{ask, ask_stream, connect, connect_catalog, manage_key};
use omniroute_tests::secrets::{files, found_under, holds};

/// The secrets of one day and everything that was said aloud.
struct Day {
    secrets: Vec<String>,
    spoken: Vec<(String, Vec<u8>)>,
}

impl Day {
    fn heard(&mut self, place: &str, bytes: impl Into<Vec<u8>>) {
        self.spoken.push((place.to_owned(), bytes.into()));
    }

    #[track_caller]
    fn kept_quiet(&self) {
        for (place, bytes) in &self.spoken {
            for secret in &self.secrets {
                assert!(!holds(bytes, secret), "`{secret}` was said in {place}: {}", String::from_utf8_lossy(bytes));
            }
        }
    }
}

#[tokio::test]
async fn no_secret_is_found_anywhere_after_a_busy_day() {
    let setup = Setup::new().env("APP_LOG_LEVEL", "trace");
    let mut gateway = setup.start().await;
    let provider = Provider::start().await;
    let mut day = Day { secrets: vec![gateway.key().to_owned()], spoken: Vec::new() };
    for number in 0..6 {
        let key = format!("pk-canary-{number}-8c1e5f0a9b3d7246");
        connect(&gateway, &format!("mk{number}"), &provider.base_url(), &key).await;
        day.secrets.push(key);
    }
    let catalog_key = "sk-proj-canary-5b2f8e1c9d3a7064".to_owned();
    connect_catalog(&gateway, "openai", &provider.base_url(), &catalog_key).await;
    day.secrets.push(catalog_key);
    let manage = manage_key(&gateway).await;
    day.secrets.push(manage.clone());

    // A provider that repeats in words the key it was sent is the worst of them.
    let repeats = Script::inspect(|request| repeats_the_key(request.bearer().unwrap_or_default()));
    let scripts = [repeats, failure::bad_key(), chat::weather().script(), failure::error_after_output()];
    for (number, script) in scripts.into_iter().enumerate() {
        let model = format!("mk{number}/m");
        for body in [ask(&model), ask_stream(&model)] {
            provider.script(script.clone());
            day.heard("an answer", gateway.chat(body).send().await.body.to_vec());
        }
    }
    let wrong = "sk-omni-canary-wrong-key-of-a-client-0123456789";
    day.secrets.push(wrong.to_owned());
    day.heard("a refusal", gateway.chat(ask("mk0/m")).key(wrong).send().await.body.to_vec());
    day.heard("a refusal", Call::get(gateway.url(), &format!("/v1/models?key={wrong}")).send().await.body.to_vec());

    let gate = Gate::shut();
    provider.script(Script::sse(chat::numbered(9).stream()).gated(&gate));
    gate.open(3);
    let mut open = gateway.chat(ask_stream("mk1/m")).stream().await;
    open.expect_event().await;
    gateway.kill9();
    drop(open);
    day.heard("stderr before the crash", gateway.stderr());
    let gateway = gateway.restart().await;

    for arguments in [&["providers", "list"][..], &["keys", "list"], &["usage"], &["models"], &["doctor", "--secrets"]]
    {
        let said = gateway.cli(arguments).await;
        assert!(said.ok(), "{said}");
        day.heard(&arguments.join(" "), format!("{}{}", said.stdout, said.stderr));
    }
    for path in ["/api/providers", "/api/keys", "/api/usage/logs", "/api/usage/history", "/api/provider-nodes", "/"] {
        day.heard(path, Call::get(gateway.url(), path).key(&manage).send().await.body.to_vec());
    }
    day.heard("stdout", gateway.stdout());
    day.heard("stderr", gateway.stderr());
    day.kept_quiet();

    let wanted: Vec<&str> = day.secrets.iter().map(String::as_str).collect();
    assert!(files(gateway.setup().folder()).len() >= 3, "there is something to scan");
    assert_eq!(found_under(gateway.setup().folder(), &wanted), [], "in the folder of a running instance");
    gateway.terminate();
    let (setup, _) = gateway.ended(std::time::Duration::from_secs(10)).await;
    assert_eq!(found_under(setup.folder(), &wanted), [], "and at rest");
}

fn repeats_the_key(key: &str) -> Script {
    let text = format!("Incorrect API key provided: {key}. Header was Authorization: Bearer {key}");
    Script::error(400, failure::body(&text, "invalid_request_error", "invalid_api_key"))
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;

    let gateway = Setup::new().start().await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(gateway.data_dir()), 0o700, "the folder");
    let kept = files(gateway.data_dir());
    assert!(kept.iter().any(|path| path.ends_with("core.db")), "{kept:?}");
    for path in kept {
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}
