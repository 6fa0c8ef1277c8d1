use omniroute_domain::{FaultKind, MicroUsd, Usage};

use super::{Seen, StreamTap, read_reply};

const TEXT: &str =
    r#"{"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}"#;
const END: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":50,"completion_tokens":20,"total_tokens":70,"prompt_tokens_details":{"cached_tokens":10},"completion_tokens_details":{"reasoning_tokens":5}}}"#;

fn stream(events: &[&str]) -> String {
    events.iter().map(|data| format!("data: {data}\n\n")).collect()
}

/// A tap that has seen each event as its own chunk.
fn tapped(events: &[&str]) -> (StreamTap, Vec<Seen>) {
    let mut tap = StreamTap::new();
    let seen = events.iter().map(|data| tap.see(stream(&[data]).as_bytes())).collect();
    (tap, seen)
}

fn in_out(usage: &Usage) -> (Option<u64>, Option<u64>) {
    (usage.input_total, usage.output_total)
}

#[test]
fn a_whole_stream_gives_its_usage_and_its_end() {
    for one_chunk in [false, true] {
        let all = [TEXT, TEXT, END, USAGE, "[DONE]"];
        let mut tap = StreamTap::new();
        if one_chunk {
            let whole = stream(&all);
            let seen = tap.see(whole.as_bytes());
            assert_eq!(seen.done, Some(whole.len()));
            assert!(whole[seen.usage_only.expect("hidden")].starts_with("data: {\"choices\":[]"));
        } else {
            tap = tapped(&all).0;
        }
        assert!(tap.finished() && tap.done() && !tap.failed());
        assert_eq!(in_out(tap.usage()), (Some(50), Some(20)));
        assert_eq!((tap.usage().cache_read, tap.usage().reasoning), (Some(10), Some(5)));
        assert_eq!(tap.text_bytes(), 4);
    }
}

#[test]
fn an_end_that_was_cut_off_is_no_end() {
    let whole = stream(&[TEXT, END]);
    for length in 0..whole.len() - 2 {
        let mut tap = StreamTap::new();
        tap.see(&whole.as_bytes()[..length]);
        assert!(!tap.finished() && !tap.done(), "cut at {length}");
    }
    let mut tap = StreamTap::new();
    tap.see(whole.trim_end().as_bytes());
    assert!(tap.finished(), "only the blank line is missing");
}

#[test]
fn keys_inside_text_are_no_keys() {
    let trap = r#"{"choices":[{"delta":{"content":"\"finish_reason\":\"stop\" \"usage\":{\"prompt_tokens\":9} \"error\":{\"message\":\"x\"} [DONE]"},"finish_reason":null}]}"#;
    let (tap, seen) = tapped(&[TEXT, trap, trap]);
    assert!(!tap.finished() && !tap.done() && !tap.failed());
    assert_eq!(tap.usage(), &Usage::default());
    assert!(seen[1].useful && seen[1].done.is_none());
}

#[test]
fn a_key_is_a_key_however_it_is_spaced() {
    let spaced = "{\"choices\": [{\"delta\": {\"content\" : \"abc\"}, \"finish_reason\" : \"stop\"}], \"usage\" : {\"prompt_tokens\": 3}}";
    let (tap, _) = tapped(&[TEXT, spaced]);
    assert!(tap.finished());
    assert_eq!((tap.usage().input_total, tap.text_bytes()), (Some(3), 5));
    let mut tap = tapped(&[TEXT]).0;
    tap.see(b"data: {\"choices\":[],\"usage\":\ndata: {\"prompt_tokens\":4}}\n\n");
    assert_eq!(tap.usage().input_total, Some(4), "data split over lines");
}

#[test]
fn what_carries_nothing_is_not_useful() {
    let idle = [
        r#"{"id":"","model":"","object":"","choices":[]}"#,
        r#"{"choices":[{"delta":{"role":"assistant","content":"","tool_calls":[],"reasoning_content":""},"finish_reason":null}]}"#,
        r#"{"choices":[{"delta":{"content":null},"finish_reason":""}]}"#,
        r#"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#,
        "null",
        "",
        "not json",
    ];
    let (tap, seen) = tapped(&idle);
    assert!(seen.iter().all(|seen| !seen.useful && seen.error.is_none() && seen.usage_only.is_none()));
    assert!(!tap.finished());
}

