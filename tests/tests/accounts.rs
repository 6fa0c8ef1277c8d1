//! Several accounts of one provider: what fails at one is tried at the next, as long as the client
//! has received nothing; what fails everywhere is not; and a connection that dies unused costs nothing.

use omniroute_testkit::provider::{Unreachable, When};
use omniroute_testkit::{Call, Ending, Gateway, Provider, Script, Setup, chat, failure};
use omniroute_tests::scene::{ask, ask_stream, connect, connect_catalog};
use omniroute_tests::verdict::{completed, refused, said};
use omniroute_tests::{Scene, log};

/// Two accounts of the catalog's `openai`, each at an address of its own.
struct Pair {
    gateway: Gateway,
    first: Provider,
    second: Provider,
}

impl Pair {
    async fn start() -> Self {
        Self::with(Setup::new()).await
    }

    async fn with(setup: Setup) -> Self {
        let gateway = setup.start().await;
        let (first, second) = (Provider::start().await, Provider::start().await);
        connect_catalog(&gateway, "openai", &first.base_url(), "key-one").await;
        connect_catalog(&gateway, "openai", &second.base_url(), "key-two").await;
        Self { gateway, first, second }
    }

    fn whole(&self) -> Call {
        self.gateway.chat(ask("openai/gpt-4o"))
    }

    fn stream(&self) -> Call {
        self.gateway.chat(ask_stream("openai/gpt-4o"))
    }

    fn tried(&self) -> (usize, usize) {
        (self.first.chats().len(), self.second.chats().len())
    }
}

/// The first account fails so; the second answers, and the log tells both.
async fn moves_on(pair: &Pair, script: Script, code: &str) {
    let name = format!("{script:?} {code}");
    for call in [pair.whole(), pair.stream()] {
        let before = pair.tried();
        pair.first.script(script.clone());
        let answer = call.send().await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(pair.tried(), (before.0 + 1, before.1 + 1), "{name}: each was asked once");
        let row = log::row_of(&pair.gateway, answer.header("x-request-id").unwrap()).await;
        let codes: Vec<_> = row.attempts().into_iter().map(|(_, code)| code).collect();
        assert_eq!(codes, [Some(code.to_owned()), None], "{name}: {row:?}");
        assert_eq!((row.status(), row.outcome().as_deref()), (Some(200), Some("ok")), "{name}");
    }
}

#[tokio::test]
async fn the_first_account_answers_alone_when_it_can() {
    let pair = Pair::start().await;
    assert_eq!(pair.whole().send().await.text(), chat::greeting().reply);
    assert_eq!(pair.tried(), (1, 0));
    assert_eq!(pair.first.only_chat().bearer(), Some("key-one"));
}

#[tokio::test]
async fn an_answer_of_the_account_or_the_server_moves_on() {
    let pair = Pair::start().await;
    moves_on(&pair, failure::bad_key(), "upstream_auth").await;
    moves_on(&pair, failure::no_balance(), "insufficient_quota").await;
    moves_on(&pair, failure::no_quota(), "insufficient_quota").await;
    moves_on(&pair, failure::forbidden(), "permission_denied").await;
    moves_on(&pair, failure::no_model(), "model_not_found").await;
    moves_on(&pair, failure::request_timeout(), "gateway_timeout").await;
    moves_on(&pair, failure::rate_limited(9), "rate_limit_exceeded").await;
    moves_on(&pair, failure::server_error(), "bad_gateway").await;
    moves_on(&pair, failure::bad_gateway_page(), "bad_gateway").await;
    moves_on(&pair, failure::overloaded(), "overloaded").await;
    moves_on(&pair, Script::status(529, "{}"), "overloaded").await;
    assert_eq!(pair.second.chats()[0].bearer(), Some("key-two"), "each account sends its own key");
    assert!(pair.first.chats().iter().all(|seen| seen.bearer() == Some("key-one")), "and to its own address only");
}

