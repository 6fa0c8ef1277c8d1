//! Who may use whom: our own crates by layer, and the outside crates that have one home.
//!
//! The table is the one of the architecture; manifests and imports are both held to it, because a
//! re-export can bring in by import what no manifest names.

use crate::masked::{Masked, closing, words};
use crate::package::{Package, Role, packages};
use crate::problem::Problem;
use crate::tree::{SourceFile, Tree};

/// A package and the packages of ours that it may use. `domain` is the vocabulary: everyone may.
struct Layer {
    name: &'static str,
    uses: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer { name: "domain", uses: &[] },
    Layer { name: "wire", uses: &[] },
    Layer { name: "catalog", uses: &[] },
    Layer { name: "resilience", uses: &[] },
    Layer { name: "routing", uses: &["catalog", "resilience"] },
    Layer { name: "vault", uses: &[] },
    Layer { name: "store", uses: &[] },
    Layer { name: "upstream", uses: &["wire", "catalog", "vault"] },
    Layer { name: "gateway", uses: &["wire", "catalog", "resilience", "routing", "vault", "store", "upstream"] },
    Layer { name: "control", uses: &["catalog", "routing", "vault", "store", "upstream", "gateway"] },
    Layer { name: "cli", uses: &["control"] },
    Layer { name: "desktop", uses: &["control"] },
    Layer { name: "testkit", uses: &[] },
    Layer { name: "xtask", uses: &["catalog", "control", "cli"] },
    Layer { name: "tests", uses: &["testkit", "wire", "catalog", "routing", "vault", "store"] },
    Layer {
        name: "bench",
        uses: &["testkit", "wire", "catalog", "routing", "vault", "store", "upstream", "gateway", "control"],
    },
];

/// An outside crate, or a module of one, that only some packages may use.
struct Owned {
    path: &'static str,
    by: &'static [&'static str],
    why: &'static str,
}

const OWNED: &[Owned] = &[
    Owned { path: "tauri", by: &["desktop"], why: "the engine must build without a window" },
    Owned { path: "keyring", by: &["vault"], why: "one place talks to the operating system's keychain" },
    Owned { path: "chacha20poly1305", by: &["vault"], why: "one place seals secrets" },
    Owned { path: "rusqlite", by: &["store"], why: "one place speaks SQL" },
    Owned { path: "rusqlite_migration", by: &["store"], why: "one place speaks SQL" },
    Owned { path: "axum", by: &["gateway", "control", "bench"], why: "shells only carry requests to the router" },
    Owned { path: "reqwest", by: &["bench"], why: "our client is hyper's; the bench keeps a rival built on reqwest" },
    Owned {
        path: "tokio_rustls",
        by: &["upstream", "bench", "tests"],
        why: "one place opens connections to providers",
    },
    Owned { path: "hyper_util::client", by: &["upstream", "bench"], why: "one place opens connections to providers" },
    Owned { path: "hyper::client", by: &["upstream", "bench"], why: "one place opens connections to providers" },
];

/// What the pure crates may not depend on outside their tests: runtimes, sockets, files, randomness.
const IMPURE: &[&str] = &[
    "axum",
    "getrandom",
    "hyper",
    "hyper-util",
    "keyring",
    "rand",
    "reqwest",
    "rusqlite",
    "tokio",
    "tokio-util",
    "tracing-subscriber",
];

/// A manifest asks only for crates of ours that its layer may use.
pub(crate) fn manifest_directions(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for package in packages(tree) {
        let Some(layer) = layer(&package.name) else {
            let text = format!("package `{}` has no layer; give it a row in xtask's `LAYERS`", package.name);
            found.push(Problem::in_file(&package.manifest, "manifest_directions", text));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(used) = dependency.name.strip_prefix("omniroute-") else { continue };
            let test_only = dependency.role == Role::Development && tests_may_use(&package.name, used);
            if !may_use(layer, used) && !test_only {
                let text = format!("`{}` may not depend on `{used}`", package.name);
                found.push(Problem::in_file(&package.manifest, "manifest_directions", text));
            }
        }
    }
    found
}

