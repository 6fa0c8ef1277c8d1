//! Between SQLite's values and ours.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use serde::de::value::Error;
use serde::de::{DeserializeOwned, IntoDeserializer as _};

/// One of our enums, stored as its serde word.
pub(crate) struct Word<T>(pub(crate) T);

impl<T: DeserializeOwned> FromSql for Word<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word: Result<T, Error> = T::deserialize(value.as_str()?.into_deserializer());
        word.map(Self).map_err(FromSqlError::other)
    }
}

/// A count as SQLite can hold it.
pub(crate) fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count as it was stored; never negative.
pub(crate) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use omniroute_domain::{FaultKind, Format, Mark};
    use rusqlite::types::{FromSql as _, ValueRef};
    use serde::de::DeserializeOwned;

    use super::Word;
    use crate::accounts::TestStatus;
    use crate::log::Outcome;
    use crate::nodes::NodeKind;

    #[track_caller]
    fn check<T: DeserializeOwned + PartialEq + std::fmt::Debug>(words: &[(T, &str)]) {
        for (value, word) in words {
            let read = Word::<T>::column_result(ValueRef::Text(word.as_bytes())).map(|word| word.0).ok();
            assert_eq!(read.as_ref(), Some(value), "what `as_str` writes reads back");
        }
        assert!(Word::<T>::column_result(ValueRef::Text(b"nonsense")).is_err());
        assert!(Word::<T>::column_result(ValueRef::Integer(1)).is_err());
    }

    #[test]
    fn every_word_written_reads_back() {
        use FaultKind::*;
        let kinds = [
            BadRequest,
            ContextLength,
            ClientAuth,
            Forbidden,
            Misdirected,
            MethodNotAllowed,
            MediaType,
            SlowClient,
            UpstreamAuth,
            Billing,
            Permission,
            NotFound,
            TooLarge,
            RateLimit,
            Overloaded,
            Upstream,
            Timeout,
            BrokenStream,
            Unsupported,
            ClientClosed,
            ShuttingDown,
            Internal,
        ];
        check(&kinds.map(|kind| (kind, kind.as_str())));
        let formats = [Format::OpenAiChat, Format::OpenAiResponses, Format::Anthropic, Format::Gemini, Format::Ollama];
        check(&formats.map(|format| (format, format.as_str())));
        check(&[Mark::Reported, Mark::Estimated, Mark::Unpriced].map(|mark| (mark, mark.as_str())));
        check(&[Outcome::Ok, Outcome::Error, Outcome::ClientClosed].map(|outcome| (outcome, outcome.as_str())));
        check(&[TestStatus::Unknown, TestStatus::Ok, TestStatus::Failed].map(|status| (status, status.as_str())));
        check(&[NodeKind::OpenAiCompatible, NodeKind::AnthropicCompatible].map(|kind| (kind, kind.as_str())));
    }
}
