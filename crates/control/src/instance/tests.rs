use std::fs;

use http::Method;
use omniroute_domain::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Instance, Options, VaultChoice};
use crate::env::Environment;
use crate::error::StartError;
use crate::test_house::{House, options};

const VAULT_KEY: (&str, &str) =
    ("OMNIROUTE_VAULT_KEY", "0f9a8b7c6d5e4f30213243546576879a0b1c2d3e4f5061728394a5b6c7d8e9f0");
const OTHER_KEY: (&str, &str) =
    ("OMNIROUTE_VAULT_KEY", "a7b6c5d4e3f2019f8e7d6c5b4a39281706f5e4d3c2b1a09182736455463728f1");

fn open(folder: &TempDir, vault: Option<VaultChoice>, variables: &[(&str, &str)]) -> Result<Instance, StartError> {
    Instance::open(Options { vault, environment: Environment::of(variables), ..options(folder) })
}

/// A folder with an account whose key is sealed.
async fn with_account(folder: TempDir) -> TempDir {
    let house = House::in_folder(folder);
    let body = json!({"provider": "openai", "apiKey": "sk-0123456789abcdef", "noTest": true});
    assert_eq!(house.post("/api/providers", body).await.status, 201);
    house.leave()
}

#[track_caller]
fn code(outcome: Result<Instance, StartError>) -> &'static str {
    outcome.map(|_| "opened").unwrap_or_else(|why| why.code())
}

#[tokio::test]
async fn the_first_key_is_made_exactly_once() {
    let house = House::new();
    let first = house.instance.issue_first_key().unwrap().expect("a new folder gets a key");
    assert_eq!(house.instance.issue_first_key().unwrap(), None);
    assert_eq!(house.tcp(Method::GET, "/v1/models", Some(&first), None).await.status, 200, "it is in force");
    assert_eq!(house.tcp(Method::GET, "/api/keys", Some(&first), None).await.status, 403, "it may chat only");
    let id = house.get("/api/keys").await.json()["keys"][0]["id"].as_str().unwrap().to_owned();
    house.local(Method::DELETE, &format!("/api/keys/{id}"), None).await;
    let house = House::in_folder(house.leave());
    assert_eq!(house.instance.issue_first_key().unwrap(), None, "who removed all keys wants nobody in");
    assert_eq!(house.tcp(Method::GET, "/v1/models", Some(&first), None).await.status, 401);
}

#[tokio::test]
async fn keys_and_accounts_outlive_the_instance() {
    let house = House::new();
    let (_, key) = house.key(&["chat"]).await;
    let house = House::in_folder(with_account(house.leave()).await);
    assert_eq!(house.tcp(Method::GET, "/v1/models", Some(&key), None).await.status, 200);
    let live = house.instance.live();
    assert!(live.accounts.iter().any(|account| account.provider.as_str() == "openai"), "its credential opens");
}

#[tokio::test]
async fn one_instance_at_a_time() {
    let house = House::new();
    assert_eq!(code(Instance::open(options(&house.folder))), "data_dir_locked");
}

#[tokio::test]
async fn the_vault_a_folder_was_sealed_with_is_found_again_without_a_flag() {
    let folder = with_account(TempDir::new().unwrap()).await;
    let instance = open(&folder, None, &[]).expect("the file, as recorded");
    assert_eq!(instance.vault_choice(), VaultChoice::File);
    drop(instance);
    let instance = open(&folder, None, &[VAULT_KEY]).expect("a variable does not go before the record");
    assert_eq!(instance.vault_choice(), VaultChoice::File);
}

#[tokio::test]
async fn another_vault_is_refused_while_the_old_key_is_there() {
    let folder = with_account(TempDir::new().unwrap()).await;
    assert_eq!(code(open(&folder, Some(VaultChoice::Env), &[VAULT_KEY])), "vault_differs");
    assert!(folder.path().join("data/vault.key").exists(), "and the old key stays");
}

/// The only account, as it is listed.
async fn listed(house: &House) -> Value {
    house.get("/api/providers").await.json()["connections"][0].clone()
}

fn kid_of(house: &House) -> Option<String> {
    house.instance.core().read(|from| omniroute_store::meta::get(from, "vault.kid")).unwrap()
}