/// A source file names only crates of ours that its layer may use.
pub(crate) fn import_directions(tree: &Tree) -> Vec<Problem> {
    each_source(tree, |package, file, rust| {
        let Some(layer) = layer(&package.name) else { return Vec::new() };
        let mut found = Vec::new();
        for (at, word) in words(&rust.code) {
            let Some(used) = word.strip_prefix("omniroute_") else { continue };
            let itself = used == package.name;
            let in_tests = file.is_test() || rust.is_test(at) || file.path.contains("/benches/");
            let test_only = in_tests && tests_may_use(&package.name, used);
            if self::layer(used).is_some() && !itself && !test_only && !may_use(layer, used) {
                let text = format!("`{}` may not use `{used}`", package.name);
                found.push(Problem::at_line(&file.path, file.line_of(at), "import_directions", text));
            }
        }
        found
    })
}

/// A manifest asks for an owned outside crate only in its home.
pub(crate) fn owned_dependencies(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for package in packages(tree) {
        for dependency in &package.dependencies {
            let name = dependency.name.replace('-', "_");
            let owned = OWNED.iter().find(|owned| owned.path == name);
            if let Some(owned) = owned.filter(|owned| !owned.by.contains(&package.name.as_str())) {
                let text = refusal(owned);
                found.push(Problem::in_file(&package.manifest, "owned_dependencies", text));
            }
        }
    }
    found
}

/// A source file names an owned outside crate or module only in its home.
pub(crate) fn owned_imports(tree: &Tree) -> Vec<Problem> {
    each_source(tree, |package, file, rust| {
        let mut found = Vec::new();
        for owned in OWNED.iter().filter(|owned| !owned.by.contains(&package.name.as_str())) {
            for at in mentions(&rust.code, owned.path) {
                found.push(Problem::at_line(&file.path, file.line_of(at), "owned_imports", refusal(owned)));
            }
        }
        found
    })
}

/// A crate under `crates/core` has no runtime, socket or randomness in its manifest.
pub(crate) fn pure_manifests(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for package in packages(tree).iter().filter(|package| package.folder.starts_with("crates/core/")) {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.role == Role::Production) {
            if IMPURE.contains(&dependency.name.as_str()) {
                let text =
                    format!("a pure crate may not depend on `{}`; take its result as an argument", dependency.name);
                found.push(Problem::in_file(&package.manifest, "pure_manifests", text));
            }
        }
    }
    found
}

/// What tests of a package may use beyond its layer: the test kit, and a neighbour whose real output
/// they need as input (the store's crash tests write what the vault sealed).
fn tests_may_use(package: &str, used: &str) -> bool {
    used == "testkit" || (package, used) == ("store", "vault")
}

fn layer(name: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.name == name)
}

fn may_use(layer: &Layer, used: &str) -> bool {
    used == "domain" || layer.uses.contains(&used)
}

fn refusal(owned: &Owned) -> String {
    format!("`{}` belongs to {}: {}", owned.path, owned.by.join(" and "), owned.why)
}

fn each_source(tree: &Tree, rule: impl Fn(&Package, &SourceFile, &Masked) -> Vec<Problem>) -> Vec<Problem> {
    let packages = packages(tree);
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        let owner = packages.iter().filter(|package| package.owns(file)).max_by_key(|package| package.folder.len());
        if let Some(package) = owner {
            found.extend(rule(package, file, rust));
        }
    }
    found
}

/// Offsets at which code names a crate (`axum::`, `use axum;`) or a module of one, also in a group
/// (`use hyper_util::{client::legacy, rt}`).
fn mentions(code: &str, path: &str) -> Vec<usize> {
    let (krate, module) = path.split_once("::").unwrap_or((path, ""));
    let found = words(code).filter(|(at, word)| {
        let before = code[..*at].trim_end();
        let after = code[at + word.len()..].trim_start();
        let is_path = after.starts_with("::") || before.ends_with("use") || before.ends_with("extern crate");
        *word == krate && is_path && !before.ends_with("::") && reaches(after, module)
    });
    found.map(|(at, _)| at).collect()
}

