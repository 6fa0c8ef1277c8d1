//! Why an answer ended: the words of many vendors, and the cases where the word is not believed
//!.

use omniroute_domain::{Fault, FaultKind, Stop, StopReason};
use serde::de::IgnoredAny;

/// What the arguments of a tool call are when the answer has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arguments {
    /// JSON, or free text, or none at all.
    Whole,
    /// The beginning of JSON.
    Cut,
    /// No JSON.
    Broken,
}

/// Judges arguments by their text.
pub(super) fn arguments(text: &str) -> Arguments {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Arguments::Whole,
        Err(_) if text.trim().is_empty() => Arguments::Whole,
        Err(error) if error.is_eof() => Arguments::Cut,
        Err(_) => Arguments::Broken,
    }
}

/// What an answer held when it ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held<'a> {
    /// The state of each tool call, in order.
    pub(super) calls: &'a [Arguments],
    /// Whether the model declined in words.
    pub(super) refusal: bool,
}

/// A complete tool call, by its number, is no JSON. The answer is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BrokenCall(pub(super) usize);

/// The reason for a finish word and what the answer held. No word (the stream ended with `[DONE]`
/// alone) means that the model was done.
pub(super) fn stop(word: Option<&str>, held: Held<'_>) -> Result<Stop, BrokenCall> {
    let said = word.map_or(StopReason::EndTurn, reason);
    let reason = settle(said, held)?;
    let raw = word.filter(|word| !is_usual(word, reason)).map(str::to_owned);
    Ok(Stop { raw, ..Stop::new(reason) })
}

/// The overrides: a call that was made outweighs the word, a call that was cut off outweighs both.
fn settle(said: StopReason, held: Held<'_>) -> Result<StopReason, BrokenCall> {
    let soft = matches!(
        said,
        StopReason::EndTurn
            | StopReason::StopSequence
            | StopReason::Other
            | StopReason::ToolUse
            | StopReason::MaxTokens
    );
    if !soft {
        return Ok(said);
    }
    let Some((last, before)) = held.calls.split_last() else {
        let done = matches!(said, StopReason::ToolUse | StopReason::EndTurn);
        return Ok(match (done, held.refusal) {
            (true, true) => StopReason::Refusal,
            (true, false) => StopReason::EndTurn,
            (false, _) => said,
        });
    };
    let all_whole = before.iter().chain([last]).all(|call| *call == Arguments::Whole);
    if all_whole {
        return Ok(StopReason::ToolUse);
    }
    let early = before.iter().position(|call| *call != Arguments::Whole);
    match (said, early, last) {
        (StopReason::MaxTokens, _, _) | (_, None, Arguments::Cut) => Ok(StopReason::MaxTokens),
        (_, Some(number), _) => Err(BrokenCall(number)),
        (_, None, Arguments::Broken | Arguments::Whole) => Err(BrokenCall(before.len())),
    }
}

/// The reason a finish word names.
pub(super) fn reason(word: &str) -> StopReason {
    match word.to_ascii_lowercase().as_str() {
        "" | "stop" | "eos" | "end_turn" | "completed" => StopReason::EndTurn,
        "stop_sequence" => StopReason::StopSequence,
        "length" | "max_tokens" | "max_output_tokens" | "model_length" => StopReason::MaxTokens,
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolUse,
        "content_filter" | "sensitive" | "safety" | "recitation" => StopReason::ContentFilter,
        "refusal" => StopReason::Refusal,
        // The last two: DeepSeek ran out of machines, Zhipu's connection broke. Either way the answer
        // is not whole.
        "error" | "insufficient_system_resource" | "network_error" => StopReason::Error,
        _ => StopReason::Other,
    }
}

/// A finish word by which the provider says that the answer is not whole.
pub(super) fn broke_off(word: &str) -> Option<Fault> {
    (reason(word) == StopReason::Error).then(|| {
        let message = format!("the provider broke the answer off with `{word}`");
        let mut fault = Fault::new(FaultKind::Upstream, "upstream_stopped", message);
        fault.upstream_status = Some(200);
        fault
    })
}

