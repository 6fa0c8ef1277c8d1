//! Pages and files that are made from code, so that they can't say something else.
//!
//! `cargo xtask gen` writes them; a test compares what is in the tree with what would be written.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use omniroute_catalog::Catalog;
use omniroute_catalog::docs::providers_page;
use omniroute_control::{env, openapi_json};

use crate::problem::Problem;
use crate::tree::Tree;

/// One generated file.
#[derive(Debug, Clone)]
pub struct Generated {
    /// Where it belongs, relative to the root.
    pub path: &'static str,
    /// What it should hold.
    pub text: String,
}

/// Everything that is generated.
pub fn all() -> Vec<Generated> {
    vec![
        Generated { path: "docs/cli.md", text: omniroute_cli::docs::markdown() },
        Generated { path: "docs/environment.md", text: env::environment_page() },
        Generated { path: "docs/limits.md", text: env::limits_page() },
        Generated { path: "docs/openapi.json", text: openapi_json() },
        Generated { path: "docs/providers.md", text: providers_page(&Catalog::builtin()) },
    ]
}

/// Writes every generated file under `root`; the paths that changed come back.
pub fn write(root: &Path, files: &[Generated]) -> Result<Vec<&'static str>> {
    let mut changed = Vec::new();
    for file in files {
        let place = root.join(file.path);
        if fs::read_to_string(&place).is_ok_and(|text| text == file.text) {
            continue;
        }
        fs::write(&place, &file.text).with_context(|| format!("writing `{}`", file.path))?;
        changed.push(file.path);
    }
    Ok(changed)
}

/// The generated files that are missing from the tree or differ from what would be written.
pub fn stale(tree: &Tree, files: &[Generated]) -> Vec<Problem> {
    let fresh = |file: &&Generated| tree.file(file.path).is_some_and(|found| found.text == file.text);
    files
        .iter()
        .filter(|file| !fresh(file))
        .map(|file| Problem::in_file(file.path, "stale", "not what the code says; run `cargo xtask gen`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Generated, stale};
    use crate::tree::Tree;

    #[test]
    fn a_stale_or_missing_page_is_noticed() {
        let pages = [Generated { path: "docs/a.md", text: "new".into() }];
        let count = |files: &[(&str, &str)]| stale(&Tree::of(files), &pages).len();
        assert_eq!([count(&[("docs/a.md", "new")]), count(&[("docs/a.md", "old")]), count(&[])], [0, 1, 1]);
    }
}
