//! Random answers, random events, random and damaged JSON.

use omniroute_domain::block::{Block, BlockBody, Text, Thinking, ToolCall, ToolInput};
use omniroute_domain::event::BlockKind;
use omniroute_domain::opaque::{Family, Opaque, OpaqueKind};
use omniroute_domain::response::Choice;
use omniroute_domain::{ChatResponse, Fault, FaultKind, Stop, StopReason, StreamEvent, Usage};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

/// Text with what texts have that may go wrong.
fn words() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "a",
        "é",
        "\u{1f389}",
        "\"",
        "\\",
        "\n",
        "\r\n",
        "\n\n",
        "data: ",
        "[DONE]",
        "\"usage\":{",
        "\u{2028}",
        "<b>",
        " ",
        "\u{0}",
    ]);
    vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

fn arguments() -> impl Strategy<Value = String> {
    (words(), any::<i32>()).prop_map(|(text, number)| serde_json::json!({"text": text, "n": number}).to_string())
}

fn block() -> impl Strategy<Value = Block> {
    let call = |input: ToolInput, name: &str, id: u32| {
        let (id, name) = (format!("call_{id}"), name.to_owned());
        Block::new(BlockBody::ToolCall(ToolCall { id, name, namespace: None, input, state: None, item_id: None }))
    };
    prop_oneof![
        words().prop_map(Block::text),
        words().prop_map(|text| Block::new(BlockBody::Thinking(Thinking { text, ..Thinking::default() }))),
        (arguments(), any::<u32>()).prop_map(move |(text, id)| call(ToolInput::Json(text), "f", id)),
        (words(), any::<u32>()).prop_map(move |(text, id)| call(ToolInput::Freeform(text), "g", id)),
    ]
}

/// Usage as a provider reports it: details are parts of their totals.
pub(crate) fn usage() -> impl Strategy<Value = Usage> {
    let total = || 0..9_000_000u64;
    (total(), total(), option::of(0..100u64), option::of(0..100u64), option::of(0..100u64)).prop_map(
        |(input, output, read, write, reasoning)| Usage {
            input_total: Some(input),
            output_total: Some(output),
            cache_read: read.map(|part| input * part / 100),
            cache_write_5m: write.map(|part| input * part / 100),
            reasoning: reasoning.map(|part| output * part / 100),
            ..Usage::default()
        },
    )
}

/// An answer as this format can carry it: per choice some reasoning, some text or a refusal, some calls.
pub(crate) fn answer() -> impl Strategy<Value = ChatResponse> {
    let choice = || (option::of(words()), option::of(words()), vec(block(), 0..4), any::<bool>());
    (vec(choice(), 1..3), usage(), any::<u32>()).prop_map(|(choices, usage, created)| {
        let choices = choices.into_iter().map(|(thought, said, blocks, refused)| {
            let thought = thought.map(|text| Block::new(BlockBody::Thinking(Thinking { text, ..Thinking::default() })));
            let said =
                said.map(|words| if refused { Block::new(BlockBody::Refusal(words)) } else { Block::text(words) });
            let calls = blocks.into_iter().filter(|block| matches!(block.body, BlockBody::ToolCall(_)));
            let mut blocks: Vec<Block> = thought.into_iter().chain(said).chain(calls).collect();
            // Every call has an id of its own.
            for (number, block) in blocks.iter_mut().enumerate() {
                if let BlockBody::ToolCall(call) = &mut block.body {
                    call.id = format!("{}_{number}", call.id);
                }
            }
            let called = blocks.iter().any(|block| matches!(block.body, BlockBody::ToolCall(_)));
            let declined = blocks.iter().any(|block| matches!(block.body, BlockBody::Refusal(_)));
            let reason = match (called, declined) {
                (true, _) => Stop::new(StopReason::ToolUse),
                (false, true) => Stop { raw: Some("stop".into()), ..Stop::new(StopReason::Refusal) },
                (false, false) => Stop::new(StopReason::EndTurn),
            };
            Choice { blocks, stop: reason, logprobs: None, extra: vec![] }
        });
        ChatResponse {
            id: "c".into(),
            model: "m".into(),
            created: created.into(),
            choices: choices.collect(),
            usage,
            extra: vec![],
        }
    })
}

