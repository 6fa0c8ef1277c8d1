//! Why a command did not do what it was asked: a stable code, a sentence, a way out, an exit status.

use std::borrow::Cow;
use std::process::ExitCode;

use serde::Serialize;

/// A command's failure, in the form it is shown in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    code: Cow<'static, str>,
    message: String,
    hint: Option<String>,
    exit: Exit,
}

/// What the process says to the one that started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was tried and did not work.
    Failed,
    /// It was not tried: the command line makes no sense.
    Usage,
    /// A person or a signal broke it off.
    Interrupted(Signal),
}

/// What broke a command off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl+C.
    Interrupt,
    /// The request to end.
    Terminate,
}

impl Failure {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), hint: None, exit: Exit::Failed }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new("usage", message) }
    }

    /// Broken off by a person or a signal.
    pub(crate) fn interrupted(signal: Signal, message: impl Into<String>) -> Self {
        Self { exit: Exit::Interrupted(signal), ..Self::new("interrupted", message) }
    }

    /// Says what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The way out, where there is one.
    pub(crate) fn way_out(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The reason.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.exit {
            Exit::Failed => 1,
            Exit::Usage => 2,
            // As a shell reports a program that the signal ended.
            Exit::Interrupted(Signal::Interrupt) => 130,
            Exit::Interrupted(Signal::Terminate) => 143,
        })
    }

    /// For people: the reason in one line, the way out in the next. `mark` stands before the reason.
    pub(crate) fn lines(&self, mark: &str) -> String {
        let hint = self.hint.as_ref().map(|hint| format!("hint: {}\n", one_line(hint)));
        format!("{mark} {}\n{}", one_line(&self.message), hint.unwrap_or_default())
    }

    /// For programs: one line of JSON.
    pub(crate) fn json(&self) -> String {
        let report = Report { error: Reason { code: &self.code, message: &self.message, hint: self.hint.as_deref() } };
        // Three texts always serialise.
        serde_json::to_string(&report).unwrap_or_default() + "\n"
    }
}

#[derive(Serialize)]
struct Report<'a> {
    error: Reason<'a>,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Failure, Signal};

    #[test]
    fn people_read_one_line_and_the_way_out() {
        let plain = Failure::new("x", "no\nsuch  key");
        assert_eq!(plain.lines("error:"), "error: no such key\n");
        assert_eq!(plain.hint("list them").lines("error:"), "error: no such key\nhint: list them\n");
    }

    #[test]
    fn programs_read_one_line_of_json() {
        let failure = Failure::new("not_found", "no \"a\"\nat all").hint("b");
        let expected = r#"{"error":{"code":"not_found","message":"no \"a\"\nat all","hint":"b"}}"#;
        assert_eq!(failure.json(), format!("{expected}\n"));
        assert_eq!(Failure::usage("c").json(), "{\"error\":{\"code\":\"usage\",\"message\":\"c\"}}\n");
    }

    #[test]
    fn the_exit_status_tells_failures_from_usage_errors_and_signals() {
        let code = |failure: Failure| format!("{:?}", failure.exit_code());
        let expected = |code: u8| format!("{:?}", std::process::ExitCode::from(code));
        assert_eq!(code(Failure::new("a", "b")), expected(1));
        assert_eq!(code(Failure::usage("b")), expected(2));
        assert_eq!(code(Failure::interrupted(Signal::Interrupt, "a")), expected(130));
        assert_eq!(code(Failure::interrupted(Signal::Terminate, "a")), expected(143));
    }
}
