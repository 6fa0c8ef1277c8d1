//! Names that may have been meant, for refusals only.

/// The most names a refusal lists.
pub(crate) const MOST: usize = 5;

/// Names longer than this are not compared letter by letter.
const LONGEST: usize = 64;

/// Picks the names nearest to the wanted one, best first, each with what the caller attached to it.
pub(crate) fn nearest<'a, T>(wanted: &str, names: impl Iterator<Item = (&'a str, T)>) -> Vec<(&'a str, T)> {
    let wanted = wanted.to_ascii_lowercase();
    let mut best: Vec<(usize, &str, T)> = Vec::with_capacity(MOST + 1);
    for (name, attached) in names {
        let Some(distance) = distance(&wanted, name) else { continue };
        let at = best.partition_point(|(other, known, _)| (*other, *known) <= (distance, name));
        best.insert(at, (distance, name, attached));
        best.truncate(MOST);
    }
    best.into_iter().map(|(_, name, attached)| (name, attached)).collect()
}

/// How far apart two names are; `None` where too far. One that goes on after the wanted one is near,
/// and so is one that has a vendor before it.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    if wanted.is_empty() || wanted.len() > LONGEST || name.len() > LONGEST {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let longer = name.starts_with(wanted) || name.rsplit('/').next() == Some(wanted);
    if wanted.len() >= 3 && longer {
        return Some(1);
    }
    let limit = (wanted.len() / 4).max(1);
    if wanted.len().abs_diff(name.len()) > limit {
        return None;
    }
    let edits = edits(wanted.as_bytes(), name.as_bytes());
    (edits <= limit).then_some(edits)
}

/// The fewest edits that turn one text into the other; two swapped bytes are one edit.
fn edits(from: &[u8], to: &[u8]) -> usize {
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut before = None;
    for (line, a) in from.iter().enumerate() {
        let mut next = vec![line + 1];
        let mut left = None;
        for (column, b) in to.iter().enumerate() {
            let replaced = at(&row, column) + usize::from(a != b);
            let added = at(&next, column) + 1;
            let removed = at(&row, column + 1) + 1;
            let mut best = replaced.min(added).min(removed);
            if let Some(two_left) = column.checked_sub(1)
                && before == Some(b)
                && left == Some(a)
            {
                best = best.min(at(&above, two_left) + 1);
            }
            next.push(best);
            left = Some(b);
        }
        above = std::mem::replace(&mut row, next);
        before = Some(a);
    }
    at(&row, to.len())
}

#[cfg(test)]
mod tests {
    use super::{MOST, edits, nearest};

    #[test]
    fn edits_are_counted() {
        let rows = [("groq", "gorq", 1), ("openai", "opnai", 1), ("a", "", 1), ("", "", 0), ("kitten", "sitting", 3)];
        for (from, to, count) in rows {
            assert_eq!((edits(from.as_bytes(), to.as_bytes()), edits(to.as_bytes(), from.as_bytes())), (count, count));
        }
    }

    #[track_caller]
    fn check(wanted: &str, names: &[&str], expected: &[&str]) {
        let found = nearest(wanted, names.iter().map(|name| (*name, ())));
        assert_eq!(found.iter().map(|(name, ())| *name).collect::<Vec<_>>(), expected, "{wanted}");
    }

    #[test]
    fn near_names_are_found_best_first() {
        check("gpt-6-slo", &["gpt-6-sol", "gpt-6-luna", "gpt-5.6-sol"], &["gpt-6-sol"]);
        check("claude-opus", &["claude-opus-5-5", "claude-sonnet-5", "gpt"], &["claude-opus-5-5"]);
        check("Llama-4", &["meta/llama-4", "llama-3"], &["llama-3", "meta/llama-4"]);
        check("zzzz", &["gpt-6-sol"], &[]);
    }

    #[test]
    fn the_list_is_short() {
        let names: Vec<String> = (0..50).map(|number| format!("model-{number}")).collect();
        let found = nearest("model", names.iter().map(|name| (name.as_str(), ())));
        assert_eq!(found.len(), MOST);
    }

    #[test]
    fn long_names_are_not_compared() {
        let long = "a".repeat(65);
        check(&long, &[&long], &[]);
    }
}
