//! All figures: as one table for people and as one JSON file for whoever compares runs.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::figure::{Figure, Spread, Verdict};

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) processor: String,
    pub(crate) mode: &'static str,
    /// Whether gateways and load had a core each.
    pub(crate) pinned: bool,
    /// How busy the machine was before it began, in cores.
    pub(crate) load_before: f64,
    pub(crate) seconds: f64,
    pub(crate) figures: Vec<Figure>,
    /// What went wrong; empty in a sound run.
    pub(crate) failures: Vec<String>,
}

impl Report {
    /// Prints the table and what is to be said about it.
    pub(crate) fn print(&self) {
        println!("{}", self.table());
        let pinned = if self.pinned { "one core for gateways, one for load and provider" } else { "not pinned" };
        println!("{} run, {:.0} s, {}, {pinned}", self.mode, self.seconds, self.processor);
        println!("medians of rounds; in brackets the quartiles of the per-round ratios");
        if self.load_before > 0.5 {
            println!("the machine was not quiet: {:.1} cores were busy before the run", self.load_before);
        }
        for failure in &self.failures {
            println!("FAILED: {failure}");
        }
    }

    /// Whether every figure that has a limit is within it.
    pub(crate) fn holds(&self) -> bool {
        self.figures.iter().all(|figure| figure.verdict != Verdict::Miss)
    }

    /// Writes it beside what was built.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let own = std::env::current_exe().context("this program has a path")?;
        let target = own.ancestors().nth(2).context("this program stands in a target folder")?;
        let folder = target.join("bench");
        std::fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
        let path = folder.join("results.json");
        let text = serde_json::to_string_pretty(self).context("writing figures as JSON")?;
        std::fs::write(&path, text + "\n").with_context(|| format!("writing `{}`", path.display()))?;
        Ok(path)
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(["figure", "unit", "ours", "passthru", "mingate", "x passthru", "x mingate", "must", ""]);
        for figure in &self.figures {
            table.add_row(row(figure));
        }
        for column in table.column_iter_mut().skip(2).take(5) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

fn row(figure: &Figure) -> [String; 9] {
    let side = |name: &str| figure.sides.get(name).map_or_else(String::new, |side| number(side.median));
    let verdict = match (figure.verdict, figure.judged) {
        (Verdict::Ok, Some(judged)) => format!("ok ({})", number(judged.value)),
        (Verdict::Miss, Some(judged)) => format!("MISS ({})", number(judged.value)),
        (Verdict::Ok | Verdict::Miss | Verdict::Shown, _) => String::new(),
    };
    [
        figure.name.clone(),
        figure.unit.to_owned(),
        side("ours"),
        side("passthru"),
        side("mingate"),
        ratio(figure.over_passthru),
        ratio(figure.over_mingate),
        figure.must.clone(),
        verdict,
    ]
}

fn ratio(spread: Option<Spread>) -> String {
    spread
        .filter(|spread| spread.median.is_finite())
        .map_or_else(String::new, |spread| format!("{:.2} [{:.2}, {:.2}]", spread.median, spread.low, spread.high))
}

/// Three digits that mean something.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Report, number};
    use crate::figure::{Figure, Must};

    #[test]
    fn a_miss_stands_in_the_table_and_in_the_sum() {
        let figure = |limit| Figure::of_ours("start", "ms", [120.0].into_iter().collect(), Must::AtMost(limit));
        let mut report = Report {
            processor: String::new(),
            mode: "quick",
            pinned: true,
            load_before: 0.0,
            seconds: 1.0,
            figures: vec![figure(150.0)],
            failures: Vec::new(),
        };
        assert!(report.holds());
        report.figures.push(figure(100.0));
        assert!(!report.holds());
        let table = report.table().to_string();
        assert!(table.contains("ok (120)") && table.contains("MISS (120)"), "{table}");
    }

    #[test]
    fn numbers_have_as_many_digits_as_they_are_worth() {
        let shown = [0.0, 0.0123, 1.234, 12.34, 1234.5].map(number);
        assert_eq!(shown, ["0", "0.012", "1.23", "12.3", "1234"]);
    }
}
