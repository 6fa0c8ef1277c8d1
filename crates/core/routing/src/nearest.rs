//! Names that may have been meant, for refusals only.

use std::collections::BTreeSet;

/// The most names a refusal lists.
pub(crate) const MOST: usize = 5;

/// Names longer than this are not compared letter by letter.
const LONGEST: usize = 64;

/// How far a name may be from the wanted one: a quarter of its letters, at least one.
fn limit(wanted: &str) -> usize {
    (wanted.len() / 4).max(1)
}

/// Picks the names nearest to the wanted one, best first. Each candidate is what is compared and what
/// is shown for it.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = (&'a str, String)>) -> Vec<String> {
    let wanted = wanted.to_ascii_lowercase();
    let mut ranked: BTreeSet<(usize, String)> = BTreeSet::new();
    for (name, shown) in candidates {
        if let Some(distance) = distance(&wanted, &name.to_ascii_lowercase()) {
            ranked.insert((distance, shown));
            if ranked.len() > MOST {
                ranked.pop_last();
            }
        }
    }
    ranked.into_iter().map(|(_, shown)| shown).collect()
}

/// How far apart two names are; `None` where too far. One that continues the other is near.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    if wanted.is_empty() || wanted.len() > LONGEST || name.len() > LONGEST {
        return None;
    }
    let limit = limit(wanted);
    if wanted.len() >= 3 && (name.starts_with(wanted) || name.rsplit('/').next().is_some_and(|last| last == wanted)) {
        return Some(1);
    }
    if wanted.len().abs_diff(name.len()) > limit {
        return None;
    }
    let edits = edits(wanted.as_bytes(), name.as_bytes());
    (edits <= limit).then_some(edits)
}

/// The fewest single-byte edits that turn one text into the other.
fn edits(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, a) in from.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to) {
            let best = (diagonal + usize::from(a != b)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}
