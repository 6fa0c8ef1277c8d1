//! The scanner behind `outline`: a loop over bytes with a stack of open brackets.
//!
//! Text makes up most of a body, so strings are looked at in blocks: each gives the places of its
//! quotes, backslashes and control characters at once. The caller has checked UTF-8.

use std::borrow::Cow;
use std::ops::Range;

use wide::u8x16;

use super::{Entry, MAX_FIELDS, OutlineError};

/// What may come next.
#[derive(Clone, Copy)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
}

struct Walk<'a, 'e> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    open: Vec<u8>,
    max_depth: usize,
    entries: &'e mut Vec<Entry<'a>>,
    key: Cow<'a, str>,
    value_start: usize,
}

/// Walks the body; gives the place of its closing brace.
pub(super) fn walk<'a>(text: &'a str, max_depth: usize, entries: &mut Vec<Entry<'a>>) -> Result<usize, OutlineError> {
    let bytes = text.as_bytes();
    let open = Vec::with_capacity(16);
    let mut walk = Walk { text, bytes, at: 0, open, max_depth, entries, key: Cow::Borrowed(""), value_start: 0 };
    walk.space();
    if walk.peek() != Some(b'{') {
        return Err(walk.not_an_object());
    }
    let close = walk.object()?;
    walk.space();
    if walk.at < bytes.len() { Err(walk.syntax()) } else { Ok(close) }
}

