//! What a whole answer says about itself, before its bytes go on unchanged.

use omniroute_domain::{Fault, FaultKind, Usage};

use super::search::Search;
use crate::json::{Fields, elements};
use crate::openai_chat::{error, stop, usage};
use crate::outline::outline;

/// Answers nest a few levels; arguments are text and do not count.
const MAX_DEPTH: usize = 128;

/// What is in a whole answer.
#[derive(Clone, Debug, Default)]
pub struct ReplyFacts {
    /// The token counts.
    pub usage: Usage,
    /// Bytes of content, reasoning and arguments: for an estimate where no usage is reported.
    pub text_bytes: u64,
    /// A failure reported with status 200.
    pub error: Option<Fault>,
    /// Whether it is an answer at all: it has a choice.
    pub is_completion: bool,
    /// The model the provider says it is; empty where it does not.
    pub model: String,
}

/// Reads a whole answer that came with status 200. What is no JSON object (an HTML page, nothing at
/// all, half an answer) is a fault.
pub fn read_reply(body: &[u8]) -> Result<ReplyFacts, Fault> {
    let outline = outline(body, MAX_DEPTH).map_err(|cause| not_an_answer(body).because(cause))?;
    let choices = outline.get("choices").filter(|choices| choices.raw.starts_with('['));
    let each = choices.as_ref().and_then(|choices| elements(choices.raw)).unwrap_or_default();
    let text = std::str::from_utf8(body).unwrap_or_default();
    let fields = Fields::read(text).unwrap_or_default();
    Ok(ReplyFacts {
        usage: usage::of_answer(&fields).unwrap_or_default(),
        text_bytes: choices.as_ref().map_or(0, |choices| Search::new().text_bytes(choices.raw.as_bytes())),
        error: error::in_answer(&fields)
            .map(|rejection| error::classify_event(&rejection))
            .or_else(|| each.iter().find_map(|choice| broke_off(choice))),
        is_completion: !each.is_empty(),
        model: fields.text("model").unwrap_or_default().into_owned(),
    })
}

/// A choice whose finish word says that the provider failed.
fn broke_off(choice: &str) -> Option<Fault> {
    stop::broke_off(&Fields::read(choice)?.text("finish_reason")?)
}

fn not_an_answer(body: &[u8]) -> Fault {
    let start = body.trim_ascii_start();
    let message = match start.first() {
        None => "the provider answered with an empty body".to_owned(),
        Some(b'<') => format!("the provider answered with a web page: {}", error::decode(200, body).message),
        Some(_) => "the provider's answer is not valid JSON".to_owned(),
    };
    let mut fault = Fault::new(FaultKind::Upstream, "upstream_bad_answer", message);
    fault.upstream_status = Some(200);
    fault
}
