//! What is recorded of a request: figures and names, never what was said.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use omniroute_domain::{AccountId, FaultKind, Format, KeyId, Mark, MicroUsd, ModelId, ProviderId, Usage};
use serde::{Deserialize, Serialize};

/// The number of a request: 43 bits of unix milliseconds, then 20 bits that tell requests of one
/// millisecond apart. Numbers grow with time, so the table's own order is the order of time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(i64);

const SEQUENCE_BITS: u32 = 20;
const TEXT_PREFIX: &str = "req_";
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 13 digits of five bits hold the 63 bits of a number.
const TEXT_DIGITS: u32 = 13;

impl RequestId {
    /// The number of a request that came at a time; `sequence` counts modulo 2^20.
    pub fn new(at_ms: i64, sequence: u32) -> Self {
        let sequence = i64::from(sequence & ((1 << SEQUENCE_BITS) - 1));
        Self(Self::first_at(at_ms).0 | sequence)
    }

    /// The least number of a millisecond.
    pub fn first_at(at_ms: i64) -> Self {
        Self(at_ms.clamp(0, i64::MAX >> SEQUENCE_BITS) << SEQUENCE_BITS)
    }

    /// When the request came, unix milliseconds.
    pub fn at_ms(self) -> i64 {
        self.0 >> SEQUENCE_BITS
    }

    pub(crate) fn number(self) -> i64 {
        self.0
    }

    pub(crate) fn from_number(number: i64) -> Self {
        Self(number)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(TEXT_PREFIX)?;
        (0..TEXT_DIGITS).rev().try_for_each(|place| {
            let digit = DIGITS[(self.0 >> (5 * place)) as usize & 31];
            fmt::Write::write_char(out, char::from(digit))
        })
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// A text that is no request number.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no request number; it is `req_` and 13 letters and digits")]
pub struct NoRequestId;

impl FromStr for RequestId {
    type Err = NoRequestId;

    fn from_str(text: &str) -> Result<Self, NoRequestId> {
        let digits = text.strip_prefix(TEXT_PREFIX).ok_or(NoRequestId)?.as_bytes();
        if digits.len() != TEXT_DIGITS as usize {
            return Err(NoRequestId);
        }
        let number = digits.iter().try_fold(0_u128, |number, digit| {
            let value = DIGITS.iter().position(|known| known == digit).ok_or(NoRequestId)?;
            Ok(number << 5 | value as u128)
        })?;
        i64::try_from(number).map(Self).map_err(|_| NoRequestId)
    }
}

/// Gives out request numbers; all that share one are different.
#[derive(Debug)]
pub struct RequestIds {
    next: AtomicU32,
}

impl RequestIds {
    /// Begins anywhere, best at a random place.
    pub fn starting_at(sequence: u32) -> Self {
        Self { next: AtomicU32::new(sequence) }
    }

    /// A number for a request that comes now.
    pub fn next(&self, now_ms: i64) -> RequestId {
        RequestId::new(now_ms, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The client got its answer.
    Ok,
    /// The client got an error.
    Error,
    /// The client went away first.
    ClientClosed,
}

impl Outcome {
    /// The outcome as it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::ClientClosed => "client_closed",
        }
    }
}

/// A request, once it is over.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    /// Its number; says when it came.
    pub id: RequestId,
    /// The client's own id of it, where it sent one.
    pub client_id: Option<String>,
    /// Who asked.
    pub key: Option<KeyId>,
    /// In which dialect.
    pub format: Format,
    /// At which endpoint, e.g. `chat`.
    pub endpoint: Cow<'static, str>,
    /// The model as the client named it; cut at 200 characters.
    pub asked_model: String,
    /// Who answered, or was asked last.
    pub provider: Option<ProviderId>,
    /// With which account.
    pub account: Option<AccountId>,
    /// The model as the provider names it.
    pub model: Option<ModelId>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The HTTP status the client got.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// What went wrong.
    pub fault_kind: Option<FaultKind>,
    /// The stable code of what went wrong.
    pub fault_code: Option<Cow<'static, str>>,
    /// The sentence about it; cut at 300 characters.
    pub message: Option<String>,
    /// From its arrival to the first byte of the answer.
    pub ttfb_ms: Option<u64>,
    /// From its arrival to the end.
    pub duration_ms: u64,
    /// Tokens.
    pub usage: Usage,
    /// Where the token counts come from; `None` where there are none.
    pub usage_mark: Option<Mark>,
    /// What it cost.
    pub cost: MicroUsd,
    /// Where the cost comes from.
    pub cost_mark: Mark,
    /// The date of the price row it was worked out with.
    pub price_checked: Option<String>,
    /// Length of the request's body.
    pub bytes_in: u64,
    /// Length of the answer's body.
    pub bytes_out: u64,
    /// Every try, in order.
    pub attempts: Vec<AttemptRecord>,
}

impl RequestRecord {
    /// A request of which nothing is known yet but what it asks for.
    pub fn new(id: RequestId, format: Format, endpoint: impl Into<Cow<'static, str>>, asked_model: String) -> Self {
        Self {
            id,
            client_id: None,
            key: None,
            format,
            endpoint: endpoint.into(),
            asked_model,
            provider: None,
            account: None,
            model: None,
            stream: false,
            status: 0,
            outcome: Outcome::Ok,
            fault_kind: None,
            fault_code: None,
            message: None,
            ttfb_ms: None,
            duration_ms: 0,
            usage: Usage::default(),
            usage_mark: None,
            cost: MicroUsd(0),
            cost_mark: Mark::Unpriced,
            price_checked: None,
            bytes_in: 0,
            bytes_out: 0,
            attempts: Vec::new(),
        }
    }