impl<'a> Walk<'a, '_> {
    /// From the opening brace to the closing one, whose place it gives.
    fn object(&mut self) -> Result<usize, OutlineError> {
        let mut next = Next::Value;
        loop {
            self.space();
            let Some(byte) = self.peek() else { return Err(self.syntax()) };
            next = match (next, byte) {
                (Next::ValueOrEnd, b']') | (Next::KeyOrEnd, b'}') => self.end()?,
                (Next::Value | Next::ValueOrEnd, _) => self.value(byte)?,
                (Next::Key | Next::KeyOrEnd, b'"') => self.key()?,
                (Next::CommaOrEnd, b',') => self.comma(),
                (Next::CommaOrEnd, b'}' | b']') => self.end()?,
                (Next::Key | Next::KeyOrEnd | Next::CommaOrEnd, _) => return Err(self.syntax()),
            };
            if self.open.is_empty() {
                return Ok(self.at - 1);
            }
        }
    }

    fn value(&mut self, byte: u8) -> Result<Next, OutlineError> {
        if self.open.len() == 1 {
            self.value_start = self.at;
        }
        match byte {
            b'"' => self.string()?,
            b'{' => return self.begin(b'{', Next::KeyOrEnd),
            b'[' => return self.begin(b'[', Next::ValueOrEnd),
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            b'-' | b'0'..=b'9' => self.number()?,
            _ => return Err(self.syntax()),
        }
        self.valued()
    }

    fn begin(&mut self, bracket: u8, next: Next) -> Result<Next, OutlineError> {
        if self.open.len() >= self.max_depth {
            return Err(OutlineError::TooDeep { limit: self.max_depth });
        }
        self.open.push(bracket);
        self.at += 1;
        Ok(next)
    }

    fn end(&mut self) -> Result<Next, OutlineError> {
        let expected = if self.open.last() == Some(&b'{') { b'}' } else { b']' };
        if self.peek() != Some(expected) {
            return Err(self.syntax());
        }
        self.open.pop();
        self.at += 1;
        self.valued()
    }

    /// A value is complete; at the top level it becomes an entry.
    fn valued(&mut self) -> Result<Next, OutlineError> {
        if self.open.len() == 1 {
            if self.entries.len() == MAX_FIELDS {
                return Err(OutlineError::TooManyFields { limit: MAX_FIELDS });
            }
            let key = std::mem::take(&mut self.key);
            self.entries.push(Entry { key, value: Range { start: self.value_start, end: self.at } });
        }
        Ok(Next::CommaOrEnd)
    }

    fn comma(&mut self) -> Next {
        self.at += 1;
        if self.open.last() == Some(&b'{') { Next::Key } else { Next::Value }
    }

    fn key(&mut self) -> Result<Next, OutlineError> {
        let start = self.at;
        self.string()?;
        if self.open.len() == 1 {
            self.key = decoded(self.text.get(start..self.at).unwrap_or_default());
        }
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.syntax());
        }
        self.at += 1;
        Ok(Next::Value)
    }

    /// From the opening quote to past the closing one.
    fn string(&mut self) -> Result<(), OutlineError> {
        self.at += 1;
        while let Some(block) = self.bytes[self.at..].first_chunk::<BLOCK>() {
            let start = self.at;
            let mut marks = marks(block);
            self.at = start + BLOCK;
            while marks != 0 {
                self.at = start + marks.trailing_zeros() as usize;
                if self.mark()? {
                    return Ok(());
                }
                // An escape may take in the marks after it, and reach beyond the block.
                marks &= u64::MAX.checked_shl((self.at - start) as u32).unwrap_or(0);
                self.at = self.at.max(if marks == 0 { start + BLOCK } else { self.at });
            }
        }
        self.end_of_string()
    }

    /// The rest of a string within less than a block of the body's end.
    fn end_of_string(&mut self) -> Result<(), OutlineError> {
        while self.at < self.bytes.len() {
            if matches!(self.bytes[self.at], b'"' | b'\\' | 0..b' ') {
                if self.mark()? {
                    return Ok(());
                }
            } else {
                self.at += 1;
            }
        }
        Err(self.syntax())
    }

    /// Past a byte that means something within a string; says whether it was the closing quote.
    fn mark(&mut self) -> Result<bool, OutlineError> {
        match self.bytes.get(self.at) {
            Some(b'"') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'\\') => self.escape().map(|()| false),
            Some(_) | None => Err(self.syntax()),
        }
    }

    fn escape(&mut self) -> Result<(), OutlineError> {
        self.at += match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => match self.bytes.get(self.at + 2..self.at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => 6,
                Some(_) | None => return Err(self.syntax()),
            },
            Some(_) | None => return Err(self.syntax()),
        };
        Ok(())
    }

    fn number(&mut self) -> Result<(), OutlineError> {
        self.skip(b"-");
        if !self.skip(b"0") {
            self.digits()?;
        }
        if self.skip(b".") {
            self.digits()?;
        }
        if self.skip(b"eE") {
            self.skip(b"+-");
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), OutlineError> {
        let count = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.syntax()) } else { Ok(()) }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), OutlineError> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(())
    }

    fn skip(&mut self, any_of: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| any_of.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn syntax(&self) -> OutlineError {
        OutlineError::Syntax { at: self.at }
    }

    /// What stands in the object's place: another kind of value, or nothing that is JSON.
    fn not_an_object(&self) -> OutlineError {
        match self.peek() {
            Some(b'[' | b'"' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9') => OutlineError::NotAnObject,
            Some(_) | None => self.syntax(),
        }
    }
}

/// A key as a parser reads it. One that can't be decoded (half a surrogate pair) equals no key we
/// look for and stays as it stands.
fn decoded(quoted: &str) -> Cow<'_, str> {
    if quoted.contains('\\') {
        serde_json::from_str(quoted).map_or(Cow::Borrowed(quoted), Cow::Owned)
    } else {
        Cow::Borrowed(quoted.trim_matches('"'))
    }
}

/// Bytes looked at together; as many as a mark has bits.
const BLOCK: usize = 64;

/// A bit for each quote, backslash and control character of a block.
fn marks(block: &[u8; BLOCK]) -> u64 {
    const QUOTE: u8x16 = u8x16::new([b'"'; 16]);
    const BACKSLASH: u8x16 = u8x16::new([b'\\'; 16]);
    const LAST_CONTROL: u8x16 = u8x16::new([b' ' - 1; 16]);
    let (parts, _) = block.as_chunks::<16>();
    parts.iter().rev().fold(0, |marks, part| {
        let part = u8x16::new(*part);
        let here = part.simd_eq(QUOTE) | part.simd_eq(BACKSLASH) | part.simd_eq(part.min(LAST_CONTROL));
        marks << 16 | u64::from(here.to_bitmask())
    })
}
