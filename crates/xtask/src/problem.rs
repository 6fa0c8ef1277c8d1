//! One finding of one rule, in the form an editor can jump to.

use std::fmt;

/// A place in the tree that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, relative to the repository's root.
    pub path: String,
    /// The line, counted from 1; 0 stands for the file as a whole.
    pub line: usize,
    /// The rule that found it.
    pub rule: &'static str,
    /// What is wrong and what to do instead.
    pub text: String,
}

impl Problem {
    /// A problem with the file as a whole.
    pub fn in_file(path: &str, rule: &'static str, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: 0, rule, text: text.into() }
    }

    /// A problem at one line.
    pub fn at_line(path: &str, line: usize, rule: &'static str, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, text } = self;
        match line {
            0 => write!(out, "{path}: {text} [{rule}]"),
            _ => write!(out, "{path}:{line}: {text} [{rule}]"),
        }
    }
}
