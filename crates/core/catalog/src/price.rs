//! Prices as rows write them: decimal dollars per million tokens, in quotes so that no float takes part.

use std::borrow::Cow;

use omniroute_domain::Price;
use serde::{Deserialize, Deserializer};

/// Dollars per million tokens, held as micro-dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dollars(i64);

/// Why a text is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a price is a decimal number of dollars with at most six places, e.g. `0.15`")]
pub(crate) struct NotAPrice;

/// The price of a model, as a row writes it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceRow {
    input: Dollars,
    output: Dollars,
    cache_read: Option<Dollars>,
    cache_write: Option<Dollars>,
}

impl From<PriceRow> for Price {
    fn from(row: PriceRow) -> Self {
        Self {
            input: row.input.0,
            output: row.output.0,
            cache_read: row.cache_read.map(|dollars| dollars.0),
            cache_write: row.cache_write.map(|dollars| dollars.0),
        }
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(source)?;
        micro(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Reads a decimal exactly: `0.15` is 150,000 micro-dollars.
fn micro(text: &str) -> Result<i64, NotAPrice> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = !whole.is_empty() && whole.len() <= 9 && places.len() <= 6 && digits(whole) && digits(places);
    if !shaped || text.ends_with('.') {
        return Err(NotAPrice);
    }
    let whole: i64 = whole.parse().map_err(|_| NotAPrice)?;
    let places: i64 = format!("{places:0<6}").parse().map_err(|_| NotAPrice)?;
    Ok(whole * 1_000_000 + places)
}

#[cfg(test)]
mod tests {
    use super::{NotAPrice, micro};

    #[test]
    fn decimals_are_read_exactly() {
        let rows =
            [("0.15", 150_000), ("0.60", 600_000), ("0.075", 75_000), ("10", 10_000_000), ("0.000001", 1), ("0", 0)];
        for (text, expected) in rows {
            assert_eq!(micro(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_exact_price_is_refused() {
        for text in ["", ".5", "1.", "-1", "1e3", "0.0000001", "1,5", "$1", "9999999999", " 1"] {
            assert_eq!(micro(text), Err(NotAPrice), "{text}");
        }
    }
}
