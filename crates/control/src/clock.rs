//! The time, and how answers write it.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use omniroute_catalog::Date;
use uuid::Uuid;

/// Milliseconds of an hour.
pub(crate) const HOUR: i64 = 3_600_000;

/// Now, in unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// A new id; ids made later sort later.
pub(crate) fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// A time as answers write it: `2026-11-20T08:00:00.123Z`.
pub(crate) fn iso(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|time| format!("{time:.3}")).unwrap_or_default()
}

/// The date of a time, as catalog rows write it.
pub(crate) fn date(ms: i64) -> Option<Date> {
    let time = Timestamp::from_millisecond(ms).ok()?;
    time.strftime("%Y-%m-%d").to_string().parse().ok()
}

/// A moment as people and programs write it: unix milliseconds, a date with time and zone, or a span
/// before now such as `24h`.
pub(crate) fn parse_moment(text: &str, now: i64) -> Option<i64> {
    if let Ok(ms) = text.parse::<i64>() {
        return (ms >= 0).then_some(ms);
    }
    if let Some(span) = span_ms(text) {
        return now.checked_sub(span);
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

fn span_ms(text: &str) -> Option<i64> {
    let unit = match text.as_bytes().last()? {
        b'm' => HOUR / 60,
        b'h' => HOUR,
        b'd' => 24 * HOUR,
        b'w' => 7 * 24 * HOUR,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    let count: i64 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    count.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::{HOUR, iso, parse_moment};

    #[test]
    fn moments_are_read_in_every_form() {
        let now = 1_795_000_000_000;
        let at = |text| parse_moment(text, now);
        assert_eq!(at("1700000000000"), Some(1_700_000_000_000));
        assert_eq!(at("24h"), Some(now - 24 * HOUR));
        assert_eq!((at("90m"), at("2w")), (Some(now - 90 * HOUR / 60), Some(now - 14 * 24 * HOUR)));
        assert_eq!(at("2026-11-20T08:00:00Z"), Some(1_795_161_600_000));
        assert_eq!(at("2026-11-20T09:00:00+01:00"), Some(1_795_161_600_000));
        for text in ["", "h", "-1", "-1h", "1.5h", "yesterday", "2026-11-20", "99999999999999999d", "é"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_written_to_the_millisecond() {
        assert_eq!(iso(1_795_161_600_123), "2026-11-20T08:00:00.123Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
    }
}
