//! The repository's front door: only what is listed stands at the top.

use crate::problem::Problem;
use crate::tree::Tree;

/// Files and folders that may stand at the root. A new one is a decision, so it is made here.
const ALLOWED: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".editorconfig",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "changelog.d",
    "clippy.toml",
    "crates",
    "deny.toml",
    "docs",
    "icons",
    "rustfmt.toml",
    "scripts",
    "src-tauri",
    "tauri.conf.json",
    "tests",
    "ui",
];

/// Nothing stands at the root that is not on the list.
pub(crate) fn stray_files(tree: &Tree) -> Vec<Problem> {
    let mut found: Vec<Problem> = tree
        .files
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .filter(|top| !ALLOWED.contains(top))
        .map(|top| Problem::in_file(top, "stray_files", "not on the list of top-level files; move or delete it"))
        .collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check;

    #[test]
    fn a_stray_file_or_folder_is_noticed_once() {
        check(
            stray_files,
            &[("README.md", ""), ("notes.txt", ""), ("old/a", ""), ("old/b", "")],
            &["notes.txt", "old"],
        );
    }
}
