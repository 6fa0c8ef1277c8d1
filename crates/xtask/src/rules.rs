//! The rules, one file per subject. Each public function is one rule.

pub(crate) mod documents;
pub(crate) mod layers;
pub(crate) mod manifests;
pub(crate) mod names;
pub(crate) mod secrets;
pub(crate) mod size;
pub(crate) mod sql;
pub(crate) mod top_level;
pub(crate) mod words;

#[cfg(test)]
pub(crate) use tests::check;

#[cfg(test)]
mod tests {
    use crate::problem::Problem;
    use crate::tree::Tree;

    /// Runs one rule on a made-up tree and compares where it complains: `path` or `path:line`.
    #[track_caller]
    pub(crate) fn check(rule: fn(&Tree) -> Vec<Problem>, files: &[(&str, &str)], expected: &[&str]) {
        let found = rule(&Tree::of(files));
        let places: Vec<String> = found
            .iter()
            .map(|problem| match problem.line {
                0 => problem.path.clone(),
                line => format!("{}:{line}", problem.path),
            })
            .collect();
        assert_eq!(places, expected, "{found:#?}");
    }
}
