//! Manifests and clippy files: nobody opts out of the workspace's lints, versions or thresholds.

use toml::{Table, Value};

use crate::package::packages;
use crate::problem::Problem;
use crate::tree::{SourceFile, Tree};

/// Dev-only packages whose whole code is test code; clippy's "in tests" settings cover `#[test]` bodies
/// only, so these carry a lighter table of their own.
const OWN_LINTS: &[&str] = &["testkit", "tests", "bench"];

/// Settings of a clippy.toml that every other one repeats.
const REPEATED: &[&str] = &[
    "too-many-lines-threshold",
    "too-many-arguments-threshold",
    "max-fn-params-bools",
    "future-size-threshold",
    "excessive-nesting-threshold",
    "allow-unwrap-in-tests",
    "allow-expect-in-tests",
    "allow-panic-in-tests",
];

/// Every package takes the workspace's lints.
pub(crate) fn lints_are_inherited(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for package in packages(tree) {
        let lints = package.table.get("lints").and_then(Value::as_table);
        let inherited = lints.and_then(|lints| lints.get("workspace")).and_then(Value::as_bool) == Some(true);
        let own = lints.is_some() && OWN_LINTS.contains(&package.name.as_str());
        if !inherited && !own {
            let text = "write `[lints] workspace = true`; a true exception is an `#[expect]` at the spot";
            found.push(Problem::in_file(&package.manifest, "lints_are_inherited", text));
        }
    }
    found
}

/// Every dependency takes its version from the workspace, so no crate is built twice by accident.
pub(crate) fn versions_are_shared(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for package in packages(tree) {
        for dependency in &package.dependencies {
            let shared = dependency.value.get("workspace").and_then(Value::as_bool) == Some(true);
            // The desktop package writes tauri out: its bundler reads the features from this manifest only.
            let inline = package.name == "desktop" && dependency.name.starts_with("tauri");
            if !shared && !inline {
                let text = format!("write `{}.workspace = true` and its version in the root manifest", dependency.name);
                found.push(Problem::in_file(&package.manifest, "versions_are_shared", text));
            }
        }
    }
    found
}

/// Every clippy.toml repeats the thresholds of the root's: clippy reads the nearest one only.
pub(crate) fn clippy_thresholds_agree(tree: &Tree) -> Vec<Problem> {
    let Some(root) = tree.file("clippy.toml").and_then(settings) else { return Vec::new() };
    let mut found = Vec::new();
    for file in tree.ending("/clippy.toml") {
        let Some(own) = settings(file) else {
            found.push(Problem::in_file(&file.path, "clippy_thresholds_agree", "not readable as TOML"));
            continue;
        };
        for key in REPEATED.iter().filter(|key| own.get(**key) != root.get(**key)) {
            let text = format!("`{key}` differs from the root clippy.toml");
            found.push(Problem::in_file(&file.path, "clippy_thresholds_agree", text));
        }
    }
    found
}

fn settings(file: &SourceFile) -> Option<Table> {
    file.text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check;

    #[test]
    fn a_package_cannot_opt_out_of_the_lints() {
        let manifest = |name: &str, lints: &str| format!("[package]\nname = \"omniroute-{name}\"\n{lints}");
        let path = "crates/x/Cargo.toml";
        check(lints_are_inherited, &[(path, &manifest("cli", "[lints]\nworkspace = true\n"))], &[]);
        check(lints_are_inherited, &[(path, &manifest("cli", ""))], &[path]);
        check(lints_are_inherited, &[(path, &manifest("cli", "[lints.clippy]\nall = \"warn\"\n"))], &[path]);
        check(lints_are_inherited, &[(path, &manifest("tests", "[lints.clippy]\nall = \"deny\"\n"))], &[]);
    }

    #[test]
    fn a_version_stands_in_the_root_manifest_only() {
        let manifest = "[package]\nname = \"omniroute-cli\"\n[dependencies]\na.workspace = true\nb = \"1\"\n";
        check(versions_are_shared, &[("crates/cli/Cargo.toml", manifest)], &["crates/cli/Cargo.toml"]);
    }

    #[test]
    fn a_nearer_clippy_file_repeats_the_thresholds() {
        let root = ("clippy.toml", "too-many-lines-threshold = 100\n");
        check(clippy_thresholds_agree, &[root, ("a/clippy.toml", root.1)], &[]);
        check(
            clippy_thresholds_agree,
            &[root, ("a/clippy.toml", "too-many-lines-threshold = 200\n")],
            &["a/clippy.toml"],
        );
        check(clippy_thresholds_agree, &[root, ("a/clippy.toml", "")], &["a/clippy.toml"]);
    }
}
