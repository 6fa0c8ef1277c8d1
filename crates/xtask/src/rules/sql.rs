//! SQL is written out, never put together: values are bound, and a statement can be found by its text.

use crate::masked::{Literal, Masked};
use crate::problem::Problem;
use crate::tree::{SourceFile, Tree};

const KEYWORDS: &[&str] = &[
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM",
    "CREATE ",
    "DROP ",
    "ALTER ",
    "PRAGMA ",
    "VACUUM",
    "WHERE ",
    "ORDER BY",
    "LIMIT ",
    "VALUES",
    "ATTACH ",
];
const BUILDERS: &[&str] = &["format!", "format_args!", "write!", "writeln!", "concat!", "push_str", "replace"];

/// The store builds no statement from pieces.
pub(crate) fn built_statements(tree: &Tree) -> Vec<Problem> {
    let mut found = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| file.path.starts_with("crates/store/src/")) {
        for literal in rust.literals.iter().filter(|literal| is_built(file, rust, literal)) {
            let text = "a statement is one literal with bound values; write the variants out";
            found.push(Problem::at_line(&file.path, file.line_of(literal.at), "built_statements", text));
        }
    }
    found
}

fn is_built(file: &SourceFile, rust: &Masked, literal: &Literal) -> bool {
    let spoken = literal.text.to_uppercase();
    let is_statement = KEYWORDS.iter().any(|keyword| literal.text.contains(keyword))
        || (spoken.contains("SELECT ") && spoken.contains(" FROM "))
        || spoken.contains("INSERT INTO ")
        || spoken.contains("DELETE FROM ");
    if !is_statement {
        return false;
    }
    let call = enclosing_call(&rust.code, literal.at);
    let added = file.text[literal.end..].trim_start().starts_with("+ ");
    let takes_values = !call.ends_with('!') || call == "concat!" || literal.text.contains('{');
    added || (BUILDERS.contains(&call.as_str()) && takes_values)
}

/// The name, with its `!`, of the call whose brackets a place stands in; empty when there is none.
fn enclosing_call(code: &str, at: usize) -> String {
    let mut depth = 0_usize;
    for (open, byte) in code.bytes().enumerate().take(at).collect::<Vec<_>>().into_iter().rev() {
        match byte {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' if depth > 0 => depth -= 1,
            b'(' | b'[' | b'{' => {
                let before = code[..open].trim_end();
                let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '!';
                return before[before.trim_end_matches(is_name).len()..].to_owned();
            }
            _ => {}
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check;

    #[track_caller]
    fn check_line(source: &str, expected: &[&str]) {
        check(built_statements, &[("crates/store/src/keys.rs", source)], expected);
    }

    #[test]
    fn a_statement_put_together_is_noticed() {
        let place = &["crates/store/src/keys.rs:1"];
        check_line("format!(\"SELECT a FROM {table}\")", place);
        check_line("format!(\"select a from {}\", table)", place);
        check_line("write!(out, \"WHERE a = {}\", id)", place);
        check_line("sql.push_str(\" ORDER BY a\")", place);
        check_line("concat!(\"SELECT a \", \"FROM b\")", place);
        check_line("\"SELECT a FROM \".to_owned() + table", &[]);
        check_line("let s = \"SELECT a FROM b WHERE \" + x;", place);
    }

    #[test]
    fn a_statement_written_out_is_fine() {
        check_line("tx.execute(\"UPDATE a SET b = ?1 WHERE c = ?2\", (b, c))", &[]);
        check_line("format!(\"table `{name}` is damaged\")", &[]);
        check_line("let name = format!(\"core-{}.db\", run(\"VACUUM INTO ?1\"));", &[]);
    }

    #[test]
    fn other_crates_are_not_looked_at() {
        check(built_statements, &[("crates/cli/src/a.rs", "format!(\"SELECT {x}\")")], &[]);
    }
}
