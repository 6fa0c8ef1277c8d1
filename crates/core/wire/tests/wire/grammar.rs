//! What a well-formed stream is.

use std::collections::BTreeMap;

use omniroute_domain::StreamEvent;
use omniroute_domain::event::BlockKind;
use omniroute_wire::sse::events;
use serde_json::Value;

/// Checks the events of a decoder: one start, blocks that open before they are written to and close at
/// most once, and exactly one end.
#[track_caller]
pub(crate) fn check_events(events: &[StreamEvent]) {
    let (last, before) = events.split_last().expect("there is an end");
    let failed = matches!(last, StreamEvent::Error(_));
    assert!(failed || matches!(last, StreamEvent::End), "{events:?}");
    let mut open: BTreeMap<u32, &BlockKind> = BTreeMap::new();
    let mut next = 0;
    let mut starts = 0;
    let mut finished: Vec<u32> = Vec::new();
    for event in before {
        match event {
            StreamEvent::Start { .. } => starts += 1,
            StreamEvent::BlockStart { block, kind, .. } => {
                assert_eq!((*block, starts), (next, 1), "{events:?}");
                next += 1;
                open.insert(*block, kind);
            }
            StreamEvent::Text { block, .. } => {
                assert!(matches!(open[block], BlockKind::Text | BlockKind::Refusal), "{events:?}");
            }
            StreamEvent::Thinking { block, .. } | StreamEvent::State { block, .. } => {
                assert_eq!(open[block], &BlockKind::Thinking, "{events:?}");
            }
            StreamEvent::ToolInput { block, .. } => {
                assert!(
                    matches!(open[block], BlockKind::ToolCall { id, name, .. } if !id.is_empty() && !name.is_empty())
                );
            }
            StreamEvent::Citation { block, .. } => assert_eq!(open[block], &BlockKind::Text, "{events:?}"),
            StreamEvent::BlockStop { block } => assert!(open.remove(block).is_some(), "{events:?}"),
            StreamEvent::Finish { choice, .. } => {
                assert!(!finished.contains(choice), "{events:?}");
                finished.push(*choice);
            }
            StreamEvent::Usage(usage) => {
                assert!(usage.is_reported() || usage.cost.is_some() || usage.cache_read.is_some(), "{events:?}")
            }
            StreamEvent::KeepAlive | StreamEvent::Unknown(_) => {}
            StreamEvent::End | StreamEvent::Error(_) => panic!("an end in the middle: {events:?}"),
        }
    }
    if !failed {
        assert!(starts == 1 && open.is_empty() && !finished.is_empty(), "{events:?}");
    }
}

/// Checks a stream as OpenAI's clients read it: per choice the role first and one finish, calls with id
/// and name first and arguments that are JSON at the end, then usage, then `[DONE]`; or an error and no
/// finish.
#[track_caller]
pub(crate) fn check_chunks(stream: &[u8]) {
    let data: Vec<String> = events(stream)
        .filter(|event| !event.data.is_empty())
        .map(|event| String::from_utf8(event.data.into_owned()).expect("text"))
        .collect();
    let (done, chunks) = data.split_last().expect("there is an end");
    assert_eq!(done, "[DONE]");
    let mut seen = Seen::default();
    for (number, chunk) in chunks.iter().enumerate() {
        let chunk: Value = serde_json::from_str(chunk).expect("a chunk is JSON");
        if chunk.get("error").is_some() {
            assert!(seen.finished.is_empty() && number + 1 == chunks.len(), "an error is last and has no finish");
            return;
        }
        seen.chunk(&chunk);
    }
    assert!(!seen.finished.is_empty() && seen.finished.len() == seen.roles.len(), "every choice is finished");
}

#[derive(Default)]
struct Seen {
    head: Option<Value>,
    roles: Vec<u64>,
    finished: Vec<u64>,
    calls: BTreeMap<(u64, u64), (String, bool)>,
    usage: bool,
}

impl Seen {
    #[track_caller]
    fn chunk(&mut self, chunk: &Value) {
        assert!(!self.usage, "usage is last");
        let mut head = chunk.clone();
        let rest = head.as_object_mut().expect("an object");
        rest.remove("usage");
        rest.remove("choices");
        assert_eq!(self.head.get_or_insert_with(|| head.clone()), &head, "all chunks share their head");
        let choices = chunk["choices"].as_array().expect("choices");
        if choices.is_empty() {
            self.usage = chunk["usage"]["total_tokens"].is_u64();
            assert!(self.usage && !self.finished.is_empty(), "usage comes after the finish");
        }
        for choice in choices {
            self.choice(choice);
        }
    }

    #[track_caller]
    fn choice(&mut self, choice: &Value) {
        let index = choice["index"].as_u64().expect("an index");
        let delta = choice["delta"].as_object().expect("a delta");
        assert!(!self.finished.contains(&index), "nothing after a finish");
        if delta.contains_key("role") {
            assert!(!self.roles.contains(&index), "one role");
            assert!(!self.roles.is_empty() || index == 0, "the first choice first");
            self.roles.push(index);
            return;
        }
        assert!(self.roles.contains(&index), "the role first");
        for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            self.call(index, call);
        }
        if let Some(word) = choice["finish_reason"].as_str() {
            assert!(delta.is_empty());
            self.finished.push(index);
            let whole = |(arguments, custom): &(String, bool)| {
                *custom || arguments.is_empty() || serde_json::from_str::<Value>(arguments).is_ok()
            };
            let calls = self.calls.iter().filter(|((choice, _), _)| *choice == index);
            assert!(word != "tool_calls" || calls.clone().all(|(_, call)| whole(call)), "{:?}", self.calls);
        }
    }

    #[track_caller]
    fn call(&mut self, choice: u64, call: &Value) {
        let key = (choice, call["index"].as_u64().expect("an index"));
        let custom = call.get("custom").is_some();
        let inner = &call[if custom { "custom" } else { "function" }];
        let fragment = inner[if custom { "input" } else { "arguments" }].as_str().expect("a fragment");
        match self.calls.get_mut(&key) {
            Some((text, _)) => text.push_str(fragment),
            None => {
                let named = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
                assert!(named(&call["id"]) && named(&inner["name"]), "id and name first");
                let before = self.calls.keys().filter(|(other, _)| *other == choice).count();
                assert_eq!(key.1, before as u64, "indexes are contiguous");
                self.calls.insert(key, (fragment.to_owned(), custom));
            }
        }
    }
}
