use super::{Row, RowError};
use crate::model::{Kind, Thinking};
use crate::provider::{Provider, TestRule};
use omniroute_domain::Price;

const ROW: &str = r#"
id = "acme"
name = "Acme"
prefixes = ["ac"]
tier = "cheap"
checked = "2026-11-20"
source = "invented for this test"
auth = ["api-key"]
auth_header = { name = "Authorization", value = "Bearer {key}" }
status = { state = "active" }
terms = { risk = "none" }
test = { get = "models", chat = "small" }
base_urls = [{ url = "https://api.acme.example/v1", when = "usual" }]

[endpoints]
chat = { post = "/chat/completions", wire = "openai-chat" }
messages = { post = "/messages", wire = "anthropic" }
models = { get = "/models" }

[[models]]
id = "small"
context = 131072
price = { input = "0.15", output = "0.60", cache_read = "0.075" }
features = ["tools", "no-temperature"]
thinking = { levels = ["low", "high"] }

[[models]]
id = "ears"
kind = "transcription"
source = "elsewhere"
checked = "2026-07-02"
"#;

fn read(text: &str) -> Result<Provider, String> {
    let row: Row = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    row.check().map_err(|error| error.to_string())
}

#[track_caller]
fn edited(from: &str, to: &str) -> Result<Provider, String> {
    assert!(ROW.contains(from), "the test edits a line that is there: {from}");
    read(&ROW.replacen(from, to, 1))
}

#[track_caller]
fn refused(from: &str, to: &str, message: &str) {
    let error = edited(from, to).expect_err("the row is refused");
    assert!(error.contains(message), "{error}");
}

#[test]
fn a_row_becomes_a_provider() {
    let acme = read(ROW).expect("a sound row");
    assert_eq!((acme.id.as_str(), acme.prefix()), ("acme", "ac"));
    assert_eq!(
        acme.chat.as_ref().map(|chat| chat.url()).as_deref(),
        Some("https://api.acme.example/v1/chat/completions")
    );
    let small = acme.model("small").expect("the model is found by its id");
    let price = Price { input: 150_000, output: 600_000, cache_read: Some(75_000), cache_write: None };
    assert_eq!((small.price, small.context, small.kind), (Some(price), Some(131_072), Kind::Chat));
    let features = small.features.expect("features are known");
    assert!(features.tools() && !features.temperature() && !features.vision());
    assert_eq!(small.thinking.as_deref(), Some(&Thinking::Levels(["low".into(), "high".into()].into())));
    assert!(acme.model("smal").is_none() && acme.model("").is_none());
}

#[test]
fn a_model_without_evidence_of_its_own_has_that_of_its_row() {
    let acme = read(ROW).expect("a sound row");
    let of = |id: &str| acme.model(id).map(|model| (model.source.to_string(), model.checked.to_string()));
    assert_eq!(of("small"), Some(("invented for this test".into(), "2026-11-20".into())));
    assert_eq!(of("ears"), Some(("elsewhere".into(), "2026-07-02".into())));
}

#[test]
fn chat_goes_where_openai_chat_is_spoken_even_if_the_vendor_prefers_another_form() {
    let acme = edited("test =", "prefers = \"messages\"\ntest =").expect("a sound row");
    assert_eq!(acme.chat.map(|chat| chat.name), Some("chat".into()));
    let acme = read(&ROW.replace("openai-chat", "acme-chat").replace("test =", "prefers = \"messages\"\ntest ="));
    assert_eq!(acme.expect("a sound row").chat.map(|chat| chat.name), Some("messages".into()));
}

#[test]
fn an_endpoint_moves_with_an_accounts_base_address_unless_it_is_fixed() {
    let fixed = r#"models = { get = "https://list.acme.example/all" }"#;
    let acme = edited(r#"models = { get = "/models" }"#, fixed).expect("a sound row");
    let at = |name: &str| acme.endpoint(name).and_then(|endpoint| endpoint.url_at("http://127.0.0.1:9000/v1/"));
    assert_eq!(at("chat").as_deref(), Some("http://127.0.0.1:9000/v1/chat/completions"));
    assert_eq!(at("models"), None, "a key for another address is not sent to the vendor's");
}

#[test]
fn a_test_names_an_endpoint_or_an_address() {
    let url = |row: Result<Provider, String>| match row.expect("a sound row").test {
        TestRule::Get { endpoint, or_chat: _ } => endpoint.url(),
        TestRule::Chat { .. } | TestRule::Nothing => String::new(),
    };
    assert_eq!(url(read(ROW)), "https://api.acme.example/v1/models");
    assert_eq!(url(edited(r#"get = "models""#, r#"get = "/key""#)), "https://api.acme.example/v1/key");
    let chat = edited(r#"get = "models", "#, "").expect("a sound row").test;
    assert_eq!(chat, TestRule::Chat { model: Some("small".into()) });
}

#[test]
fn what_can_not_be_together_is_refused() {
    refused(r#"chat = { post = "/chat"#, r#"chat = { get = "/x", post = "/chat"#, "either `get` or `post`");
    refused(r#"base_urls = [{ url = "https://api.acme.example/v1", when = "usual" }]"#, "", "no `base_urls`");
    refused("test =", "prefers = \"nothing\"\ntest =", "the endpoint `nothing`");
    refused(r#"get = "models""#, r#"get = "model""#, "the endpoint `model`");
    refused("id = \"ears\"", "id = \"small\"", "`small` stands in the row twice");
}

#[test]
fn keys_travel_over_tls_or_stay_on_the_machine() {
    refused("https://api.acme", "http://api.acme", "must begin with `https://`");
    refused("https://api.acme", "https://key@api.acme", "must begin with `https://`");
    refused("https://api.acme", "ftp://api.acme", "must begin with `https://`");
    let local =
        ROW.replace("https://api.acme.example", "http://localhost:1234").replace("test =", "local = true\ntest =");
    assert!(read(&local).is_ok(), "a local server has no certificate");
}

#[test]
fn a_header_can_be_sent_and_has_a_place_for_the_key() {
    refused("Bearer {key}", "Bearer", "must hold `{key}` once");
    refused("Bearer {key}", "{key} {key}", "must hold `{key}` once");
    refused("Bearer {key}", "Bearer {key}\\r\\nx: y", "no header may have");
    refused("\"Authorization\"", "\"Author ization\"", "no header may have");
}

#[test]
fn misspelt_fields_and_malformed_values_are_refused() {
    refused("tier =", "teir =", "unknown field `teir`");
    refused("\"0.15\"", "\"15 cents\"", "a price is a decimal number");
    refused("2026-11-20", "20.11.2026", "a date is written");
    refused("id = \"acme\"", "id = \"Acme Inc\"", "lower-case letters, digits and dashes");
    refused("context = 131072", "context = -1", "invalid value");
}

#[test]
fn errors_of_several_fields_read_as_sentences() {
    let error = RowError::NoEndpoint { field: "test", endpoint: "modles".into() };
    assert_eq!(error.to_string(), "`test` names the endpoint `modles`, which the row does not have");
}
