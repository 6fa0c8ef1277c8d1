//! The command line, command by command: against the running instance and by itself, with an exit
//! status and words on stderr when something fails, and never a key twice.

use std::path::Path;
use std::time::Duration;

use omniroute_testkit::{Call, CliOutput, Gateway, Provider, Setup, failure};
use omniroute_tests::fields::{field, list};
use omniroute_tests::scene::{account_id, ask, connect};
use serde_json::Value;

/// A key no output may hold.
const PROVIDER_KEY: &str = "pk-canary-c0ffee00c0ffee00c0ffee00";

/// Failed with a status of its own and a reason on stderr, one line of JSON with this code.
#[track_caller]
fn failed(output: &CliOutput, words: &str) -> String {
    assert!(!output.ok(), "{output}");
    let last = output.stderr.trim_end().lines().last().unwrap_or_default();
    let said: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("the last line is no JSON: {output}"));
    let text = format!("{} {}", said["error"]["message"], said["error"]["hint"]);
    assert!(text.contains(words), "`{words}` is in the reason: {output}");
    assert!(!output.stderr.contains("panicked"), "{output}");
    said["error"]["code"].as_str().expect("a reason has a code").to_owned()
}

fn names<'a>(listed: &'a Value, name: &str) -> Vec<&'a str> {
    list(listed).iter().filter_map(|item| item[name].as_str()).collect()
}

/// A data folder that has been started once and is at rest.
async fn at_rest() -> Setup {
    let gateway = Gateway::start().await;
    gateway.terminate();
    let (setup, status) = gateway.ended(Duration::from_secs(10)).await;
    assert!(status.is_some_and(|status| status.success()), "it ends well: {status:?}");
    setup
}

/// Everything there is to do with keys.
async fn keys_live(setup: &Setup) {
    let made = setup.cli(&["keys", "add", "--name", "first tool"]).await.json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(key.starts_with("sk-omni-") && key.len() > 40, "{key}");
    let listed = setup.cli(&["keys", "list"]).await;
    assert!(names(&listed.json(), "name").contains(&"first tool"), "{listed}");
    assert!(!listed.stdout.contains(key), "a key is shown once");
    let row = list(&listed.json()).iter().find(|row| row["id"] == id).cloned().expect("it is listed");
    assert_eq!(
        (row["last4"].as_str(), &row["scopes"]),
        (Some(&key[key.len() - 4..]), &serde_json::json!(["chat"])),
        "{row}"
    );
    let rotated = setup.cli(&["keys", "rotate", id]).await.json();
    assert_ne!(rotated["key"].as_str().unwrap(), key, "another key");
    let managing = setup.cli(&["keys", "add", "--name", "second", "--scope", "chat,manage"]).await.json();
    let removed = setup.cli(&["keys", "remove", managing["id"].as_str().unwrap()]).await;
    assert!(removed.ok(), "{removed}");
    let listed = setup.cli(&["keys", "list"]).await.json();
    assert!(!names(&listed, "name").contains(&"second"), "{listed}");
    failed(&setup.cli(&["keys", "remove", "no-such-key"]).await, "no-such-key");
    failed(&setup.cli(&["keys", "rotate", "no-such-key"]).await, "no-such-key");
    assert!(!setup.cli(&["keys", "add", "--name", "x", "--scope", "everything"]).await.ok(), "scopes are checked");
}

