//! The repository keeps its own rules.

use omniroute_xtask::problem::Problem;
use omniroute_xtask::tree::{Tree, repository_root};
use omniroute_xtask::{generated, tidy};

#[test]
fn the_repository_is_tidy() {
    let tree = Tree::read(&repository_root()).expect("the repository is readable");
    assert!(tree.has("crates/xtask/src/lib.rs"), "the walk reaches this crate");
    assert_none(&tidy::problems(&tree));
}

#[test]
fn generated_files_are_fresh() {
    let tree = Tree::read(&repository_root()).expect("the repository is readable");
    assert_none(&generated::stale(&tree, &generated::all()));
}

#[track_caller]
fn assert_none(problems: &[Problem]) {
    let list: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), list.join("\n"));
}