/// Any events in any order, as no decoder would give them.
pub(crate) fn any_events() -> impl Strategy<Value = Vec<StreamEvent>> {
    let number = || 0..4u32;
    let kind = prop_oneof![
        Just(BlockKind::Text),
        Just(BlockKind::Thinking),
        Just(BlockKind::Refusal),
        (select(vec!["", "k"]), any::<bool>()).prop_map(|(id, freeform)| BlockKind::ToolCall {
            id: id.into(),
            name: "f".into(),
            freeform
        }),
    ];
    let state = Opaque { family: Family::Gemini, model: None, kind: OpaqueKind::Signature, data: "s".into() };
    let reason = select(vec![StopReason::EndTurn, StopReason::MaxTokens, StopReason::ContentFilter, StopReason::Error]);
    let event = prop_oneof![
        Just(StreamEvent::Start { id: "c".into(), model: "m".into(), created: 7 }),
        (number(), 0..2u32, kind).prop_map(|(block, choice, kind)| StreamEvent::BlockStart { block, choice, kind }),
        (number(), words()).prop_map(|(block, text)| StreamEvent::Text { block, text }),
        (number(), words()).prop_map(|(block, text)| StreamEvent::Thinking { block, text }),
        // Digits are JSON however many there are, so that arguments are whole at every end.
        (number(), select(vec!["1", "27"]))
            .prop_map(|(block, digits)| StreamEvent::ToolInput { block, fragment: digits.into() }),
        number().prop_map(move |block| StreamEvent::State { block, state: state.clone() }),
        number().prop_map(|block| StreamEvent::BlockStop { block }),
        usage().prop_map(StreamEvent::Usage),
        (0..2u32, reason).prop_map(|(choice, reason)| StreamEvent::Finish { choice, stop: Stop::new(reason) }),
        Just(StreamEvent::KeepAlive),
        Just(StreamEvent::End),
        Just(StreamEvent::Error(Fault::new(FaultKind::Upstream, "x", "y"))),
    ];
    vec(event, 0..12)
}

/// Valid JSON objects.
fn object() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("-0.5e+7".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        words().prop_map(|text| serde_json::json!(text).to_string()),
        Just("\"\\u00e9\\ud83c\\udf89\\/\\b\"".to_owned()),
    ];
    let value = scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            vec((words(), inner), 0..4).prop_map(|fields| entries(&fields)),
        ]
    });
    vec((words(), value), 0..5).prop_map(|fields| format!(" {}\n", entries(&fields)))
}

fn entries(fields: &[(String, String)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(key, value)| format!("{}: {value}", serde_json::json!(key))).collect();
    format!("{{{}}}", fields.join(","))
}

/// Objects, some with a few bytes changed, removed or added.
pub(crate) fn maybe_json() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![select(b"{}[]\",:\\ue-+.019tfn \n\x01\x80\xc3".to_vec()), any::<u8>()];
    let damage = vec((any::<usize>(), option::of(byte), any::<bool>()), 0..3);
    (object(), damage).prop_map(|(json, damage)| {
        let mut bytes = json.into_bytes();
        for (place, byte, insert) in damage {
            let place = place % bytes.len();
            match byte {
                Some(byte) if insert => bytes.insert(place, byte),
                Some(byte) => bytes[place] = byte,
                None => {
                    if bytes.len() > 1 {
                        bytes.remove(place);
                    }
                }
            }
        }
        bytes
    })
}

/// Bytes that look like a stream.
pub(crate) fn stream_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        select(vec![
            "data: ", "data:", "event: error", "event: x", ": note", "\n", "\r\n", "\r", "\n\n", "\u{feff}", "[DONE]", "null", "{}",
            r#"{"choices":[{"index":0,"delta":{"content":"x"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"name":"","arguments":"}"}}]}}]}"#,
            r#"{"choices":[{"index":1,"delta":{"reasoning":"x"},"finish_reason":"length"}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":-1,"completion_tokens":3}}"#,
            r#"{"error":{"message":"x"}}"#,
            r#"{"choices":7,"usage":[]}"#,
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        vec(any::<u8>(), 0..6),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Text blocks of an answer, joined, to be compared.
pub(crate) fn text_of(response: &ChatResponse) -> String {
    let blocks = response.choices.iter().flat_map(|choice| &choice.blocks);
    blocks
        .filter_map(|block| match &block.body {
            BlockBody::Text(Text { text, .. }) => Some(text.as_str()),
            BlockBody::Refusal(words) => Some(words.as_str()),
            _ => None,
        })
        .collect()
}