/// Whether the rest of a path (`::client::legacy …` or `::{client, rt}`) goes through a module.
fn reaches(after: &str, module: &str) -> bool {
    let Some(rest) = after.strip_prefix("::").map(str::trim_start) else { return module.is_empty() };
    if module.is_empty() {
        return true;
    }
    let reach = match rest.starts_with('{') {
        true => closing(rest, 0).map_or(rest, |end| &rest[..end]),
        false => rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default(),
    };
    words(reach).any(|(_, word)| word == module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check;

    const VAULT: (&str, &str) = ("crates/vault/Cargo.toml", "[package]\nname = \"omniroute-vault\"\n");
    const TESTKIT_FOR_TESTS: &str =
        "[package]\nname = \"omniroute-vault\"\n[dev-dependencies]\nomniroute-testkit.workspace = true\n";

    #[test]
    fn a_dependency_points_down() {
        let manifest = |dependency: &str| {
            format!("[package]\nname = \"omniroute-vault\"\n[dependencies]\nomniroute-{dependency}.workspace = true\n")
        };
        check(manifest_directions, &[(VAULT.0, &manifest("domain"))], &[]);
        check(manifest_directions, &[(VAULT.0, &manifest("store"))], &[VAULT.0]);
        check(manifest_directions, &[(VAULT.0, &manifest("testkit"))], &[VAULT.0]);
        check(manifest_directions, &[(VAULT.0, TESTKIT_FOR_TESTS)], &[]);
    }

    #[test]
    fn a_package_without_a_layer_is_noticed() {
        check(
            manifest_directions,
            &[("crates/new/Cargo.toml", "[package]\nname = \"omniroute-new\"\n")],
            &["crates/new/Cargo.toml"],
        );
    }

    #[test]
    fn a_dependency_of_one_platform_counts_too() {
        let manifest = "[package]\nname = \"omniroute-cli\"\n[target.'cfg(unix)'.dependencies]\nrusqlite = \"1\"\n";
        check(owned_dependencies, &[("crates/cli/Cargo.toml", manifest)], &["crates/cli/Cargo.toml"]);
    }

    #[test]
    fn an_import_points_down() {
        let source = "use omniroute_domain::Secret;\nfn f() { omniroute_store::open() }\n// omniroute_gateway\n";
        check(import_directions, &[VAULT, ("crates/vault/src/lib.rs", source)], &["crates/vault/src/lib.rs:2"]);
        let tested = "#[cfg(test)]\nmod tests { use omniroute_testkit::Provider; }\nuse omniroute_testkit::x;\n";
        check(import_directions, &[VAULT, ("crates/vault/src/lib.rs", tested)], &["crates/vault/src/lib.rs:3"]);
    }

    #[test]
    fn an_owned_crate_stays_at_home() {
        let source =
            "use axum::Router;\nuse rusqlite;\nuse keyring::Entry;\nlet axum = 1;\nmod x { self::axum::y() }\n";
        check(
            owned_imports,
            &[VAULT, ("crates/vault/src/lib.rs", source)],
            &["crates/vault/src/lib.rs:2", "crates/vault/src/lib.rs:1"],
        );
    }

    #[test]
    fn an_owned_module_is_seen_through_groups() {
        let source =
            "use hyper_util::{rt::TokioIo, client::legacy::Client};\nuse hyper_util::rt;\nhyper::client::conn();\n";
        check(
            owned_imports,
            &[VAULT, ("crates/vault/src/lib.rs", source)],
            &["crates/vault/src/lib.rs:1", "crates/vault/src/lib.rs:3"],
        );
    }

    #[test]
    fn the_client_is_hypers() {
        let manifest = "[package]\nname = \"omniroute-upstream\"\n[dependencies]\nreqwest = \"0.13\"\n";
        check(owned_dependencies, &[("crates/upstream/Cargo.toml", manifest)], &["crates/upstream/Cargo.toml"]);
    }

    #[test]
    fn a_pure_crate_has_no_runtime() {
        let manifest =
            "[package]\nname = \"omniroute-wire\"\n[dependencies]\ntokio = \"1\"\n[dev-dependencies]\nrand = \"1\"\n";
        check(pure_manifests, &[("crates/core/wire/Cargo.toml", manifest)], &["crates/core/wire/Cargo.toml"]);
        check(pure_manifests, &[("crates/gateway/Cargo.toml", manifest)], &[]);
    }
}
