//! Chat exchanges as OpenAI-compatible providers give them, each as a whole answer and as a stream
//! that say the same. Written by hand from the wire reference (chat completions; appendix A.1).
//!
//! The texts are exact: tests compare bytes with them. The model is called `m` everywhere.

use crate::request::Request;
use crate::script::Script;

const WHOLE: &str = r#"{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":"#;
const CHUNK: &str = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":["#;

/// One answer in both forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The body of the answer that is not streamed.
    pub reply: String,
    /// The data of the stream's events, without the usage chunk and the end mark.
    pub events: Vec<String>,
    /// The usage chunk (`"choices":[]`), sent to those who ask for it.
    pub usage_event: Option<String>,
}

impl Exchange {
    /// The data of every event of the stream, `[DONE]` included, as those see it who did not ask for
    /// usage.
    pub fn stream(&self) -> Vec<String> {
        self.events.iter().cloned().chain(["[DONE]".to_owned()]).collect()
    }

    /// The same with the usage chunk ahead of `[DONE]`.
    pub fn stream_with_usage(&self) -> Vec<String> {
        let data = self.events.iter().chain(&self.usage_event).cloned();
        data.chain(["[DONE]".to_owned()]).collect()
    }

    /// Answers in the form that the request asks for, as a provider does.
    pub fn script(&self) -> Script {
        let exchange = self.clone();
        Script::inspect(move |request| exchange.script_for(request))
    }

    /// The answer to this request.
    pub fn script_for(&self, request: &Request) -> Script {
        match (request.wants_stream(), request.wants_stream_usage()) {
            (false, _) => self.whole(),
            (true, false) => Script::sse(self.stream()),
            (true, true) => Script::sse(self.stream_with_usage()),
        }
    }

    /// The answer in one piece.
    pub fn whole(&self) -> Script {
        Script::json(self.reply.clone())
    }
}

/// The bytes of a stream of these data.
pub fn stream_bytes(data: &[String]) -> Vec<u8> {
    data.iter().flat_map(|data| format!("data: {data}\n\n").into_bytes()).collect()
}

