//! Streams after their first word: whole events only, at once, to an honest end. A client that leaves
//! ends the provider's work; a gateway that stops lets open streams finish.

use std::time::{Duration, Instant};

use omniroute_testkit::sse::{Event, read_all};
use omniroute_testkit::{Ending, Gate, Script, Setup, Streaming, chat, failure};
use omniroute_tests::Scene;
use omniroute_tests::scene::ask_counted_stream;
use omniroute_tests::verdict::{broken_off, completed, refused, said};

/// Plays a script to a stream and gives all of its events.
async fn events_of(scene: &Scene, script: Script) -> (Streaming, Vec<Event>) {
    scene.provider.script(script);
    let mut stream = scene.ask_stream().stream().await;
    assert_eq!(stream.status, 200, "{stream:?}");
    let events = stream.rest().await;
    assert_eq!(stream.cut(), None, "the answer to the client is whole in any case");
    (stream, events)
}

async fn row_of(scene: &Scene, stream: &Streaming) -> omniroute_tests::Row {
    scene.row_of(stream.header("x-request-id").expect("every answer names its request")).await
}

#[tokio::test]
async fn a_stream_that_ends_without_a_reason_is_an_error_not_a_stop() {
    let scene = Scene::start().await;
    let half = || {
        Script::sse_raw([chat::stream_bytes(&[chat::role()]), chat::stream_bytes(&[chat::text("Half an")]), Vec::new()])
    };
    let cases = [
        (half(), "upstream_truncated"),
        (half().until_close(), "upstream_truncated"),
        (half().ending(Ending::Close), "upstream_connection_lost"),
        (half().ending(Ending::Reset), "upstream_connection_lost"),
        (half().half_chunk("data: {\"id\":\"c1\",\"cho", Ending::Close), "upstream_connection_lost"),
    ];
    for (script, code) in cases {
        let name = format!("{script:?}");
        let gate = Gate::shut();
        scene.provider.script(script.gated(&gate));
        gate.open(2);
        let mut stream = scene.ask_stream().stream().await;
        let mut events = vec![stream.expect_event().await, stream.expect_event().await];
        assert_eq!(said(&events), "Half an", "{name}: what came is passed on");
        gate.open_for_good();
        events.extend(stream.rest().await);
        assert_eq!(stream.cut(), None, "{name}: the answer to the client is whole in any case");
        broken_off(&events, code);
        assert_eq!(said(&events), "Half an", "{name}: and nothing is made up");
        let row = row_of(&scene, &stream).await;
        assert_eq!((row.code().as_deref(), row.outcome().as_deref()), (Some(code), Some("error")), "{name}: {row:?}");
    }
}

#[tokio::test]
async fn an_event_cut_in_half_never_reaches_the_client() {
    let scene = Scene::start().await;
    let data = chat::greeting().stream();
    let whole = chat::stream_bytes(&data);
    let first_words = chat::stream_bytes(&data[..2]).len();
    for cut in (first_words..whole.len() - 20).step_by(41) {
        let (stream, events) = events_of(&scene, Script::sse_raw([whole[..cut].to_vec()])).await;
        let passed = events.iter().filter(|event| event.data.is_some() && !event.is_done());
        for event in passed {
            assert!(serde_json::from_str::<serde_json::Value>(event.text()).is_ok(), "cut at {cut}: {event:?}");
        }
        assert!(events.last().is_some_and(Event::is_done), "cut at {cut}: {:?}", String::from_utf8_lossy(stream.raw()));
    }
}

#[tokio::test]
async fn a_reset_at_any_byte_of_the_stream_ends_in_an_error() {
    let scene = Scene::start().await;
    let head = 160;
    let length = chat::stream_bytes(&chat::numbered(4).stream()).len();
    for cut in (head..head + length).step_by(97) {
        scene.provider.script(Script::sse(chat::numbered(4).stream()).reset_after(cut));
        let answer = scene.ask_stream().send().await;
        if answer.status != 200 {
            refused(&answer, 502, "upstream_connection_lost");
            continue;
        }
        let events = read_all(&answer.body);
        let has = |mark: &str| events.iter().any(|event| event.text().contains(mark));
        assert!(has("\"finish_reason\":\"stop\"") || has("\"error\""), "cut at {cut}: {events:?}");
        assert!(events.last().is_some_and(Event::is_done), "cut at {cut}: {events:?}");
    }
}

#[tokio::test]
async fn an_error_event_amid_a_stream_is_passed_on_and_then_it_ends() {
    let scene = Scene::start().await;
    let (stream, events) = events_of(&scene, failure::error_after_output()).await;
    assert_eq!(said(&events), "Half an");
    let [.., error, done] = &events[..] else { panic!("{events:?}") };
    assert_eq!(error.json()["error"]["message"], "Provider disconnected unexpectedly.");
    assert!(done.is_done(), "SDKs that wait for the end mark must not hang");
    assert_eq!(row_of(&scene, &stream).await.outcome().as_deref(), Some("error"));
    let (_, events) = events_of(&scene, Script::sse([chat::text("Half"), failure::event(), "[DONE]".to_owned()])).await;
    assert_eq!(events.iter().filter(|event| event.is_done()).count(), 1, "one end mark: {events:?}");
}

