//! What is asked and what is answered, fixed to the byte.
//!
//! Invariant: an answer follows from the model's name and a request from that name and its length, so
//! the provider can check what arrives and the driver what comes back without telling each other.
//! The name says how to answer: `whole`, `hold`, `s500` (500 chunks), `s20g10` (10 ms between chunks).

use std::time::Duration;

use bytes::Bytes;

/// The prefix under which a gateway that routes knows the provider.
pub(crate) const PREFIX: &str = "mk";
/// The prompt of a request that is not about size.
pub(crate) const SMALL_PROMPT: usize = 900;
/// The prompt of a request that is.
pub(crate) const LARGE_PROMPT: usize = 1 << 20;

/// A prompt is mostly code. Written as a JSON string, code has an escape in about every 24 bytes, and
/// escapes are what a reader of JSON is slow at.
const SENTENCE: &str =
    "Line by line:\\n    let answer = ask(\\\"model\\\", 42)?; // then we look at what came back, once and again.\\n";
const WORDS: &str = "This answer has been written down once and is sent each time, so that any change to it is seen.";

/// How an answer is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Play {
    /// In one piece.
    Whole,
    /// In so many chunks with such a gap, and then the closing events.
    Stream { chunks: u32, gap: Duration },
    /// One chunk; the rest comes when nobody waits for it any more.
    Hold,
}

impl Play {
    /// What a model's name asks for.
    pub(crate) fn parse(model: &str) -> Option<Self> {
        match model {
            "whole" => return Some(Self::Whole),
            "hold" => return Some(Self::Hold),
            _ => {}
        }
        let (chunks, gap) = model.strip_prefix('s').map(|rest| rest.split_once('g').unwrap_or((rest, "0")))?;
        let gap = Duration::from_millis(gap.parse().ok()?);
        Some(Self::Stream { chunks: chunks.parse().ok()?, gap })
    }

    /// The writes of an answer's body, one event each.
    pub(crate) fn events(self, model: &str) -> Vec<Bytes> {
        match self {
            Self::Whole => vec![whole(model)],
            Self::Stream { chunks, .. } => stream(model, chunks),
            Self::Hold => stream(model, 1),
        }
    }

    /// The part of the answer that comes before the provider holds, or all of it.
    pub(crate) fn expected(self, model: &str) -> Bytes {
        let events = self.events(model);
        let seen = if self == Self::Hold { 1 } else { events.len() };
        events[..seen].concat().into()
    }
}

/// The body that asks a model, with a prompt of so many bytes, as the provider must get it.
pub(crate) fn ask(model: &str, prompt: usize) -> Option<Vec<u8>> {
    ask_as(model, model, prompt)
}

/// The same for a client that knows the model by another name.
pub(crate) fn ask_as(name: &str, model: &str, prompt: usize) -> Option<Vec<u8>> {
    let streaming = match Play::parse(model)? {
        Play::Whole => "\"stream\":false",
        Play::Stream { .. } | Play::Hold => "\"stream\":true,\"stream_options\":{\"include_usage\":true}",
    };
    Some(body(name, streaming, prompt))
}

/// The body that has this length and asks this model, if there is one.
pub(crate) fn ask_of_length(model: &str, length: usize) -> Option<Vec<u8>> {
    let least = ask(model, 0)?.len();
    ask(model, length.checked_sub(least)?)
}

/// The model that a body of ours asks; it is the first field, and its name holds no escapes.
pub(crate) fn asked_model(body: &[u8]) -> Option<&str> {
    let rest = body.strip_prefix(b"{\"model\":\"")?;
    let end = memchr::memchr(b'"', rest.get(..64.min(rest.len()))?)?;
    std::str::from_utf8(&rest[..end]).ok()
}

fn body(model: &str, streaming: &str, prompt: usize) -> Vec<u8> {
    let sentences = prompt / SENTENCE.len();
    let padding = prompt - sentences * SENTENCE.len();
    let (text, padding) = (SENTENCE.repeat(sentences), ".".repeat(padding));
    format!(
        "{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"system\",\"content\":\"Be brief.\"}},\
         {{\"role\":\"user\",\"content\":\"{text}{padding}\"}}],\"temperature\":0.2,\"max_tokens\":256,{streaming}}}"
    )
    .into_bytes()
}