/// Everything there is to do with accounts, against a provider that behaves.
async fn accounts_live(setup: &Setup, provider: &Provider) {
    let base_url = provider.base_url();
    let add = ["providers", "add", "openai-compatible", "--prefix", "mk", "--base-url", &base_url, "--local"];
    let added = setup.cli(&[&add[..], &["--api-key", PROVIDER_KEY, "--name", "mine"]].concat()).await;
    let id = account_id(&added.json());
    assert!(!added.stdout.contains(PROVIDER_KEY) && !added.stderr.contains(PROVIDER_KEY), "{added}");
    let seen = provider.requests();
    assert!(!seen.is_empty(), "it was tested on the way in");
    assert!(seen.iter().all(|request| request.bearer() == Some(PROVIDER_KEY)), "with its key");
    let listed = setup.cli(&["providers", "list"]).await;
    assert!(names(&listed.json(), "name").contains(&"mine"), "{listed}");
    assert!(!listed.stdout.contains(PROVIDER_KEY), "{listed}");
    let tested = setup.cli(&["providers", "test", &id]).await.json();
    assert_eq!(field(&tested, &["valid"]), true, "{tested}");
    provider.always_when(omniroute_testkit::When::Path("/models".into()), failure::bad_key());
    provider.always(failure::bad_key());
    let refused = setup.cli(&["providers", "test", &id]).await;
    assert!(!refused.ok(), "a test that fails is a failure: {refused}");
    assert!(!refused.stdout.contains(PROVIDER_KEY) && !refused.stderr.contains(PROVIDER_KEY), "{refused}");
    let models = setup.cli(&["models", "--search", "echo"]).await;
    assert!(models.ok() && models.stdout.contains("demo/echo"), "{models}");
    let removed = setup.cli(&["providers", "remove", &id]).await;
    assert!(removed.ok(), "{removed}");
    let listed = setup.cli(&["providers", "list"]).await.json();
    assert!(!names(&listed, "name").contains(&"mine"), "{listed}");
    failed(&setup.cli(&["providers", "remove", "no-such-account"]).await, "no-such-account");
    failed(&setup.cli(&["providers", "test", "no-such-account"]).await, "no-such-account");
}

#[tokio::test]
async fn keys_are_looked_after_in_the_running_instance() {
    let gateway = Gateway::start().await;
    keys_live(gateway.setup()).await;
}

#[tokio::test]
async fn keys_are_looked_after_without_an_instance() {
    keys_live(&at_rest().await).await;
    let fresh = Setup::new();
    let made = fresh.cli(&["keys", "add", "--name", "early", "--vault", "file"]).await.json();
    let gateway = fresh.start().await;
    let answer = Call::get(gateway.url(), "/v1/models").key(made["key"].as_str().unwrap()).send().await;
    assert_eq!(answer.status, 200, "a key made ahead of the first start works: {}", answer.text());
}

#[tokio::test]
async fn accounts_are_looked_after_in_the_running_instance() {
    let gateway = Gateway::start().await;
    accounts_live(gateway.setup(), &Provider::start().await).await;
}

#[tokio::test]
async fn accounts_are_looked_after_without_an_instance() {
    accounts_live(&at_rest().await, &Provider::start().await).await;
}

#[tokio::test]
async fn a_change_holds_at_once_for_the_requests_that_follow() {
    let gateway = Gateway::start().await;
    let provider = Provider::start().await;
    let call = gateway.chat(ask("mk/m"));
    assert_eq!(call.send().await.status, 404, "not connected yet");
    let id = connect(&gateway, "mk", &provider.base_url(), "k").await;
    assert_eq!(call.send().await.status, 200, "connected");
    assert!(gateway.cli(&["providers", "remove", &id]).await.ok());
    assert_eq!(call.send().await.status, 404, "gone");
    let made = gateway.cli(&["keys", "add", "--name", "t"]).await.json();
    let old = made["key"].as_str().unwrap();
    let with = |key: &str| Call::get(gateway.url(), "/v1/models").key(key);
    assert_eq!(with(old).send().await.status, 200);
    let rotated = gateway.cli(&["keys", "rotate", made["id"].as_str().unwrap()]).await.json();
    assert_eq!(with(old).send().await.status, 401, "the old one is out");
    assert_eq!(with(rotated["key"].as_str().unwrap()).send().await.status, 200, "the new one is in");
}

#[tokio::test]
async fn an_account_that_fails_its_test_is_saved_only_on_demand() {
    let gateway = Gateway::start().await;
    let provider = Provider::start().await;
    provider.always_when(omniroute_testkit::When::Path("/models".into()), failure::bad_key());
    provider.always(failure::bad_key());
    let base_url = provider.base_url();
    let add = [
        "providers",
        "add",
        "openai-compatible",
        "--prefix",
        "mk",
        "--base-url",
        &base_url,
        "--local",
        "--api-key",
        "k",
    ];
    let refused = gateway.cli(&add).await;
    failed(&refused, "");
    assert!(
        format!("{}{}", refused.stdout, refused.stderr).contains("Incorrect API key"),
        "the verdict is clear: {refused}"
    );
    assert!(list(&gateway.cli(&["providers", "list"]).await.json()).is_empty(), "nothing is saved");
    let saved = gateway.cli(&[&add[..], &["--yes"]].concat()).await;
    assert!(saved.ok(), "{saved}");
    assert_eq!(list(&gateway.cli(&["providers", "list"]).await.json()).len(), 1);
}

