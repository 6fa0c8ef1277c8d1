//! The data plane by itself: our listener, our pipeline, real sockets on both sides, and the row that
//! each exchange leaves. What needs the whole product stands in `tests/`.
#![expect(clippy::expect_used, clippy::disallowed_methods, reason = "a test may end with a panic")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use omniroute_catalog::Catalog;
use omniroute_domain::{Mark, Secret};
use omniroute_gateway::{ClientKey, Drain, Gateway, Limits, Listener, Scope, Snapshot};
use omniroute_routing::{Directory, Entry};
use omniroute_store::DataDir;
use omniroute_store::log::{self, HistoryFilter, Outcome, RequestIds, RequestRecord};
use omniroute_testkit::{Call, Connection, Ending, Gate, Provider, Script, chat, sse};
use omniroute_upstream::address::Reach;
use omniroute_upstream::{Account, AccountSpec, Upstream};
use omniroute_vault::client_key;

const KEY: &str = "sk-omni-test";

/// A running data plane whose accounts are all at scripted providers, in the order given.
struct Plane {
    url: String,
    drain: Drain,
    log: log::Log,
    _dir: tempfile::TempDir,
}

fn snapshot(providers: &[&Provider]) -> Snapshot {
    let catalog = Catalog::builtin();
    let row = catalog.provider("openai-compatible").expect("the template row");
    let account = |(slot, provider): (usize, &&Provider)| {
        let spec = AccountSpec {
            id: format!("a{slot}").into(),
            provider: "node".into(),
            name: format!("account {slot}"),
            row,
            base_url: Some(&provider.base_url()),
            chat_path: None,
            models_path: None,
            reach: Reach::Local,
        };
        Arc::new(Account::connect(spec, Some(&Secret::new(format!("sk-{slot}-long-enough")))).expect("an account"))
    };
    let accounts: Vec<Arc<Account>> = providers.iter().enumerate().map(account).collect();
    let entry = |slot: usize| Entry {
        account: format!("a{slot}").into(),
        provider: "node".into(),
        prefixes: vec!["mk".into()],
        variant: None,
        priority: 1,
        slot: u32::try_from(slot).expect("a small number"),
        listed: None,
    };
    let directory = Directory::new((0..accounts.len()).map(entry).collect(), Vec::new(), &catalog);
    let key = ClientKey { id: "k1".into(), name: "test".into(), scopes: vec![Scope::Chat], expires_at: None };
    let keys = HashMap::from([(client_key::hash(KEY.as_bytes()), Arc::new(key))]);
    Snapshot { keys, directory, accounts, catalog: Arc::new(catalog) }
}

impl Plane {
    async fn start(providers: &[&Provider]) -> Self {
        Self::start_with(providers, Limits::default(), omniroute_upstream::Limits::default()).await
    }

    async fn start_with(providers: &[&Provider], limits: Limits, upstream: omniroute_upstream::Limits) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let log = log::open(&DataDir::open(dir.path()).expect("a data folder"), 0);
        let drain = Drain::new();
        let gateway = Arc::new(Gateway {
            live: ArcSwap::from_pointee(snapshot(providers)),
            upstream: Upstream::new(upstream),
            log: log.writer.clone(),
            ids: RequestIds::starting_at(0),
            limits: limits.clone(),
            drain: drain.clone(),
        });
        let listener = Listener::open(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
        let url = format!("http://{}", listener.address());
        tokio::spawn(listener.serve(omniroute_gateway::router(gateway), limits, drain.clone()));
        Self { url, drain, log, _dir: dir }
    }

    fn chat(&self, body: &str) -> Call {
        Call::post(&self.url, "/v1/chat/completions", body.to_owned()).key(KEY)
    }

    /// The rows so far, newest first.
    fn rows(&self) -> Vec<RequestRecord> {
        assert!(self.log.writer.flush(Duration::from_secs(10)), "the log keeps up");
        let page = self.log.reader.history(&HistoryFilter::default(), None, 50).expect("rows");
        page.items.iter().map(|row| self.log.reader.request(row.id).expect("a row").expect("it is there")).collect()
    }

    async fn row(&self) -> RequestRecord {
        omniroute_testkit::wait::eventually("a row in the log", async || self.rows().into_iter().next()).await
    }
}

const ASK: &str = r#"{ "model" : "mk/m", "messages":[{"role":"user","content":"hi"}], "zz_new": 12345678901234567890.10, "temperature":1e0 }"#;
const STREAM: &str = r#"{"model":"mk/m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
const STREAM_COUNTED: &str = r#"{"model":"mk/m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}"#;

