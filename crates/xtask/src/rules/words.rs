//! Things that must not be written: tags, pictures, places on one machine, silenced checks.

use crate::masked::{Masked, words};
use crate::problem::Problem;
use crate::tree::{SourceFile, Tree};

const TAG_WORDS: &[&str] = &["TODO", "FIXME", "HACK", "WIP"];
const BRACKET_TAGS: &[&str] = &["[FIX]", "[NEW]", "[BUG]", "[TEMP]", "[CHANGED]", "[FIXED]"];
/// Pieced together, so that this file does not hold what it forbids.
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
const REGISTRY_HOSTS: &[&str] = &[
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("registry.npmjs", ".org"),
    concat!("files.pythonhosted", ".org"),
    concat!("pypi.org/", "simple"),
    concat!("deb.debian", ".org"),
];

/// Comments carry no tags: what is open is an issue, what was changed is in git.
pub(crate) fn tags(tree: &Tree) -> Vec<Problem> {
    each_line(
        tree,
        "tags",
        |file| prose(file),
        |line| {
            let word = words(line).find(|(_, word)| TAG_WORDS.contains(word)).map(|(_, word)| word);
            let tag = word.or_else(|| BRACKET_TAGS.iter().copied().find(|tag| line.contains(tag)))?;
            Some(format!("`{tag}`: open work is an issue, history is in git"))
        },
    )
}

/// Sources and documents hold no pictures; test data does where it is in a fixture or escaped.
pub(crate) fn emoji(tree: &Tree) -> Vec<Problem> {
    each_line(
        tree,
        "emoji",
        |file| whole(file),
        |line| {
            let picture = line.chars().find(|c| is_emoji(*c))?;
            Some(format!("U+{:04X} is a picture; in test data write it escaped", u32::from(picture)))
        },
    )
}

/// No file names a folder of one machine or one person.
pub(crate) fn machine_paths(tree: &Tree) -> Vec<Problem> {
    each_line(
        tree,
        "machine_paths",
        |file| whole(file),
        |line| {
            let path = MACHINE_PATHS.iter().find(|path| has_absolute(line, path))?;
            Some(format!("`{path}` is a place on one machine; use a path relative to the repository or a made-up one"))
        },
    )
}

/// No file names the host of a package registry: the machine's own clients know where theirs is.
pub(crate) fn registry_hosts(tree: &Tree) -> Vec<Problem> {
    each_line(
        tree,
        "registry_hosts",
        |file| Some(&file.text),
        |line| {
            let host = REGISTRY_HOSTS.iter().find(|host| line.contains(**host))?;
            Some(format!("`{host}`: name the package, not the registry's host"))
        },
    )
}

/// A lint is silenced with `#[expect(…, reason = "…")]`, which goes stale visibly, or not at all.
pub(crate) fn silenced_lints(tree: &Tree) -> Vec<Problem> {
    each_word(tree, "silenced_lints", |rust, at, word| {
        let opened = rust.code[..at].trim_end();
        let attribute = opened.ends_with("#[") || opened.ends_with("#![") || in_cfg_attr(opened);
        let called = rust.code[at + word.len()..].starts_with('(');
        (word == "allow" && attribute && called).then_some("use `#[expect(lint, reason = \"…\")]`")
    })
}

/// A test runs or is deleted.
pub(crate) fn ignored_tests(tree: &Tree) -> Vec<Problem> {
    each_word(tree, "ignored_tests", |rust, at, word| {
        let attribute = rust.code[..at].trim_end().ends_with("#[");
        (word == "ignore" && attribute).then_some("a test runs or is deleted; nothing is skipped")
    })
}

/// A test waits for what it needs to happen, never for time to pass.
pub(crate) fn sleeping_tests(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        let in_tests = |at: usize| file.is_test() || rust.is_test(at);
        for (at, word) in words(&rust.code).filter(|(at, _)| in_tests(*at)) {
            let before = rust.code[..at].trim_end();
            let called = rust.code[at + word.len()..].trim_start().starts_with('(');
            let a_method_or_definition = before.ends_with('.') || before.ends_with("fn");
            if ["sleep", "sleep_until", "sleep_ms"].contains(&word) && called && !a_method_or_definition {
                let text = "wait for the event itself (a gate, a channel, a connection), or pause tokio's clock";
                found.push(Problem::at_line(&file.path, file.line_of(at), "sleeping_tests", text));
            }
        }
    }
    found
}

/// What people wrote to people: comments of Rust files, the whole of other sources and documents.
fn prose(file: &SourceFile) -> Option<&str> {
    match &file.rust {
        Some(rust) => Some(&rust.comments),
        None => whole(file),
    }
}

