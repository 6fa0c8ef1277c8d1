//! What names, ids and prefixes may look like.

use crate::problem::Problem;

/// The least and the greatest priority.
pub(crate) const PRIORITIES: std::ops::RangeInclusive<u32> = 1..=100;

/// A name for people: 1 to 200 characters, without control characters.
pub(crate) fn name(text: &str) -> Result<String, Problem> {
    text_within(text, 200, "name")
}

/// A text of one line within a length.
pub(crate) fn text_within(text: &str, most: usize, field: &'static str) -> Result<String, Problem> {
    let text = text.trim();
    let count = text.chars().count();
    if count == 0 || count > most || text.chars().any(char::is_control) {
        let message = format!("`{field}` must have 1 to {most} characters and no line breaks");
        return Err(Problem::invalid("invalid_field", message).field(field));
    }
    Ok(text.to_owned())
}

/// A priority; lower comes first.
pub(crate) fn priority(number: u32) -> Result<u32, Problem> {
    if PRIORITIES.contains(&number) {
        return Ok(number);
    }
    Err(Problem::invalid("invalid_field", "`priority` must be 1 to 100; 1 comes first").field("priority"))
}

/// A prefix of model names: small letters, digits, `-`, `_` and `.`, beginning with one of the first.
pub(crate) fn prefix(text: &str) -> Result<String, Problem> {
    let text = text.trim().trim_end_matches('/');
    let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if begins && text.len() <= 40 && text.chars().all(fits) && !text.contains("..") {
        return Ok(text.to_owned());
    }
    let message = "`prefix` must be 1 to 40 small letters, digits, `-`, `_` or `.`; models are then `prefix/model`";
    Err(Problem::invalid("invalid_prefix", message).field("prefix"))
}

/// A path below a base address.
pub(crate) fn path(text: &str, field: &'static str) -> Result<String, Problem> {
    let text = text.trim();
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\' | '{' | '}' | '@');
    let climbs = text.split('/').any(|part| matches!(part, "." | ".."));
    if text.len() > 1
        && text.len() <= 200
        && text.starts_with('/')
        && !text.starts_with("//")
        && text.chars().all(fits)
        && !climbs
    {
        return Ok(text.to_owned());
    }
    let message = format!("`{field}` must be a path such as `/chat/completions`");
    Err(Problem::invalid("invalid_path", message).field(field))
}

/// A model's id: 1 to 240 characters without spaces, control characters and `..`.
pub(crate) fn model_id(text: &str, field: &'static str) -> Result<String, Problem> {
    let bad = text.is_empty()
        || text.chars().count() > 240
        || text.chars().any(|c| c.is_control() || c.is_whitespace())
        || text.contains("..");
    if bad {
        let message = format!("`{field}` must have 1 to 240 characters, without spaces and `..`");
        return Err(Problem::invalid("invalid_field", message).field(field));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{model_id, name, path, prefix};

    #[test]
    fn what_fits_is_taken_and_trimmed() {
        assert_eq!(name("  main ").unwrap(), "main");
        assert_eq!(prefix("mk").unwrap(), "mk");
        assert_eq!(prefix("my-own_1.2/").unwrap(), "my-own_1.2");
        assert_eq!(path("/v1/chat", "chatPath").unwrap(), "/v1/chat");
        assert_eq!(model_id("openai/gpt-oss-120b:free", "modelId").unwrap(), "openai/gpt-oss-120b:free");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for text in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert!(name(text).is_err(), "{text:?}");
        }
        for text in ["", "MK", "-a", "a b", "a/b", "a..b", "é", &"x".repeat(41)] {
            assert!(prefix(text).is_err(), "{text:?}");
        }
        for text in ["", "/", "chat", "//evil.example/x", "/a/../b", "/a?b", "/a#b", "/{m}", "/a b", "/x@y"] {
            assert!(path(text, "chatPath").is_err(), "{text:?}");
        }
        for text in ["", "a b", "a..b", "a\u{7}b", &"x".repeat(241)] {
            assert!(model_id(text, "modelId").is_err(), "{text:?}");
        }
    }
}
