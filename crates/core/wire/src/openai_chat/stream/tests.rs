//! Numbers in comments are those of the recorded edge cases of this format.

use bytes::BytesMut;
use omniroute_domain::event::BlockKind;
use omniroute_domain::{Fault, FaultKind, Stop, StopReason, StreamEvent, Usage};

use super::{Decoder, Encoder, EncoderOptions};

/// An event in one word or two.
fn short(event: &StreamEvent) -> String {
    match event {
        StreamEvent::Start { id, model, created } => format!("start {id} {model} {created}"),
        StreamEvent::BlockStart { block, choice, kind } => {
            let kind = match kind {
                BlockKind::Text => "text".to_owned(),
                BlockKind::Thinking => "thinking".to_owned(),
                BlockKind::Refusal => "refusal".to_owned(),
                BlockKind::ToolCall { id, name, freeform: false } => format!("call {id} {name}"),
                BlockKind::ToolCall { id, name, freeform: true } => format!("custom {id} {name}"),
            };
            if *choice == 0 { format!("+{block} {kind}") } else { format!("+{block} #{choice} {kind}") }
        }
        StreamEvent::Text { block, text } | StreamEvent::Thinking { block, text } => format!("{block} {text}"),
        StreamEvent::ToolInput { block, fragment } => format!("{block} {fragment}"),
        StreamEvent::State { block, state } => format!("{block} state {:?} {}", state.family, state.data),
        StreamEvent::Citation { block, .. } => format!("{block} citation"),
        StreamEvent::BlockStop { block } => format!("-{block}"),
        StreamEvent::Usage(usage) => format!("usage {:?} {:?}", usage.input_total, usage.output_total),
        StreamEvent::Finish { choice: 0, stop } => format!("finish {:?}", stop.reason),
        StreamEvent::Finish { choice, stop } => format!("finish #{choice} {:?}", stop.reason),
        StreamEvent::End => "end".to_owned(),
        StreamEvent::Error(fault) => format!("error {} {}", fault.kind.as_str(), fault.code),
        StreamEvent::KeepAlive => "alive".to_owned(),
        StreamEvent::Unknown(raw) => format!("unknown {}", raw.get()),
    }
}

/// The events of a stream of data, from the first push to the end of the bytes.
fn decode(data: &[&str]) -> Vec<String> {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for data in data {
        decoder.push_into(data.as_bytes(), &mut events);
    }
    events.extend(decoder.finish());
    events.iter().map(short).collect()
}

/// A chunk with a delta.
fn delta(delta: &str) -> String {
    format!(
        r#"{{"id":"c","model":"m","created":7,"choices":[{{"index":0,"delta":{{{delta}}},"finish_reason":null}}]}}"#
    )
}

fn finish(word: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{word}"}}]}}"#)
}

