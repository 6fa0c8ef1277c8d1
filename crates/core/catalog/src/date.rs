//! Dates of facts: a day, a month or a year. Ordered by time; what is unknown sorts first.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A day (`2026-11-20`), a month (`2026-11`) or a year (`2026`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    /// 0 where only the year is known.
    month: u8,
    /// 0 where the day is not known.
    day: u8,
}

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date is written `2026-11-20`, `2026-11` or `2026`")]
pub struct NotADate;

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let mut parts = text.split('-');
        let year = number(parts.next(), 4)?.ok_or(NotADate)?;
        let month = number(parts.next(), 2)?;
        let day = number(parts.next(), 2)?;
        let sound = (1990..=2199).contains(&year)
            && month.is_none_or(|month| (1..=12).contains(&month))
            && day.is_none_or(|day| (1..=days(year, month.unwrap_or(0))).contains(&day));
        if !sound || parts.next().is_some() {
            return Err(NotADate);
        }
        Ok(Self { year, month: month.unwrap_or(0) as u8, day: day.unwrap_or(0) as u8 })
    }
}

/// A part of exactly so many digits; `None` where the part is missing.
fn number(part: Option<&str>, digits: usize) -> Result<Option<u16>, NotADate> {
    let Some(part) = part else { return Ok(None) };
    if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotADate);
    }
    part.parse().map(Some).map_err(|_| NotADate)
}

fn days(year: u16, month: u16) -> u16 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}", self.year)?;
        if self.month > 0 {
            write!(out, "-{:02}", self.month)?;
        }
        if self.day > 0 {
            write!(out, "-{:02}", self.day)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        target.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(source)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Date, NotADate};

    #[track_caller]
    fn date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn dates_are_shown_as_they_were_written() {
        for text in ["2026-11-20", "2026-11", "2026", "2024-02-29"] {
            assert_eq!(date(text).to_string(), text);
        }
    }

    #[test]
    fn later_dates_are_greater() {
        assert!(date("2026-11-20") > date("2026-11-19"));
        assert!(date("2026-11-20") > date("2026-11"), "a month counts from before its first day");
        assert!(date("2027") > date("2026-12-31"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "20-11-2026", "2026-13-01", "2026-02-30", "2025-02-29", "2026-1-1", "2026-11-20-1", "+026"] {
            assert_eq!(text.parse::<Date>(), Err(NotADate), "{text}");
        }
    }
}