#[tokio::test]
async fn a_stream_without_its_end_mark_gets_one_when_there_was_a_reason() {
    let scene = Scene::start().await;
    let without_last_line = {
        let mut bytes = chat::stream_bytes(&chat::greeting().stream());
        bytes.truncate(bytes.len() - 2);
        bytes
    };
    let finish_unended = {
        let mut bytes = chat::stream_bytes(&chat::greeting().events);
        bytes.truncate(bytes.len() - 2);
        bytes
    };
    for script in [failure::no_done(), Script::sse_raw([without_last_line]), Script::sse_raw([finish_unended])] {
        let name = format!("{script:?}");
        let (stream, events) = events_of(&scene, script).await;
        completed(&events);
        assert_eq!(said(&events), "Hello there.", "{name}");
        assert_eq!(row_of(&scene, &stream).await.outcome().as_deref(), Some("ok"), "{name}");
    }
}

#[tokio::test]
async fn what_comes_after_the_end_mark_is_dropped() {
    let scene = Scene::start().await;
    let mut data = chat::greeting().stream();
    data.push(chat::text("late"));
    for script in [Script::sse(data.clone()), Script::sse_raw([chat::stream_bytes(&data)])] {
        let (_, events) = events_of(&scene, script).await;
        completed(&events);
        assert_eq!(said(&events), "Hello there.");
    }
}

#[tokio::test]
async fn odd_framing_passes_with_the_same_meaning() {
    let scene = Scene::start().await;
    let plain = chat::stream_bytes(&chat::parallel_tools().stream());
    let text = String::from_utf8(plain.clone()).unwrap();
    let forms = [
        text.replace('\n', "\r\n").into_bytes(),
        text.replace("data: ", "data:").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        format!(": OPENROUTER PROCESSING\n\n{}", text.replace("\n\n", "\n\n: still here\n\n")).into_bytes(),
        text.replace("data: {", "event: chunk\nid: 1\nretry: 10\ndata: {").into_bytes(),
    ];
    let meaning = |events: &[Event]| {
        events.iter().filter(|event| event.data.is_some()).map(|event| event.text().to_owned()).collect::<Vec<_>>()
    };
    let expected = chat::parallel_tools().stream();
    for form in forms {
        let name = String::from_utf8_lossy(&form[..40]).into_owned();
        for size in [1, 7, 1000, form.len()] {
            let pieces: Vec<Vec<u8>> = form.chunks(size).map(<[u8]>::to_vec).collect();
            let (_, events) = events_of(&scene, Script::sse_raw(pieces)).await;
            assert_eq!(meaning(&events), expected, "{name:?} in pieces of {size}");
        }
    }
}

#[tokio::test]
async fn an_event_reaches_the_client_before_the_next_is_there() {
    let scene = Scene::start().await;
    let gate = Gate::shut();
    scene.provider.script(Script::sse(chat::numbered(20).stream()).gated(&gate));
    gate.open(2);
    let mut stream = scene.ask_stream().stream().await;
    assert_eq!(said(&[stream.expect_event().await, stream.expect_event().await]), "0 ");
    for number in 1..20 {
        gate.open(1);
        assert_eq!(said(&[stream.expect_event().await]), format!("{number} "));
    }
    gate.open_for_good();
    stream.rest().await;
}

#[tokio::test]
async fn pieces_of_an_event_are_held_until_it_is_whole() {
    let scene = Scene::start().await;
    let gate = Gate::shut();
    let bytes = chat::stream_bytes(&[chat::text("one"), chat::text("two")]);
    let second = bytes.len() / 2;
    let pieces = [bytes[..second + 30].to_vec(), bytes[second + 30..].to_vec()];
    scene.provider.script(Script::sse_raw(pieces).gated(&gate));
    gate.open(1);
    let mut stream = scene.ask_stream().stream().await;
    stream.expect_event().await;
    assert_eq!(stream.raw(), &bytes[..second], "only the whole event is out");
    gate.open(1);
    assert_eq!(said(&[stream.expect_event().await]), "two");
}

