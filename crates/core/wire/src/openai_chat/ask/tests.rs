use omniroute_domain::block::CacheMark;
use omniroute_domain::block::{Block, BlockBody, Document, Image, Source, Thinking, ToolCall, ToolInput, ToolResult};
use omniroute_domain::opaque::{Family, Opaque, OpaqueKind};
use omniroute_domain::request::{
    MaxOutput, OutputFormat, Priority, ReasoningMode, Role, SystemBlock, Tool, ToolBody, ToolChoice, Turn,
};
use omniroute_domain::{ChatRequest, Format, Raw, Severity};
use serde_json::{Value, json};

use super::{decode, encode};
use crate::openai_chat::types::DecodeError;

/// A request with some fields beside the model and one message.
fn with(fields: &str) -> ChatRequest {
    read(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],{fields}}}"#))
}

fn read(body: &str) -> ChatRequest {
    decode(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn written(request: &ChatRequest) -> Value {
    serde_json::from_slice(&encode(request).0).expect("valid JSON")
}

/// What fields become when a request is read and written again.
#[track_caller]
fn rewrites(fields: &str, expected: &Value) {
    let mut all = written(&with(fields));
    let object = all.as_object_mut().expect("an object");
    object.remove("model");
    object.remove("messages");
    assert_eq!(all, *expected, "{fields}");
}

/// A message that comes out as it went in.
#[track_caller]
fn keeps(message: &Value) {
    messages(&json!([{"role": "user", "content": "x"}, message]), &json!([{"role": "user", "content": "x"}, message]));
}

#[track_caller]
fn messages(before: &Value, after: &Value) {
    let body = json!({"model": "m", "messages": before}).to_string();
    assert_eq!(written(&read(&body))["messages"], *after, "{before}");
}

/// A request of another format.
fn foreign(turns: Vec<Turn>) -> ChatRequest {
    ChatRequest { turns, ..ChatRequest::new("m", Format::Anthropic) }
}

fn call(id: &str, name: &str, arguments: &str) -> Block {
    let input = ToolInput::Json(arguments.into());
    Block::new(BlockBody::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        namespace: None,
        input,
        state: None,
        item_id: None,
    }))
}

fn image() -> Block {
    let source = Source::Base64 { mime: "image/png".into(), data: "AA==".into() };
    Block::new(BlockBody::Image(Image { source, detail: None, state: None }))
}