fn whole(message: &str, finish: &str, usage: &str) -> String {
    let usage = if usage.is_empty() { String::new() } else { format!(r#","usage":{usage}"#) };
    format!(r#"{WHOLE}{message},"logprobs":null,"finish_reason":"{finish}"}}]{usage}}}"#)
}

/// The data of a chunk with this delta.
pub fn chunk(delta: &str) -> String {
    format!(r#"{CHUNK}{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
}

/// The data of the chunk that names the reason of the end.
pub fn finish(reason: &str) -> String {
    format!(r#"{CHUNK}{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#)
}

/// The data of the usage chunk.
pub fn usage_chunk(usage: &str) -> String {
    format!(r#"{CHUNK}],"usage":{usage}}}"#)
}

/// The data of a chunk with a piece of text; `text` is put between quotes as it is.
pub fn text(text: &str) -> String {
    chunk(&format!(r#"{{"content":"{text}"}}"#))
}

/// The first chunk of a stream.
pub fn role() -> String {
    chunk(r#"{"role":"assistant","content":""}"#)
}

/// "Hello there." with 9 tokens in and 3 out.
pub fn greeting() -> Exchange {
    says(&["Hello", " there", "."], r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}"#)
}

/// Says these pieces; `usage` is the usage object.
pub fn says(pieces: &[&str], usage: &str) -> Exchange {
    let message = format!(r#"{{"role":"assistant","content":"{}","refusal":null}}"#, pieces.concat());
    let mut events = vec![role()];
    events.extend(pieces.iter().map(|piece| text(piece)));
    events.push(finish("stop"));
    Exchange { reply: whole(&message, "stop", usage), events, usage_event: Some(usage_chunk(usage)) }
}

/// A text of so many numbered pieces, for tests that count them.
pub fn numbered(pieces: usize) -> Exchange {
    let pieces: Vec<String> = (0..pieces).map(|number| format!("{number} ")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    says(
        &pieces,
        &format!(r#"{{"prompt_tokens":5,"completion_tokens":{0},"total_tokens":{1}}}"#, pieces.len(), pieces.len() + 5),
    )
}

/// An answer without any usage.
pub fn uncounted() -> Exchange {
    let message = r#"{"role":"assistant","content":"No figures.","refusal":null}"#;
    let events = vec![role(), text("No figures."), finish("stop")];
    Exchange { reply: whole(message, "stop", ""), events, usage_event: None }
}

/// Reasoning, a text, and one tool call (appendix A.1), with cached and reasoning tokens.
pub fn weather() -> Exchange {
    let call =
        r#"[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]"#;
    let usage = r#"{"prompt_tokens":50,"completion_tokens":20,"total_tokens":70,"prompt_tokens_details":{"cached_tokens":10},"completion_tokens_details":{"reasoning_tokens":5}}"#;
    let message =
        format!(r#"{{"role":"assistant","content":"Checking.","reasoning_content":"Need tool.","tool_calls":{call}}}"#);
    let events = vec![
        role(),
        chunk(r#"{"reasoning_content":"Need tool."}"#),
        text("Checking."),
        chunk(
            r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]}"#,
        ),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]}"#),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"\"Paris\"}"}}]}"#),
        finish("tool_calls"),
    ];
    Exchange { reply: whole(&message, "tool_calls", usage), events, usage_event: Some(usage_chunk(usage)) }
}

/// The answer once the tool has said "18C".
pub fn weather_told() -> Exchange {
    let usage =
        r#"{"prompt_tokens":80,"completion_tokens":4,"total_tokens":84,"prompt_tokens_details":{"cached_tokens":64}}"#;
    says(&["18 ", "\u{b0}C ", "in Paris."], usage)
}

/// Two calls at once. Their fragments alternate; one is cut inside an escape, and the arguments hold
/// quotes, a backslash, a line feed and letters beyond ASCII.
pub fn parallel_tools() -> Exchange {
    let calls = r#"[{"id":"call_a","type":"function","function":{"name":"read_file","arguments":"{\"path\":\"C:\\\\tmp\\n\"}"}},{"id":"call_b","type":"function","function":{"name":"search","arguments":"{\"q\":\"größe \\\"日本\\\" 𐍈\"}"}}]"#;
    let usage = r#"{"prompt_tokens":120,"completion_tokens":33,"total_tokens":153}"#;
    let message = format!(r#"{{"role":"assistant","content":null,"tool_calls":{calls}}}"#);
    let events = vec![
        chunk(r#"{"role":"assistant","content":null}"#),
        chunk(
            r#"{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"read_file","arguments":""}}]}"#,
        ),
        chunk(
            r#"{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"search","arguments":""}}]}"#,
        ),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"path\":\"C:\\"}}]}"#),
        chunk(r#"{"tool_calls":[{"index":1,"function":{"arguments":"{\"q\":\"größe \\\"日"}}]}"#),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"\\tmp\\n\"}"}}]}"#),
        chunk(r#"{"tool_calls":[{"index":1,"function":{"arguments":"本\\\" 𐍈\"}"}}]}"#),
        finish("tool_calls"),
    ];
    Exchange { reply: whole(&message, "tool_calls", usage), events, usage_event: Some(usage_chunk(usage)) }
}

/// An answer by a JSON schema.
pub fn structured() -> Exchange {
    says(
        &["{\\\"city\\\":", "\\\"Paris\\\",", "\\\"celsius\\\":18}"],
        r#"{"prompt_tokens":31,"completion_tokens":11,"total_tokens":42}"#,
    )
}

/// A refusal: no content, but a `refusal`.
pub fn refusal() -> Exchange {
    let usage = r#"{"prompt_tokens":12,"completion_tokens":6,"total_tokens":18}"#;
    let message = r#"{"role":"assistant","content":null,"refusal":"I can't help with that."}"#;
    let events = vec![
        chunk(r#"{"role":"assistant","content":null,"refusal":""}"#),
        chunk(r#"{"refusal":"I can't help"}"#),
        chunk(r#"{"refusal":" with that."}"#),
        finish("stop"),
    ];
    Exchange { reply: whole(message, "stop", usage), events, usage_event: Some(usage_chunk(usage)) }
}

/// Things no reader of ours knows: odd key order, fields of a vendor, integers beyond 2^53, exponents,
/// escapes that could be written in other ways, spaces. They must come through as they are.
pub fn odd_fields() -> Exchange {
    let usage = r#"{"total_tokens":12, "completion_tokens":3,"prompt_tokens":9,"queue_time":1.0e-3,"prompt_cache_hit_tokens":4,"vendor_units":12345678901234567890}"#;
    let reply = format!(
        r#"{{ "vendor":{{"node":"\u0061b\/c","big":98765432109876543210,"tiny":-0.0e-7}}, "usage":{usage},"choices":[{{"finish_reason":"stop","matched_stop":null,"message":{{"content":"Od\u0064 \ud83d\ude00","role":"assistant","annotations":[]}},"index":0}}],"model":"m","created":1,"object":"chat.completion","id":"c1"}}"#
    );
    let events = vec![
        r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"vendor_seed":98765432109876543210}],"x":{"b":1,"a":2}}"#.to_owned(),
        r#"{ "choices": [ { "delta": { "content": "Od\u0064 \ud83d\ude00" }, "index": 0 } ], "id": "c1", "service_tier":"default" }"#.to_owned(),
        finish("stop"),
    ];
    Exchange { reply, events, usage_event: Some(usage_chunk(usage)) }
}

#[cfg(test)]
mod tests;