#[tokio::test]
async fn a_bad_200_moves_on() {
    let pair = Pair::start().await;
    moves_on(&pair, Script::html_200(), "upstream_not_json").await;
    moves_on(&pair, failure::error_in_200(), "bad_gateway").await;
    moves_on(&pair, failure::empty_stream(), "upstream_empty").await;
    moves_on(&pair, Script::json("{}"), "upstream_bad_answer").await;
}

#[tokio::test]
async fn an_error_in_a_stream_ahead_of_its_first_word_moves_on_unseen() {
    let pair = Pair::start().await;
    for script in [failure::error_first_in_stream(), failure::error_before_output()] {
        pair.first.script(script);
        let events = pair.stream().stream().await.rest().await;
        completed(&events);
        assert_eq!(said(&events), "Hello there.");
    }
    assert_eq!(pair.tried(), (2, 2));
}

#[tokio::test]
async fn a_broken_line_ahead_of_the_first_word_moves_on() {
    let pair = Pair::start().await;
    let lost = "upstream_connection_lost";
    moves_on(&pair, Script::close_before_head(), lost).await;
    moves_on(&pair, Script::reset_before_head(), lost).await;
    moves_on(&pair, Script::sse([chat::role()]).broken_after(1, Ending::Reset), lost).await;
    moves_on(&pair, chat::greeting().whole().lying_length(9999), lost).await;
}

#[tokio::test]
async fn an_address_where_nobody_listens_moves_on() {
    let gateway = Gateway::start().await;
    let (nobody, second) = (Unreachable::reserve(), Provider::start().await);
    connect_catalog(&gateway, "openai", &nobody.base_url(), "key-one").await;
    connect_catalog(&gateway, "openai", &second.base_url(), "key-two").await;
    let answer = gateway.chat(ask("openai/gpt-4o")).send().await;
    assert_eq!((answer.status, second.chats().len()), (200, 1), "{}", answer.text());
    let row = log::row_of(&gateway, answer.header("x-request-id").unwrap()).await;
    assert_eq!(row.attempts()[0], (None, Some("upstream_connect".to_owned())));
}

#[tokio::test]
async fn silence_moves_on_after_its_limit_and_lets_go() {
    let setup = Setup::new().env("OMNIROUTE_FIRST_BYTE_TIMEOUT_MS", "400").env("STREAM_IDLE_TIMEOUT_MS", "400");
    let pair = Pair::with(setup).await;
    for (let_go, script) in (1..).zip([Script::stall_before_head(), Script::sse([chat::role()]).stall_after(1)]) {
        pair.first.script(script);
        let events = pair.stream().stream().await.rest().await;
        completed(&events);
        pair.first.until("the silent one is let go", |counts| counts.aborted == let_go).await;
    }
    assert_eq!(pair.tried(), (2, 2));
}

#[tokio::test]
async fn what_fails_everywhere_is_not_tried_again() {
    let pair = Pair::start().await;
    let cases = [
        (failure::bad_request(), 400, "invalid_value"),
        (failure::context_length(), 400, "context_length_exceeded"),
        (failure::too_large(), 413, "request_too_large"),
        (Script::error(422, failure::body("`top_k` is extra.", "invalid_request_error", "")), 400, "bad_request"),
    ];
    for (number, (script, status, code)) in cases.into_iter().enumerate() {
        pair.first.script(script);
        let answer = pair.whole().send().await;
        refused(&answer, status, code);
        assert_eq!(pair.tried(), (number + 1, 0), "{code}: one try");
    }
    assert_eq!(pair.first.chats().len(), 4);
}

#[tokio::test]
async fn a_wrong_field_is_named_to_the_client() {
    let pair = Pair::start().await;
    pair.first.script(failure::bad_request());
    let answer = pair.whole().send().await;
    assert_eq!(answer.json()["error"]["param"], "temperature");
    assert!(answer.text().contains("Invalid value for 'temperature'"), "{}", answer.text());
}

