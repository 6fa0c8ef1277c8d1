//! Where an account's key comes from: a flag, a variable, stdin, or the person at the terminal.
//!
//! Invariant: it is never shown, and no error repeats it.

use std::env::{self, VarError};
use std::io::{self, BufRead};

use tokio::task::spawn_blocking;

use crate::args::{NewAccount, ProviderKey};
use crate::commands::providers::available::{KeyNeed, Provider};
use crate::context::Context;
use crate::failure::Failure;
use crate::terminal;

/// Longer than any key, short enough for the wrong file to be noticed.
const LONGEST: u64 = 16 * 1024;

/// The key; `None` where there is none to be had, which the provider's row judges.
pub(super) async fn obtain(
    context: &Context,
    row: Option<&Provider>,
    new: &NewAccount,
) -> Result<Option<ProviderKey>, Failure> {
    match (&new.api_key, &new.api_key_env) {
        (Some(given), _) if given.is_stdin() => {
            let line = spawn_blocking(|| first_line(io::stdin().lock())).await;
            line.map_err(|why| Failure::new("stdin", why.to_string()))?.map(Some)
        }
        (Some(given), _) => Ok(Some(given.clone())),
        (None, Some(variable)) => from_variable(variable).map(Some),
        (None, None) if context.can_ask() => ask(row, new).await,
        (None, None) => Ok(None),
    }
}

fn from_variable(name: &str) -> Result<ProviderKey, Failure> {
    let bad = |why: &str| {
        if looks_like_a_variable(name) {
            return Failure::new("api_key_missing", format!("the variable `{name}` {why}"));
        }
        let text =
            "`--api-key-env` does not name a variable that is set; its value is not repeated, since it may be a key";
        Failure::new("api_key_missing", text).hint("`--api-key -` takes the key itself, from stdin")
    };
    match env::var(name) {
        Ok(text) => ProviderKey::pasted(&text).ok_or_else(|| bad("is empty")),
        Err(VarError::NotPresent) => Err(bad("is not set")),
        Err(VarError::NotUnicode(_)) => Err(bad("is not valid UTF-8")),
    }
}

/// Whether a text can be shown as the name of a variable. A key has small letters or signs in it.
fn looks_like_a_variable(name: &str) -> bool {
    let rest = name.strip_prefix(|first: char| first.is_ascii_alphabetic() || first == '_');
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'))
}

/// The first line that was sent.
fn first_line(from: impl BufRead) -> Result<ProviderKey, Failure> {
    let mut line = String::new();
    let read = from.take(LONGEST).read_line(&mut line);
    read.map_err(|why| Failure::new("stdin", format!("no key can be read from stdin: {why}")))?;
    ProviderKey::pasted(&line).ok_or_else(|| Failure::new("api_key_missing", "stdin has no key in its first line"))
}

/// Asks the person, unless the provider takes none. An endpoint of their own may take one.
async fn ask(row: Option<&Provider>, new: &NewAccount) -> Result<Option<ProviderKey>, Failure> {
    let question = match row.map_or(KeyNeed::Optional, Provider::key_need) {
        KeyNeed::None => return Ok(None),
        KeyNeed::Optional => format!("API key for {} (Enter for none):", new.provider),
        KeyNeed::Required => format!("API key for {}:", new.provider),
    };
    let asked = spawn_blocking(move || terminal::ask_key(&question)).await;
    asked.map_err(|why| Failure::new("prompt", why.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::{first_line, from_variable};
    use crate::args::ProviderKey;

    #[test]
    fn the_first_line_of_stdin_is_the_key() {
        let key = |text: &str| first_line(text.as_bytes()).ok();
        assert_eq!(key("sk-1\r\nmore\n"), ProviderKey::pasted("sk-1"));
        assert_eq!((key(""), key("\nsk-1\n")), (None, None));
        assert!(first_line(&b"\xff\xfe"[..]).is_err(), "bytes that are no text");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let said = from_variable("OMNIROUTE_NOT_SET_ANYWHERE").unwrap_err().lines("error:");
        assert_eq!(said, "error: the variable `OMNIROUTE_NOT_SET_ANYWHERE` is not set\n");
    }

    #[test]
    fn a_key_in_the_place_of_a_variable_is_not_repeated() {
        for key in ["sk-CANARY-0123", "canary", "CANARY=x", "CANARY.x", "0CANARY"] {
            let said = from_variable(key).unwrap_err().json();
            assert!(said.contains("api_key_missing") && !said.to_lowercase().contains("canary"), "{said}");
        }
    }
}
