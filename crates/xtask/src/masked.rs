//! Rust source split into code, comments and literals, each keeping its place.
//!
//! `code` and `comments` are as long as the source, with everything else blanked, so an offset means
//! the same in all three. This is a scanner, not a parser: it knows where a string ends and nothing
//! about grammar.

use std::ops::Range;

/// One string, byte string or character literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal {
    /// Offset of its first byte (the quote, or the `r` of a raw string).
    pub at: usize,
    /// Offset just past its last byte.
    pub end: usize,
    /// As written, quotes included.
    pub text: String,
}

/// A source file seen three ways.
#[derive(Debug, Clone)]
pub struct Masked {
    /// The source with comments and literals blanked.
    pub code: String,
    /// The source with everything but comments blanked.
    pub comments: String,
    /// The literals in order.
    pub literals: Vec<Literal>,
    /// Where items under `#[cfg(test)]` stand.
    pub tests: Vec<Range<usize>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Masked {
    /// Splits a source.
    pub fn of(source: &str) -> Self {
        let spans = spans(source);
        let code = keep(source, &spans, Kind::Code);
        let tests = test_items(&code);
        let literals = spans
            .iter()
            .filter(|(kind, _)| *kind == Kind::Literal)
            .filter_map(|(_, span)| {
                let text = source.get(span.clone())?.to_owned();
                Some(Literal { at: span.start, end: span.end, text })
            })
            .collect();
        Self { comments: keep(source, &spans, Kind::Comment), code, literals, tests }
    }

    /// Whether an offset lies in an item under `#[cfg(test)]`.
    pub fn is_test(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }
}

/// The identifiers and keywords of masked code, with their offsets.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.split(move |c| !is_word(c))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
        .map(|word| (word.as_ptr() as usize - code.as_ptr() as usize, word))
}

/// Offset of the bracket that closes the one at `open`, in masked code.
pub fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn spans(source: &str) -> Vec<(Kind, Range<usize>)> {
    let mut found: Vec<(Kind, Range<usize>)> = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let (kind, end) = next_span(source, at);
        match found.last_mut() {
            Some((Kind::Code, range)) if kind == Kind::Code => range.end = end,
            _ => found.push((kind, at..end)),
        }
        at = end;
    }
    found
}

fn next_span(source: &str, at: usize) -> (Kind, usize) {
    let rest = &source[at..];
    let width = rest.chars().next().map_or(1, char::len_utf8);
    if rest.starts_with("//") {
        return (Kind::Comment, at + rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, at + block_comment_length(rest));
    }
    if let Some(length) = raw_string_length(source, at) {
        return (Kind::Literal, at + length);
    }
    if rest.starts_with('"') {
        return (Kind::Literal, at + quoted_length(rest, b'"'));
    }
    if rest.starts_with('\'') && is_char_literal(rest) {
        return (Kind::Literal, at + quoted_length(rest, b'\''));
    }
    (Kind::Code, at + width)
}

fn block_comment_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn raw_string_length(source: &str, at: usize) -> Option<usize> {
    let glued = source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let rest = &source[at..];
    let prefix = ["br", "cr", "r"].into_iter().find(|prefix| rest.starts_with(prefix))?;
    let hashes = rest[prefix.len()..].bytes().take_while(|byte| *byte == b'#').count();
    let body = prefix.len() + hashes;
    if glued || !rest[body..].starts_with('"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let length = rest[body + 1..].find(&close).map(|found| body + 1 + found + close.len());
    Some(length.unwrap_or(rest.len()))
}

fn quoted_length(rest: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A quote opens a character when the next character is escaped or is followed by another quote;
/// otherwise it opens a lifetime.
fn is_char_literal(rest: &str) -> bool {
    let mut after = rest.chars().skip(1);
    match after.next() {
        Some('\\') => true,
        Some(_) => after.next() == Some('\''),
        None => false,
    }
}

fn keep(source: &str, spans: &[(Kind, Range<usize>)], wanted: Kind) -> String {
    let mut out = String::with_capacity(source.len());
    for (kind, span) in spans {
        let text = &source[span.clone()];
        if *kind == wanted {
            out.push_str(text);
        } else {
            out.extend(text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        }
    }
    out
}

fn test_items(code: &str) -> Vec<Range<usize>> {
    code.match_indices("#[cfg(test)]")
        .filter_map(|(start, mark)| {
            let after = start + mark.len();
            let body = after + code[after..].find(['{', ';'])?;
            code[body..].starts_with('{').then_some(())?;
            Some(start..closing(code, body)? + 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Masked, words};

    #[track_caller]
    fn check(source: &str, code: &str, literals: &[&str]) {
        let masked = Masked::of(source);
        assert_eq!(masked.code.len(), source.len(), "masking keeps every offset");
        assert_eq!(masked.code.split_whitespace().collect::<Vec<_>>().join(" "), code);
        assert_eq!(masked.literals.iter().map(|literal| literal.text.as_str()).collect::<Vec<_>>(), literals);
    }

    #[test]
    fn comments_and_literals_are_blanked_in_place() {
        check("a(); // b\nc", "a(); c", &[]);
        check("a /* b /* c */ d */ e", "a e", &[]);
        check(r#"say("a // \" b", x)"#, "say( , x)", &[r#""a // \" b""#]);
        check("r#\"a \" b\"# + bar\"x\"", "+ bar", &["r#\"a \" b\"#", "\"x\""]);
        check("fn f<'a>(c: &'a u8) { '\\'' ; 'é' }", "fn f<'a>(c: &'a u8) { ; }", &["'\\''", "'é'"]);
        check("let open = \"never closed", "let open =", &["\"never closed"]);
    }

    #[test]
    fn comments_are_kept_apart_from_text_that_looks_like_one() {
        let masked = Masked::of("let url = \"http://x\"; // why");
        assert_eq!(masked.comments.trim(), "// why");
    }

    #[test]
    fn test_items_are_found_and_modules_in_other_files_are_not() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { if x { } } }\nfn c() {}\n#[cfg(test)]\nmod more;\n";
        let masked = Masked::of(source);
        let in_test = |name: &str| masked.is_test(source.find(name).unwrap_or(0));
        assert_eq!([in_test("fn a"), in_test("fn b"), in_test("fn c")], [false, true, false]);
        assert_eq!(masked.tests.len(), 1);
    }

    #[test]
    fn words_come_with_their_offsets() {
        assert_eq!(words("a::b_c(1, x2)").collect::<Vec<_>>(), [(0, "a"), (3, "b_c"), (10, "x2")]);
    }
}
