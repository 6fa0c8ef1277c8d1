//! `tool_choice`, and `function_call`, its old form.

use omniroute_domain::request::ToolChoice;
use omniroute_domain::{Raw, Severity};

use crate::json::{Fields, Object, object, text};
use crate::openai_chat::ledger::Ledger;

/// Reads a choice. `any` is Mistral's and Anthropic's word for `required`.
pub(in crate::openai_chat) fn read_choice(value: &str) -> Option<ToolChoice> {
    let known = match text(value) {
        Some(word) => of_word(&word),
        None => Fields::read(value).and_then(|fields| of_object(fields)),
    };
    known.or_else(|| Raw::parse(value.to_owned()).map(ToolChoice::Other))
}

fn of_word(word: &str) -> Option<ToolChoice> {
    match word {
        "none" => Some(ToolChoice::None),
        "auto" => Some(ToolChoice::Auto),
        "required" | "any" => Some(ToolChoice::Required),
        _ => None,
    }
}

fn of_object(mut choice: Fields<'_>) -> Option<ToolChoice> {
    let named = |inner: Option<Fields<'_>>, freeform| {
        let name = inner?.take_text("name")?;
        Some(ToolChoice::Tool { name, freeform })
    };
    // The old form has a name and nothing else.
    let kind = choice.text("type").unwrap_or("tool".into()).into_owned();
    match kind.as_str() {
        "function" if choice.get("function").is_some() => named(choice.take_as("function"), false),
        "custom" => named(choice.take_as("custom"), true),
        "function" | "tool" => named(Some(choice), false),
        "allowed_tools" => {
            let mut allowed: Fields<'_> = choice.take_as("allowed_tools")?;
            let required = allowed.take_text("mode").as_deref() == Some("required");
            Some(ToolChoice::Allowed { required, tools: allowed.take_raw("tools")? })
        }
        other => of_word(other),
    }
}

/// Writes a choice.
pub(in crate::openai_chat) fn write_choice(request: &mut Object<'_>, choice: &ToolChoice, ledger: &mut Ledger) {
    const KEY: &str = "tool_choice";
    match choice {
        ToolChoice::None => request.text(KEY, "none"),
        ToolChoice::Auto => request.text(KEY, "auto"),
        ToolChoice::Required => request.text(KEY, "required"),
        ToolChoice::Tool { name, freeform } => object(request.value(KEY), |choice| {
            let kind = if *freeform { "custom" } else { "function" };
            choice.text("type", kind);
            object(choice.value(kind), |tool| tool.text("name", name));
        }),
        ToolChoice::Allowed { required, tools } => object(request.value(KEY), |choice| {
            choice.text("type", "allowed_tools");
            object(choice.value("allowed_tools"), |allowed| {
                allowed.text("mode", if *required { "required" } else { "auto" });
                allowed.literal("tools", tools.get());
            });
        }),
        ToolChoice::Other(raw) if ledger.is_ours() => request.literal(KEY, raw.get()),
        ToolChoice::Other(_) => ledger.lose(KEY, "vendor's own choice", Severity::Minor),
    }
}