#[tokio::test]
async fn small_events_in_turn_are_not_held_back_by_the_network() {
    const EVENTS: usize = 150;
    let scene = Scene::start().await;
    let gate = Gate::shut();
    scene.provider.script(Script::sse(chat::numbered(EVENTS).stream()).gated(&gate));
    gate.open(2);
    let mut stream = scene.ask_stream().stream().await;
    stream.expect_event().await;
    stream.expect_event().await;
    let begun = Instant::now();
    for _ in 1..EVENTS {
        gate.open(1);
        stream.expect_event().await;
    }
    // With Nagle's algorithm on either socket most of these turns wait 40 ms for an acknowledgement.
    assert!(begun.elapsed() < Duration::from_secs(2), "{EVENTS} turns took {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_providers_work_and_is_recorded() {
    let scene = Scene::start().await;
    let gate = Gate::shut();
    scene.provider.script(Script::sse(chat::numbered(50).stream()).gated(&gate));
    gate.open(4);
    let mut stream = scene.ask_stream().stream().await;
    stream.expect_event().await;
    let id = stream.header("x-request-id").unwrap().to_owned();
    drop(stream);
    scene.provider.until("the abort", |counts| counts.aborted == 1 && counts.open == 0).await;
    let row = scene.row_of(&id).await;
    assert_eq!(row.outcome().as_deref(), Some("client_closed"), "{row:?}");
    assert_eq!(row.usage_mark().as_deref(), Some("estimated"), "nobody reported: {row:?}");
    assert!(row.tokens().1.is_some_and(|tokens| tokens > 0), "what was streamed is counted: {row:?}");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_first_word_ends_the_providers_work_too() {
    let scene = Scene::start().await;
    for script in [Script::stall_before_head(), Script::sse([chat::role()]).stall_after(1)] {
        let before = scene.provider.counts();
        scene.provider.script(script);
        let mut connection = omniroute_testkit::Connection::open(scene.gateway.url()).await;
        scene.ask_stream().put_on(&mut connection).await;
        scene.provider.until("the request", |counts| counts.requests > before.requests).await;
        drop(connection);
        scene.provider.until("the abort", |counts| counts.aborted > before.aborted).await;
    }
}

#[tokio::test]
async fn a_stall_amid_a_stream_ends_in_an_error_within_the_limit() {
    let scene = Scene::with(Setup::new().env("STREAM_IDLE_TIMEOUT_MS", "400")).await;
    let begun = Instant::now();
    let stalled = Script::sse([chat::role(), chat::text("Half an")]).stall_after(2);
    let (stream, events) = events_of(&scene, stalled).await;
    broken_off(&events, "upstream_idle_timeout");
    assert_eq!(said(&events), "Half an");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    scene.provider.until("the provider is let go", |counts| counts.aborted == 1 && counts.open == 0).await;
    assert_eq!(row_of(&scene, &stream).await.code().as_deref(), Some("upstream_idle_timeout"));
}

#[tokio::test]
async fn a_silent_connection_with_comments_is_not_idle() {
    let scene = Scene::with(Setup::new().env("STREAM_IDLE_TIMEOUT_MS", "1500")).await;
    let gate = Gate::shut();
    let mut frames = vec![chat::stream_bytes(&[chat::text("one")])];
    frames.extend((0..6).map(|_| b": working\n\n".to_vec()));
    frames.push(chat::stream_bytes(&[chat::finish("stop"), "[DONE]".to_owned()]));
    scene.provider.script(Script::sse_raw(frames).gated(&gate));
    gate.open(1);
    let mut stream = scene.ask_stream().stream().await;
    let mut tick = tokio::time::interval(Duration::from_millis(400));
    for _ in 0..7 {
        tick.tick().await;
        gate.open(1);
    }
    completed(&stream.rest().await);
}

#[tokio::test]
async fn a_gateway_told_to_stop_lets_open_streams_finish() {
    let scene = Scene::start().await;
    let gate = Gate::shut();
    scene.provider.script(Script::sse(chat::numbered(5).stream()).gated(&gate));
    gate.open(2);
    let mut stream = scene.ask_stream().stream().await;
    stream.expect_event().await;
    let url = scene.gateway.url().to_owned();
    scene.gateway.terminate();
    let address = url.strip_prefix("http://").unwrap();
    omniroute_testkit::wait::eventually("no new connections", || async {
        tokio::net::TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
    gate.open_for_good();
    let events = stream.rest().await;
    completed(&events);
    drop(stream);
    let (_, status) = scene.gateway.ended(Duration::from_secs(10)).await;
    assert!(status.is_some_and(|status| status.success()), "it ends well: {status:?}");
}

#[tokio::test]
async fn a_stream_still_open_at_the_end_of_the_drain_gets_an_error_event() {
    let scene = Scene::with(Setup::new().env("SHUTDOWN_TIMEOUT_MS", "300")).await;
    scene.provider.script(Script::sse([chat::role(), chat::text("Half an")]).stall_after(2));
    let mut stream = scene.chat(ask_counted_stream("mk/m")).stream().await;
    stream.expect_event().await;
    scene.gateway.terminate();
    let events = stream.rest().await;
    broken_off(&events, "shutting_down");
    let (_, status) = scene.gateway.ended(Duration::from_secs(10)).await;
    assert!(status.is_some_and(|status| status.success()), "it ends well: {status:?}");
}
