//! All rules in one list, and running them.

use crate::problem::Problem;
use crate::rules::{documents, layers, manifests, names, secrets, size, sql, top_level, words};
use crate::tree::Tree;

type Rule = fn(&Tree) -> Vec<Problem>;

const RULES: &[Rule] = &[
    top_level::stray_files,
    layers::manifest_directions,
    layers::import_directions,
    layers::owned_dependencies,
    layers::owned_imports,
    layers::pure_manifests,
    manifests::lints_are_inherited,
    manifests::versions_are_shared,
    manifests::clippy_thresholds_agree,
    size::file_length,
    size::inline_test_length,
    size::function_length,
    names::vague_files,
    names::vague_types,
    names::global_state,
    secrets::opened_secrets,
    sql::built_statements,
    words::tags,
    words::emoji,
    words::machine_paths,
    words::registry_hosts,
    words::silenced_lints,
    words::ignored_tests,
    words::sleeping_tests,
    documents::links_resolve,
    documents::named_paths_exist,
    documents::catalog_is_documented,
];

/// What breaks a rule, in path order; empty when the tree is tidy.
pub fn problems(tree: &Tree) -> Vec<Problem> {
    let mut found: Vec<Problem> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    found.sort();
    found.dedup();
    found
}
