//! What every command is given: the common flags, the environment, and who reads.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use omniroute_control::{Environment, StartError, VaultChoice, paths};
use tokio::task::spawn_blocking;

use crate::args::{Globals, VaultPlace};
use crate::failure::Failure;
use crate::output::{Form, Output};
use crate::terminal::{self, Person};

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

    /// A script's, with the key of its folder in a file.
    #[cfg(test)]
    pub(crate) fn of_folder(folder: &Path) -> Self {
        let data_dir = Some(folder.to_owned());
        let globals = Globals { data_dir, json: true, vault: Some(VaultPlace::File) };
        let output = Output::new(Form::Json, crate::output::Colors::None);
        Self { globals, environment: Environment::default(), output, person: Person::Absent }
    }

    /// The data folder.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, Failure> {
        Ok(paths::data_dir(self.globals.data_dir.as_deref(), &self.environment)?)
    }

    /// The data folder, where there is something in it. A name mistyped is said, not made.
    pub(crate) fn used_data_dir(&self) -> Result<PathBuf, Failure> {
        let folder = self.data_dir()?;
        match why_unused(&folder) {
            None => Ok(folder),
            Some(why) => {
                let text = format!("the data folder `{}` {why}", folder.display());
                let hint =
                    "see whether its name is right; `omniroute serve`, `providers add` and `keys add` begin a new one";
                Err(Failure::new("data_dir_unused", text).hint(hint))
            }
        }
    }

    /// Why the data folder did not open, with the command that helps.
    pub(crate) fn not_opened(&self, error: StartError) -> Failure {
        let can_be_restored = matches!(&error, StartError::Store(why) if why.newest_snapshot().is_some());
        let failure = Failure::from(error);
        if !can_be_restored {
            return failure;
        }
        let command = self.command_line("doctor --restore");
        failure.hint(format!("`{command}` puts that snapshot in its place; what was changed since then is lost"))
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
        Self::new(error.code(), error.to_string())
    }
}

/// Why a folder holds nothing to work on. What can't be looked at is for the opening to judge.
fn why_unused(folder: &Path) -> Option<&'static str> {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none().then_some("is empty"),
        Err(why) => (why.kind() == ErrorKind::NotFound).then_some("does not exist"),
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
    use std::fs;

    use omniroute_control::{Instance, Options, VaultChoice};
    use tempfile::TempDir;

    use super::{Context, quoted};
    use crate::failure::Failure;
    use crate::session::Session;

    /// What is said of a folder that does not open.
    async fn refused(context: &Context) -> Failure {
        Session::open(context).await.map(drop).expect_err("it does not open")
    }

    #[tokio::test]
    async fn a_folder_that_was_never_used_is_said_and_not_made() {
        let folder = TempDir::new().unwrap();
        let mistyped = folder.path().join("mistyped");
        let failure = refused(&Context::of_folder(&mistyped)).await;
        assert_eq!((failure.code(), mistyped.exists()), ("data_dir_unused", false), "{failure:?}");
        let failure = refused(&Context::of_folder(folder.path())).await;
        assert!(failure.message().ends_with("is empty"), "{failure:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was put into it");
        Session::open_or_begin(&Context::of_folder(&mistyped)).await.expect("a new one").close().await;
        Session::open(&Context::of_folder(&mistyped)).await.expect("a used one").close().await;
    }

    #[tokio::test]
    async fn a_damaged_database_names_the_command_that_helps_only_where_a_snapshot_does() {
        let folder = TempDir::new().unwrap();
        let context = Context::of_folder(folder.path());
        fs::write(folder.path().join("core.db"), "damaged").unwrap();
        assert_eq!(refused(&context).await.way_out(), None, "there is no snapshot");
        fs::remove_file(folder.path().join("core.db")).unwrap();
        let options = Options {
            data_dir: folder.path().to_owned(),
            vault: Some(VaultChoice::File),
            environment: context.environment.clone(),
        };
        drop(Instance::open(options).unwrap());
        let snapshot = folder.path().join("backups/core-20261120T080000123Z-v1-manual.db");
        fs::rename(folder.path().join("core.db"), snapshot).unwrap();
        let expected = format!("`omniroute doctor --restore --data-dir {}` puts", folder.path().display());
        let failure = refused(&context).await;
        assert!(failure.way_out().is_some_and(|hint| hint.starts_with(&expected)), "{failure:?}");
    }

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
