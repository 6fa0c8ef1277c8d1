//! Measurements of one thing, round by round.
//!
//! Machines drift from one second to the next, so whatever is compared is compared within its round
//! first; the median of those comparisons is what counts.

/// One value per round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    values: Vec<f64>,
}

impl Series {
    /// Adds a round.
    pub(crate) fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// Adds all rounds of another.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.values.extend_from_slice(&other.values);
    }

    /// The middle value; none where nothing was measured.
    pub(crate) fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// The value below which this part of the values lies, between two of them in proportion.
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let place = part * sorted.len().checked_sub(1)? as f64;
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        Some(sorted[below] + (sorted[above] - sorted[below]) * place.fract())
    }

    /// Round by round, this divided by another.
    pub(crate) fn over(&self, other: &Self) -> Self {
        self.with(other, |one, other| one / other)
    }

    /// Round by round, what this has more than another.
    pub(crate) fn above(&self, other: &Self) -> Self {
        self.with(other, |one, other| one - other)
    }

    fn with(&self, other: &Self, both: impl Fn(f64, f64) -> f64) -> Self {
        self.values.iter().zip(&other.values).map(|(one, other)| both(*one, *other)).collect()
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        Self { values: values.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::Series;

    fn series(values: &[f64]) -> Series {
        values.iter().copied().collect()
    }

    #[test]
    fn quantiles_lie_in_order_and_between_values() {
        let values = series(&[9.0, 1.0, 5.0, 3.0]);
        assert_eq!((values.median(), values.quantile(0.0), values.quantile(1.0)), (Some(4.0), Some(1.0), Some(9.0)));
        assert_eq!(values.quantile(0.25), Some(2.5));
        assert_eq!((series(&[7.0]).quantile(0.99), series(&[]).median()), (Some(7.0), None));
    }

    #[test]
    fn comparisons_are_made_within_a_round() {
        let (slow, fast) = (series(&[2.0, 40.0, 6.0]), series(&[1.0, 20.0, 2.0]));
        assert_eq!(slow.over(&fast).median(), Some(2.0), "a round in which all were slow does not count more");
        assert_eq!(slow.above(&fast).median(), Some(4.0));
    }
}