/// The whole text, unless the file is data: fixtures, lock files, recorded answers.
fn whole(file: &SourceFile) -> Option<&str> {
    let data = file.path.contains("/fixtures/")
        || ["Cargo.lock", "package-lock.json"].contains(&file.name())
        || [".snap", ".svg", ".proptest-regressions"].iter().any(|ending| file.path.ends_with(ending));
    (!data).then_some(&file.text)
}

fn each_line<'a>(
    tree: &'a Tree,
    rule: &'static str,
    part: impl Fn(&'a SourceFile) -> Option<&'a str>,
    complaint: impl Fn(&str) -> Option<String>,
) -> Vec<Problem> {
    let mut found = Vec::new();
    for file in &tree.files {
        for (index, line) in part(file).unwrap_or_default().lines().enumerate() {
            found.extend(complaint(line).map(|text| Problem::at_line(&file.path, index + 1, rule, text)));
        }
    }
    found
}

fn each_word(
    tree: &Tree,
    rule: &'static str,
    complaint: impl Fn(&Masked, usize, &str) -> Option<&'static str>,
) -> Vec<Problem> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust() {
        for (at, word) in words(&rust.code) {
            let text = complaint(rust, at, word);
            found.extend(text.map(|text| Problem::at_line(&file.path, file.line_of(at), rule, text)));
        }
    }
    found
}

/// Whether a `cfg_attr(condition, …` is still open.
fn in_cfg_attr(before: &str) -> bool {
    before.rfind("cfg_attr(").is_some_and(|start| !before[start..].contains(']'))
}

/// Whether a path stands in a line as an absolute one, not as the end of a longer one.
fn has_absolute(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.*~/{}$".contains(c))
    })
}

fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x2600..=0x27BF | 0x2B50..=0x2B55 | 0xFE0F | 0x1F000..=0x1FAFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check;

    #[test]
    fn a_tag_is_noticed_in_prose_and_not_in_code() {
        let source = "// TODO later\nlet s = \"TODO\";\n/* [FIX] a */\nfn todo_list() {}\n";
        check(tags, &[("a.rs", source), ("b.sh", "# FIXME\n")], &["a.rs:1", "a.rs:3", "b.sh:1"]);
    }

    #[test]
    fn a_picture_is_noticed_and_an_arrow_is_not() {
        let picture = "done \u{1F680}\n\u{2192} fine \u{2264}\n";
        check(emoji, &[("a.md", picture), ("x/fixtures/a.json", picture)], &["a.md:1"]);
    }

    #[test]
    fn a_machine_path_is_noticed_and_a_longer_path_is_not() {
        let line = |path: &str| format!("cd {path}x\n");
        check(machine_paths, &[("a.sh", &line(MACHINE_PATHS[0]))], &["a.sh:1"]);
        check(machine_paths, &[("a.sh", &line(&format!("net{}", MACHINE_PATHS[0])))], &[]);
    }

    #[test]
    fn a_registry_host_is_noticed_even_in_a_lock_file() {
        check(
            registry_hosts,
            &[("ui/package-lock.json", REGISTRY_HOSTS[2]), ("a.md", "crates.io")],
            &["ui/package-lock.json:1"],
        );
    }

    #[test]
    fn a_silenced_lint_is_noticed_however_it_is_written() {
        let source = "#[allow(x)]\n#![allow(y)]\n#[cfg_attr(test, allow(z))]\n#[expect(a, reason = \"b\")]\nfn allow() {}\nallow(1);\n";
        check(silenced_lints, &[("a.rs", source)], &["a.rs:1", "a.rs:2", "a.rs:3"]);
    }

    #[test]
    fn an_ignored_test_is_noticed() {
        check(
            ignored_tests,
            &[("a.rs", "#[ignore]\nfn a() {}\n#[ignore = \"slow\"]\nfn ignore() {}\n")],
            &["a.rs:1", "a.rs:3"],
        );
    }

    #[test]
    fn a_sleeping_test_is_noticed_and_sleeping_code_is_not() {
        let source =
            "fn a() { sleep(x) }\n#[cfg(test)]\nmod tests { fn b() { tokio::time::sleep(x); job.sleep(); } }\n";
        check(sleeping_tests, &[("crates/a/src/b.rs", source)], &["crates/a/src/b.rs:3"]);
        check(sleeping_tests, &[("crates/testkit/src/b.rs", "thread::sleep(x)")], &["crates/testkit/src/b.rs:1"]);
    }
}