#[tokio::test]
async fn a_request_and_its_answer_pass_through_as_bytes() {
    let provider = Provider::start().await;
    provider.always(chat::odd_fields().script());
    let plane = Plane::start(&[&provider]).await;
    let answer = plane.chat(ASK).send().await;
    assert_eq!((answer.status, answer.text()), (200, chat::odd_fields().reply));
    assert_eq!(provider.only_chat().body_text(), ASK.replace("mk/m", "m"));
    assert_eq!(provider.only_chat().bearer(), Some("sk-0-long-enough"));
}

#[tokio::test]
async fn a_stream_passes_through_as_bytes() {
    let provider = Provider::start().await;
    provider.always(chat::weather().script());
    let plane = Plane::start(&[&provider]).await;
    let counted = plane.chat(STREAM_COUNTED).send().await;
    assert_eq!(counted.body, chat::stream_bytes(&chat::weather().stream_with_usage()));
    assert_eq!(provider.chats()[0].body_text(), STREAM_COUNTED.replace("mk/m", "m"), "nothing to add");
    let plain = plane.chat(STREAM).send().await;
    assert_eq!(plain.body, chat::stream_bytes(&chat::weather().stream()), "the usage event is not shown");
    assert!(provider.chats()[1].wants_stream_usage(), "but it was asked for");
}

#[tokio::test]
async fn streamed_and_whole_are_counted_alike() {
    let provider = Provider::start().await;
    provider.always(chat::weather().script());
    let plane = Plane::start(&[&provider]).await;
    for body in [ASK, STREAM, STREAM_COUNTED] {
        assert_eq!(plane.chat(body).send().await.status, 200);
    }
    let rows = plane.rows();
    assert_eq!(rows.len(), 3);
    for row in &rows {
        assert_eq!((&row.usage, row.usage_mark), (&rows[0].usage, Some(Mark::Reported)));
        assert_eq!((row.outcome, row.cost_mark), (Outcome::Ok, Mark::Unpriced));
    }
    assert!(rows[0].usage.cache_read.is_some() && rows[0].usage.reasoning.is_some(), "{:?}", rows[0].usage);
}