fn call(fields: &str) -> String {
    delta(&format!(r#""content":"","tool_calls":[{{{fields}}}]"#))
}

/// The events between the start and the end of deltas that are followed by a finish word.
#[track_caller]
fn check(deltas: &[String], word: &str, expected: &[&str]) {
    let ended = finish(word);
    let all: Vec<&str> = deltas.iter().map(String::as_str).chain([ended.as_str(), "[DONE]"]).collect();
    let events = decode(&all);
    let [start, inner @ .., end] = &events[..] else { panic!("{events:?}") };
    assert_eq!((start.as_str(), end.as_str()), ("start c m 7", "end"));
    assert_eq!(inner, expected);
}

/// The last event of a stream.
#[track_caller]
fn ends(data: &[&str], expected: &str) {
    let events = decode(data);
    assert_eq!(events.last().map(String::as_str), Some(expected), "{events:?}");
    let terminal = events.iter().filter(|event| *event == "end" || event.starts_with("error")).count();
    assert_eq!(terminal, 1, "{events:?}");
}

#[test]
fn text_is_one_block_whatever_stands_beside_it() {
    // 28, 232
    let idle = r#""tool_calls":[],"content":"","reasoning_content":"","refusal":null"#;
    check(
        &[
            delta(r#""role":"assistant","content":"""#),
            delta(idle),
            delta(r#""content":"a""#),
            delta(idle),
            delta(r#""content":"b""#),
        ],
        "stop",
        &["+0 text", "0 a", "0 b", "-0", "finish EndTurn"],
    );
    let both =
        r#"{"id":"c","model":"m","created":7,"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"#;
    assert_eq!(decode(&[both, "[DONE]"]), ["start c m 7", "+0 text", "0 x", "-0", "finish EndTurn", "end"]);
}

#[test]
fn a_stream_may_begin_with_a_call_and_without_a_role() {
    // 27
    let first = call(r#""index":0,"id":"k","type":"function","function":{"name":"f","arguments":"{}"}"#);
    check(&[first], "tool_calls", &["+0 call k f", "0 {}", "-0", "finish ToolUse"]);
}

#[test]
fn names_and_ids_stay_what_they_were_first() {
    // 29, 30, 31, 233
    let first = call(r#""index":0,"id":"k","function":{"name":"f","arguments":""}"#);
    for again in [r#""name":"""#, r#""name":null"#, r#""name":7"#, r#""name":"f""#] {
        let next = call(&format!(r#""index":0,"id":"","function":{{{again},"arguments":"{{}}"}}"#));
        check(&[first.clone(), next], "tool_calls", &["+0 call k f", "0 {}", "-0", "finish ToolUse"]);
    }
    let without_index = call(r#""function":{"name":"","arguments":"{}"}"#);
    check(&[first, without_index], "tool_calls", &["+0 call k f", "0 {}", "-0", "finish ToolUse"]);
}

#[test]
fn a_call_waits_for_its_id() {
    // 32, 33
    let named = call(r#""index":0,"function":{"name":"f","arguments":"{\"a\""}"#);
    let more = call(r#""index":0,"id":"k","function":{"arguments":":1}"}"#);
    check(&[named.clone(), more], "tool_calls", &["+0 call k f", "0 {\"a\":1}", "-0", "finish ToolUse"]);
    let rest = call(r#""index":0,"function":{"arguments":":1}"}"#);
    let id = crate::openai_chat::ids::call_id(["c", "0", "0", "f"]);
    check(&[named, rest], "stop", &[&format!("+0 call {id} f"), "0 {\"a\":1}", "-0", "finish ToolUse"]);
}

#[test]
fn a_call_without_a_name_is_dropped_unless_it_is_all_there_is() {
    // 34
    let nameless = call(r#""index":0,"id":"k","function":{"arguments":"{}"}"#);
    check(&[delta(r#""content":"x""#), nameless.clone()], "tool_calls", &["+0 text", "0 x", "-0", "finish EndTurn"]);
    ends(&[&nameless, &finish("tool_calls"), "[DONE]"], "error broken_stream nameless_tool_call");
}

#[test]
fn calls_keep_the_order_of_their_indexes() {
    // 35, 37
    let late = [
        call(r#""index":0,"id":"a","function":{"arguments":"{}"}"#),
        call(r#""index":1,"id":"b","function":{"name":"g","arguments":"{}"}"#),
        call(r#""index":0,"function":{"name":"f"}"#),
    ];
    let both = ["+0 call a f", "0 {}", "+1 call b g", "1 {}", "-0", "-1", "finish ToolUse"];
    check(&late, "tool_calls", &both);
    let reversed = [
        call(r#""index":1,"id":"b","function":{"arguments":"{}"}"#),
        call(r#""index":0,"id":"a","function":{"name":"f","arguments":"{}"}"#),
        call(r#""index":1,"function":{"name":"g"}"#),
    ];
    check(&reversed, "tool_calls", &both);
    let gap = [
        call(r#""index":0,"id":"a","function":{"name":"f","arguments":"{}"}"#),
        call(r#""index":2,"id":"b","function":{"name":"g","arguments":"{}"}"#),
    ];
    check(&gap, "tool_calls", &both);
}

#[test]
fn calls_without_an_index_are_told_apart_by_their_ids() {
    // 36
    let calls = [
        call(r#""id":"a","function":{"name":"f","arguments":"{}"}"#),
        call(r#""id":"b","function":{"name":"f","arguments":"{"}"#),
        call(r#""function":{"arguments":"}"}"#),
    ];
    let expected = ["+0 call a f", "0 {}", "+1 call b f", "1 {", "1 }", "-0", "-1", "finish ToolUse"];
    check(&calls, "tool_calls", &expected);
}

#[test]
fn calls_that_all_have_the_index_0_are_told_apart() {
    let calls = [
        call(r#""index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":\"}\"}"}"#),
        call(r#""index":0,"id":"b","function":{"name":"f","arguments":"{}"}"#),
        call(r#""function":{"name":"g","arguments":"{}"}"#),
    ];
    let g = crate::openai_chat::ids::call_id(["c", "0", "2", "g"]);
    let start = format!("+2 call {g} g");
    let expected =
        ["+0 call a f", "0 {\"q\":\"}\"}", "+1 call b f", "1 {}", &start, "2 {}", "-0", "-1", "-2", "finish ToolUse"];
    check(&calls, "tool_calls", &expected);
}

#[test]
fn interleaved_arguments_stay_apart() {
    // 38, 244
    let open =
        |index: u8, id: &str| call(&format!(r#""index":{index},"id":"{id}","function":{{"name":"f","arguments":""}}"#));
    let more = |index: u8, text: &str| call(&format!(r#""index":{index},"function":{{"arguments":"{text}"}}"#));
    check(
        &[open(0, "a"), open(1, "b"), more(0, r#"{\"x\":\"\\"#), more(1, "{"), more(0, r#"n\"}"#), more(1, "}")],
        "tool_calls",
        &["+0 call a f", "+1 call b f", "0 {\"x\":\"\\", "1 {", "0 n\"}", "1 }", "-0", "-1", "finish ToolUse"],
    );
}

#[test]
fn the_word_is_outweighed_by_what_was_said() {
    // 39, 40
    let whole = call(r#""index":0,"id":"k","function":{"name":"f","arguments":"{}"}"#);
    check(&[whole], "stop", &["+0 call k f", "0 {}", "-0", "finish ToolUse"]);
    check(&[delta(r#""content":"x""#)], "tool_calls", &["+0 text", "0 x", "-0", "finish EndTurn"]);
    let cut = call(r#""index":0,"id":"k","function":{"name":"f","arguments":"{\"a"}"#);
    check(&[cut], "tool_calls", &["+0 call k f", "0 {\"a", "-0", "finish MaxTokens"]);
}

#[test]
fn a_complete_call_that_is_no_json_is_an_error() {
    let broken = call(r#""index":0,"id":"k","function":{"name":"f","arguments":"{a}"}"#);
    ends(&[&broken, &finish("tool_calls"), "[DONE]"], "error upstream broken_tool_call");
}

#[test]
fn only_the_first_finish_counts() {
    // 41
    let text = delta(r#""content":"x""#);
    ends(&[&text, &finish("length"), &finish("stop"), "[DONE]"], "end");
    let events = decode(&[&text, &finish("length"), &finish("stop"), "[DONE]"]);
    assert_eq!(events.iter().filter(|event| event.starts_with("finish")).collect::<Vec<_>>(), ["finish MaxTokens"]);
}

#[test]
fn usage_is_given_as_reported_and_waits_for_the_start() {
    // 42, 43, 45, 249
    let early = r#"{"id":"c","choices":[],"usage":{"prompt_tokens":3}}"#;
    let text = delta(r#""content":"x""#);
    let interim = r#"{"choices":[],"usage":{"prompt_tokens":null,"completion_tokens":null}}"#;
    let last = r#"{"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":9}}"#;
    let events = decode(&[early, &text, interim, &finish("stop"), last, "[DONE]"]);
    assert_eq!(events[..2], ["start c m 7", "usage Some(3) None"]);
    assert_eq!(events.iter().filter(|event| event.starts_with("usage")).count(), 2);
    assert_eq!(events[events.len() - 4..], ["usage Some(4) Some(9)", "-0", "finish EndTurn", "end"]);
}

#[test]
fn usage_that_waits_is_kept_field_by_field() {
    let first = r#"{"id":"c","choices":[],"usage":{"prompt_tokens":3}}"#;
    let second = r#"{"id":"c","choices":[],"usage":{"completion_tokens":1}}"#;
    assert_eq!(decode(&[first, second, &delta(r#""content":"x""#)])[1], "usage Some(3) Some(1)");
}

#[test]
fn reasoning_is_a_block_of_its_own() {
    // 46, 47, 48
    let think = r#""reasoning_content":"t""#;
    let text = delta(r#""content":"x""#);
    check(
        &[delta(think), text.clone(), delta(think)],
        "stop",
        &["+0 thinking", "0 t", "-0", "+1 text", "1 x", "-1", "+2 thinking", "2 t", "-2", "finish EndTurn"],
    );
    let twice =
        delta(r#""reasoning":"t","reasoning_content":"t","reasoning_details":[{"type":"reasoning.text","text":"t"}]"#);
    check(&[twice], "stop", &["+0 thinking", "0 t", "-0", "finish EndTurn"]);
    for one in [r#""reasoning":"t""#, r#""thinking":"t""#, r#""reasoning_content":[{"text":"t"}]"#] {
        check(&[delta(one)], "stop", &["+0 thinking", "0 t", "-0", "finish EndTurn"]);
    }
}

#[test]
fn reasoning_keeps_its_state() {
    let details = |entry: &str| delta(&format!(r#""reasoning_details":[{entry}]"#));
    check(
        &[
            details(r#"{"type":"reasoning.text","text":"t","format":"anthropic-claude-v1","index":0}"#),
            details(r#"{"type":"reasoning.text","signature":"Esig","format":"anthropic-claude-v1","index":0}"#),
            details(r#"{"type":"reasoning.encrypted","data":"gAAAA","format":"openai-responses-v1"}"#),
        ],
        "stop",
        &[
            "+0 thinking",
            "0 t",
            "0 state Anthropic Esig",
            "-0",
            "+1 thinking",
            "1 state OpenAi gAAAA",
            "-1",
            "finish EndTurn",
        ],
    );
}

#[test]
fn content_in_parts_is_taken_apart() {
    // 49
    let parts = r#""content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"x"}]"#;
    check(&[delta(parts)], "stop", &["+0 thinking", "0 t", "-0", "+1 text", "1 x", "-1", "finish EndTurn"]);
}

#[test]
fn nothing_but_reasoning_is_an_answer() {
    // 54
    check(&[delta(r#""reasoning_content":"t""#)], "stop", &["+0 thinking", "0 t", "-0", "finish EndTurn"]);
}

#[test]
fn choices_are_kept_apart() {
    // 55
    let choice = |index: u8, text: &str| {
        format!(r#"{{"id":"c","choices":[{{"index":{index},"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#)
    };
    let end = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"},{"index":1,"delta":{},"finish_reason":"length"}]}"#;
    let events = decode(&[&choice(0, "a"), &choice(1, "b"), &choice(0, "c"), end, "[DONE]"]);
    let expected =
        ["+0 text", "0 a", "+1 #1 text", "1 b", "0 c", "-0", "-1", "finish EndTurn", "finish #1 MaxTokens", "end"];
    assert_eq!(events[1..], expected);
}

#[test]
fn blocks_are_closed_in_their_order() {
    let choice = |index: u8, delta: &str| {
        format!(r#"{{"id":"c","choices":[{{"index":{index},"delta":{{{delta}}},"finish_reason":null}}]}}"#)
    };
    let call = r#""tool_calls":[{"index":0,"id":"k","function":{"name":"f","arguments":"{}"}}]"#;
    let text = r#""content":"x""#;
    let events = decode(&[&choice(0, text), &choice(1, text), &choice(0, call), "[DONE]"]);
    let stops: Vec<&String> = events.iter().filter(|event| event.starts_with('-')).collect();
    assert_eq!(stops, ["-0", "-1", "-2"]);
}

#[test]
fn errors_end_the_stream() {
    // 56
    let text = delta(r#""content":"x""#);
    ends(
        &[&text, r#"{"error":{"message":"x","code":429}}"#, &finish("stop"), "[DONE]"],
        "error rate_limit rate_limit_exceeded",
    );
    ends(&[&text, &finish("error"), "[DONE]"], "error upstream upstream_stopped");
    ends(&[&text, &finish("insufficient_system_resource"), "[DONE]"], "error upstream upstream_stopped");
    ends(&[r#"{"error":"x"}"#], "error upstream bad_gateway");
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for event in crate::sse::events(b"event: error\ndata: late\n\nevent: error\n\n") {
        decoder.push_event(&event, &mut events);
    }
    assert_eq!(events.iter().map(short).collect::<Vec<_>>(), ["error upstream bad_gateway"]);
    assert!(decoder.finish().is_empty());
}

#[test]
fn what_is_no_chunk_is_passed_over() {
    // 57, 58, 231
    let placeholder = r#"{"id":"","model":"","object":"","choices":[]}"#;
    let azure = r#"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#;
    let other = r#"{"object":"gateway.note","choices":[{"index":0,"delta":{"content":"no"}}]}"#;
    let text = delta(r#""content":"x""#);
    let events = decode(&["null", "", placeholder, azure, other, &text, &finish("stop"), "[DONE]", &text]);
    assert_eq!(events, ["start c m 7", "+0 text", "0 x", "-0", "finish EndTurn", "end"]);
}

#[test]
fn figures_count_whatever_object_they_are_in() {
    let other = r#"{"object":"gateway.usage","id":"no","choices":[],"usage":{"prompt_tokens":1}}"#;
    let events = decode(&[&delta(r#""content":"x""#), other, "[DONE]"]);
    assert!(events.contains(&"usage Some(1) None".to_owned()), "{events:?}");
}

#[test]
fn old_and_custom_calls_are_calls() {
    // 59
    let old = [delta(r#""function_call":{"name":"f","arguments":""}"#), delta(r#""function_call":{"arguments":"{}"}"#)];
    let id = crate::openai_chat::ids::call_id(["c", "0", "0", "f"]);
    check(&old, "function_call", &[&format!("+0 call {id} f"), "0 {}", "-0", "finish ToolUse"]);
    let custom = [
        call(r#""index":0,"id":"k","type":"custom","custom":{"name":"g","input":""}"#),
        call(r#""index":0,"custom":{"input":"a b"}"#),
    ];
    check(&custom, "tool_calls", &["+0 custom k g", "0 a b", "-0", "finish ToolUse"]);
}

#[test]
fn a_refusal_is_a_block_and_a_reason() {
    // 60
    let refusal = [delta(r#""refusal":"no""#), delta(r#""refusal":" way""#)];
    check(&refusal, "stop", &["+0 refusal", "0 no", "0  way", "-0", "finish Refusal"]);
}

#[test]
fn a_whole_message_stands_for_deltas_but_never_repeats_them() {
    let whole = r#"{"id":"c","model":"m","created":7,"object":"chat.completion","choices":[{"index":0,"message":{"content":"ab"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#;
    let once = ["start c m 7", "usage Some(1) None", "+0 text", "0 ab", "-0", "finish EndTurn", "end"];
    assert_eq!(decode(&[whole]), once);
    let events = decode(&[&delta(r#""content":"a""#), &delta(r#""content":"b""#), whole]);
    assert_eq!(events, ["start c m 7", "+0 text", "0 a", "0 b", "usage Some(1) None", "-0", "finish EndTurn", "end"]);
}

#[test]
fn only_the_provider_can_end_an_answer_well() {
    // 14, 15, 16
    let text = delta(r#""content":"x""#);
    ends(&[&text, &finish("stop")], "end");
    ends(&[&text, "[DONE]"], "end");
    ends(&[&text], "error broken_stream truncated");
    ends(&[], "error broken_stream truncated");
    ends(&[&delta(r#""role":"assistant""#)], "error broken_stream truncated");
    ends(&["[DONE]"], "error broken_stream empty_answer");
    ends(&[&delta(r#""role":"assistant""#), "[DONE]"], "error broken_stream empty_answer");
    ends(&[&delta(r#""role":"assistant""#), &finish("stop"), "[DONE]"], "end");
    let second = r#"{"choices":[{"index":1,"delta":{"content":"y"},"finish_reason":null}]}"#;
    ends(&[&text, second, &finish("stop")], "error broken_stream truncated");
}

#[test]
fn nothing_is_closed_when_the_stream_breaks() {
    let half = call(r#""index":0,"id":"k","function":{"name":"f","arguments":"{}"}"#);
    assert_eq!(decode(&[&half]), ["start c m 7", "+0 call k f", "0 {}", "error broken_stream truncated"]);
}

#[test]
fn one_unreadable_event_is_passed_over_and_two_are_an_error() {
    // 13
    let text = delta(r#""content":"x""#);
    ends(&[&text, "{\"choi", &finish("stop"), "[DONE]"], "end");
    ends(&[&text, "{\"choi", "<html>", &finish("stop")], "error broken_stream unreadable_stream");
    ends(&["{}{}", "[1]"], "error broken_stream unreadable_stream");
    let mut decoder = Decoder::new();
    decoder.push(b"{");
    assert_eq!(decoder.skipped(), 1);
}

#[test]
fn several_chunks_on_lines_of_one_event_are_read() {
    let lines = format!("{}\n\n{}", delta(r#""content":"x""#), finish("stop"));
    assert_eq!(decode(&[&lines]), ["start c m 7", "+0 text", "0 x", "-0", "finish EndTurn", "end"]);
}

#[test]
fn calls_without_end_are_an_error() {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for index in 0..1100 {
        decoder.push_into(
            call(&format!(r#""index":{index},"id":"k{index}","function":{{"name":"f"}}"#)).as_bytes(),
            &mut events,
        );
    }
    assert!(matches!(events.last(), Some(StreamEvent::Error(fault)) if fault.code == "tool_calls_too_long"));
}

fn encode(options: EncoderOptions, events: &[StreamEvent]) -> String {
    let mut encoder = Encoder::new(options).for_request("req_1");
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn start() -> StreamEvent {
    StreamEvent::Start { id: "c".into(), model: "m".into(), created: 7 }
}

fn text(words: &str) -> [StreamEvent; 2] {
    [
        StreamEvent::BlockStart { block: 0, choice: 0, kind: BlockKind::Text },
        StreamEvent::Text { block: 0, text: words.into() },
    ]
}

fn usage() -> StreamEvent {
    StreamEvent::Usage(Usage { input_total: Some(5), output_total: Some(2), ..Usage::default() })
}

const ROLE: &str = r#"data: {"id":"c","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

"#;

#[test]
fn chunks_come_in_openais_order() {
    let [open, words] = text("x\n");
    let stop = StreamEvent::Finish { choice: 0, stop: Stop::new(StopReason::EndTurn) };
    let options = EncoderOptions { include_usage: true, ..EncoderOptions::default() };
    let all =
        encode(options, &[start(), open, words, StreamEvent::BlockStop { block: 0 }, stop, usage(), StreamEvent::End]);
    let head = r#"data: {"id":"c","object":"chat.completion.chunk","created":7,"model":"m","#;
    let expected = format!(
        "{ROLE}{head}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"x\\n\"}},\"finish_reason\":null}}]}}\n\n\
         {head}\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\n\
         {head}\"choices\":[],\"usage\":{{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}}}}\n\n\
         data: [DONE]\n\n"
    );
    assert_eq!(all, expected);
}

#[test]
fn usage_is_sent_only_where_it_was_asked_for_and_is_known() {
    let asked = |include_usage| EncoderOptions { include_usage, ..EncoderOptions::default() };
    assert!(!encode(asked(false), &[start(), usage(), StreamEvent::End]).contains("usage"));
    assert!(!encode(asked(true), &[start(), StreamEvent::End]).contains("usage"), "a figure is never made up");
    assert!(encode(asked(true), &[start(), usage(), StreamEvent::End]).contains(r#""total_tokens":7"#));
}

#[test]
fn a_broken_stream_ends_with_an_error_and_without_a_finish() {
    let [open, words] = text("x");
    let stop = StreamEvent::Finish { choice: 0, stop: Stop::new(StopReason::EndTurn) };
    let fault = StreamEvent::Error(Fault::new(FaultKind::Timeout, "idle", "too slow"));
    for events in [vec![start(), open, words, stop, fault], vec![start()], vec![]] {
        let all = encode(EncoderOptions::default(), &events);
        assert!(all.ends_with("data: [DONE]\n\n"), "{all}");
        assert!(all.contains("\"error\"") && all.contains("req_1") && !all.contains("\"stop\""), "{all}");
    }
    let stop = StreamEvent::Finish { choice: 0, stop: Stop::new(StopReason::Error) };
    assert!(encode(EncoderOptions::default(), &[start(), stop, StreamEvent::End]).contains("upstream_stopped"));
}

#[test]
fn nothing_comes_after_the_end() {
    let [open, words] = text("x");
    let all = encode(EncoderOptions::default(), &[start(), StreamEvent::End, open, words, StreamEvent::End]);
    assert_eq!(all.matches("[DONE]").count(), 1);
    assert!(!all.contains("\"x\""));
}

#[test]
fn calls_are_numbered_as_they_start() {
    let call = |block, id: &str, freeform| StreamEvent::BlockStart {
        block,
        choice: 0,
        kind: BlockKind::ToolCall { id: id.into(), name: "f".into(), freeform },
    };
    let input = |block, fragment: &str| StreamEvent::ToolInput { block, fragment: fragment.into() };
    let all = encode(
        EncoderOptions::default(),
        &[start(), call(3, "a", false), call(5, "", true), input(5, "x"), input(3, "{}"), StreamEvent::End],
    );
    let id = crate::openai_chat::ids::call_id(["", "0", "1", "f"]);
    for part in [
        r#""tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]"#,
        &format!(r#""tool_calls":[{{"index":1,"id":"{id}","type":"custom","custom":{{"name":"f","input":""}}}}]"#),
        r#""tool_calls":[{"index":1,"custom":{"input":"x"}}]"#,
        r#""tool_calls":[{"index":0,"function":{"arguments":"{}"}}]"#,
        r#""finish_reason":"tool_calls""#,
    ] {
        assert!(all.contains(part), "{part} in {all}");
    }
}

#[test]
fn the_clients_own_id_model_and_time_are_used_where_given() {
    let options = EncoderOptions { id: "mine".into(), model: "p/m".into(), created: 9, include_usage: false };
    let all = encode(options, &[start(), StreamEvent::KeepAlive, StreamEvent::End]);
    assert!(all.contains(r#""id":"mine""#) && all.contains(r#""model":"p/m""#) && all.contains(r#""created":9"#));
    assert!(all.contains(": keep-alive\n\n"));
}