    /// When it came, unix milliseconds.
    pub fn at_ms(&self) -> i64 {
        self.id.at_ms()
    }
}

/// One try at one target.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRecord {
    /// Its place among the tries, from 1.
    pub n: u32,
    /// Who was asked.
    pub provider: ProviderId,
    /// With which account.
    pub account: AccountId,
    /// The model as the provider names it.
    pub model: ModelId,
    /// When, unix milliseconds.
    pub at_ms: i64,
    /// How long it took.
    pub duration_ms: u64,
    /// The HTTP status the provider answered with.
    pub status: Option<u16>,
    /// What went wrong.
    pub fault_kind: Option<FaultKind>,
    /// The stable code of what went wrong.
    pub fault_code: Option<Cow<'static, str>>,
    /// The sentence about it; cut at 300 characters.
    pub message: Option<String>,
}

/// The first `most` characters of a text.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{RequestId, RequestIds, cut};

    #[test]
    fn a_number_says_when_and_grows_with_time() {
        let ids = RequestIds::starting_at(u32::MAX);
        let [first, second] = [ids.next(1_795_000_000_000), ids.next(1_795_000_000_000)];
        assert_ne!(first, second);
        assert_eq!((first.at_ms(), second.at_ms()), (1_795_000_000_000, 1_795_000_000_000));
        assert!(first.max(second) < ids.next(1_795_000_000_001), "the millisecond counts more than the sequence");
        assert_eq!(RequestId::new(-5, 0).at_ms(), 0);
    }

    #[test]
    fn its_text_reads_back_and_other_texts_do_not() {
        for id in [RequestId::new(0, 0), RequestId::new(1_795_000_000_000, 77), RequestId::new(i64::MAX, u32::MAX)] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for text in ["", "req_", "req_zzzzzzzzzzzzz", "req_0000000000000x", "req_00000000000u0", "0000000000000"] {
            assert!(text.parse::<RequestId>().is_err(), "{text}");
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!((cut("äöü", 2), cut("äöü", 3), cut("", 3)), ("äö", "äöü", ""));
    }
}
