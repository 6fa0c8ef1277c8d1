//! Documents name only what exists.

use crate::problem::Problem;
use crate::tree::{SourceFile, Tree};

/// A path in backticks that starts with one of these is a promise that it exists.
const ROOTS: &[&str] =
    &["crates/", "docs/", "scripts/", "tests/", "src-tauri/", "ui/", "changelog.d/", ".ci/", ".cargo/"];
const CATALOG_ROWS: &str = "crates/core/catalog/providers/";
const CATALOG_PAGE: &str = "docs/providers.md";

/// A relative link leads to a file, and its anchor to a heading there.
pub(crate) fn links_resolve(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for file in tree.ending(".md") {
        for (line, target) in links(file) {
            if let Some(text) = dead_end(tree, file, target) {
                found.push(Problem::at_line(&file.path, line, "links_resolve", text));
            }
        }
    }
    found
}

/// A repository path in backticks exists; a `*`, a `<name>` or a `{name}` stands for anything.
pub(crate) fn named_paths_exist(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for file in tree.ending(".md") {
        for (index, line) in prose_lines(file) {
            for path in line.split('`').skip(1).step_by(2) {
                let spoken = ROOTS.iter().any(|root| path.starts_with(root)) && !path.contains(' ');
                let fixed = path.split(['*', '<', '{']).next().unwrap_or(path);
                let known = tree.has(fixed) || (fixed != path && has_prefix(tree, fixed));
                if spoken && !known {
                    let text = format!("`{path}` does not exist");
                    found.push(Problem::at_line(&file.path, index, "named_paths_exist", text));
                }
            }
        }
    }
    found
}

/// Every provider row has its line on the generated page, once that page exists.
pub(crate) fn catalog_is_documented(tree: &Tree) -> Vec<Problem> {
    let Some(page) = tree.file(CATALOG_PAGE) else { return Vec::new() };
    let mut found = Vec::new();
    for row in tree.files.iter().filter(|file| file.path.starts_with(CATALOG_ROWS)) {
        let id = row.name().trim_end_matches(".toml");
        if !page.text.contains(&format!("`{id}`")) {
            let text = format!("provider `{id}` is missing from `{CATALOG_PAGE}`; run `cargo xtask gen`");
            found.push(Problem::in_file(&row.path, "catalog_is_documented", text));
        }
    }
    found
}

fn dead_end(tree: &Tree, file: &SourceFile, target: &str) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let place = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
    if !tree.has(&place) {
        return Some(format!("link to `{target}`: nothing is there"));
    }
    let page = tree.file(&place).filter(|page| page.path.ends_with(".md"))?;
    let known = anchor.is_empty() || headings(page).any(|heading| heading == anchor);
    (!known).then(|| format!("link to `{target}`: no such heading"))
}

/// The targets of `[text](target)` that lead into the repository.
fn links(file: &SourceFile) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (index, line) in prose_lines(file) {
        for (at, opening) in line.match_indices("](") {
            let rest = &line[at + opening.len()..];
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            let outside = target.contains("://") || target.starts_with("mailto:");
            if !outside && !target.is_empty() {
                found.push((index, target));
            }
        }
    }
    found
}

/// Lines outside fenced blocks, counted from 1.
fn prose_lines(file: &SourceFile) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let fence = line.trim_start().starts_with("```");
        if !fence && !fenced {
            found.push((index + 1, line));
        }
        fenced ^= fence;
    }
    found
}

/// Anchors as code hosts make them: lower case, spaces to hyphens, punctuation dropped.
fn headings(page: &SourceFile) -> impl Iterator<Item = String> + '_ {
    prose_lines(page).into_iter().filter(|(_, line)| line.starts_with('#')).map(|(_, line)| {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        line.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
    })
}

/// A path as seen from the folder of the page that names it.
fn resolve(page: &str, path: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn has_prefix(tree: &Tree, start: &str) -> bool {
    tree.files.iter().any(|file| file.path.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check;

    const PAGE: (&str, &str) = ("docs/a.md", "# The first part\n## Two: words!\n");

    #[test]
    fn a_dead_link_is_noticed() {
        let links = "[a](docs/a.md) [b](docs/b.md)\n[c](https://x/y) [d](docs/) [e](mailto:a@b)\n```\n[f](g)\n```\n![h](h.png)\n";
        check(links_resolve, &[PAGE, ("README.md", links)], &["README.md:1", "README.md:6"]);
    }

    #[test]
    fn links_are_followed_from_their_page_to_a_heading() {
        let links = "[a](a.md#two-words)\n[b](../README.md)\n[c](a.md#three)\n[d](#here)\n# Here\n";
        check(links_resolve, &[PAGE, ("docs/b.md", links), ("README.md", "")], &["docs/b.md:3"]);
    }

    #[test]
    fn a_path_that_does_not_exist_is_noticed() {
        let text = "`docs/a.md` `docs/` `docs/<name>.md` `docs/z*` `crates/x.rs` `make docs/b`\n";
        check(named_paths_exist, &[PAGE, ("README.md", text)], &["README.md:1", "README.md:1"]);
    }

    #[test]
    fn an_undocumented_provider_is_noticed_once_the_page_exists() {
        let rows = [("crates/core/catalog/providers/a.toml", ""), ("crates/core/catalog/providers/b.toml", "")];
        check(catalog_is_documented, &rows, &[]);
        check(catalog_is_documented, &[rows[0], rows[1], ("docs/providers.md", "| `a` |")], &[rows[1].0]);
    }
}
