//! Figures as people read them: grouped digits, dollars with their mark, times to the minute.

use omniroute_domain::MicroUsd;

/// A count with its digits in groups of three.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Money in dollars: cents and no more for what is large, every micro-dollar that is there for what
/// is small.
pub(crate) fn dollars(amount: MicroUsd) -> String {
    let sign = if amount.0 < 0 { "-" } else { "" };
    let micro = amount.0.unsigned_abs();
    let (whole, rest) = (micro / 1_000_000, micro % 1_000_000);
    if micro >= 1_000_000 {
        let cents = (rest + 5_000) / 10_000;
        let (whole, cents) = if cents == 100 { (whole + 1, 0) } else { (whole, cents) };
        return format!("{sign}${}.{cents:02}", count(whole));
    }
    let digits = format!("{rest:06}");
    let kept = digits.trim_end_matches('0');
    let kept = if kept.len() < 2 { &digits[..2] } else { kept };
    format!("{sign}${whole}.{kept}")
}

/// A time of an answer (`2026-11-20T08:00:00.123Z`) to the minute; `-` for none.
pub(crate) fn minute(time: Option<&str>) -> String {
    let Some(time) = time else { return "-".to_owned() };
    match (time.get(..10), time.get(10..11), time.get(11..16)) {
        (Some(day), Some("T"), Some(clock)) => format!("{day} {clock}"),
        _ => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use omniroute_domain::MicroUsd;

    use super::{count, dollars, minute};

    #[test]
    fn counts_are_grouped() {
        let shown = [0, 7, 999, 1_000, 12_345, 1_234_567, u64::MAX].map(count);
        assert_eq!(shown[..6], ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(shown[6], "18,446,744,073,709,551,615");
    }

    #[test]
    fn small_money_keeps_its_digits_and_large_money_its_cents() {
        let shown = |micro| dollars(MicroUsd(micro));
        assert_eq!([shown(0), shown(1), shown(450), shown(120_000)], ["$0.00", "$0.000001", "$0.00045", "$0.12"]);
        assert_eq!([shown(1_000_000), shown(1_234_567), shown(1_995_000)], ["$1.00", "$1.23", "$2.00"]);
        assert_eq!([shown(12_345_678_900), shown(-450)], ["$12,345.68", "-$0.00045"]);
    }

    #[test]
    fn times_are_cut_to_the_minute() {
        assert_eq!(minute(Some("2026-11-20T08:00:00.123Z")), "2026-11-20 08:00");
        assert_eq!((minute(None), minute(Some("now"))), ("-".to_owned(), "now".to_owned()));
    }
}
