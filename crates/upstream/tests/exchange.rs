//! One exchange with one account, over real sockets to a provider that misbehaves.
#![expect(clippy::expect_used, reason = "a test may end with a panic")]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use omniroute_catalog::Catalog;
use omniroute_domain::{Fault, FaultKind, Secret};
use omniroute_testkit::chat;
use omniroute_testkit::provider::{Provider, When};
use omniroute_testkit::script::{Ending, Script};
use omniroute_upstream::address::Reach;
use omniroute_upstream::probe::{self, Outcome};
use omniroute_upstream::{Account, AccountSpec, Answer, Call, Limits, Upstream};
use omniroute_wire::splice::{Segments, Splice};

const KEY: &str = "sk-test-4b1d";

fn account(base_url: &str, reach: Reach) -> Account {
    let catalog = Catalog::builtin();
    let row = catalog.provider("openai-compatible").expect("the template row");
    let spec = AccountSpec {
        id: "a1".into(),
        provider: "node".into(),
        name: "one".into(),
        row,
        base_url: Some(base_url),
        chat_path: None,
        models_path: None,
        reach,
    };
    Account::connect(spec, Some(&Secret::new(KEY.into()))).expect("an account")
}

fn body() -> Segments {
    Splice::new(Bytes::from_static(br#"{"model":"m","messages":[]}"#)).finish()
}

async fn ask(upstream: &Upstream, account: &Account) -> Result<Answer, Fault> {
    upstream.chat(Call { account, base: None, body: &body(), stream: false, client: &HeaderMap::new() }).await
}

async fn text(answer: Result<Answer, Fault>) -> Result<String, Fault> {
    let bytes = answer?.body.collect(1 << 20).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn a_connection_that_died_while_idle_costs_nothing() {
    let provider = Provider::start().await;
    provider.always(chat::greeting().whole().refuse_reuse(Ending::Reset));
    let (upstream, account) = (Upstream::new(Limits::default()), account(&provider.base_url(), Reach::Local));
    for _ in 0..3 {
        assert!(text(ask(&upstream, &account).await).await.is_ok(), "a used connection that dies is no failure");
    }
    let counts = provider.counts();
    assert_eq!(counts.answered, 3, "each request was answered once");
    assert!(counts.refused >= 1, "the provider did drop a used connection");
}

#[tokio::test]
async fn a_request_that_dies_on_a_fresh_connection_is_not_repeated() {
    let provider = Provider::start().await;
    provider.always(Script::close_before_head());
    let (upstream, account) = (Upstream::new(Limits::default()), account(&provider.base_url(), Reach::Local));
    let fault = ask(&upstream, &account).await.err().expect("a failure");
    assert_eq!((fault.kind, &*fault.code), (FaultKind::BrokenStream, "upstream_connection_lost"));
    assert_eq!(provider.requests().len(), 1, "the provider may have done the work: once is enough");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (provider, other) = (Provider::start().await, Provider::start().await);
    provider.always(Script::status(307, "").header("location", &format!("{}/chat/completions", other.base_url())));
    let (upstream, account) = (Upstream::new(Limits::default()), account(&provider.base_url(), Reach::Local));
    let fault = ask(&upstream, &account).await.err().expect("a failure");
    assert_eq!(&*fault.code, "upstream_redirect");
    assert_eq!(other.requests().len(), 0, "the key went nowhere else");
}

#[tokio::test]
async fn a_private_address_is_not_connected_unless_marked_local() {
    let provider = Provider::start().await;
    let base = provider.base_url().replace("127.0.0.1", "localhost").replace("http://", "https://");
    let (upstream, account) = (Upstream::new(Limits::default()), account(&base, Reach::Public));
    let fault = ask(&upstream, &account).await.err().expect("a failure");
    assert_eq!(&*fault.code, "URL_GUARD_BLOCKED");
    assert_eq!(provider.counts().accepted, 0, "no connection was made");
}

#[tokio::test]
async fn only_listed_fields_of_the_client_go_on() {
    let provider = Provider::start().await;
    provider.always(chat::greeting().whole());
    let (upstream, account) = (Upstream::new(Limits::default()), account(&provider.base_url(), Reach::Local));
    let mut client = HeaderMap::new();
    for name in ["authorization", "cookie", "x-api-key", "user-agent", "idempotency-key", "x-stainless-os"] {
        client.insert(HeaderName::from_static(name), HeaderValue::from_static("of-the-client"));
    }
    let call = Call { account: &account, base: None, body: &body(), stream: false, client: &client };
    assert!(text(upstream.chat(call).await).await.is_ok());
    let request = provider.only_chat();
    assert_eq!(request.bearer(), Some(KEY));
    let of_the_client: Vec<&str> =
        request.headers().iter().filter(|(_, value)| value == "of-the-client").map(|(name, _)| name.as_str()).collect();
    assert_eq!(of_the_client, ["idempotency-key"]);
}

#[tokio::test]
async fn silence_within_an_answer_has_a_limit() {
    let provider = Provider::start().await;
    provider.always(chat::greeting().whole().close_after(10).ending(Ending::Stall).lying_length(9_999));
    let limits = Limits { idle: Duration::from_millis(50), ..Limits::default() };
    let (upstream, account) = (Upstream::new(limits), account(&provider.base_url(), Reach::Local));
    let fault = text(ask(&upstream, &account).await).await.expect_err("a failure");
    assert!(matches!(fault.kind, FaultKind::Timeout | FaultKind::BrokenStream), "{fault:?}");
}

#[tokio::test]
async fn a_provider_that_never_begins_is_given_up() {
    let provider = Provider::start().await;
    provider.always(Script::stall_before_head());
    let limits = Limits { whole_answer: Duration::from_millis(50), ..Limits::default() };
    let (upstream, account) = (Upstream::new(limits), account(&provider.base_url(), Reach::Local));
    let fault = ask(&upstream, &account).await.err().expect("a failure");
    assert_eq!((fault.kind, &*fault.code), (FaultKind::Timeout, "upstream_first_byte_timeout"));
    provider.until("the request is left", |counts| counts.aborted == 1).await;
}

#[tokio::test]
async fn a_test_tells_a_refused_key_from_a_broken_address() {
    let rows = [
        (Script::json(r#"{"data":[{"id":"m1"}]}"#), Outcome::Works),
        (Script::error(401, r#"{"error":{"message":"bad key"}}"#), Outcome::KeyRefused),
        (Script::error(403, r#"{"error":{"message":"no"}}"#), Outcome::KeyRefused),
        (Script::error(429, r#"{"error":{"message":"slow down"}}"#), Outcome::Works),
        (Script::error(404, r#"{"error":{"message":"nothing here"}}"#), Outcome::Reachable),
        (Script::error(500, "oops"), Outcome::Broken),
        (Script::html_200(), Outcome::Broken),
    ];
    let catalog = Catalog::builtin();
    let row = catalog.provider("openai-compatible").expect("the template row");
    for (script, outcome) in rows {
        let provider = Provider::start().await;
        let shown = format!("{script:?}");
        provider.always_when(When::Path("/models".into()), script);
        let (upstream, account) = (Upstream::new(Limits::default()), account(&provider.base_url(), Reach::Local));
        let verdict = probe::probe(&upstream, &account, row).await;
        assert_eq!(verdict.outcome, outcome, "{shown}: {}", verdict.message);
        assert!(!verdict.message.contains(KEY));
    }
}
