//! Spans of time as people type them: `30m`, `24h`, `7d`, `2w`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How far back to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    count: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Minutes,
    Hours,
    Days,
    Weeks,
}

/// Ten years: further back than anything is kept.
const LONGEST: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

impl Since {
    /// The span as a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.count) * self.unit.seconds())
    }
}

impl Unit {
    const ALL: [Self; 4] = [Self::Minutes, Self::Hours, Self::Days, Self::Weeks];

    fn letter(self) -> char {
        match self {
            Self::Minutes => 'm',
            Self::Hours => 'h',
            Self::Days => 'd',
            Self::Weeks => 'w',
        }
    }

    fn seconds(self) -> u64 {
        match self {
            Self::Minutes => 60,
            Self::Hours => 60 * 60,
            Self::Days => 24 * 60 * 60,
            Self::Weeks => 7 * 24 * 60 * 60,
        }
    }
}

impl FromStr for Since {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a number and one of m, h, d, w is needed, e.g. `24h`";
        let unit = Unit::ALL.into_iter().find(|unit| text.ends_with(unit.letter())).ok_or(FORM)?;
        let digits = text.strip_suffix(unit.letter()).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let count = digits.ok_or(FORM)?.parse().map_err(|_| FORM)?;
        let since = Self { count, unit };
        match since.duration() {
            Duration::ZERO => Err("the span must be longer than nothing"),
            long if long > LONGEST => Err("the span must not be longer than ten years"),
            _ => Ok(since),
        }
    }
}

impl fmt::Display for Since {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.count, self.unit.letter())
    }
}

#[cfg(test)]
mod tests {
    use super::Since;

    #[track_caller]
    fn check(text: &str, seconds: Option<u64>) {
        let parsed = text.parse::<Since>();
        assert_eq!(parsed.map(|since| since.duration().as_secs()).ok(), seconds, "`{text}`");
    }

    #[test]
    fn spans_are_read_in_their_unit() {
        check("30m", Some(1_800));
        check("24h", Some(86_400));
        check("7d", Some(604_800));
        check("2w", Some(1_209_600));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in
            ["", "h", "24", "-1h", "+1h", "1.5h", "1 h", "h1", "24H", "0h", "24hh", "é", "99999999999m", "4000d"]
        {
            check(text, None);
        }
    }

    #[test]
    fn a_span_is_shown_as_it_was_typed() {
        assert_eq!("90m".parse::<Since>().unwrap().to_string(), "90m");
    }
}
