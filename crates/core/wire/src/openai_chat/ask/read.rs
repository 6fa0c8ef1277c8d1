//! A request's fields. One that is `null` is absent; one of an unexpected type is kept as unknown, so
//! that the provider can say what it thinks of it.

use omniroute_domain::request::{MaxOutput, OutputFormat, Reasoning, ReasoningMode, Sampling};
use omniroute_domain::{ChatRequest, Format, Raw};

use super::conversation;
use crate::json::{Fields, count, elements};
use crate::openai_chat::tools::{read_choice, take_tools};
use crate::openai_chat::types::DecodeError;

/// Reads a request body.
pub fn decode(body: &[u8]) -> Result<ChatRequest, DecodeError> {
    let text = std::str::from_utf8(body).map_err(|_| DecodeError::NotAnObject)?;
    let mut fields = Fields::read(text).ok_or(DecodeError::NotAnObject)?;
    let model = required(&mut fields, "model", "a text", Fields::take_text)?;
    let messages = required(&mut fields, "messages", "an array", |fields, key| elements(fields.take(key)?))?;
    let mut request = ChatRequest::new(model, Format::OpenAiChat);
    conversation::read(&messages, &mut request)?;
    take_tooling(&mut fields, &mut request);
    request.sampling = take_sampling(&mut fields);
    request.max_output = take_max_output(&mut fields);
    take_output_format(&mut fields, &mut request);
    request.modalities = fields.take_as("modalities").unwrap_or_default();
    request.verbosity = fields.take_text("verbosity");
    request.reasoning = take_reasoning(&mut fields);
    take_stream(&mut fields, &mut request);
    take_session(&mut fields, &mut request);
    request.extra = fields.rest();
    Ok(request)
}

fn required<'a, T>(
    fields: &mut Fields<'a>,
    key: &'static str,
    expected: &'static str,
    take: impl FnOnce(&mut Fields<'a>, &str) -> Option<T>,
) -> Result<T, DecodeError> {
    if fields.get(key).is_none() {
        return Err(DecodeError::Missing { path: key });
    }
    take(fields, key).ok_or_else(|| DecodeError::Wrong { path: key.to_owned(), expected })
}

fn take_tooling(fields: &mut Fields<'_>, request: &mut ChatRequest) {
    request.tools = take_tools(fields);
    let choice = fields.take("tool_choice").or_else(|| fields.take("function_call"));
    request.tool_choice = choice.and_then(read_choice);
    request.parallel_tools = fields.take_as("parallel_tool_calls");
}

fn take_sampling(fields: &mut Fields<'_>) -> Sampling {
    Sampling {
        temperature: fields.take_raw("temperature"),
        top_p: fields.take_raw("top_p"),
        top_k: fields.take_raw("top_k"),
        seed: fields.take_raw("seed"),
        frequency_penalty: fields.take_raw("frequency_penalty"),
        presence_penalty: fields.take_raw("presence_penalty"),
        stop: take_stop(fields),
        n: fields.take_count("n"),
        logprobs: fields.take_as("logprobs"),
        top_logprobs: fields.take_count("top_logprobs"),
        logit_bias: fields.take_raw("logit_bias"),
    }
}

/// A text or a list; empty texts stop nothing.
fn take_stop(fields: &mut Fields<'_>) -> Vec<String> {
    let one = fields.take_text("stop").map(|stop| vec![stop]);
    let stops: Option<Vec<String>> = one.or_else(|| fields.take_as("stop"));
    stops.unwrap_or_default().into_iter().filter(|stop| !stop.is_empty()).collect()
}

/// `max_completion_tokens` counts where both are given; 0 and -1 mean no limit.
fn take_max_output(fields: &mut Fields<'_>) -> Option<MaxOutput> {
    let mut limit = |key: &str| {
        let tokens = fields.get(key).and_then(count).filter(|tokens| *tokens > 0);
        if tokens.is_some() || matches!(fields.get(key), Some("0" | "-1")) {
            fields.take(key);
        }
        tokens
    };
    let (new, old) = (limit("max_completion_tokens"), limit("max_tokens"));
    let legacy_field = new.is_none();
    new.or(old).map(|tokens| MaxOutput { tokens, legacy_field })
}