#[tokio::test]
async fn a_failing_account_gives_way_to_the_next() {
    for status in [401, 402, 403, 408, 429, 500, 502, 503, 529] {
        let (first, second) = (Provider::start().await, Provider::start().await);
        first.always(Script::error(status, r#"{"error":{"message":"not now"}}"#));
        second.always(chat::greeting().script());
        let plane = Plane::start(&[&first, &second]).await;
        let answer = plane.chat(STREAM).send().await;
        assert_eq!(answer.body, chat::stream_bytes(&chat::greeting().stream()), "{status}");
        let row = plane.row().await;
        let statuses: Vec<Option<u16>> = row.attempts.iter().map(|attempt| attempt.status).collect();
        assert_eq!(statuses, [Some(status), Some(200)]);
        assert_eq!(row.outcome, Outcome::Ok);
    }
}

#[tokio::test]
async fn an_error_before_any_output_is_no_answer_yet() {
    let (first, second) = (Provider::start().await, Provider::start().await);
    first.always(Script::sse([chat::role(), r#"{"error":{"message":"overloaded"}}"#.to_owned()]));
    second.always(chat::greeting().script());
    let plane = Plane::start(&[&first, &second]).await;
    let answer = plane.chat(STREAM).send().await;
    assert_eq!(answer.body, chat::stream_bytes(&chat::greeting().stream()));
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error() {
    for ending in [Ending::Close, Ending::Reset] {
        let provider = Provider::start().await;
        provider.always(Script::sse(chat::greeting().events).broken_after(2, ending));
        let plane = Plane::start(&[&provider]).await;
        let events = sse::read_all(&plane.chat(STREAM).send().await.body);
        let [.., error, done] = &events[..] else { panic!("an error and an end: {events:?}") };
        assert!(error.json()["error"]["code"].is_string(), "{error:?}");
        assert!(done.is_done());
        assert_eq!(plane.row().await.outcome, Outcome::Error);
    }
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_provider_call_with_it() {
    let provider = Provider::start().await;
    let gate = Gate::shut();
    provider.always(Script::sse(chat::numbered(50).stream()).gated(&gate));
    let plane = Plane::start(&[&provider]).await;
    gate.open(3);
    let mut stream = plane.chat(STREAM).stream().await;
    stream.expect_event().await;
    drop(stream);
    provider.until("the provider's connection is left", |counts| counts.aborted == 1).await;
    let row = plane.row().await;
    assert_eq!((row.outcome, row.status, row.usage_mark), (Outcome::ClientClosed, 200, Some(Mark::Estimated)));
}

#[tokio::test]
async fn bad_input_is_refused_with_a_code() {
    let provider = Provider::start().await;
    let limits = Limits { body_bytes: 4096, ..Limits::default() };
    let plane = Plane::start_with(&[&provider], limits, omniroute_upstream::Limits::default()).await;
    let deep = format!(r#"{{"model":"mk/m","messages":[{}{}]}}"#, "[".repeat(1500), "]".repeat(1500));
    let large = format!(r#"{{"model":"mk/m","messages":["{}"]}}"#, "x".repeat(5000));
    let rows: &[(&str, u16, &str)] = &[
        (r#"{"model":"mk/m","messages":[{]}"#, 400, "invalid_json"),
        ("", 400, "invalid_json"),
        ("[]", 400, "invalid_json"),
        (&deep, 400, "json_too_deep"),
        (&large, 413, "request_too_large"),
        (r#"{"messages":[]}"#, 400, "missing_model"),
        (r#"{"model":7,"messages":[]}"#, 400, "invalid_model"),
        (r#"{"model":"mk/m"}"#, 400, "missing_messages"),
        (r#"{"model":"mk/m","model":"mk/n","messages":[]}"#, 400, "duplicate_field"),
        (r#"{"model":"mk/m","messages":[],"stream":"yes"}"#, 400, "invalid_stream"),
        (r#"{"model":"nobody/m","messages":[]}"#, 404, "unknown_provider"),
        (r#"{"model":"openai/gpt-6-luna","messages":[]}"#, 404, "no_account"),
    ];
    for (body, status, code) in rows {
        let answer = plane.chat(body).send().await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["code"]), (*status, &(*code).into()), "{body:.60}: {error}");
        assert!(error["message"].is_string() && error["request_id"].is_string(), "{error}");
    }
    assert_eq!(plane.rows().len(), rows.len(), "each left a row");
    assert_eq!(provider.requests().len(), 0);
}

#[tokio::test]
async fn nobody_gets_in_without_a_key() {
    let provider = Provider::start().await;
    let plane = Plane::start(&[&provider]).await;
    for (call, code) in [
        (plane.chat(ASK).without("authorization"), "missing_api_key"),
        (plane.chat(ASK).key("sk-omni-other"), "invalid_api_key"),
        (Call::get(&plane.url, "/v1/models"), "missing_api_key"),
    ] {
        let answer = call.send().await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (401, &code.into()));
    }
    let typed = plane.chat(ASK).header("content-type", "text/plain").send().await;
    assert_eq!(typed.status, 415);
}

#[tokio::test]
async fn a_head_that_dribbles_in_is_cut_off() {
    let limits = Limits { head: Duration::from_millis(80), ..Limits::default() };
    let plane = Plane::start_with(&[], limits, omniroute_upstream::Limits::default()).await;
    let mut slow = Connection::open(&plane.url).await;
    slow.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: ").await;
    assert!(slow.closes_within(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn a_silent_stream_outlives_the_limits_of_idle_lines() {
    let provider = Provider::start().await;
    let gate = Gate::shut();
    provider.always(Script::sse(chat::greeting().stream()).gated(&gate));
    let short = Duration::from_millis(60);
    let limits = Limits { head: short, keep_alive: short, pulse: Duration::from_millis(150), ..Limits::default() };
    let plane = Plane::start_with(&[&provider], limits, omniroute_upstream::Limits::default()).await;
    gate.open(2);
    let mut stream = plane.chat(STREAM).stream().await;
    let mut comments = 0;
    while comments < 2 {
        comments += stream.expect_event().await.comments.len();
    }
    gate.open_for_good();
    let rest = stream.rest().await;
    assert!(rest.last().is_some_and(sse::Event::is_done), "{rest:?}");
}

#[tokio::test]
async fn a_stream_that_is_open_at_the_end_of_the_drain_is_told() {
    let provider = Provider::start().await;
    let gate = Gate::shut();
    provider.always(Script::sse(chat::numbered(9).stream()).gated(&gate));
    let plane = Plane::start(&[&provider]).await;
    gate.open(3);
    let mut stream = plane.chat(STREAM).stream().await;
    stream.expect_event().await;
    plane.drain.begin();
    plane.drain.cut();
    let rest = stream.rest().await;
    let [.., error, done] = &rest[..] else { panic!("an error and an end: {rest:?}") };
    assert_eq!((&error.json()["error"]["code"], done.is_done()), (&"shutting_down".into(), true));
    plane.drain.wait().await;
}

/// An event of a provider that ends with a word for a failure.
fn failing(extra: &str) -> String {
    format!(r#"{{"id":"c1","object":"chat.completion.chunk","model":"m"{extra}}}"#)
}

#[tokio::test]
async fn a_finish_word_for_a_failure_is_no_answer() {
    let word = r#","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]"#;
    let whole = chat::greeting().reply.replace(r#""stop""#, r#""insufficient_system_resource""#);
    for (script, body) in [(Script::sse([failing(word)]), STREAM), (Script::json(whole), ASK)] {
        let (first, second) = (Provider::start().await, Provider::start().await);
        first.always(script);
        second.always(chat::greeting().script());
        let plane = Plane::start(&[&first, &second]).await;
        assert_eq!(plane.chat(body).send().await.status, 200);
        let row = plane.row().await;
        assert_eq!(row.attempts.len(), 2, "{row:?}");
        assert!(row.attempts[0].fault_code.is_some());
    }
}

#[tokio::test]
async fn a_failure_amid_a_stream_is_told_once_and_in_our_words() {
    let told = r#","error":{"message":"key sk-0-long-enough is over its limit"},"usage":{"prompt_tokens":1,"completion_tokens":1}"#;
    let word = r#","choices":[{"index":0,"delta":{},"finish_reason":"error"}]"#;
    for event in [failing(told), failing(word)] {
        let provider = Provider::start().await;
        provider.always(Script::sse([chat::role(), chat::text("Half"), event, "[DONE]".to_owned()]));
        let plane = Plane::start(&[&provider]).await;
        let answer = plane.chat(STREAM).send().await;
        let events = sse::read_all(&answer.body);
        let [.., error, done] = &events[..] else { panic!("an error and an end: {events:?}") };
        assert!(error.json()["error"]["message"].is_string() && done.is_done(), "{events:?}");
        assert_eq!(events.iter().filter(|event| event.is_done()).count(), 1);
        let row = plane.row().await;
        assert_eq!(row.outcome, Outcome::Error);
        assert!(row.attempts[0].fault_code.is_some(), "the attempt has failed after all");
        let seen = format!("{} {row:?}", answer.text());
        assert!(!seen.contains("sk-0-long-enough"), "{seen}");
    }
}

#[tokio::test]
async fn of_several_answers_all_must_be_whole() {
    let provider = Provider::start().await;
    let half = failing(r#","choices":[{"index":1,"delta":{"content":"b"},"finish_reason":null}]"#);
    provider.always(Script::sse([chat::role(), chat::text("a"), half, chat::finish("stop")]));
    let plane = Plane::start(&[&provider]).await;
    let body = STREAM.replace(r#""stream":true"#, r#""stream":true,"n":2"#);
    let events = sse::read_all(&plane.chat(&body).send().await.body);
    assert!(events.iter().any(|event| event.text().contains("upstream_truncated")), "{events:?}");
    assert_eq!(plane.row().await.outcome, Outcome::Error);
}

#[tokio::test]
async fn an_answer_with_its_finish_reason_is_whole_however_the_line_ends() {
    let provider = Provider::start().await;
    provider.always(Script::sse(chat::greeting().events).ending(Ending::Reset));
    let plane = Plane::start(&[&provider]).await;
    let events = sse::read_all(&plane.chat(STREAM).send().await.body);
    assert!(events.last().is_some_and(sse::Event::is_done), "{events:?}");
    assert_eq!(plane.row().await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_client_that_leaves_before_the_first_byte_leaves_its_attempt() {
    let provider = Provider::start().await;
    provider.always(Script::stall_before_head());
    let plane = Plane::start(&[&provider]).await;
    let mut connection = Connection::open(&plane.url).await;
    plane.chat(STREAM).put_on(&mut connection).await;
    provider.until("the request is there", |counts| counts.requests == 1).await;
    drop(connection);
    let row = plane.row().await;
    assert_eq!((row.outcome, row.attempts.len()), (Outcome::ClientClosed, 1));
    assert!(row.provider.is_some() && row.account.is_some());
}

#[tokio::test]
async fn keep_alives_without_an_answer_are_not_hoarded() {
    let provider = Provider::start().await;
    let noise = std::iter::repeat_n(format!(": {}\n\n", "z".repeat(4000)), 200);
    let end = chat::stream_bytes(&chat::greeting().stream());
    provider.always(Script::sse_raw(noise.map(String::into_bytes).chain([end.clone()])));
    let plane = Plane::start(&[&provider]).await;
    assert_eq!(plane.chat(STREAM).send().await.body, end);
}
