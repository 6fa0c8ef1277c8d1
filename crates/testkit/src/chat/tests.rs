//! Both forms of every exchange say the same, and both are what a client's JSON reader takes.

use serde_json::Value;

use super::{
    Exchange, greeting, numbered, odd_fields, parallel_tools, refusal, stream_bytes, structured, uncounted, weather,
    weather_told,
};

/// What an exchange says, read from either form.
#[derive(Debug, Default, PartialEq)]
struct Said {
    content: String,
    reasoning: String,
    refusal: String,
    calls: Vec<(String, String, String)>,
    finish: String,
    usage: Option<Value>,
}

impl Said {
    fn take(&mut self, message: &Value) {
        let text = |name: &str| message[name].as_str().unwrap_or_default();
        self.content.push_str(text("content"));
        self.reasoning.push_str(text("reasoning_content"));
        self.refusal.push_str(text("refusal"));
        for (place, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
            let slot = call["index"].as_u64().map_or(place, |index| index as usize);
            if self.calls.len() <= slot {
                self.calls.resize(slot + 1, Default::default());
            }
            let (id, name, arguments) = &mut self.calls[slot];
            id.push_str(call["id"].as_str().unwrap_or_default());
            name.push_str(call["function"]["name"].as_str().unwrap_or_default());
            arguments.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
        }
    }
}

fn said_whole(exchange: &Exchange) -> Said {
    let reply: Value = serde_json::from_str(&exchange.reply).unwrap();
    let choice = &reply["choices"][0];
    let mut said = Said { finish: choice["finish_reason"].as_str().unwrap().into(), ..Said::default() };
    said.take(&choice["message"]);
    said.usage = reply.get("usage").cloned();
    said
}

fn said_streamed(exchange: &Exchange) -> Said {
    let mut said = Said::default();
    let stream = exchange.stream_with_usage();
    let (done, events) = stream.split_last().unwrap();
    assert_eq!(done, "[DONE]", "the end mark comes last");
    for data in events {
        let chunk: Value = serde_json::from_str(data).unwrap();
        if let Some(choice) = chunk["choices"].get(0) {
            said.take(&choice["delta"]);
            said.finish.push_str(choice["finish_reason"].as_str().unwrap_or_default());
        }
        said.usage = chunk.get("usage").cloned().or(said.usage);
    }
    said
}

#[test]
fn the_stream_of_an_exchange_says_what_its_whole_answer_says() {
    let exchanges = [
        greeting(),
        weather(),
        weather_told(),
        parallel_tools(),
        structured(),
        refusal(),
        uncounted(),
        numbered(12),
        odd_fields(),
    ];
    for exchange in exchanges {
        assert_eq!(said_streamed(&exchange), said_whole(&exchange), "{}", exchange.reply);
    }
}

#[test]
fn arguments_of_parallel_calls_are_json_of_their_own() {
    let calls = said_whole(&parallel_tools()).calls;
    let arguments: Vec<Value> =
        calls.iter().map(|(_, _, arguments)| serde_json::from_str(arguments).unwrap()).collect();
    assert_eq!(arguments[0]["path"], "C:\\tmp\n");
    assert_eq!(arguments[1]["q"], "größe \"日本\" 𐍈");
}

#[test]
fn the_usage_chunk_is_sent_only_to_those_who_ask() {
    assert_eq!(weather().stream_with_usage().len(), weather().stream().len() + 1);
    assert!(stream_bytes(&weather().stream()).ends_with(b"data: [DONE]\n\n"), "the end mark is an event like others");
}