#[test]
fn every_part_of_an_answer_is_useful() {
    for part in [
        r#""content":"x""#,
        r#""content":[{"type":"text","text":"x"}]"#,
        r#""reasoning_content":"x""#,
        r#""reasoning":"x""#,
        r#""refusal":"x""#,
        r#""tool_calls":[{"index":0}]"#,
        r#""function_call":{"name":"f"}"#,
    ] {
        let (_, seen) = tapped(&[&format!(r#"{{"choices":[{{"delta":{{{part}}}}}]}}"#)]);
        assert!(seen[0].useful, "{part}");
    }
    assert!(tapped(&[END]).1[0].useful, "a finish reason");
    assert!(tapped(&[r#"{"choices":[{"message":{"content":"x"}}]}"#]).1[0].useful, "a message for a delta");
}

#[test]
fn text_is_counted_as_it_reads() {
    let delta = |part: &str| format!(r#"{{"choices":[{{"delta":{{{part}}}}}]}}"#);
    for (part, bytes) in [
        (r#""content":"a\nb\"c\\""#, 6),
        (r#""content":"\u00e9\u4e2d\ud83c\udf89\u0041""#, 10),
        ("\"content\":\"é中\u{1f389}\"", 9),
        (r#""reasoning_content":"abc","content":"""#, 3),
        (r#""content":null,"tool_calls":[{"function":{"arguments":"{\"a\":1}"}}]"#, 7),
        (r#""content":[{"type":"thinking","thinking":[{"type":"text","text":"ab"}]},{"type":"text","text":"cd"}]"#, 4),
        (r#""refusal":"no""#, 2),
        (r#""content":"the key \"content\": \"x\"""#, 22),
    ] {
        let (tap, _) = tapped(&[TEXT, &delta(part)]);
        assert_eq!(tap.text_bytes() - 2, bytes, "{part}");
        assert_eq!(tapped(&[&delta(part)]).0.text_bytes(), bytes, "parsed: {part}");
    }
}

#[test]
fn the_last_usage_counts_and_none_is_added_up() {
    let first = r#"{"choices":[{"delta":{"role":"assistant"}}],"usage":{"prompt_tokens":49,"completion_tokens":0}}"#;
    let (tap, _) = tapped(&[first, TEXT, USAGE, USAGE]);
    assert_eq!(in_out(tap.usage()), (Some(50), Some(20)));
}

#[test]
fn usage_is_read_wherever_vendors_put_it() {
    for (data, read, write) in [
        (
            r#"{"choices":[],"usage":{"prompt_tokens":9,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":5}}"#,
            4,
            None,
        ),
        (
            r#"{"choices":[],"usage":{"prompt_tokens":9,"cache_read_input_tokens":4,"cache_creation_input_tokens":2}}"#,
            4,
            Some(2),
        ),
        (
            r#"{"choices":[],"x_groq":{"usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":4}}}}"#,
            4,
            None,
        ),
        (
            r#"{"choices":[{"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":0}}}]}"#,
            4,
            Some(0),
        ),
    ] {
        let (tap, _) = tapped(&[TEXT, data]);
        let usage = tap.usage();
        assert_eq!((usage.input_total, usage.cache_read, usage.cache_write_5m), (Some(9), Some(read), write), "{data}");
    }
}

#[test]
fn usage_is_never_negative_and_never_made_up() {
    for usage in [
        "null",
        "{}",
        "[]",
        "7",
        r#"{"prompt_tokens":null,"completion_tokens":null}"#,
        r#"{"prompt_tokens":-5,"completion_tokens":"7","cost":-1,"prompt_tokens_details":null}"#,
    ] {
        let (tap, seen) = tapped(&[TEXT, &format!(r#"{{"choices":[],"usage":{usage}}}"#)]);
        assert_eq!(tap.usage(), &Usage::default(), "{usage}");
        assert!(seen[1].usage_only.is_none(), "{usage}");
    }
}

#[test]
fn reasoning_that_is_counted_beside_the_output_is_added_to_it() {
    let usage = |output: u64, reasoning: u64, total: u64| {
        let json = format!(
            r#"{{"choices":[],"usage":{{"prompt_tokens":10,"completion_tokens":{output},"total_tokens":{total},"completion_tokens_details":{{"reasoning_tokens":{reasoning}}}}}}}"#
        );
        tapped(&[TEXT, &json]).0.usage().output_total
    };
    assert_eq!(usage(20, 5, 30), Some(20), "inside");
    assert_eq!(usage(1, 386, 397), Some(387), "beside");
    assert_eq!(usage(1, 386, 999), Some(1), "a total that fits neither changes nothing");
}

#[test]
fn several_chunks_on_lines_of_one_event_are_read() {
    let mut tap = tapped(&[TEXT]).0;
    let seen = tap.see(format!("data: {END}\ndata: {USAGE}\n\n").as_bytes());
    assert!(tap.finished() && seen.usage_only.is_none(), "not only usage");
    assert_eq!(tap.usage().input_total, Some(50));
    assert!(tap.see(format!("data: {USAGE}\ndata: {USAGE}\n\n").as_bytes()).usage_only.is_some());
}

#[test]
fn a_cost_is_kept_in_micro_dollars() {
    let (tap, _) = tapped(&[TEXT, r#"{"choices":[],"usage":{"prompt_tokens":1,"cost":0.0001234}}"#]);
    assert_eq!(tap.usage().cost, Some(MicroUsd(123)));
}

#[test]
fn usage_events_in_a_row_are_hidden_together() {
    let whole = stream(&[TEXT, USAGE, USAGE, "[DONE]"]);
    let hidden = StreamTap::new().see(whole.as_bytes()).usage_only.expect("hidden");
    assert_eq!(whole[hidden].matches("\"usage\"").count(), 2);
}

#[test]
fn an_error_ends_the_stream() {
    for (data, kind) in [
        (r#"{"error":{"message":"slow down","code":429}}"#, FaultKind::RateLimit),
        (r#"{"error":{"code":"1302","message":"busy"}}"#, FaultKind::Upstream),
        (r#"{"error":"boom"}"#, FaultKind::Upstream),
        (
            r#"{"error":{"message":"x","type":"overloaded_error"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#,
            FaultKind::Overloaded,
        ),
        (r#"{"choices":[{"delta":{},"finish_reason":"error"}]}"#, FaultKind::Upstream),
    ] {
        let (tap, seen) = tapped(&[TEXT, data, END, USAGE, "[DONE]"]);
        let fault = seen[1].error.as_ref().unwrap_or_else(|| panic!("{data}"));
        assert_eq!((fault.kind, fault.upstream_status), (kind, Some(200)), "{data}");
        assert!(tap.failed() && !tap.finished() && !tap.done(), "nothing after it counts: {data}");
    }
}

#[test]
fn an_answer_that_was_broken_off_is_an_error() {
    for word in ["error", "insufficient_system_resource"] {
        let (tap, seen) = tapped(&[TEXT, &END.replace("stop", word), "[DONE]"]);
        assert!(tap.failed() && !tap.finished() && seen[1].error.is_some(), "{word}");
    }
}

#[test]
fn several_answers_have_finished_when_all_have() {
    let second = END.replace("\"index\":0", "\"index\":1");
    let mut tap = StreamTap::expecting(2);
    for data in [TEXT, END, END] {
        tap.see(stream(&[data]).as_bytes());
        assert!(!tap.finished());
    }
    tap.see(stream(&[&second]).as_bytes());
    assert!(tap.finished());
}

#[test]
fn an_error_that_says_nothing_is_none() {
    for error in ["null", "{}", "\"\"", "[]", "false", r#"{"code":"","message":""}"#, r#"{"code":0,"message":""}"#] {
        let (tap, _) = tapped(&[TEXT, &format!(r#"{{"error":{error},"choices":[{{"delta":{{"content":"x"}}}}]}}"#)]);
        assert!(!tap.failed(), "{error}");
    }
}

#[test]
fn an_event_named_error_is_one_whatever_it_holds() {
    for data in [r#"{"message":"late","code":"rate_limit_exceeded"}"#, "plain words", r#"{"error":{"message":"late"}}"#]
    {
        let mut tap = tapped(&[TEXT]).0;
        let seen = tap.see(format!("event: error\ndata: {data}\n\n").as_bytes());
        assert!(seen.error.is_some() && tap.failed(), "{data}");
    }
    let mut tap = tapped(&[TEXT]).0;
    assert!(tap.see(b"event: message\ndata: {\"choices\":[]}\n\n").error.is_none());
}

#[test]
fn what_comes_after_the_end_is_not_read() {
    let whole = stream(&[TEXT, "[DONE]", USAGE, TEXT]);
    let mut tap = StreamTap::new();
    let seen = tap.see(whole.as_bytes());
    assert_eq!(&whole[..seen.done.expect("an end")], stream(&[TEXT, "[DONE]"]));
    assert_eq!((tap.usage(), tap.text_bytes()), (&Usage::default(), 2));
    assert!(tap.see(stream(&[USAGE]).as_bytes()).usage_only.is_none());
    assert!(StreamTap::new().see(b"data:  [DONE] \n\n").done.is_some());
}

#[test]
fn a_reply_gives_the_same_facts() {
    let reply = r#"{"id":"c1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":50,"completion_tokens":20}}"#;
    let facts = read_reply(reply.as_bytes()).expect("an answer");
    assert_eq!(in_out(&facts.usage), (Some(50), Some(20)));
    assert_eq!((facts.text_bytes, facts.model.as_str(), facts.is_completion), (4, "m", true));
    assert!(facts.error.is_none());
}

#[test]
fn a_failure_with_status_200_is_told() {
    let error = |body: &str| read_reply(body.as_bytes()).expect("json").error.map(|fault| fault.message);
    assert_eq!(error(r#"{"error":{"message":"no credit","code":402}}"#).as_deref(), Some("no credit"));
    assert_eq!(
        error(r#"{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#).as_deref(),
        Some("insufficient balance")
    );
    assert_eq!(error(r#"{"choices":[],"base_resp":{"status_code":0,"status_msg":""}}"#), None);
    assert!(!read_reply(b"{}").expect("json").is_completion);
}

#[test]
fn what_is_no_answer_is_a_fault_that_says_what_it_is() {
    let message = |body: &str| read_reply(body.as_bytes()).map(|_| ()).expect_err("a fault").message;
    assert_eq!(
        message("<!doctype html><title> Bad\nGateway </title><p>x"),
        "the provider answered with a web page: Bad Gateway"
    );
    assert_eq!(message("  "), "the provider answered with an empty body");
    assert_eq!(message(r#"{"choices":[{"mess"#), "the provider's answer is not valid JSON");
}
