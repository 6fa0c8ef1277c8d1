//! The grammar of model names: what may come from a client before anything looks it up.

use crate::refusal::Refusal;

/// The most characters a model name may have.
const MAX_CHARS: usize = 300;

/// Refuses what can't be a model name, whatever is connected.
pub(crate) fn check(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::NoModel);
    }
    let bad = |why: &'static str| Err(Refusal::BadName { why });
    // Characters are at most as many as bytes, so most names are never counted.
    if name.len() > MAX_CHARS && name.chars().count() > MAX_CHARS {
        return bad("it is longer than 300 characters");
    }
    if name.chars().any(char::is_control) {
        return bad("it holds a control character");
    }
    if name.contains("..") {
        return bad("it holds `..`");
    }
    if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        return bad("it begins or ends with a space");
    }
    Ok(())
}

/// A name in two parts at its first slash: `or/anthropic/claude` is `or` and `anthropic/claude`.
pub(crate) fn split(name: &str) -> Result<Option<(&str, &str)>, Refusal> {
    match name.split_once('/') {
        None => Ok(None),
        Some(("", _)) => Err(Refusal::BadName { why: "nothing stands before its first slash" }),
        Some((_, "")) => Err(Refusal::BadName { why: "no model stands after its slash" }),
        Some(parts) => Ok(Some(parts)),
    }
}