const USAGE: &str = "{\"prompt_tokens\":412,\"completion_tokens\":64,\"total_tokens\":476,\
    \"prompt_tokens_details\":{\"cached_tokens\":128},\"completion_tokens_details\":{\"reasoning_tokens\":16}}";

fn whole(model: &str) -> Bytes {
    format!(
        "{{\"id\":\"chatcmpl-bench00000000000000000000\",\"object\":\"chat.completion\",\"created\":1795000000,\
         \"model\":\"{model}\",\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\
         \"content\":\"{WORDS} {WORDS}\",\"refusal\":null,\"annotations\":[]}},\"logprobs\":null,\
         \"finish_reason\":\"stop\"}}],\"usage\":{USAGE},\"service_tier\":\"default\",\
         \"system_fingerprint\":\"fp_bench00000\"}}"
    )
    .into()
}

fn stream(model: &str, chunks: u32) -> Vec<Bytes> {
    let pieces = (0..chunks).map(|n| {
        let role = if n == 0 { "\"role\":\"assistant\"," } else { "" };
        chunk(
            model,
            &format!("[{{\"index\":0,\"delta\":{{{role}\"content\":\" word{n:05}\"}},\"finish_reason\":null}}]"),
        )
    });
    let stop = chunk(model, "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]");
    let usage = chunk(model, &format!("[],\"usage\":{USAGE}"));
    pieces.chain([stop, usage, Bytes::from_static(b"data: [DONE]\n\n")]).collect()
}

fn chunk(model: &str, choices: &str) -> Bytes {
    format!(
        "data: {{\"id\":\"chatcmpl-bench00000000000000000000\",\"object\":\"chat.completion.chunk\",\
         \"created\":1795000000,\"model\":\"{model}\",\"choices\":{choices}}}\n\n"
    )
    .into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::{LARGE_PROMPT, Play, SMALL_PROMPT, ask, ask_of_length, asked_model};

    #[test]
    fn a_name_says_how_to_answer() {
        let stream = |chunks, ms| Some(Play::Stream { chunks, gap: Duration::from_millis(ms) });
        assert_eq!(Play::parse("whole"), Some(Play::Whole));
        assert_eq!(Play::parse("hold"), Some(Play::Hold));
        assert_eq!((Play::parse("s500"), Play::parse("s20g10")), (stream(500, 0), stream(20, 10)));
        assert_eq!((Play::parse("gpt"), Play::parse("s"), Play::parse("mk/s16")), (None, None, None));
    }

    #[test]
    fn a_request_is_json_and_follows_from_its_model_and_its_length() {
        for (model, prompt) in [("whole", SMALL_PROMPT), ("s16", 0), ("s16", 1), ("whole", LARGE_PROMPT)] {
            let body = ask(model, prompt).unwrap();
            let parsed: Value = serde_json::from_slice(&body).expect("the prompt is escaped whole");
            assert_eq!(serde_json::to_vec(&parsed).unwrap(), body, "written the way a serializer writes it");
            assert_eq!(asked_model(&body), Some(model));
            assert_eq!(ask_of_length(model, body.len()).as_ref(), Some(&body));
        }
        assert_eq!(ask_of_length("whole", 10), None);
    }

    #[test]
    fn an_answer_has_the_size_that_is_spoken_of() {
        let whole = Play::Whole.expected("whole");
        assert!((600..800).contains(&whole.len()), "{} bytes", whole.len());
        serde_json::from_slice::<Value>(&whole).expect("a reply is JSON");
        let events = Play::parse("s16").unwrap().events("s16");
        assert_eq!(events.len(), 19, "16 chunks, the stop, the usage and the end");
        assert!(events[..16].iter().all(|event| (180..230).contains(&event.len())), "{} bytes", events[1].len());
        assert_ne!(events[3], events[4], "a lost or doubled chunk can be seen");
        assert_eq!(Play::Hold.expected("hold"), Play::Hold.events("hold")[0]);
    }
}
