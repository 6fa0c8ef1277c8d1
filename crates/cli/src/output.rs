//! The only place that writes to stdout and stderr.
//!
//! Invariants: with `--json`, stdout carries exactly one document for each command, and stderr ends
//! with one JSON line where it failed. Without, control characters that came from elsewhere (a model's
//! name, a provider's words) never reach the terminal. A reader that went away is no failure.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write};

use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;

/// Who reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A person.
    Text,
    /// A program.
    Json,
}

/// What a command found, for both kinds of readers, and whether that is bad news.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) document: Value,
    pub(crate) text: String,
    verdict: Result<(), Failure>,
}

impl Answer {
    pub(crate) fn new(document: Value, text: impl Into<String>) -> Self {
        Self { document, text: text.into(), verdict: Ok(()) }
    }

    /// Says that what was found is bad news, so that the exit status tells.
    pub(crate) fn but(mut self, failure: Failure) -> Self {
        self.verdict = Err(failure);
        self
    }

    /// Whether it is bad news.
    pub(crate) fn verdict(self) -> Result<(), Failure> {
        self.verdict
    }
}

/// Whether what was written has reached anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// It was taken.
    There,
    /// The pipe is closed.
    Gone,
}

/// Where commands write to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    form: Form,
    colors: Colors,
}

/// Whether what is written may be coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colors {
    /// It may.
    Some,
    /// A file, a pipe, or a person who does not want them.
    None,
}

impl Output {
    pub(crate) fn new(form: Form, colors: Colors) -> Self {
        Self { form, colors }
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    pub(crate) fn colors(&self) -> Colors {
        self.colors
    }

    /// Writes what a command found; gives back its bad news.
    pub(crate) fn answer(&self, answer: Answer) -> Result<(), Failure> {
        self.say(&answer.document, &answer.text)?;
        answer.verdict()
    }

    /// Writes one document to stdout: as JSON on one line, or as text.
    pub(crate) fn say(&self, document: &impl Serialize, text: &str) -> Result<Reader, Failure> {
        let written = match self.form {
            Form::Json => json_line(document).and_then(|line| write_all(io::stdout().lock(), &line)),
            Form::Text => write_all(io::stdout().lock(), &printable(text)),
        };
        written.map_err(|cause| Failure::new("output", format!("stdout can't be written: {cause}")))
    }

    /// Writes a command's failure to stderr.
    pub(crate) fn fail(&self, failure: &Failure) {
        let mark = match self.colors {
            Colors::Some => "\u{1b}[1;31merror:\u{1b}[0m",
            Colors::None => "error:",
        };
        let text = match self.form {
            Form::Json => failure.json(),
            Form::Text => failure.lines("error:"),
        };
        let text = printable(&text).replacen("error:", mark, usize::from(self.form == Form::Text));
        self.tell(&text);
    }

    /// Writes to stderr. There is nobody left to tell when that fails.
    pub(crate) fn tell(&self, text: &str) {
        let _nobody_listens = write_all(io::stderr().lock(), text);
    }
}

fn json_line(document: &impl Serialize) -> io::Result<String> {
    let mut line = serde_json::to_string(document)?;
    line.push('\n');
    Ok(line)
}

/// Writes it all; a closed pipe means that the reader has seen enough.
fn write_all(mut to: impl Write, text: &str) -> io::Result<Reader> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Ok(()) => Ok(Reader::There),
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(cause) => Err(cause),
    }
}

/// The text without what a terminal would take for commands.
fn printable(text: &str) -> Cow<'_, str> {
    let is_command = |c: char| c.is_control() && c != '\n';
    if text.contains(is_command) { Cow::Owned(text.replace(is_command, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind, Write};

    use super::{Reader, json_line, printable, write_all};

    struct Closed(ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure_but_a_full_disk_is() {
        assert_eq!(write_all(Closed(ErrorKind::BrokenPipe), "x").ok(), Some(Reader::Gone));
        assert_eq!(write_all(Vec::new(), "x").ok(), Some(Reader::There));
        assert!(write_all(Closed(ErrorKind::StorageFull), "x").is_err());
    }

    #[test]
    fn a_name_can_not_command_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\u{9b}c\n"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\n");
        assert_eq!(printable("Größe 3\n"), "Größe 3\n");
    }

    #[test]
    fn a_document_is_one_line() {
        let line = json_line(&serde_json::json!({"a": "b\nc", "d": [1]})).unwrap();
        assert_eq!(line, "{\"a\":\"b\\nc\",\"d\":[1]}\n");
    }
}
