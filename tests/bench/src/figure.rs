//! A figure: what was measured, for whom, and whether it holds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::contestant::Kind;
use crate::series::Series;

/// The measurements of one thing for each contestant.
pub(crate) type Sides = BTreeMap<Kind, Series>;

/// What must hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Must {
    /// Ours is at most so many times the pass-through.
    Times(f64),
    /// Ours is at most so much above the pass-through.
    Above(f64),
    /// Ours is at most so much.
    AtMost(f64),
    /// Nothing; it is shown because one wants to know.
    Nothing,
}

/// A median and the quartiles around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Whether a figure holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Ok,
    Miss,
    /// There is no limit, or nothing that could be held against it.
    Shown,
}

/// A limit and the value that was held against it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Judged {
    pub(crate) limit: f64,
    pub(crate) value: f64,
}

/// One row of the table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    /// Median and quartiles of each contestant, by name.
    pub(crate) sides: BTreeMap<&'static str, Spread>,
    pub(crate) over_passthru: Option<Spread>,
    pub(crate) over_mingate: Option<Spread>,
    /// The limit in words.
    pub(crate) must: String,
    pub(crate) judged: Option<Judged>,
    pub(crate) verdict: Verdict,
}

impl Figure {
    /// Judges measurements.
    pub(crate) fn of(name: impl Into<String>, unit: &'static str, sides: &Sides, must: Must) -> Self {
        let compared = |other: Kind| Some(sides.get(&Kind::Ours)?.over(sides.get(&other)?));
        let (limit, value) = value(sides, must).unzip();
        let judged = limit.zip(value.flatten()).map(|(limit, value)| Judged { limit, value });
        Self {
            name: name.into(),
            unit,
            sides: sides.iter().filter_map(|(kind, series)| Some((kind.name(), spread(series)?))).collect(),
            over_passthru: compared(Kind::Passthru).as_ref().and_then(spread),
            over_mingate: compared(Kind::Mingate).as_ref().and_then(spread),
            must: in_words(must, unit),
            verdict: judged.map_or(Verdict::Shown, |judged| match judged.value <= judged.limit {
                true => Verdict::Ok,
                false => Verdict::Miss,
            }),
            judged,
        }
    }

    /// Judges what only ours has.
    pub(crate) fn of_ours(name: impl Into<String>, unit: &'static str, series: Series, must: Must) -> Self {
        Self::of(name, unit, &Sides::from([(Kind::Ours, series)]), must)
    }
}

fn value(sides: &Sides, must: Must) -> Option<(f64, Option<f64>)> {
    let ours = sides.get(&Kind::Ours)?;
    let floor = sides.get(&Kind::Passthru);
    match must {
        Must::Times(limit) => Some((limit, ours.over(floor?).median())),
        Must::Above(limit) => Some((limit, ours.above(floor?).median())),
        Must::AtMost(limit) => Some((limit, ours.median())),
        Must::Nothing => None,
    }
}

fn in_words(must: Must, unit: &str) -> String {
    match must {
        Must::Times(limit) => format!("<= {limit} x passthru"),
        Must::Above(limit) => format!("<= passthru + {limit} {unit}"),
        Must::AtMost(limit) => format!("<= {limit}"),
        Must::Nothing => String::new(),
    }
}

fn spread(series: &Series) -> Option<Spread> {
    Some(Spread { median: series.median()?, low: series.quantile(0.25)?, high: series.quantile(0.75)? })
}

#[cfg(test)]
mod tests {
    use super::{Figure, Must, Sides, Verdict};
    use crate::contestant::Kind;

    fn sides(ours: &[f64], passthru: &[f64]) -> Sides {
        Sides::from([
            (Kind::Ours, ours.iter().copied().collect()),
            (Kind::Passthru, passthru.iter().copied().collect()),
        ])
    }

    #[test]
    fn a_figure_is_judged_by_its_median_within_rounds() {
        let measured = sides(&[20.0, 60.0, 22.0], &[10.0, 30.0, 10.0]);
        let verdict = |must| Figure::of("f", "ms", &measured, must).verdict;
        assert_eq!((verdict(Must::Times(2.0)), verdict(Must::Times(1.9))), (Verdict::Ok, Verdict::Miss));
        assert_eq!((verdict(Must::Above(12.0)), verdict(Must::Above(11.0))), (Verdict::Ok, Verdict::Miss));
        assert_eq!((verdict(Must::AtMost(22.0)), verdict(Must::AtMost(21.0))), (Verdict::Ok, Verdict::Miss));
        assert_eq!(verdict(Must::Nothing), Verdict::Shown);
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        let alone = Sides::from([(Kind::Passthru, [1.0].into_iter().collect())]);
        let figure = Figure::of("f", "ms", &alone, Must::Times(1.0));
        assert_eq!((figure.verdict, figure.judged, figure.over_passthru), (Verdict::Shown, None, None));
        assert_eq!(figure.sides.keys().copied().collect::<Vec<_>>(), ["passthru"]);
    }
}
