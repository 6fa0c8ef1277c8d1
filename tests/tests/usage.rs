//! What is counted: each request once, as the provider reports it, the same for a stream as for a
//! whole answer, and marked for what it is.

use omniroute_testkit::{Call, Exchange, Script, chat, failure};
use omniroute_tests::scene::{ask, ask_counted_stream, ask_stream, connect_catalog, manage_key};
use omniroute_tests::{Row, Scene, log};

/// One exchange in every way a client can ask for it.
async fn rows_of(scene: &Scene, exchange: &Exchange) -> [Row; 3] {
    let mut rows = Vec::new();
    for body in [ask("mk/m"), ask_stream("mk/m"), ask_counted_stream("mk/m")] {
        scene.provider.script(exchange.script());
        let answer = scene.chat(body).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        rows.push(scene.row_of(answer.header("x-request-id").unwrap()).await);
    }
    rows.try_into().expect("three rows")
}

#[tokio::test]
async fn a_stream_counts_what_the_same_whole_answer_counts() {
    let scene = Scene::start().await;
    let cases = [
        (chat::greeting(), (9, 3), (None, None)),
        (chat::weather(), (50, 20), (Some(10), Some(5))),
        (chat::weather_told(), (80, 4), (Some(64), None)),
        (chat::parallel_tools(), (120, 33), (None, None)),
        (chat::odd_fields(), (9, 3), (Some(4), None)),
    ];
    for (exchange, (input, output), (cached, reasoning)) in cases {
        for row in rows_of(&scene, &exchange).await {
            assert_eq!(row.tokens(), (Some(input), Some(output)), "{row:?}");
            assert_eq!(row.details(), (cached, reasoning), "{row:?}");
            assert_eq!(
                (row.usage_mark().as_deref(), row.outcome().as_deref()),
                (Some("reported"), Some("ok")),
                "{row:?}"
            );
            assert_eq!(row.attempts().len(), 1, "{row:?}");
        }
    }
}

#[tokio::test]
async fn what_nobody_reported_is_marked_as_estimated() {
    let scene = Scene::start().await;
    for row in rows_of(&scene, &chat::uncounted()).await {
        assert_eq!(row.usage_mark().as_deref(), Some("estimated"), "{row:?}");
        assert!(row.tokens().1.is_some_and(|tokens| tokens > 0), "{row:?}");
    }
}

#[tokio::test]
async fn a_cost_is_unpriced_where_no_price_is_known_and_figured_where_one_is() {
    let scene = Scene::start().await;
    let answer = scene.ask().await;
    let row = scene.row_of(answer.header("x-request-id").unwrap()).await;
    assert_eq!(row.cost_mark().as_deref(), Some("unpriced"), "{row:?}");
    connect_catalog(&scene.gateway, "openai", &scene.provider.base_url(), "k").await;
    let model = priced_model(&scene).await;
    let answer = scene.chat(ask(&model)).send().await;
    let row = scene.row_of(answer.header("x-request-id").unwrap()).await;
    assert_ne!(row.cost_mark().as_deref(), Some("unpriced"), "{model}: {row:?}");
}

/// A chat model of the catalog's `openai` that has a price.
async fn priced_model(scene: &Scene) -> String {
    let listed = scene.gateway.cli(&["models", "--search", "openai/gpt-4.1"]).await;
    let listed = listed.json();
    let models = omniroute_tests::fields::list(&listed);
    let found = models.iter().filter_map(|model| model["id"].as_str()).find(|id| id.starts_with("openai/"));
    found.unwrap_or_else(|| panic!("a model of openai in {listed}")).to_owned()
}

#[tokio::test]
async fn the_sums_agree_with_the_rows() {
    let scene = Scene::start().await;
    for exchange in [chat::greeting(), chat::weather()] {
        rows_of(&scene, &exchange).await;
    }
    scene.provider.script(failure::server_error());
    let failed = scene.ask().await;
    scene.row_of(failed.header("x-request-id").unwrap()).await;
    let key = manage_key(&scene.gateway).await;
    let stats = Call::get(scene.gateway.url(), "/api/usage/stats").key(&key).send().await.json();
    assert_eq!(stats["totalRequests"], 7, "{stats}");
    assert_eq!((&stats["totalPromptTokens"], &stats["totalCompletionTokens"]), (&177.into(), &69.into()), "{stats}");
    assert_eq!(log::rows(&scene.gateway, 7).await.len(), 7);
}

#[tokio::test]
async fn what_ended_just_now_is_counted() {
    let scene = Scene::start().await;
    for asked in 1..=5_u64 {
        scene.provider.script(chat::greeting().script());
        assert_eq!(scene.ask().await.status, 200);
        let said = scene.gateway.cli(&["usage"]).await.json();
        assert_eq!(said["totalRequests"], asked, "without a wait in between: {said}");
    }
}

#[tokio::test]
async fn the_demo_answers_streamed_with_usage_and_its_bad_models_misbehave_as_named() {
    let scene = Scene::start().await;
    let mut echo = scene.chat(ask_counted_stream("demo/echo")).stream().await;
    let events = echo.rest().await;
    omniroute_tests::verdict::completed(&events);
    assert_eq!(omniroute_tests::verdict::said(&events), "Hi");
    assert!(events.iter().any(|event| event.text().contains("\"usage\":{")), "{events:?}");
    let limited = scene.chat(ask("demo/rate-limited")).send().await;
    assert_eq!(limited.status, 429, "{}", limited.text());
    assert!(limited.header("retry-after").is_some(), "a limit names a wait");
    assert_eq!(scene.chat(ask("demo/down")).send().await.status, 503);
    let broken = scene.chat(ask_stream("demo/broken-stream")).stream().await.rest().await;
    let [.., error, done] = &broken[..] else { panic!("{broken:?}") };
    assert!(error.text().contains("\"error\"") && done.is_done(), "{broken:?}");
    assert!(scene.provider.requests().is_empty(), "none of it leaves the machine");
}

#[tokio::test]
async fn a_row_that_was_seen_survives_a_crash() {
    let scene = Scene::start().await;
    scene.provider.script(Script::json(chat::weather().reply));
    let id = scene.ask().await.header("x-request-id").unwrap().to_owned();
    scene.row_of(&id).await;
    let Scene { mut gateway, .. } = scene;
    gateway.kill9();
    let gateway = gateway.restart().await;
    assert_eq!(log::row_of(&gateway, &id).await.tokens(), (Some(50), Some(20)));
}
