//! How long a provider asks to wait, from the fields of its answer.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// The wait a provider asks for: `retry-after-ms`, else `retry-after` in seconds or as a date.
/// A wait of nothing says nothing, and one beyond thirty days is no wait.
pub(crate) fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wait = text("retry-after-ms")
        .and_then(|ms| ms.parse::<f64>().ok().map(|ms| ms / 1000.0))
        .or_else(|| text("retry-after").and_then(|value| value.parse().ok().or_else(|| until(value))))?;
    (wait > 0.0 && wait < 30.0 * 86_400.0).then(|| Duration::from_secs_f64(wait))
}

/// Seconds from now to an HTTP date.
fn until(date: &str) -> Option<f64> {
    let then = httpdate::parse_http_date(date).ok()?;
    then.duration_since(SystemTime::now()).ok().map(|wait| wait.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderMap;

    use super::read;

    #[track_caller]
    fn check(rows: &[(&'static str, &'static str)], wait: Option<Duration>) {
        let headers: HeaderMap =
            rows.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect();
        assert_eq!(read(&headers), wait, "{rows:?}");
    }

    #[test]
    fn a_wait_is_read_in_every_form() {
        check(&[("retry-after", "20")], Some(Duration::from_secs(20)));
        check(&[("retry-after", "1.5")], Some(Duration::from_millis(1500)));
        check(&[("retry-after-ms", "250"), ("retry-after", "9")], Some(Duration::from_millis(250)));
    }

    #[test]
    fn nonsense_is_no_wait() {
        for value in ["0", "-3", "soon", "NaN", "inf", "99999999", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            check(&[("retry-after", value)], None);
        }
        check(&[], None);
    }

    #[test]
    fn a_date_is_the_time_until_then() {
        let then = std::time::SystemTime::now() + Duration::from_secs(100);
        let headers: HeaderMap = [(http::header::RETRY_AFTER, httpdate::fmt_http_date(then).parse().expect("a value"))]
            .into_iter()
            .collect();
        let wait = read(&headers).expect("a wait");
        assert!((98..=100).contains(&wait.as_secs()), "{wait:?}");
    }
}