#[test]
fn what_is_no_request_says_why() {
    let error = |body: &[u8]| decode(body).map(|_| ()).expect_err("no request");
    for body in [&b""[..], b"[]", b"{", b"\xff", b"null"] {
        assert_eq!(error(body), DecodeError::NotAnObject);
    }
    assert_eq!(error(b"{}"), DecodeError::Missing { path: "model" });
    assert_eq!(error(br#"{"model":"m","messages":null}"#), DecodeError::Missing { path: "messages" });
    assert_eq!(error(br#"{"model":7,"messages":[]}"#), DecodeError::Wrong { path: "model".into(), expected: "a text" });
    assert_eq!(error(br#"{"model":"m","messages":{}}"#).path(), Some("messages"));
    assert_eq!(error(br#"{"model":"m","messages":[{},7]}"#).to_string(), "`messages[1]` is not an object");
}

#[test]
fn numbers_keep_their_text() {
    let request = with(r#""temperature":1.0,"seed":9007199254740993,"logit_bias":{"5":-100},"top_p":1e-1"#);
    assert_eq!(request.sampling.seed.as_ref().map(Raw::get), Some("9007199254740993"));
    let body = String::from_utf8(encode(&request).0).expect("text");
    for field in [r#""temperature":1.0"#, r#""seed":9007199254740993"#, r#""top_p":1e-1"#, r#""logit_bias":{"5":-100}"#]
    {
        assert!(body.contains(field), "{field} in {body}");
    }
}

#[test]
fn what_is_unknown_or_misshapen_goes_back_as_it_came() {
    let odd = r#""min_p":0.05,"n":"2","stop":[1],"user":7,"stream_options":{"include_obfuscation":false},"modalities":"text","tools":{},"top_logprobs":-1,"metadata":{"a":"b"}"#;
    rewrites(odd, &serde_json::from_str(&format!("{{{odd}}}")).expect("valid"));
    rewrites(r#""user":null,"stream":false,"tools":[],"n":null"#, &json!({}));
}

#[test]
fn stops_are_a_list_without_empty_ones() {
    rewrites(r#""stop":"a""#, &json!({"stop": "a"}));
    rewrites(r#""stop":["a","","b"]"#, &json!({"stop": ["a", "b"]}));
    rewrites(r#""stop":"""#, &json!({}));
    rewrites(r#""stop":[]"#, &json!({}));
}

#[test]
fn the_newer_limit_counts_and_none_is_no_limit() {
    // case 195
    let limit = |fields: &str| with(fields).max_output.map(|limit| (limit.tokens, limit.legacy_field));
    assert_eq!(limit(r#""max_tokens":5"#), Some((5, true)));
    assert_eq!(limit(r#""max_tokens":5,"max_completion_tokens":7"#), Some((7, false)));
    for none in ["0", "-1", "null"] {
        assert_eq!(limit(&format!(r#""max_tokens":{none}"#)), None);
        rewrites(&format!(r#""max_tokens":{none}"#), &json!({}));
    }
    rewrites(r#""max_tokens":5"#, &json!({"max_tokens": 5}));
    rewrites(r#""max_completion_tokens":7.0"#, &json!({"max_completion_tokens": 7}));
}

#[test]
fn stream_options_are_taken_apart_and_put_together() {
    let request = with(r#""stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}"#);
    assert!(request.stream && request.stream_usage);
    let options = json!({"include_usage": true, "include_obfuscation": false});
    assert_eq!(written(&request)["stream_options"], options);
    let mut asked_for_us = with(r#""stream":true,"stream_options":{"include_usage":false}"#);
    assert!(!asked_for_us.stream_usage);
    asked_for_us.stream_usage = true;
    assert_eq!(written(&asked_for_us)["stream_options"], json!({"include_usage": true}), "what we ask for wins");
}

#[test]
fn formats_are_read_and_written() {
    let schema = r#""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true,"x":1},"y":2}"#;
    rewrites(schema, &serde_json::from_str(&format!("{{{schema}}}")).expect("valid"));
    rewrites(r#""response_format":{"type":"text"}"#, &json!({}));
    rewrites(r#""response_format":{"type":"json_object"}"#, &json!({"response_format": {"type": "json_object"}}));
    // case 199
    rewrites(
        r#""response_format":{"type":"json_schema","json_schema":{"name":"n"}}"#,
        &json!({"response_format": {"type": "json_object"}}),
    );
    let grammar = r#""response_format":{"type":"grammar","grammar":"g"}"#;
    assert!(matches!(with(grammar).output_format, OutputFormat::Other(_)));
    rewrites(grammar, &json!({"response_format": {"type": "grammar", "grammar": "g"}}));
}

#[test]
fn every_way_to_ask_for_reasoning_is_understood_and_kept() {
    let level = |word: &str| ReasoningMode::Level(word.into());
    for (fields, mode) in [
        (r#""reasoning_effort":"high""#, level("high")),
        (r#""reasoning_effort":"none""#, ReasoningMode::Off),
        (r#""reasoning":{"effort":"low"}"#, level("low")),
        (r#""reasoning":{"max_tokens":900,"exclude":true}"#, ReasoningMode::Budget(900)),
        (r#""reasoning":{"enabled":true}"#, ReasoningMode::Auto),
        (r#""thinking":{"type":"disabled"}"#, ReasoningMode::Off),
        (r#""thinking":{"type":"enabled","budget_tokens":5}"#, ReasoningMode::Budget(5)),
        (r#""enable_thinking":false"#, ReasoningMode::Off),
        (r#""chat_template_kwargs":{"thinking":true}"#, ReasoningMode::Auto),
        (r#""reasoning_effort":"high","thinking":{"type":"disabled"}"#, level("high")),
        (r#""reasoning":"fast""#, ReasoningMode::Unset),
    ] {
        assert_eq!(with(fields).reasoning.mode, mode, "{fields}");
        rewrites(fields, &serde_json::from_str(&format!("{{{fields}}}")).expect("valid"));
    }
    assert_eq!(with(r#""reasoning":{"exclude":true}"#).reasoning.display.as_deref(), Some("omitted"));
}

#[test]
fn a_budget_of_another_format_becomes_a_level() {
    for (budget, effort) in
        [(0, "none"), (512, "minimal"), (1024, "low"), (8192, "medium"), (24576, "high"), (24577, "xhigh")]
    {
        let mut request = foreign(vec![]);
        request.reasoning.mode = ReasoningMode::Budget(budget);
        assert_eq!(written(&request)["reasoning_effort"], effort);
    }
}

#[test]
fn tools_of_every_kind_come_back() {
    let tools = r#""tools":[
        {"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","title":"kept"},"strict":false,"x":1},"cache_control":{"type":"ephemeral"}},
        {"type":"custom","custom":{"name":"g","description":"d","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"s"}}}},
        {"type":"web_search_preview","search_context_size":"low"}],
        "tool_choice":"auto","parallel_tool_calls":false"#;
    let request = with(tools);
    assert!(matches!(&request.tools[2].body, ToolBody::Hosted { kind, .. } if kind == "web_search_preview"));
    rewrites(tools, &serde_json::from_str(&format!("{{{tools}}}")).expect("valid"));
}

#[test]
fn old_and_leaked_tools_become_todays() {
    let expected =
        json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "tool_choice": "none"});
    rewrites(r#""functions":[{"name":"f","parameters":{}}],"function_call":"none""#, &expected);
    for entry in [
        r#"{"type":"function","name":"f","parameters":{}}"#,
        r#"{"name":"f","input_schema":{}}"#,
        r#"{"function":{"name":"f","parameters":{}}}"#,
    ] {
        rewrites(&format!(r#""tools":[{entry}],"tool_choice":"none""#), &expected);
    }
}

#[test]
fn choices_are_read_in_every_spelling() {
    let tool = |name: &str, freeform| ToolChoice::Tool { name: name.into(), freeform };
    for (value, choice, written_as) in [
        (r#""any""#, ToolChoice::Required, json!("required")),
        (r#"{"type":"any"}"#, ToolChoice::Required, json!("required")),
        (r#"{"type":"auto"}"#, ToolChoice::Auto, json!("auto")),
        (
            r#"{"type":"function","function":{"name":"f"}}"#,
            tool("f", false),
            json!({"type": "function", "function": {"name": "f"}}),
        ),
        (r#"{"type":"function","name":"f"}"#, tool("f", false), json!({"type": "function", "function": {"name": "f"}})),
        (r#"{"type":"tool","name":"f"}"#, tool("f", false), json!({"type": "function", "function": {"name": "f"}})),
        (r#"{"name":"f"}"#, tool("f", false), json!({"type": "function", "function": {"name": "f"}})),
        (
            r#"{"type":"custom","custom":{"name":"f"}}"#,
            tool("f", true),
            json!({"type": "custom", "custom": {"name": "f"}}),
        ),
    ] {
        let request = with(&format!(r#""tools":[{{"name":"f"}}],"tool_choice":{value}"#));
        assert_eq!(request.tool_choice, Some(choice), "{value}");
        assert_eq!(written(&request)["tool_choice"], written_as, "{value}");
    }
    for kept in [
        r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function"}]}}"#,
        r#"{"type":"odd"}"#,
        "7",
    ] {
        let request = with(&format!(r#""tools":[{{"name":"f"}}],"tool_choice":{kept}"#));
        assert_eq!(written(&request)["tool_choice"].to_string(), kept);
    }
}

#[test]
fn a_choice_without_tools_is_dropped_and_noted() {
    let (body, losses) = encode(&with(r#""tool_choice":"required","parallel_tool_calls":true"#));
    assert!(!String::from_utf8_lossy(&body).contains("tool_"));
    assert_eq!(
        losses.iter().map(|loss| loss.path.as_str()).collect::<Vec<_>>(),
        ["tool_choice", "parallel_tool_calls"]
    );
}

#[test]
fn leading_instructions_are_the_system_text() {
    let all = json!([
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]},
        {"role": "user", "content": "x"},
        {"role": "system", "content": "d"},
    ]);
    messages(&all, &all);
    let request = read(&json!({"model": "m", "messages": all}).to_string());
    let system: Vec<_> =
        request.system.iter().map(|block| (block.priority, block.block.as_text(), block.message)).collect();
    let expected =
        [(Priority::System, Some("a"), 0), (Priority::Developer, Some("b"), 1), (Priority::Developer, Some("c"), 1)];
    assert_eq!(system, expected);
    assert_eq!(request.turns[1].role, Role::System(Priority::System), "a later one keeps its place");
    let named = json!([{"role": "system", "content": "a", "name": "n"}, {"role": "user", "content": "x"}]);
    messages(&named, &named);
}

#[test]
fn every_part_comes_back() {
    keeps(&json!({"role": "user", "name": "n", "vendor": 1, "content": [
        {"type": "text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "1h"}},
        {"type": "text", "text": "u", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low", "x": 1}},
        {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": "AA==", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "video_url", "video_url": {"url": "https://x.example/a.mp4"}},
        {"type": "odd", "odd": {"deep": [1, 2.50]}},
    ]}));
}

#[test]
fn an_assistants_message_comes_back() {
    keeps(&json!({
        "role": "assistant", "content": "t", "refusal": "r", "name": "n", "reasoning_content": "why", "vendor": true,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1.0}", "y": 1}, "extra_content": {"google": {"thought_signature": "sig"}}},
            {"id": "b", "type": "custom", "custom": {"name": "g", "input": "free"}},
        ],
    }));
    keeps(&json!({"role": "assistant", "content": null, "audio": {"id": "audio_1"}}));
    keeps(&json!({"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}));
    keeps(&json!({"role": "assistant", "content": "t", "reasoning_details": [
        {"type": "reasoning.text", "text": "t", "signature": "E1", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.summary", "summary": "s", "id": "rs_1"},
        {"type": "reasoning.encrypted", "data": "gAAAA", "format": "azure-openai-responses-v1"},
    ]}));
}

#[test]
fn states_are_read_with_their_provenance() {
    let body = r#"{"model":"m","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"Esig"},{"type":"thinking","thinking":"u","signature":"?"}],
        "tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"g"}}}]}]}"#;
    let blocks = read(body).turns.remove(0).blocks;
    let families: Vec<Option<Family>> = blocks
        .iter()
        .map(|block| match &block.body {
            BlockBody::Thinking(thinking) => thinking.state.as_ref().map(|state| state.family),
            BlockBody::ToolCall(call) => call.state.as_ref().map(|state| state.family),
            _ => None,
        })
        .collect();
    assert_eq!(families, [Some(Family::Anthropic), Some(Family::Unknown), Some(Family::Gemini)]);
}

#[test]
fn the_same_reasoning_twice_is_read_once() {
    let body = r#"{"model":"m","messages":[{"role":"assistant","content":"x","reasoning":"t","reasoning_content":"t","reasoning_details":[{"type":"reasoning.text","text":"t"}]}]}"#;
    let request = read(body);
    let thoughts = request.turns[0].blocks.iter().filter(|block| matches!(block.body, BlockBody::Thinking(_)));
    assert_eq!(thoughts.count(), 1);
}

#[test]
fn results_answer_calls_even_without_an_id() {
    // case 121
    let all = json!([
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "a", "function": {"name": "f", "arguments": ""}}, {"id": "b", "function": {"name": "g", "arguments": ""}},
            {"id": "c", "function": {"name": "f", "arguments": ""}}]},
        {"role": "tool", "content": "1"},
        {"role": "tool", "name": "f", "content": "2"},
        {"role": "tool", "tool_call_id": "b", "content": "3"},
        {"role": "tool", "content": "4"},
    ]);
    let request = read(&json!({"model": "m", "messages": all}).to_string());
    let answered: Vec<&str> = request.turns[1..]
        .iter()
        .map(|turn| match &turn.blocks[0].body {
            BlockBody::ToolResult(result) => result.call_id.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(answered, ["a", "c", "b", ""]);
}

#[test]
fn old_function_messages_become_calls_and_results() {
    let all = json!([
        {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "18C"},
    ]);
    let id = crate::openai_chat::ids::call_id(["0", "", "0", "f"]);
    messages(
        &all,
        &json!([
            {"role": "assistant", "content": null, "tool_calls": [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": id, "name": "f", "content": "18C"},
        ]),
    );
}

#[test]
fn blocks_that_leaked_from_anthropic_become_this_formats_own() {
    let all = json!([
        {"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
            {"type": "image", "image": "AA==", "mediaType": "image/png"},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}, "title": "a.txt"},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "why", "signature": ""},
            {"type": "text", "text": "t"},
            {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        ]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "r"}]}, {"type": "text", "text": "go on"}]},
    ]);
    let picture = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    messages(
        &all,
        &json!([
            {"role": "user", "content": [picture, picture, {"type": "text", "text": "[a.txt]\nwords"}]},
            {"role": "assistant", "content": "t", "reasoning_content": "why",
             "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}}]},
            {"role": "tool", "tool_call_id": "a", "content": "r"},
            {"role": "user", "content": "go on"},
        ]),
    );
}

#[test]
fn parts_nested_without_end_stay_as_they_are() {
    let nested =
        (0..40).fold(json!("x"), |inner, _| json!([{"type": "tool_result", "tool_use_id": "a", "content": inner}]));
    let body = json!({"model": "m", "messages": [{"role": "user", "content": nested}]}).to_string();
    assert!(encode(&read(&body)).0.len() > 40);
}

#[test]
fn odd_roles_are_users() {
    messages(
        &json!([{"content": "a"}, {"role": "model", "content": "b"}]),
        &json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]),
    );
    messages(&json!([{"role": "critic", "content": "a"}]), &json!([{"role": "user", "content": "a"}]));
}

#[test]
fn content_of_no_kind_we_know_comes_back() {
    for role in ["user", "assistant"] {
        keeps(&json!({"role": role, "content": 7, "x": true}));
    }
    // case 130
    for (content, text) in
        [(json!({"temp": 18}), "{\"temp\":18}"), (json!(null), ""), (json!(18), "18"), (json!([]), "")]
    {
        let call = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
        messages(
            &json!([call, {"role": "tool", "tool_call_id": "a", "content": content}]),
            &json!([call, {"role": "tool", "tool_call_id": "a", "content": text}]),
        );
    }
}

#[test]
fn half_an_emoji_is_text() {
    let request = read(r#"{"model":"m","messages":[{"role":"user","content":"a\ud83c"}],"user":"\ud83c"}"#);
    assert_eq!(request.turns[0].blocks[0].as_text(), Some("a\u{fffd}"));
    assert_eq!(request.session.user.as_deref(), Some("\u{fffd}"));
}

#[test]
fn empty_content_is_none() {
    // cases 127, 128
    let request = read(
        r#"{"model":"m","messages":[{"role":"assistant","content":""},{"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}]}"#,
    );
    assert!(request.turns[0].blocks.is_empty());
    assert_eq!(request.turns[1].blocks.len(), 1);
}

#[test]
fn another_formats_turns_fit_into_messages() {
    let result = |id: &str, blocks: Vec<Block>| {
        let result = ToolResult { call_id: id.into(), name: None, blocks, is_error: Some(true) };
        Block::new(BlockBody::ToolResult(result))
    };
    let state = Opaque { family: Family::Anthropic, model: None, kind: OpaqueKind::Signature, data: "E".into() };
    let thought = Thinking { text: "why".into(), state: Some(state), ..Thinking::default() };
    let mut request = foreign(vec![
        Turn::new(Role::User, vec![Block::text("a"), Block::text("b")]),
        Turn::new(
            Role::Assistant,
            vec![
                Block::new(BlockBody::Thinking(thought)),
                Block::text("A"),
                call("1", "f", "{}"),
                call("2", "f", "{}"),
                Block::text("B"),
            ],
        ),
        Turn::new(
            Role::User,
            vec![
                result("1", vec![Block::text("r"), image()]),
                result("2", vec![Block::text("s"), Block::text("t")]),
                Block::text("next"),
            ],
        ),
    ]);
    let system = |text: &str, message| SystemBlock { priority: Priority::System, block: Block::text(text), message };
    request.system = vec![system("p", 0), system("q", 0)];
    request.max_output = Some(MaxOutput { tokens: 9, legacy_field: true });
    let (body, losses) = encode(&request);
    let body: Value = serde_json::from_slice(&body).expect("valid");
    let function = json!({"name": "f", "arguments": "{}"});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "p\nq"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": "A\nB", "reasoning_content": "why", "tool_calls": [
                {"id": "1", "type": "function", "function": function}, {"id": "2", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": "1", "content": "r"},
            {"role": "tool", "tool_call_id": "2", "content": "s\nt"},
            {"role": "user", "content": [
                {"type": "text", "text": "[tool result image for 1]"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
            {"role": "user", "content": "next"},
        ])
    );
    let what: Vec<&str> = losses.iter().map(|loss| loss.what.as_str()).collect();
    assert_eq!(what, ["order of text and tool calls", "state", "is_error", "is_error"]);
}

#[test]
fn what_another_format_says_and_this_one_cannot_is_in_the_ledger() {
    let raw = |json: &str| Raw::parse(json.into()).expect("valid");
    let kept = |key: &str| vec![(key.to_owned(), raw("1"))];
    let mut text = Block::text("x");
    text.cache = Some(CacheMark { ttl: None, raw: Some(raw(r#"{"type":"ephemeral"}"#)) });
    text.extra = kept("block_key");
    let file = Document {
        source: Source::Url("https://x.example/a.pdf".into()),
        title: None,
        context: None,
        citations: None,
        filename: None,
    };
    let blocks = vec![text, Block::new(BlockBody::Document(file)), Block::new(BlockBody::Unknown(raw("{}")))];
    let mut request =
        foreign(vec![Turn { extra: kept("turn_key"), name: Some("n".into()), ..Turn::new(Role::User, blocks) }]);
    request.extra = kept("request_key");
    request.tools =
        vec![Tool { body: ToolBody::Hosted { kind: "web_search".into(), raw: raw("{}") }, cache: None, extra: vec![] }];
    request.session.previous_response_id = Some("resp_1".into());
    let (body, losses) = encode(&request);
    let body = String::from_utf8(body).expect("text");
    for gone in ["_key", "cache", "web_search", "\"name\""] {
        assert!(!body.contains(gone), "{gone} in {body}");
    }
    let lost: Vec<(&str, Severity)> = losses.iter().map(|loss| (loss.what.as_str(), loss.severity)).collect();
    for expected in [
        ("request_key", Severity::Minor),
        ("turn_key", Severity::Minor),
        ("block_key", Severity::Minor),
        ("cache mark", Severity::Note),
        ("document", Severity::Fatal),
        ("unknown block", Severity::Minor),
        ("web_search", Severity::Minor),
        ("name", Severity::Note),
        ("previous response", Severity::Fatal),
    ] {
        assert!(lost.contains(&expected), "{expected:?} in {lost:?}");
    }
}

#[test]
fn what_an_assistants_message_loses_is_in_the_ledger() {
    let raw = |json: &str| Raw::parse(json.into()).expect("valid");
    let marked = |block: Block| Block {
        cache: Some(CacheMark { ttl: None, raw: None }),
        extra: vec![("k".into(), raw("1"))],
        ..block
    };
    let thought = Block::new(BlockBody::Thinking(Thinking { text: "t".into(), ..Thinking::default() }));
    let compaction = Opaque { family: Family::OpenAi, model: None, kind: OpaqueKind::Encrypted, data: "x".into() };
    let blocks = vec![
        marked(Block::text("x")),
        marked(thought),
        marked(call("a", "f", "{}")),
        Block::new(BlockBody::Compaction(compaction)),
    ];
    let (_, losses) = encode(&foreign(vec![Turn::new(Role::Assistant, blocks)]));
    let lost: Vec<(&str, &str)> = losses.iter().map(|loss| (loss.path.as_str(), loss.what.as_str())).collect();
    for expected in [
        ("turns[0].blocks[0]", "cache mark"),
        ("turns[0].blocks[0]", "k"),
        ("turns[0].blocks[1]", "cache mark"),
        ("turns[0].blocks[1]", "k"),
        ("turns[0].blocks[2]", "cache mark"),
        ("turns[0].blocks[3]", "block"),
    ] {
        assert!(lost.contains(&expected), "{expected:?} in {lost:?}");
    }
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    let body = r#"{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"x"}],"model":"m"}"#;
    assert_eq!(encode(&read(body)), encode(&read(body)));
}
