//! The person at the terminal: questions, hidden input and signs of progress.
//!
//! Invariant: nobody is asked or kept posted who is not there. Questions go to stderr, so that stdout
//! stays clean; nothing typed at a hidden prompt is shown or kept.

use std::env;
use std::ffi::OsStr;
use std::io::{self, IsTerminal};

use inquire::{Confirm, InquireError, Password, PasswordDisplayMode};

use crate::args::ProviderKey;
use crate::failure::{Failure, Signal};
use crate::output::{Colors, Form, Output};

/// Who sits at the terminal, if anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Person {
    /// Somebody who reads and can answer.
    Present,
    /// Somebody who reads; the input comes from elsewhere.
    Reading,
    /// Nobody: a script, a pipe, or a program that reads JSON.
    Absent,
}

impl Person {
    /// Looks whether somebody is there.
    pub(crate) fn look(form: Form) -> Self {
        match (form, io::stderr().is_terminal(), io::stdin().is_terminal()) {
            (Form::Text, true, true) => Self::Present,
            (Form::Text, true, false) => Self::Reading,
            (Form::Text, false, _) | (Form::Json, ..) => Self::Absent,
        }
    }

    /// Says what is going on, where somebody watches.
    pub(crate) fn keep_posted(self, output: &Output, what: &str) {
        match self {
            Self::Present | Self::Reading => output.tell(&format!("{what}\n")),
            Self::Absent => {}
        }
    }
}

/// Whether stderr may be coloured: a terminal that can, and no wish against it (no-color.org).
pub(crate) fn colors() -> Colors {
    let wanted = wants_colors(env::var_os("NO_COLOR").as_deref(), env::var_os("TERM").as_deref());
    if wanted && io::stderr().is_terminal() { Colors::Some } else { Colors::None }
}

fn wants_colors(no_color: Option<&OsStr>, terminal: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty) && terminal.is_none_or(|name| name != "dumb")
}

/// Asks for a key without showing it. Blocks until the person answers.
pub(crate) fn ask_key(question: &str) -> Result<Option<ProviderKey>, Failure> {
    let prompt = Password::new(question).with_display_mode(PasswordDisplayMode::Hidden).without_confirmation();
    let typed = prompt.with_help_message("it is not shown while you type or paste").prompt().map_err(unanswered)?;
    Ok(ProviderKey::pasted(&typed))
}

/// Asks a question that is answered with yes or no; Enter is no. Blocks until the person answers.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    Confirm::new(question).with_default(false).prompt().map_err(unanswered)
}

fn unanswered(why: InquireError) -> Failure {
    match why {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            Failure::interrupted(Signal::Interrupt, "broken off, nothing was changed")
        }
        InquireError::NotTTY
        | InquireError::InvalidConfiguration(_)
        | InquireError::IO(_)
        | InquireError::Custom(_) => Failure::new("prompt", format!("the question can't be asked here: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{Person, wants_colors};
    use crate::output::Form;

    #[test]
    fn colors_are_left_out_when_asked_to() {
        let wants =
            |no_color: Option<&str>, term: Option<&str>| wants_colors(no_color.map(OsStr::new), term.map(OsStr::new));
        assert!(wants(None, None) && wants(Some(""), Some("xterm")), "an empty NO_COLOR asks for nothing");
        assert!(!wants(Some("1"), Some("xterm")) && !wants(None, Some("dumb")));
    }

    #[test]
    fn a_program_that_reads_json_is_nobody_to_ask() {
        assert_eq!(Person::look(Form::Json), Person::Absent);
    }
}