#[tokio::test]
async fn a_key_can_come_from_the_environment() {
    let setup = Setup::new().env("MY_PROVIDER_KEY", PROVIDER_KEY);
    let gateway = setup.start().await;
    let provider = Provider::start().await;
    let base_url = provider.base_url();
    let add = ["providers", "add", "openai", "--base-url", &base_url, "--local", "--no-test"];
    let added = gateway.cli(&[&add[..], &["--api-key-env", "MY_PROVIDER_KEY"]].concat()).await;
    assert!(added.ok() && !added.stdout.contains(PROVIDER_KEY), "{added}");
    assert_eq!(gateway.chat(ask("openai/gpt-4o")).send().await.status, 200);
    assert_eq!(provider.only_chat().bearer(), Some(PROVIDER_KEY));
    failed(&gateway.cli(&[&add[..], &["--api-key-env", "NOT_SET"]].concat()).await, "NOT_SET");
}

#[tokio::test]
async fn addresses_are_checked_before_anything_is_sent_there() {
    let gateway = Gateway::start().await;
    let provider = Provider::start().await;
    let add = |base_url: String| {
        let gateway = &gateway;
        async move {
            let add = ["providers", "add", "openai-compatible", "--prefix", "mk", "--base-url", &base_url];
            gateway.cli(&[&add[..], &["--api-key", "k"]].concat()).await
        }
    };
    failed(&add(provider.base_url()).await, "--local");
    failed(&add("http://169.254.169.254/latest".to_owned()).await, "");
    failed(&add("ftp://127.0.0.1/v1".to_owned()).await, "");
    failed(&add("not an address".to_owned()).await, "");
    failed(&add("https://user:password@api.example/v1".to_owned()).await, "");
    assert_eq!(provider.counts().accepted, 0, "nobody was called");
    failed(&gateway.cli(&["providers", "add", "no-such-provider", "--api-key", "k"]).await, "no-such-provider");
}

#[tokio::test]
async fn the_catalogue_names_every_provider_and_what_the_others_wait_for() {
    let gateway = Gateway::start().await;
    let available = gateway.cli(&["providers", "available"]).await.json();
    let ids = names(&available, "id");
    for id in ["openai", "groq", "openrouter", "deepseek", "mistral"] {
        assert!(ids.contains(&id), "{id} in {ids:?}");
    }
    let models = gateway.cli(&["models"]).await.json();
    assert!(!list(&models).is_empty(), "{models}");
}

#[tokio::test]
async fn usage_adds_up_and_takes_a_span() {
    let gateway = Gateway::start().await;
    let provider = Provider::start().await;
    connect(&gateway, "mk", &provider.base_url(), "k").await;
    for _ in 0..3 {
        assert_eq!(gateway.chat(ask("mk/m")).send().await.status, 200);
    }
    let usage = omniroute_testkit::wait::eventually("three requests in the sum", || async {
        let usage = gateway.cli(&["usage", "--since", "1h"]).await.json();
        (usage["totalRequests"] == 3).then_some(usage)
    })
    .await;
    assert_eq!((&usage["totalPromptTokens"], &usage["totalCompletionTokens"]), (&27.into(), &9.into()), "{usage}");
    assert!(!gateway.cli(&["usage", "--since", "yesterday"]).await.ok(), "a span is checked");
}

#[tokio::test]
async fn the_doctor_finds_a_healthy_folder_healthy_with_and_without_an_instance() {
    let gateway = Gateway::start().await;
    for arguments in [&["doctor"][..], &["doctor", "--secrets"]] {
        let said = gateway.cli(arguments).await;
        assert!(said.ok(), "{said}");
        assert!(said.json().is_object(), "{said}");
    }
    let setup = at_rest().await;
    for arguments in [&["doctor"][..], &["doctor", "--secrets"]] {
        let said = setup.cli(arguments).await;
        assert!(said.ok(), "{said}");
    }
}