#[tokio::test]
async fn a_lost_vault_key_costs_its_credentials_only_and_they_can_be_entered_again() {
    let folder = with_account(TempDir::new().unwrap()).await;
    let key_file = folder.path().join("data/vault.key");
    let old = fs::read(&key_file).unwrap();
    fs::remove_file(&key_file).unwrap();
    let house = House::in_folder(folder);
    let notices = house.instance.notices().to_owned();
    assert!(notices.len() == 1 && notices[0].contains("`vault.key`"), "{notices:?}");
    let account = listed(&house).await;
    assert_eq!(account["testStatus"], "failed");
    assert!(account["lastError"].as_str().unwrap().contains("enter the secret again"), "{account}");
    let path = format!("/api/providers/{}", account["id"].as_str().unwrap());
    let test = house.local(Method::POST, &format!("{path}/test"), None).await;
    assert_eq!((test.status, test.code().as_str()), (422, "key_lost"), "{}", test.text);
    let renamed = house.local(Method::PUT, &path, Some(json!({"name": "still there"}))).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    assert_ne!(kid_of(&house).as_deref(), Some(house.instance.vault().kid()), "the old secret is still there");

    // The old key comes back: nothing was lost.
    let new = fs::read(&key_file).unwrap();
    let folder = house.leave();
    fs::write(&key_file, old).unwrap();
    let house = House::in_folder(folder);
    assert_eq!((house.instance.notices().len(), &listed(&house).await["testStatus"]), (0, &json!("unknown")));

    // It does not: another key of the account takes the place of the old.
    let folder = house.leave();
    fs::write(&key_file, new).unwrap();
    let house = House::in_folder(folder);
    let again = json!({"apiKey": "sk-0123456789abcdef", "noTest": true});
    assert_eq!(house.local(Method::PUT, &path, Some(again)).await.status, 200);
    assert_eq!(listed(&house).await["testStatus"], "unknown");
    assert_eq!(kid_of(&house).as_deref(), Some(house.instance.vault().kid()), "nothing is sealed with the old key");
    assert!(House::in_folder(house.leave()).instance.notices().is_empty());
}

#[tokio::test]
async fn a_damaged_vault_key_is_kept_beside_and_its_accounts_can_be_removed() {
    let folder = with_account(TempDir::new().unwrap()).await;
    let data = folder.path().join("data");
    fs::write(data.join("vault.key"), "v1:0011").unwrap();
    let house = House::in_folder(folder);
    let notices = house.instance.notices().join(" ");
    let names: Vec<String> =
        fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let kept = names.iter().find(|name| name.starts_with("vault.key.damaged-")).expect("the damaged file");
    assert!(notices.contains(kept.as_str()) && notices.contains("1 of 1 credentials"), "{notices}");
    assert_eq!(fs::read_to_string(data.join(kept)).unwrap(), "v1:0011");
    let path = format!("/api/providers/{}", listed(&house).await["id"].as_str().unwrap());
    assert_eq!(house.local(Method::DELETE, &path, None).await.status, 200);
    assert_eq!(kid_of(&house).as_deref(), Some(house.instance.vault().kid()));
    assert!(House::in_folder(house.leave()).instance.notices().is_empty());
}

#[tokio::test]
async fn another_vault_may_take_over_once_the_old_key_can_not_be_had() {
    let folder = with_account(TempDir::new().unwrap()).await;
    fs::remove_file(folder.path().join("data/vault.key")).unwrap();
    let instance = open(&folder, Some(VaultChoice::Env), &[VAULT_KEY]).expect("the person asked for it");
    assert!(instance.notices()[0].contains("OMNIROUTE_VAULT_KEY"), "{:?}", instance.notices());
    drop(instance);
    let recorded = open(&folder, None, &[VAULT_KEY]).expect("the file, as recorded");
    assert_eq!(recorded.vault_choice(), VaultChoice::File, "while a secret of its is left");
}

#[tokio::test]
async fn a_key_from_the_environment_must_be_the_same_every_time() {
    let folder = TempDir::new().unwrap();
    let instance = open(&folder, None, &[VAULT_KEY]).expect("the variable says which vault");
    assert_eq!(instance.vault_choice(), VaultChoice::Env);
    drop(instance);
    // Nothing is sealed yet, so nothing is lost by another key.
    drop(open(&folder, None, &[OTHER_KEY]).expect("another key for an empty folder"));
    drop(open(&folder, Some(VaultChoice::File), &[]).expect("another vault for an empty folder"));
    let folder = with_account(folder).await;
    assert_eq!(code(open(&folder, Some(VaultChoice::Env), &[])), "vault_differs");
    let empty = TempDir::new().unwrap();
    assert_eq!(code(open(&empty, Some(VaultChoice::Env), &[])), "env_key_missing");
}

#[test]
fn a_bad_setting_is_said_before_anything_is_made() {
    let folder = TempDir::new().unwrap();
    assert_eq!(code(open(&folder, Some(VaultChoice::File), &[("PORT", "many")])), "setting_invalid");
    assert!(!folder.path().join("data").exists());
}

