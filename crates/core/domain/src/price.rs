//! Prices per million tokens, and what an exchange costs.

use serde::{Deserialize, Serialize};

use crate::money::MicroUsd;
use crate::usage::Usage;

/// List prices in micro-dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Input tokens that no cache served.
    pub input: i64,
    /// Output tokens, reasoning included.
    pub output: i64,
    /// Input tokens read from a cache; the input price where the vendor gives none.
    pub cache_read: Option<i64>,
    /// Input tokens written to a cache; the input price where the vendor gives none.
    pub cache_write: Option<i64>,
}

impl Price {
    /// What an exchange costs, rounded half up to a whole micro-dollar.
    /// Cached tokens are part of the input total, so they are taken out of it before it is priced.
    pub fn cost(&self, usage: &Usage) -> MicroUsd {
        let read = usage.cache_read.unwrap_or(0);
        let write = usage.cache_write();
        let fresh = usage.input_total.unwrap_or(0).saturating_sub(read.saturating_add(write));
        let parts = [
            (fresh, self.input),
            (read, self.cache_read.unwrap_or(self.input)),
            (write, self.cache_write.unwrap_or(self.input)),
            (usage.output_total.unwrap_or(0), self.output),
        ];
        let total: i128 = parts.iter().map(|&(tokens, price)| i128::from(tokens) * i128::from(price)).sum();
        let micro = (total + 500_000).div_euclid(1_000_000);
        MicroUsd(i64::try_from(micro).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::Price;
    use crate::money::MicroUsd;
    use crate::usage::Usage;

    const PRICE: Price = Price { input: 3_000_000, output: 15_000_000, cache_read: Some(300_000), cache_write: None };

    #[track_caller]
    fn check(usage: Usage, micro: i64) {
        assert_eq!(PRICE.cost(&usage), MicroUsd(micro));
    }

    #[test]
    fn cached_tokens_are_not_charged_twice() {
        check(Usage { input_total: Some(100), output_total: Some(10), ..Usage::default() }, 450);
        check(Usage { input_total: Some(100), cache_read: Some(40), ..Usage::default() }, 192);
        check(Usage { input_total: Some(100), cache_write_5m: Some(100), ..Usage::default() }, 300);
    }

    #[test]
    fn a_part_of_a_micro_dollar_is_rounded_half_up() {
        let cheap = Price { input: 75_000, ..Price::default() };
        let cost = |tokens| cheap.cost(&Usage { input_total: Some(tokens), ..Usage::default() });
        assert_eq!((cost(6), cost(7), cost(0)), (MicroUsd(0), MicroUsd(1), MicroUsd(0)));
    }

    #[test]
    fn more_cached_than_input_never_goes_below_zero() {
        check(Usage { input_total: Some(10), cache_read: Some(40), ..Usage::default() }, 12);
    }
}