/// OpenAI's word for a reason.
pub(super) fn word(stop: &Stop) -> &'static str {
    match stop.reason {
        StopReason::EndTurn | StopReason::StopSequence | StopReason::PauseTurn | StopReason::Other => "stop",
        StopReason::MaxTokens | StopReason::ContextWindow => "length",
        StopReason::ToolUse => "tool_calls",
        // OpenAI itself ends a refusal in words with `stop`.
        StopReason::Refusal if stop.raw.as_deref() == Some("stop") => "stop",
        StopReason::Refusal | StopReason::ContentFilter => "content_filter",
        // No word of OpenAI's; `stop` would make half an answer look whole. OpenRouter uses this one.
        StopReason::Error => "error",
    }
}

fn is_usual(said: &str, reason: StopReason) -> bool {
    said == word(&Stop::new(reason)) && reason != StopReason::Other
}

#[cfg(test)]
mod tests {
    use omniroute_domain::StopReason;

    use super::Arguments::{Broken, Cut, Whole};
    use super::{Arguments, BrokenCall, Held, arguments, stop, word};

    #[track_caller]
    fn check(said: Option<&str>, calls: &[Arguments], reason: StopReason, raw: Option<&str>) {
        let found = stop(said, Held { calls, refusal: false }).expect("usable");
        assert_eq!((found.reason, found.raw.as_deref()), (reason, raw), "{said:?} {calls:?}");
    }

    #[test]
    fn words_have_their_reasons_and_unusual_ones_are_kept() {
        check(Some("stop"), &[], StopReason::EndTurn, None);
        check(Some("length"), &[], StopReason::MaxTokens, None);
        check(Some("content_filter"), &[], StopReason::ContentFilter, None);
        check(Some("eos"), &[], StopReason::EndTurn, Some("eos"));
        check(Some("MAX_TOKENS"), &[], StopReason::MaxTokens, Some("MAX_TOKENS"));
        check(Some("repetition"), &[], StopReason::Other, Some("repetition"));
        check(Some("insufficient_system_resource"), &[], StopReason::Error, Some("insufficient_system_resource"));
        check(None, &[], StopReason::EndTurn, None);
    }

    #[test]
    fn whole_calls_outweigh_the_word() {
        for said in [Some("stop"), Some("length"), Some("repetition"), Some("function_call"), None] {
            assert_eq!(
                stop(said, Held { calls: &[Whole], refusal: false }).expect("usable").reason,
                StopReason::ToolUse
            );
        }
        check(Some("tool_calls"), &[Whole, Whole], StopReason::ToolUse, None);
        check(Some("content_filter"), &[Whole], StopReason::ContentFilter, None);
        check(Some("error"), &[Whole], StopReason::Error, None);
    }

    #[test]
    fn calls_that_were_not_made_are_not_waited_for() {
        check(Some("tool_calls"), &[], StopReason::EndTurn, Some("tool_calls"));
    }

    #[test]
    fn a_call_that_was_cut_off_is_a_length_stop() {
        for said in [Some("stop"), Some("tool_calls"), Some("length"), None] {
            let found = stop(said, Held { calls: &[Whole, Cut], refusal: false }).expect("usable");
            assert_eq!(found.reason, StopReason::MaxTokens, "{said:?}");
        }
        check(Some("length"), &[Cut, Whole], StopReason::MaxTokens, None);
    }

    #[test]
    fn a_complete_call_that_is_no_json_is_an_error() {
        let broken = |calls: &[Arguments]| stop(Some("tool_calls"), Held { calls, refusal: false }).map(|_| ());
        assert_eq!(broken(&[Whole, Broken]), Err(BrokenCall(1)));
        assert_eq!(broken(&[Cut, Whole]), Err(BrokenCall(0)));
    }

    #[test]
    fn a_refusal_in_words_is_a_refusal_and_keeps_openais_word() {
        let found = stop(Some("stop"), Held { calls: &[], refusal: true }).expect("usable");
        assert_eq!((found.reason, word(&found)), (StopReason::Refusal, "stop"));
    }

    #[test]
    fn arguments_are_judged_by_their_text() {
        for (text, expected) in [
            ("{\"a\":1}", Whole),
            ("", Whole),
            ("{\"a\":", Cut),
            ("{\"a\":\"x", Cut),
            ("{a}", Broken),
            ("{}{}", Broken),
        ] {
            assert_eq!(arguments(text), expected, "{text}");
        }
    }
}
