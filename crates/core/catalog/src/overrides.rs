//! Rows from the data folder: newer ones replace what was compiled in, new ones join.
//!
//! Nothing here stops a start: what can't be used is left out and said with file and line.

use std::fmt;

use crate::provider::Provider;
use crate::row::Row;

/// Why a row from the data folder, or a part of it, was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub file: String,
    /// The line, where the trouble has one.
    pub line: Option<usize>,
    /// What is wrong and what was done about it.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`", self.file)?;
        if let Some(line) = self.line {
            write!(out, " line {line}")?;
        }
        write!(out, ": {}", self.message)
    }
}

/// Reads one row of the data folder.
pub(crate) fn read(file: &str, text: &str) -> Result<Provider, Warning> {
    let row: Row = toml::from_str(text).map_err(|error| Warning {
        file: file.to_owned(),
        line: error.span().map(|span| line(text, span.start)),
        message: format!("{}; the row is not used", error.message().trim()),
    })?;
    row.check().map_err(|error| Warning {
        file: file.to_owned(),
        line: None,
        message: format!("{error}; the row is not used"),
    })
}

fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}
