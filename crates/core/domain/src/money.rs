//! Money as whole micro-dollars. No floating point takes part in a sum.

use serde::{Deserialize, Serialize};

/// An amount in micro-dollars: 1,000,000 is one US dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroUsd(pub i64);

impl MicroUsd {
    /// A vendor's figure in dollars (a decimal number), rounded to the nearest micro-dollar.
    /// `None` where it is not finite, is negative or is too large to be a price.
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        let micro = dollars * 1e6;
        (micro.is_finite() && (0.0..9e15).contains(&micro)).then(|| Self(micro.round() as i64))
    }

    /// The amount in dollars, for display only.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

/// Where a figure comes from. A figure without its mark is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// The vendor said so.
    Reported,
    /// We worked it out: tokens from text length, or cost from tokens and a dated price row.
    Estimated,
    /// No price is known for this model; the cost is not zero, it is unknown.
    Unpriced,
}

impl Mark {
    /// The mark as it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Estimated => "estimated",
            Self::Unpriced => "unpriced",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MicroUsd;

    #[test]
    fn dollars_are_read_exactly_or_not_at_all() {
        assert_eq!(MicroUsd::from_dollars(0.000_123_4), Some(MicroUsd(123)));
        assert_eq!([f64::NAN, f64::INFINITY, -1.0].map(MicroUsd::from_dollars), [None; 3]);
    }
}