const ACME: &str = r#"id = "acme"
name = "Acme"
tier = "api-key"
checked = "2026-11-20"
source = "a test"
auth = ["api-key"]
auth_header = { name = "Authorization", value = "Bearer {key}" }
status = { state = "active" }
terms = { risk = "none" }
base_urls = [{ url = "https://api.acme.example/v1", when = "usual" }]
[endpoints]
chat = { post = "/chat/completions", wire = "openai-chat" }
"#;

#[tokio::test]
async fn an_account_whose_provider_is_gone_says_which_row_to_put_back() {
    let folder = TempDir::new().unwrap();
    let rows = folder.path().join("data/providers");
    fs::create_dir_all(&rows).unwrap();
    fs::write(rows.join("acme.toml"), ACME).unwrap();
    let house = House::in_folder(folder);
    let body = json!({"provider": "acme", "apiKey": "sk-0123456789abcdef", "noTest": true});
    let made = house.post("/api/providers", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("/api/providers/{}", made.json()["connection"]["id"].as_str().unwrap());
    fs::remove_file(rows.join("acme.toml")).unwrap();
    let house = House::in_folder(house.leave());
    let answers = [
        house.local(Method::POST, &format!("{path}/test"), None).await,
        house.get(&format!("{path}/models")).await,
        house.local(Method::PUT, &path, Some(json!({"apiKey": "sk-another-0123456789"}))).await,
        house.local(Method::PUT, &path, Some(json!({"baseUrl": "https://api.acme.example/v2"}))).await,
    ];
    for answer in answers {
        assert_eq!((answer.status, answer.code().as_str()), (422, "provider_unknown"), "{}", answer.text);
        assert!(answer.text.contains("`providers/acme.toml`"), "{}", answer.text);
    }
    assert!(listed(&house).await["lastError"].as_str().unwrap().contains("acme.toml"));
    assert_eq!(house.local(Method::DELETE, &path, None).await.status, 200);
}

#[tokio::test]
async fn rows_of_the_data_folder_join_the_catalog_and_bad_ones_are_named() {
    let folder = TempDir::new().unwrap();
    let rows = folder.path().join("data/providers");
    fs::create_dir_all(&rows).unwrap();
    fs::write(rows.join("acme.toml"), ACME).unwrap();
    fs::write(rows.join("broken.toml"), "id = ").unwrap();
    fs::write(rows.join("notes.txt"), "no row").unwrap();
    let instance = open(&folder, Some(VaultChoice::File), &[]).unwrap();
    assert!(instance.catalog().provider("acme").is_some());
    assert_eq!(instance.notices().len(), 1);
    assert!(instance.notices()[0].contains("broken.toml"), "{:?}", instance.notices());
}

#[tokio::test]
async fn an_unchanged_account_keeps_its_place_in_memory() {
    let house = House::new();
    let account = |name: &str| {
        let live = house.instance.live();
        live.accounts.iter().find(|account| account.name == name).cloned().expect("the account is live")
    };
    for name in ["a", "b"] {
        let body = json!({"provider": "openai", "apiKey": "sk-0123456789abcdef", "name": name, "noTest": true});
        assert_eq!(house.post("/api/providers", body).await.status, 201);
    }
    let (a, b) = (account("a"), account("b"));
    let id = a.id.as_str().to_owned();
    house.local(Method::PUT, &format!("/api/providers/{id}"), Some(json!({"priority": 9}))).await;
    assert!(!std::sync::Arc::ptr_eq(&a, &account("a")), "what changed is connected anew");
    assert!(std::sync::Arc::ptr_eq(&b, &account("b")), "what did not is not");
}

#[tokio::test]
async fn an_account_that_can_not_be_used_does_not_stop_the_others() {
    let house = House::new();
    for name in ["good", "bad"] {
        let body = json!({"provider": "openai", "apiKey": "sk-0123456789abcdef", "name": name, "noTest": true});
        assert_eq!(house.post("/api/providers", body).await.status, 201);
    }
    let spoil = house.instance.core().write(|to| {
        let rows = omniroute_store::accounts::list(to)?;
        let bad = rows.iter().find(|row| row.name == "bad").cloned().expect("it is there");
        let place = omniroute_vault::Place { table: "accounts", column: "sealed", row: "another row" };
        let foreign = house.instance.vault().seal(place, &Secret::new("x".into())).expect("sealed");
        omniroute_store::accounts::update(
            to,
            &omniroute_store::accounts::Account { sealed: Some(foreign.into_text()), ..bad },
        )
    });
    spoil.unwrap();
    house.instance.refresh().unwrap();
    let live = house.instance.live();
    let names: Vec<&str> =
        live.accounts.iter().map(|account| account.name.as_str()).filter(|name| *name != "Demo (built in)").collect();
    assert_eq!(names, ["good"]);
    let report = house.get("/api/doctor").await.json();
    assert_eq!(report["ok"], json!(false));
    assert!(report["checks"].to_string().contains("bad"), "{report}");
}
