//! What every command is given: the common flags, the environment, and who reads.

use std::path::PathBuf;

use omniroute_control::{Environment, StartError, VaultChoice, paths};
use tokio::task::spawn_blocking;

use crate::args::{Globals, VaultPlace};
use crate::failure::Failure;
use crate::output::{Form, Output};
use crate::terminal::{self, Person};

/// The code of a damaged database.
pub(crate) const DAMAGED: &str = "database_damaged";

/// Where a command works and whom it talks to.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    globals: Globals,
    pub(crate) environment: Environment,
    pub(crate) output: Output,
    pub(crate) person: Person,
}

impl Context {
    pub(crate) fn of_process(globals: Globals) -> Self {
        let form = if globals.json { Form::Json } else { Form::Text };
        let environment = Environment::of_process();
        Self { globals, environment, output: Output::new(form, terminal::colors()), person: Person::look(form) }
    }

    /// The data folder.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, Failure> {
        Ok(paths::data_dir(self.globals.data_dir.as_deref(), &self.environment)?)
    }

    /// The vault that was asked for.
    pub(crate) fn vault(&self) -> Option<VaultChoice> {
        self.globals.vault.map(|place| match place {
            VaultPlace::Keychain => VaultChoice::Keychain,
            VaultPlace::File => VaultChoice::File,
            VaultPlace::Env => VaultChoice::Env,
        })
    }

    /// Another command for the same data folder, as it is typed.
    pub(crate) fn command_line(&self, command: &str) -> String {
        match &self.globals.data_dir {
            Some(folder) => format!("omniroute {command} --data-dir {}", quoted(&folder.display().to_string())),
            None => format!("omniroute {command}"),
        }
    }

    /// Whether somebody can answer a question.
    pub(crate) fn can_ask(&self) -> bool {
        self.person == Person::Present
    }

    /// Asks before something is done that can't be taken back. A script that asks for it means it.
    pub(crate) async fn make_sure(&self, question: String) -> Result<(), Failure> {
        if !self.can_ask() {
            return Ok(());
        }
        let answered = spawn_blocking(move || terminal::confirm(&question)).await;
        match answered.map_err(|why| Failure::new("prompt", why.to_string()))?? {
            true => Ok(()),
            false => Err(Failure::new("declined", "nothing was changed")),
        }
    }

    /// Says what is going on, where somebody watches.
    pub(crate) fn keep_posted(&self, what: &str) {
        self.person.keep_posted(&self.output, what);
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        tracing::debug!(?error, "The data folder did not open.");
        let failure = Self::new(error.code(), error.to_string());
        match error.code() {
            DAMAGED => failure.hint("`omniroute doctor --restore` puts the newest good snapshot in its place, if any"),
            _ => failure,
        }
    }
}

/// A text as one word of a command line.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:\\@%+=,".contains(c);
    match text {
        text if !text.is_empty() && text.chars().all(plain) && (cfg!(windows) || !text.contains('\\')) => {
            text.to_owned()
        }
        text if cfg!(windows) => format!("\"{text}\""),
        text => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[cfg(unix)]
    #[test]
    fn a_folder_stays_one_word() {
        assert_eq!(quoted("/a/b-c_1.d"), "/a/b-c_1.d");
        assert_eq!(quoted("/a b"), "'/a b'");
        assert_eq!(quoted("/it's"), r"'/it'\''s'");
        assert_eq!(quoted(r"/a\b"), r"'/a\b'");
        assert_eq!(quoted(""), "''");
    }
}
