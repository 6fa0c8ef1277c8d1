//! Snapshots of what each fixture becomes.

use bytes::BytesMut;
use omniroute_domain::{ChatRequest, ChatResponse, Fault, Loss, StreamEvent};
use omniroute_wire::openai_chat::stream::{Encoder, EncoderOptions};
use omniroute_wire::openai_chat::tap::read_reply;
use omniroute_wire::openai_chat::{ask, fold, reply, unfold};
use serde::Serialize;
use serde_json::{Value, json};

use crate::fixtures::{all, canonical, cut, decode, tap};

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(format!("openai_chat__{name}"), text);
    });
}

/// A canonical form, without what is empty in it.
fn pretty(value: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).expect("serialisable");
    without_nothing(&mut value);
    serde_json::to_string_pretty(&value).expect("serialisable")
}

fn without_nothing(value: &mut Value) {
    if let Value::Array(items) = value {
        items.iter_mut().for_each(without_nothing);
    }
    if let Value::Object(fields) = value {
        fields.values_mut().for_each(without_nothing);
        fields.retain(|_, value| !value.is_null() && *value != json!([]) && *value != json!({}));
    }
}

fn rewritten(body: &[u8], losses: &[Loss]) -> String {
    let body: Value = serde_json::from_slice(body).expect("what we write is JSON");
    let body = serde_json::to_string_pretty(&body).expect("serialisable");
    format!("{body}\n\nlosses: {losses:?}")
}

