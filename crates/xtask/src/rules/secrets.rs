//! A secret is opened where it is sealed and where it becomes a header, and nowhere else.

use crate::masked::words;
use crate::problem::Problem;
use crate::tree::Tree;

/// Where `Secret::expose` may be named: its home, the vault, and the code that talks to providers.
const OPENERS: &[&str] = &["crates/core/domain/src/secret.rs", "crates/vault/", "crates/upstream/"];

/// Nothing else calls `expose`, tests included.
pub(crate) fn opened_secrets(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        if OPENERS.iter().any(|place| file.path.starts_with(place)) {
            continue;
        }
        for (at, _) in words(&rust.code).filter(|(_, word)| *word == "expose") {
            let text = "only `vault` and `upstream` open a secret; ask one of them for what you need";
            found.push(Problem::at_line(&file.path, file.line_of(at), "opened_secrets", text));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check;

    #[test]
    fn opening_a_secret_is_noticed_outside_its_two_homes() {
        let source = "// expose\nlet a = key\n  .expose();\nlet b = keys.iter().map(Secret::expose);\n";
        check(
            opened_secrets,
            &[("crates/control/src/keys.rs", source)],
            &["crates/control/src/keys.rs:3", "crates/control/src/keys.rs:4"],
        );
        check(opened_secrets, &[("crates/upstream/src/auth.rs", source), ("crates/vault/tests/a.rs", source)], &[]);
    }
}
