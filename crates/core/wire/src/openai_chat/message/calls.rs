//! Tool calls: functions with JSON arguments, custom tools with free text.

use omniroute_domain::block::{Block, BlockBody, ToolCall, ToolInput};
use omniroute_domain::opaque::{Family, Opaque, OpaqueKind};

use crate::json::{Fields, Object, text};
use crate::openai_chat::ids::call_id;

/// What tells the calls of one message from those of another, for ids that are missing.
#[derive(Clone, Copy, Debug)]
pub(in crate::openai_chat) struct Naming<'n> {
    /// The answer's id, or the message's place in a request.
    pub(in crate::openai_chat) scope: &'n str,
    /// The choice, or nothing.
    pub(in crate::openai_chat) choice: &'n str,
}

impl Naming<'_> {
    /// The id of a call that has none.
    pub(in crate::openai_chat) fn id(&self, number: usize, name: &str) -> String {
        call_id([self.scope, self.choice, &number.to_string(), name])
    }
}

/// Reads one call; `None` where it has no name.
pub(in crate::openai_chat) fn take_call(mut call: Fields<'_>, naming: Naming<'_>, number: usize) -> Option<Block> {
    let (name, input) = match call.take_as::<Fields<'_>>("function") {
        Some(mut function) => {
            let name = function.take_text("name").filter(|name| !name.is_empty())?;
            let input = function.take("arguments").map(argument_text).unwrap_or_default();
            call.keep("function", function);
            (name, ToolInput::Json(input))
        }
        None => {
            let mut custom: Fields<'_> = call.take_as("custom")?;
            let name = custom.take_text("name").filter(|name| !name.is_empty())?;
            let input = custom.take_text("input").unwrap_or_default();
            call.keep("custom", custom);
            (name, ToolInput::Freeform(input))
        }
    };
    let id = call.take_text("id").filter(|id| !id.is_empty()).unwrap_or_else(|| naming.id(number, &name));
    call.take("type");
    call.take("index");
    let state = call.get("extra_content").and_then(thought_signature);
    let body = BlockBody::ToolCall(ToolCall { id, name, namespace: None, input, state, item_id: None });
    Some(Block { extra: call.rest(), ..Block::new(body) })
}

/// Arguments: a text, or, as some write them, the object itself.
pub(in crate::openai_chat) fn argument_text(value: &str) -> String {
    text(value).map_or_else(|| value.to_owned(), Into::into)
}

/// Writes what opens a call, up to and without its input.
pub(in crate::openai_chat) fn write_call_start(call: &mut Object<'_>, id: &str, input: &ToolInput) {
    call.text("id", id);
    call.text(
        "type",
        match input {
            ToolInput::Json(_) => "function",
            ToolInput::Freeform(_) => "custom",
        },
    );
}

/// Gemini's state on a call, in the place its OpenAI form has for it.
fn thought_signature(extra_content: &str) -> Option<Opaque> {
    let google = Fields::read(extra_content)?;
    let data = Fields::read(google.get("google")?)?.text("thought_signature")?.into_owned();
    Some(Opaque { family: Family::Gemini, model: None, kind: OpaqueKind::Signature, data })
}

/// Writes Gemini's state on a call; other families have no place here.
pub(super) fn write_state(call: &mut Object<'_>, state: &Opaque) {
    if state.family != Family::Gemini {
        return;
    }
    let none = omniroute_domain::Extra::new();
    call.object("extra_content", &none, |content| {
        content.object("google", &none, |google| google.text("thought_signature", &state.data));
    });
}
