//! Names that say nothing, and state that belongs to nobody.

use crate::masked::words;
use crate::problem::Problem;
use crate::tree::Tree;

const VAGUE_NAMES: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "misc", "manager", "managers", "service", "services", "prelude"];
const VAGUE_ENDINGS: &[&str] = &["Manager", "Helper", "Helpers", "Util", "Utils", "Misc"];
const SHARED_CELLS: &[&str] = &["OnceLock", "LazyLock", "OnceCell", "Lazy", "Mutex", "RwLock", "ArcSwap"];

/// A file or folder is named after what it is about.
pub(crate) fn vague_files(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| is_source(&file.path)) {
        for part in file.path.split('/') {
            let stem = part.split('.').next().unwrap_or(part);
            let vendor_types = file.path.starts_with("crates/core/wire/") || !file.path.ends_with(".rs");
            if VAGUE_NAMES.contains(&stem) || (stem == "types" && !vendor_types) {
                let text = format!("`{part}` says nothing; name it after the noun that owns what is in it");
                found.push(Problem::in_file(&file.path, "vague_files", text));
            }
        }
    }
    found
}

/// A type is named after what it is.
pub(crate) fn vague_types(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        let mut before = "";
        for (at, word) in words(&rust.code) {
            let defines = ["struct", "enum", "trait", "type"].contains(&before);
            if defines && VAGUE_ENDINGS.iter().any(|ending| word.ends_with(ending)) {
                let text = format!("`{word}` says nothing; name it after what it is, or use a free function");
                found.push(Problem::at_line(&file.path, file.line_of(at), "vague_types", text));
            }
            before = word;
        }
    }
    found
}

/// No global state outside tests: what is needed is passed.
pub(crate) fn global_state(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !file.is_test()) {
        for (at, word) in words(&rust.code).filter(|(at, _)| !rust.is_test(*at)) {
            let after = &rust.code[at + word.len()..];
            let kind = after.split_once([':', '=', ';']).and_then(|(_, rest)| rest.split(['=', ';']).next());
            let lifetime = rust.code[..at].ends_with('\'');
            let cell =
                |kind: &str| words(kind).any(|(_, part)| SHARED_CELLS.contains(&part) || part.starts_with("Atomic"));
            let global = (word == "static" && !lifetime && kind.is_some_and(cell))
                || (["thread_local", "lazy_static"].contains(&word) && after.starts_with('!'));
            if global {
                let text = "no global state; pass what is needed";
                found.push(Problem::at_line(&file.path, file.line_of(at), "global_state", text));
            }
        }
    }
    found
}

fn is_source(path: &str) -> bool {
    [".rs", ".ts", ".tsx", ".mjs", ".py", ".sh"].iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check;

    #[test]
    fn a_vague_file_name_is_noticed() {
        check(
            vague_files,
            &[("crates/a/src/utils.rs", ""), ("crates/common/src/b.rs", ""), ("docs/misc.md", "")],
            &["crates/a/src/utils.rs", "crates/common/src/b.rs"],
        );
        check(
            vague_files,
            &[("crates/core/wire/src/x/types.rs", ""), ("crates/store/src/types.rs", "")],
            &["crates/store/src/types.rs"],
        );
    }

    #[test]
    fn a_vague_type_name_is_noticed_where_it_is_defined() {
        check(vague_types, &[("a.rs", "struct TokenManager;\nuse x::PoolManager;\nenum Utility {}\n")], &["a.rs:1"]);
    }

    #[test]
    fn a_global_cell_is_noticed_and_constants_are_not() {
        let source = "static A: Mutex<u8> = x();\nstatic NAME: &str = \"a\";\nfn f(a: &'static Mutex<u8>) {}\n\
                      thread_local! {}\nstatic N: AtomicU64 = y();\n#[cfg(test)]\nmod t { static B: Mutex<u8> = x(); }\n";
        check(global_state, &[("a.rs", source)], &["a.rs:1", "a.rs:4", "a.rs:5"]);
    }
}
