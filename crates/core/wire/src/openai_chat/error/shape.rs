//! Finding the message in an error body: an error object, a bare text, `detail`, a JSON text inside a
//! text, an array of one, `base_resp` (MiniMax), an HTML page.

use std::borrow::Cow;

use super::{Rejection, redact};
use crate::json::{Fields, elements, text};

/// JSON inside JSON is unwrapped this often.
const MAX_NESTING: u8 = 3;

/// Bodies larger than this are no error messages; the rest is not read.
const MAX_TEXT: usize = 500;

/// Reads a whole error body; `None` where it says nothing.
pub(super) fn read(body: &str) -> Option<Rejection> {
    let body = body.trim_start_matches('\u{feff}').trim();
    let found = of_json(body, 0).unwrap_or_else(|| of_text(body, 0));
    (!found.message.is_empty()).then_some(found)
}

/// The error an answer with status 200 carries.
pub(super) fn in_answer(answer: &Fields<'_>) -> Option<Rejection> {
    let found = match answer.get("error") {
        Some(error) => of_error(error, 0),
        None => of_base_resp(answer),
    };
    found.filter(|found| !found.message.is_empty())
}

fn of_json(json: &str, nesting: u8) -> Option<Rejection> {
    match json.as_bytes().first()? {
        b'{' => of_object(&Fields::read(json)?, nesting),
        b'[' => of_json(elements(json)?.first()?, nesting),
        b'"' => Some(of_text(&text(json)?, nesting)),
        _ => None,
    }
}

fn of_object(object: &Fields<'_>, nesting: u8) -> Option<Rejection> {
    if let Some(error) = object.get("error") {
        let outer = of_fields(object, nesting);
        return of_error(error, nesting).map(|inner| with_hints_of(inner, outer));
    }
    let data = || Fields::read(object.get("data")?)?.get("error").and_then(|error| of_error(error, nesting));
    of_base_resp(object).or_else(data).or_else(|| of_fields(object, nesting))
}

/// The value of an `error` field. An object that says nothing is no error.
fn of_error(error: &str, nesting: u8) -> Option<Rejection> {
    match error.as_bytes().first()? {
        b'{' => of_fields(&Fields::read(error)?, nesting),
        b'[' | b'"' => of_json(error, nesting).filter(|found| !found.message.is_empty()),
        b't' => Some(Rejection { message: "the provider reported an error".into(), ..Rejection::default() }),
        _ => None,
    }
}

/// An object whose own fields say what happened.
fn of_fields(fields: &Fields<'_>, nesting: u8) -> Option<Rejection> {
    let word = |key: &str| fields.get(key).map(word).filter(|word| !word.is_empty() && word != "0");
    let outer = Rejection {
        message: String::new(),
        kind_hint: word("type").or_else(|| word("status")),
        code: word("code"),
        param: word("param"),
    };
    // OpenRouter keeps the provider's own text in `metadata.raw`.
    let raw = fields.get("metadata").and_then(Fields::read);
    let raw = raw.as_ref().and_then(|metadata| metadata.text("raw")).filter(|text| !text.trim().is_empty());
    let message = || ["message", "msg", "detail", "error_description"].iter().find_map(|key| said(fields.get(key)?));
    match raw.or_else(message) {
        Some(text) => Some(with_hints_of(of_text(&text, nesting), Some(outer))),
        None if outer.code.is_some() || outer.kind_hint.is_some() && fields.get("message").is_none() => {
            let what = outer.code.clone().or(outer.kind_hint.clone()).unwrap_or_default();
            Some(Rejection { message: format!("the provider reported `{}`", clean(&what)), ..outer })
        }
        None => None,
    }
}

/// MiniMax says what happened beside an empty answer; 0 is success.
fn of_base_resp(object: &Fields<'_>) -> Option<Rejection> {
    let base = Fields::read(object.get("base_resp")?)?;
    let code = base.get("status_code").map(word).filter(|code| code != "0" && !code.is_empty())?;
    let message = base.text("status_msg").filter(|text| !text.is_empty());
    let message = message.map_or_else(|| format!("the provider reported code {code}"), |text| clean(&text));
    Some(Rejection { message, code: Some(code), ..Rejection::default() })
}

/// A text that may be JSON or HTML itself.
fn of_text(said: &str, nesting: u8) -> Rejection {
    let said = said.trim();
    if nesting < MAX_NESTING
        && said.starts_with(['{', '[', '"'])
        && let Some(inner) = of_json(said, nesting + 1)
        && !inner.message.is_empty()
    {
        return inner;
    }
    let message = if said.starts_with('<') { title(said) } else { Cow::Borrowed(said) };
    Rejection { message: clean(&message), ..Rejection::default() }
}

/// A message: a text, or FastAPI's list of complaints.
fn said(value: &str) -> Option<Cow<'_, str>> {
    let complaint = |item: &str| Fields::read(item)?.text("msg").map(Cow::into_owned);
    let list = || elements(value)?.iter().find_map(|item| complaint(item)).map(Cow::Owned);
    text(value).or_else(list).filter(|text| !text.trim().is_empty())
}

/// A code or a type: a text or a number.
fn word(value: &str) -> String {
    match text(value) {
        Some(text) => text.chars().take(MAX_TEXT).collect(),
        None if value.starts_with(['{', '[', 't', 'f']) => String::new(),
        None => value.to_owned(),
    }
}

fn with_hints_of(mut inner: Rejection, outer: Option<Rejection>) -> Rejection {
    let Some(outer) = outer else { return inner };
    inner.kind_hint = inner.kind_hint.or(outer.kind_hint);
    inner.code = inner.code.or(outer.code);
    inner.param = inner.param.or(outer.param);
    inner
}

/// The title of an HTML page.
fn title(page: &str) -> Cow<'_, str> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title").and_then(|at| Some(at + lower.get(at..)?.find('>')? + 1));
    let inner = start.and_then(|start| page.get(start..start + lower.get(start..)?.find("</title")?));
    match inner.map(str::trim) {
        Some(title) if !title.is_empty() => Cow::Borrowed(title),
        Some(_) | None => Cow::Borrowed("the provider answered with an HTML page"),
    }
}

/// One line, no secrets, at most 500 characters.
fn clean(message: &str) -> String {
    let start: String = message.chars().take(MAX_TEXT * 4).collect();
    let words: Vec<&str> = start.split_whitespace().collect();
    redact::redact(&words.join(" ")).chars().take(MAX_TEXT).collect()
}