#[test]
fn requests() {
    for (name, body) in all(".ask.json") {
        let request: ChatRequest = ask::decode(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (written, losses) = ask::encode(&request);
        snapshot(&format!("{name}.ask"), &format!("{}\n\n{}", pretty(&request), rewritten(&written, &losses)));
    }
}

#[test]
fn replies() {
    for (name, body) in all(".reply.json") {
        let response: ChatResponse = reply::decode(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
        let facts = read_reply(&body).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(facts.usage, response.usage, "{name}: the tap and the decoder count the same");
        assert!(facts.is_completion && facts.error.is_none(), "{name}");
        let (written, losses) = reply::encode(&response);
        snapshot(&format!("{name}.reply"), &format!("{}\n\n{}", pretty(&response), rewritten(&written, &losses)));
    }
}

#[test]
fn streams() {
    for (name, stream) in all(".sse") {
        let events = decode(&stream, &[]);
        let lines: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
        let tap = tap(&stream, &[]);
        let seen = format!(
            "finished {}, done {}, failed {}, text {}, usage {}",
            tap.finished(),
            tap.done(),
            tap.failed(),
            tap.text_bytes(),
            pretty(tap.usage())
        );
        let whole = match fold::fold(events.clone()) {
            Ok(response) => pretty(&response),
            Err(fault) => format!("{fault:?}"),
        };
        let text = format!("{}\n\ntap: {seen}\n\nfolded: {whole}\n\nencoded:\n{}", lines.join("\n"), encoded(&events));
        snapshot(&format!("{name}.stream"), &text);
    }
}

fn encoded(events: &[StreamEvent]) -> String {
    let mut encoder =
        Encoder::new(EncoderOptions { include_usage: true, ..EncoderOptions::default() }).for_request("req_1");
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    String::from_utf8(out.to_vec()).expect("text")
}

#[test]
fn a_streamed_answer_is_the_whole_answer() {
    let replies = all(".reply.json");
    let mut compared = 0;
    for (name, stream) in all(".sse") {
        let Some((_, body)) = replies.iter().find(|(reply, _)| *reply == name) else { continue };
        let streamed = fold::fold(decode(&stream, &[])).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let mut whole = reply::decode(body).expect("an answer");
        assert_eq!(tap(&stream, &[]).usage(), &whole.usage, "{name}: streamed or not, the count is the same");
        whole.extra.clear();
        for choice in &mut whole.choices {
            choice.extra.clear();
        }
        assert_eq!(streamed, whole, "{name}");
        compared += 1;
    }
    assert!(compared >= 9, "{compared} pairs");
}

#[test]
fn an_answer_streamed_by_us_is_the_same_answer() {
    for (name, body) in all(".reply.json") {
        let mut whole = reply::decode(&body).expect("an answer");
        let streamed = fold::fold(unfold::events(&whole)).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let written = encoded(&unfold::events(&whole));
        let again =
            fold::fold(decode(written.as_bytes(), &[])).unwrap_or_else(|fault: Fault| panic!("{name}: {fault}"));
        whole.extra.clear();
        for choice in &mut whole.choices {
            choice.extra.clear();
            choice.logprobs = None;
            choice.blocks.retain(|block| {
                !matches!(
                    block.body,
                    omniroute_domain::block::BlockBody::Image(_) | omniroute_domain::block::BlockBody::Audio(_)
                )
            });
            choice.blocks.iter_mut().for_each(plain);
        }
        assert_eq!(streamed, whole, "{name}");
        // What goes over the wire loses the vendor's own word for a reason, the tier and no more.
        assert_eq!(again.usage.input_total, whole.usage.input_total, "{name}");
        let reasons =
            |response: &ChatResponse| response.choices.iter().map(|choice| choice.stop.reason).collect::<Vec<_>>();
        assert_eq!(reasons(&again), reasons(&whole), "{name}");
    }
}

/// A block as a stream can carry it.
fn plain(block: &mut omniroute_domain::Block) {
    block.extra.clear();
    if let omniroute_domain::block::BlockBody::Thinking(thinking) = &mut block.body {
        thinking.item_id = None;
        thinking.redacted = thinking.state.is_some() && thinking.text.is_empty();
        thinking.summary.clear();
    }
    if let omniroute_domain::block::BlockBody::ToolCall(call) = &mut block.body {
        call.state = None;
    }
}

#[test]
fn requests_and_answers_come_back_as_they_were() {
    // The others are in shapes that are rewritten on purpose; their snapshots show how.
    for name in ["tool_round", "everything", "vendor_reasoning"] {
        let (_, body) = all(".ask.json").into_iter().find(|(found, _)| found == name).expect("there");
        let written = ask::encode(&ask::decode(&body).expect("a request")).0;
        assert_eq!(canonical(&written), canonical(&body), "{name}");
    }
    for name in [
        "tool_round",
        "plain_text",
        "two_choices",
        "refusal",
        "cut_arguments",
        "custom_tool",
        "citations",
        "logprobs",
        "audio_and_image",
    ] {
        let (_, body) = all(".reply.json").into_iter().find(|(found, _)| found == name).expect("there");
        let written = reply::encode(&reply::decode(&body).expect("an answer")).0;
        assert_eq!(canonical(&written), canonical(&body), "{name}");
    }
}

#[test]
fn every_cut_of_a_stream_gives_the_same_events_and_the_same_count() {
    for (name, stream) in all(".sse") {
        let whole = format!("{:?}", decode(&stream, &[]));
        let (usage, finished) = {
            let tap = tap(&stream, &[]);
            (tap.usage().clone(), tap.finished())
        };
        let bytes: Vec<u8> = cut(&stream, &[]).concat();
        for place in 0..=stream.len() {
            assert_eq!(format!("{:?}", decode(&stream, &[place])), whole, "{name} cut at {place}");
            let tap = tap(&stream, &[place, place + 1]);
            assert_eq!((tap.usage(), tap.finished()), (&usage, finished), "{name} cut at {place}");
            assert_eq!(cut(&stream, &[place]).concat(), bytes, "{name} cut at {place}");
        }
        let every: Vec<usize> = (0..stream.len()).collect();
        assert_eq!(format!("{:?}", decode(&stream, &every)), whole, "{name} byte by byte");
        assert_eq!(tap(&stream, &every).usage(), &usage, "{name} byte by byte");
    }
}

#[test]
fn a_stream_that_was_cut_off_never_ends_well() {
    for (name, stream) in all(".sse") {
        let text = String::from_utf8_lossy(&stream).into_owned();
        // The first place after which the provider has said that it is done.
        let words =
            ["stop", "length", "tool_calls", "function_call"].map(|word| format!("\"finish_reason\":\"{word}\""));
        let last = words.iter().filter_map(|word| text.rfind(word.as_str()).map(|at| at + word.len())).max();
        for length in 0..last.unwrap_or(stream.len()) {
            let events = decode(&stream[..length], &[]);
            assert!(matches!(events.last(), Some(StreamEvent::Error(_))), "{name} cut at {length}: {events:?}");
            let tap = tap(&stream[..length], &[]);
            let one_choice = name != "two_choices";
            assert!(!(tap.done() || tap.finished() && one_choice), "{name} cut at {length}");
        }
    }
}