#[tokio::test]
async fn when_all_fail_the_last_honest_error_is_told() {
    let pair = Pair::start().await;
    pair.first.script(failure::server_error());
    pair.second.script(failure::rate_limited(17));
    let answer = pair.whole().send().await;
    let message = refused(&answer, 429, "rate_limit_exceeded");
    assert_eq!(
        (answer.header("retry-after"), message.contains("Rate limit reached.")),
        (Some("17"), true),
        "{message}"
    );
    pair.first.script(failure::rate_limited(17));
    pair.second.script(failure::bad_key());
    let answer = pair.stream().send().await;
    refused(&answer, 502, "upstream_auth");
    pair.first.script(failure::server_error());
    pair.second.script(failure::overloaded());
    let answer = pair.whole().send().await;
    refused(&answer, 503, "overloaded");
    assert!(answer.header("retry-after").is_some(), "an answer that invites another try names a wait");
    let row = log::row_of(&pair.gateway, answer.header("x-request-id").unwrap()).await;
    let attempts = row.attempts();
    let statuses: Vec<_> = attempts.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [Some(500), Some(503)], "{attempts:?}");
}

#[tokio::test]
async fn after_the_first_word_nobody_else_is_asked() {
    let pair = Pair::start().await;
    pair.first.script(failure::error_after_output());
    pair.first.script(failure::truncated());
    for _ in 0..2 {
        let events = pair.stream().stream().await.rest().await;
        assert!(events.iter().any(|event| event.text().contains("\"error\"")), "{events:?}");
        assert_eq!(said(&events), "Half an");
    }
    assert_eq!(pair.tried(), (2, 0));
}

#[tokio::test]
async fn accounts_of_one_address_differ_by_their_key() {
    let gateway = Gateway::start().await;
    let provider = Provider::start().await;
    connect(&gateway, "mk", &provider.base_url(), "key-one").await;
    connect(&gateway, "mk", &provider.base_url(), "key-two").await;
    provider.always_when(When::Key("key-one".into()), failure::rate_limited(60));
    let answer = gateway.chat(ask("mk/m")).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let keys: Vec<_> = provider.chats().iter().map(|seen| seen.bearer().unwrap().to_owned()).collect();
    assert_eq!(keys, ["key-one", "key-two"]);
}

#[tokio::test]
async fn a_connection_that_dies_as_it_is_used_again_is_replaced_unnoticed() {
    let scene = Scene::start().await;
    for ending in [Ending::Close, Ending::Reset] {
        let before = scene.provider.counts();
        scene.provider.script(chat::greeting().script().refuse_reuse(ending));
        scene.provider.script(chat::weather().script().refuse_reuse(ending));
        assert_eq!(scene.ask().await.text(), chat::greeting().reply);
        let answer = scene.ask().await;
        assert_eq!((answer.status, answer.text()), (200, chat::weather().reply), "{ending:?}");
        let counts = scene.provider.counts();
        assert_eq!(counts.answered - before.answered, 2, "{ending:?}: each was answered once");
        assert!(counts.refused > before.refused, "{ending:?}: the used connection was tried, or this shows nothing");
        let row = scene.row_of(answer.header("x-request-id").unwrap()).await;
        assert_eq!(row.attempts().len(), 1, "{ending:?}: the client's one request is one attempt: {row:?}");
    }
}

#[tokio::test]
async fn a_request_is_sent_once_more_only_when_no_byte_of_an_answer_came() {
    let scene = Scene::start().await;
    assert_eq!(scene.ask().await.status, 200, "the connection is warm");
    scene.provider.script(chat::greeting().whole().reset_after(20));
    refused(&scene.ask().await, 502, "upstream_connection_lost");
    assert_eq!(scene.provider.chats().len(), 2, "half an answer is not asked for again");
    scene.provider.script(Script::close_before_head());
    let on_fresh = scene.ask().await;
    refused(&on_fresh, 502, "upstream_connection_lost");
    assert_eq!(scene.provider.chats().len(), 3, "nor is a fresh connection that dies");
}

#[tokio::test]
async fn connections_are_used_again() {
    let scene = Scene::start().await;
    for _ in 0..20 {
        assert_eq!(scene.ask().await.status, 200);
        let events = scene.ask_stream().stream().await.rest().await;
        completed(&events);
    }
    let accepted = scene.provider.counts().accepted;
    assert!(accepted <= 3, "{accepted} connections for 40 requests in a row");
}
