//! Length limits. A data table or a generated file is exempt when its first line says that it is one.

use std::ops::Range;

use crate::masked::{Masked, closing, words};
use crate::problem::Problem;
use crate::tree::{SourceFile, Tree};

/// Production lines of one file.
const FILE_LINES: usize = 600;
/// Lines of tests inside the file they test; longer ones move to `tests.rs` beside it.
const INLINE_TEST_LINES: usize = 150;
/// Lines of one function's body that are not blank and not comment.
const FUNCTION_LINES: usize = 100;
/// Lines of the architecture page: it is read from top to bottom.
const ARCHITECTURE_LINES: usize = 300;

const CODE_ENDINGS: &[&str] = &[".rs", ".ts", ".tsx", ".js", ".mjs", ".css", ".py", ".sh"];

/// No source file is longer than a reader's patience.
pub(crate) fn file_length(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for file in &tree.files {
        let limit = match file.path.as_str() {
            "docs/ARCHITECTURE.md" => ARCHITECTURE_LINES,
            path if CODE_ENDINGS.iter().any(|ending| path.ends_with(ending)) => FILE_LINES,
            _ => continue,
        };
        let inline_tests: usize = inline_tests(file).map(|range| lines(file, range)).sum();
        let length = file.text.lines().count() - inline_tests;
        if length > limit && !file.says_it_is_data() {
            let text = format!("{length} lines, {limit} allowed; split it by what its parts are about");
            found.push(Problem::in_file(&file.path, "file_length", text));
        }
    }
    found
}

/// Tests that outgrow their file move beside it.
pub(crate) fn inline_test_length(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for file in &tree.files {
        for range in inline_tests(file) {
            let length = lines(file, range.clone());
            if length > INLINE_TEST_LINES {
                let text =
                    format!("{length} lines of inline tests, {INLINE_TEST_LINES} allowed; move them to `tests.rs`");
                found.push(Problem::at_line(&file.path, file.line_of(range.start), "inline_test_length", text));
            }
        }
    }
    found
}

/// No function is longer than a screen or two, whatever an attribute says.
pub(crate) fn function_length(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !file.says_it_is_data()) {
        for (name_at, body) in functions(rust) {
            let length = filled_lines(file, rust, body);
            if length > FUNCTION_LINES {
                let text = format!("{length} lines in one function, {FUNCTION_LINES} allowed");
                found.push(Problem::at_line(&file.path, file.line_of(name_at), "function_length", text));
            }
        }
    }
    found
}

fn inline_tests(file: &SourceFile) -> impl Iterator<Item = Range<usize>> + '_ {
    file.rust.iter().flat_map(|rust| rust.tests.iter().cloned())
}

fn lines(file: &SourceFile, range: Range<usize>) -> usize {
    file.text.get(range).map_or(0, |text| text.lines().count())
}

/// Each function with a body: where its name stands and where the body does, braces left out.
fn functions(rust: &Masked) -> Vec<(usize, Range<usize>)> {
    let mut all = words(&rust.code).peekable();
    let mut found = Vec::new();
    while let Some((_, word)) = all.next() {
        let Some((name_at, name)) = all.peek().copied().filter(|_| word == "fn") else { continue };
        if let Some(open) = body_start(&rust.code, name_at + name.len())
            && let Some(close) = closing(&rust.code, open)
        {
            found.push((name_at, open + 1..close));
        }
    }
    found
}

/// The `{` of a function whose name ends at `from`; none for a declaration that ends in `;` and for a
/// function pointer type, after which a name of something else follows.
fn body_start(code: &str, from: usize) -> Option<usize> {
    code[from..].trim_start().starts_with(['(', '<']).then_some(())?;
    let mut at = from;
    loop {
        at += code[at..].find(['(', '[', '{', ';'])?;
        match code.as_bytes()[at] {
            b'{' => return Some(at),
            b';' => return None,
            _ => at = closing(code, at)? + 1,
        }
    }
}

fn filled_lines(file: &SourceFile, rust: &Masked, body: Range<usize>) -> usize {
    let text = file.text.get(body.clone()).unwrap_or_default();
    let comments = rust.comments.get(body).unwrap_or_default();
    text.lines().zip(comments.lines()).filter(|(line, comment)| line.trim() != comment.trim()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check;

    #[test]
    fn a_long_file_is_noticed_and_its_tests_do_not_count() {
        let long = "fn a() {}\n".repeat(601);
        check(file_length, &[("a/b.rs", &long)], &["a/b.rs"]);
        check(file_length, &[("a/b.rs", &format!("//! Data table: rows.\n{long}"))], &[]);
        check(file_length, &[("a/b.md", &long)], &[]);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", &long[..5000], &long[..1000]);
        check(file_length, &[("a/b.rs", &tested)], &[]);
        check(file_length, &[("docs/ARCHITECTURE.md", &"a\n".repeat(301))], &["docs/ARCHITECTURE.md"]);
    }

    #[test]
    fn long_inline_tests_are_noticed() {
        let source = |count: usize| format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "fn a() {}\n".repeat(count));
        check(inline_test_length, &[("a.rs", &source(100))], &[]);
        check(inline_test_length, &[("a.rs", &source(150))], &["a.rs:1"]);
    }

    #[test]
    fn a_long_function_is_noticed_and_blanks_and_comments_do_not_count() {
        let source = |line: &str, count: usize| {
            format!("type F = fn(u8);\nfn f(a: [u8; 2]) -> [u8; 2] {{\n{}}}\nfn g();\n", line.repeat(count))
        };
        check(function_length, &[("a.rs", &source("    x();\n", 101))], &["a.rs:2"]);
        check(function_length, &[("a.rs", &source("    \"};{\";\n", 100))], &[]);
        check(function_length, &[("a.rs", &source("    // why\n\n", 101))], &[]);
    }
}
