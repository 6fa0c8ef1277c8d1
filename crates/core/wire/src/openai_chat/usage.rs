//! Token counts as Chat Completions reports them, with the fields other vendors add.

use omniroute_domain::{Extra, MicroUsd, Usage};

use crate::json::{Fields, Object, object};

/// Reads a `usage` object; `None` where it holds no figure.
pub(super) fn read(json: &str) -> Option<Usage> {
    let usage = take(&mut Fields::read(json)?);
    (usage != Usage::default()).then_some(usage)
}

/// The usage of a chunk or of a whole answer, wherever it stands: at the top; in `x_groq` (Groq,
/// 2026-11-20); in the first choice (older Moonshot models, 2026-11-20).
pub(super) fn of_answer(answer: &Fields<'_>) -> Option<Usage> {
    let top = answer.get("usage").and_then(read);
    let groq = || answer.get("x_groq").and_then(Fields::read)?.get("usage").and_then(read);
    let choice = || {
        let first = crate::json::elements(answer.get("choices")?)?.first().copied()?;
        Fields::read(first)?.get("usage").and_then(read)
    };
    let mut usage = top.or_else(groq).or_else(choice)?;
    usage.tier = answer.text("service_tier").map(Into::into);
    Some(usage)
}

/// Takes the figures out of a `usage` object and leaves the rest.
pub(super) fn take(fields: &mut Fields<'_>) -> Usage {
    let mut usage = Usage {
        input_total: fields.take_count("prompt_tokens"),
        output_total: fields.take_count("completion_tokens"),
        ..Usage::default()
    };
    if let Some(mut details) = fields.take_as::<Fields<'_>>("prompt_tokens_details") {
        usage.cache_read = details.take_count("cached_tokens");
        usage.cache_write_5m = details.take_count("cache_write_tokens");
        usage.audio_in = details.take_count("audio_tokens");
        usage.image = details.take_count("image_tokens");
        fields.keep("prompt_tokens_details", details);
    }
    if let Some(mut details) = fields.take_as::<Fields<'_>>("completion_tokens_details") {
        usage.reasoning = details.take_count("reasoning_tokens");
        usage.audio_out = details.take_count("audio_tokens");
        fields.keep("completion_tokens_details", details);
    }
    // DeepSeek, then gateways in front of Anthropic models.
    let hit = fields.take_count("prompt_cache_hit_tokens");
    let read = fields.take_count("cache_read_input_tokens");
    usage.cache_read = usage.cache_read.or(hit).or(read);
    usage.cache_write_5m = usage.cache_write_5m.or(fields.take_count("cache_creation_input_tokens"));
    usage.cost = fields.take_as("cost").and_then(MicroUsd::from_dollars);
    let total = fields.get("total_tokens").and_then(crate::json::count);
    usage.output_total = output_with_reasoning(&usage, total);
    if total == sum(&usage) {
        fields.take("total_tokens");
    }
    usage
}

/// xAI counts reasoning beside `completion_tokens`, everyone else inside it. The report itself tells:
/// only beside it do the three add up to the total. (vercel/ai pull request 12425, 2026-02-11, with
/// recorded figures; Wei-Shaw/sub2api issue 5771, 2026-08-18.)
fn output_with_reasoning(usage: &Usage, total: Option<u64>) -> Option<u64> {
    let (Some(input), Some(output), Some(reasoning), Some(total)) =
        (usage.input_total, usage.output_total, usage.reasoning, total)
    else {
        return usage.output_total;
    };
    let beside = output.checked_add(reasoning)?;
    Some(if input.checked_add(beside) == Some(total) { beside } else { output })
}

/// The total as `usage.total_tokens` means it.
fn sum(usage: &Usage) -> Option<u64> {
    usage.input_total?.checked_add(usage.output_total?)
}

/// Writes a `usage` object. A figure that was not reported is left out; it is not zero.
pub(super) fn write(out: &mut Vec<u8>, usage: &Usage, kept: &Extra) {
    object(out, |written| {
        let totals = [
            ("prompt_tokens", usage.input_total),
            ("completion_tokens", usage.output_total),
            ("total_tokens", sum(usage).filter(|_| !kept.iter().any(|(key, _)| key == "total_tokens"))),
        ];
        for (name, count) in totals {
            if let Some(count) = count {
                written.plain(name, count);
            }
        }
        let cache_write = usage.cache_write_5m.or(usage.cache_write_1h).map(|_| usage.cache_write());
        write_details(
            written,
            "prompt_tokens_details",
            kept,
            [
                ("cached_tokens", usage.cache_read),
                ("cache_write_tokens", cache_write),
                ("audio_tokens", usage.audio_in),
                ("image_tokens", usage.image),
            ],
        );
        write_details(
            written,
            "completion_tokens_details",
            kept,
            [("reasoning_tokens", usage.reasoning), ("audio_tokens", usage.audio_out), ("", None), ("", None)],
        );
        if let Some(cost) = usage.cost {
            written.plain("cost", cost.dollars());
        }
        written.rest(kept);
    });
}

fn write_details(usage: &mut Object<'_>, key: &'static str, kept: &Extra, details: [(&'static str, Option<u64>); 4]) {
    usage.object_if_any(key, kept, |written| {
        for (name, count) in details {
            if let Some(count) = count {
                written.plain(name, count);
            }
        }
    });
}