fn take_output_format(fields: &mut Fields<'_>, request: &mut ChatRequest) {
    let Some(value) = fields.get("response_format") else { return };
    let Some(mut format) = Fields::read(value) else { return };
    let kind = format.text("type").map(Into::<String>::into);
    request.output_format = match kind.as_deref() {
        Some("text") => OutputFormat::Text,
        Some("json_object") => OutputFormat::JsonObject,
        Some("json_schema") => {
            let Some(mut schema) = format.take_as::<Fields<'_>>("json_schema") else { return };
            let read = OutputFormat::JsonSchema {
                name: schema.take_text("name"),
                description: schema.take_text("description"),
                schema: schema.take_raw("schema"),
                strict: schema.take_as("strict"),
            };
            format.keep("json_schema", schema);
            read
        }
        Some(_) | None => {
            fields.take("response_format");
            request.output_format = Raw::parse(value.to_owned()).map_or(OutputFormat::Text, OutputFormat::Other);
            return;
        }
    };
    format.take("type");
    fields.take("response_format");
    fields.keep("response_format", format);
}

/// `reasoning_effort` counts before a vendor's own fields. Those are read for what they mean; all but
/// OpenRouter's object stay where they are, since each provider knows only its own.
fn take_reasoning(fields: &mut Fields<'_>) -> Reasoning {
    let raw = fields.get("reasoning").filter(|value| value.starts_with('{')).and_then(|_| fields.take_raw("reasoning"));
    let openrouter = raw.as_ref().and_then(|raw| Fields::read(raw.get()));
    let hidden = openrouter.as_ref().is_some_and(|reasoning| reasoning.get("exclude") == Some("true"));
    let display = hidden.then(|| "omitted".to_owned());
    let vendor = vendor_mode(openrouter.as_ref(), |key| fields.get(key));
    let mode = fields.take_text("reasoning_effort").map_or(vendor, level);
    Reasoning { mode, display, raw }
}

/// What the vendors' fields say: OpenRouter's `reasoning`, `thinking` (GLM, Kimi, DeepSeek, Doubao),
/// `enable_thinking` (Qwen) and vLLM's template arguments.
pub(super) fn vendor_mode<'a>(openrouter: Option<&Fields<'_>>, get: impl Fn(&str) -> Option<&'a str>) -> ReasoningMode {
    let asked = openrouter.map_or(ReasoningMode::Unset, of_openrouter);
    let thinking =
        || get("thinking").and_then(Fields::read).map_or(ReasoningMode::Unset, |thinking| of_thinking(&thinking));
    let enabled = || get("enable_thinking").map_or(ReasoningMode::Unset, switch);
    let template = || {
        let arguments = get("chat_template_kwargs").and_then(Fields::read);
        let flag = arguments.as_ref().and_then(|found| found.get("enable_thinking").or_else(|| found.get("thinking")));
        flag.map_or(ReasoningMode::Unset, switch)
    };
    [&thinking as &dyn Fn() -> ReasoningMode, &enabled, &template].into_iter().fold(asked, |mode, next| match mode {
        ReasoningMode::Unset => next(),
        found => found,
    })
}

fn of_openrouter(reasoning: &Fields<'_>) -> ReasoningMode {
    let effort = reasoning.text("effort").map(|effort| level(effort.into_owned()));
    let budget = || reasoning.get("max_tokens").and_then(count).map(ReasoningMode::Budget);
    let enabled = || reasoning.get("enabled").map(switch);
    effort.or_else(budget).or_else(enabled).unwrap_or_default()
}

fn of_thinking(thinking: &Fields<'_>) -> ReasoningMode {
    match thinking.text("type").as_deref() {
        Some("disabled") => ReasoningMode::Off,
        Some(_) => {
            let budget = thinking.get("budget_tokens").and_then(count);
            budget.map_or(ReasoningMode::Auto, ReasoningMode::Budget)
        }
        None => ReasoningMode::Unset,
    }
}

fn switch(value: &str) -> ReasoningMode {
    match value {
        "true" => ReasoningMode::Auto,
        "false" => ReasoningMode::Off,
        _ => ReasoningMode::Unset,
    }
}

fn level(effort: String) -> ReasoningMode {
    if effort == "none" { ReasoningMode::Off } else { ReasoningMode::Level(effort) }
}

fn take_stream(fields: &mut Fields<'_>, request: &mut ChatRequest) {
    request.stream = fields.take_as("stream").unwrap_or(false);
    if let Some(mut options) = fields.take_as::<Fields<'_>>("stream_options") {
        request.stream_usage = options.get("include_usage") == Some("true");
        if request.stream_usage {
            options.take("include_usage");
        }
        fields.keep("stream_options", options);
    }
}

fn take_session(fields: &mut Fields<'_>, request: &mut ChatRequest) {
    request.session.user = fields.take_text("user");
    request.session.safety_identifier = fields.take_text("safety_identifier");
    request.session.store = fields.take_as("store");
    request.cache.key = fields.take_text("prompt_cache_key");
    request.cache.retention = fields.take_text("prompt_cache_retention");
    request.service_tier = fields.take_text("service_tier");
    request.metadata = fields.take_raw("metadata");
}