#[tokio::test]
async fn the_doctor_finds_a_secret_that_lies_about() {
    let gateway = Gateway::start().await;
    let provider = Provider::start().await;
    connect(&gateway, "mk", &provider.base_url(), PROVIDER_KEY).await;
    std::fs::write(gateway.data_dir().join("notes.txt"), format!("my key is {PROVIDER_KEY}")).unwrap();
    let said = gateway.cli(&["doctor", "--secrets"]).await;
    assert!(!said.ok(), "a secret in the clear is bad news: {said}");
    assert!(said.stdout.contains("notes.txt"), "and its place is named: {said}");
    assert!(!said.stdout.contains(PROVIDER_KEY) && !said.stderr.contains(PROVIDER_KEY), "but not itself: {said}");
}

#[tokio::test]
async fn readiness_is_one_line_and_the_key_is_shown_once() {
    let gateway = Gateway::start().await;
    let ready = gateway.ready().clone();
    for name in ["event", "url", "dashboard", "client_key", "data_dir"] {
        assert!(ready[name].is_string(), "`{name}` in {ready}");
    }
    assert_eq!(Path::new(ready["data_dir"].as_str().unwrap()), gateway.data_dir());
    assert_eq!(gateway.stdout().lines().count(), 1, "{}", gateway.stdout());
    assert!(!gateway.stderr().contains(gateway.key()), "logs hold no key");
    let gateway = gateway.restart().await;
    assert_eq!(gateway.ready()["client_key"], Value::Null, "{}", gateway.ready());
    let answer = Call::get(gateway.url(), "/v1/models").key(gateway.key()).send().await;
    assert_eq!(answer.status, 200, "but it still works");
}

#[tokio::test]
async fn a_second_instance_on_a_folder_is_refused_by_name() {
    let gateway = Gateway::start().await;
    let refused = gateway.setup().clone().try_start().await.expect_err("the folder is in use");
    assert!(!refused.ok() && refused.stderr.contains(&gateway.pid().to_string()), "{refused}");
    let answer = Call::get(gateway.url(), "/v1/models").key(gateway.key()).send().await;
    assert_eq!(answer.status, 200, "the first goes on");
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let gateway = Gateway::start().await;
    let port = gateway.url().rsplit(':').next().unwrap().to_owned();
    let other = Setup::new().serve_args(&["--port", &port, "--vault", "file"]);
    let refused = other.try_start().await.expect_err("the port is taken");
    assert!(!refused.ok() && refused.stderr.contains(&port), "{refused}");
}

#[tokio::test]
async fn a_command_line_without_sense_is_told_on_stderr() {
    let setup = Setup::new();
    for arguments in
        [&["no-such-command"][..], &["keys"], &["keys", "add"], &["serve", "--port", "99999"], &["usage", "--what"]]
    {
        let said = setup.cli(arguments).await;
        assert_eq!(said.status.code(), Some(2), "{said}");
        assert!(!said.stderr.is_empty() && said.stdout.is_empty(), "{said}");
    }
    let help = setup.run(&["--help"]).await;
    assert!(help.ok(), "{help}");
    for word in ["serve", "providers", "keys", "models", "usage", "doctor"] {
        assert!(help.stdout.contains(word), "{word} in {help}");
    }
    assert!(setup.run(&["--version"]).await.ok());
}

#[tokio::test]
async fn without_json_a_person_reads_words() {
    let gateway = Gateway::start().await;
    let data_dir = gateway.data_dir().display().to_string();
    let said = gateway.setup().run(&["keys", "list", "--data-dir", &data_dir]).await;
    assert!(said.ok() && !said.stdout.trim_start().starts_with(['{', '[']), "{said}");
    assert!(!said.stdout.contains('\u{1b}'), "no colours into a pipe: {said}");
    let wrong = gateway.setup().run(&["keys", "remove", "no-such-key", "--data-dir", &data_dir]).await;
    assert!(!wrong.ok() && wrong.stderr.starts_with("error:"), "{wrong}");
}
