//! Running a command to its end, with a limit on its time, and what it said.

use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::process::Running;

/// Runs a command to its end without input; kills it and panics with what it said when it takes
/// longer than `limit`. `words` name it in messages.
pub async fn run(words: &str, command: Command, limit: Duration) -> CliOutput {
    let words = words.to_owned();
    let work = move || {
        let mut run = Running::start(command);
        let Some(status) = run.wait(limit) else {
            panic!("`{words}` hangs; stdout: {} stderr: {}", run.stdout(), run.stderr());
        };
        CliOutput::of(&words, status, &run)
    };
    spawn_blocking(work).await.unwrap_or_else(|why| std::panic::resume_unwind(why.into_panic()))
}

/// What a command said and how it ended.
#[derive(Clone, Debug)]
pub struct CliOutput {
    words: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl CliOutput {
    pub(crate) fn of(words: &str, status: ExitStatus, run: &Running) -> Self {
        Self { words: words.to_owned(), status, stdout: run.stdout(), stderr: run.stderr() }
    }

    /// Whether it ended well.
    pub fn ok(&self) -> bool {
        self.status.success()
    }

    /// The output as JSON of a command that ended well; panics otherwise.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert!(self.ok(), "{self}");
        match serde_json::from_str(self.stdout.trim()) {
            Ok(value) => value,
            Err(why) => panic!("no JSON ({why}): {self}"),
        }
    }
}

impl std::fmt::Display for CliOutput {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "`{}` ended with {}; stdout: {} stderr: {}", self.words, self.status, self.stdout, self.stderr)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::run;

    #[tokio::test]
    #[should_panic(expected = "`the sleeper` hangs; stdout: so far")]
    async fn a_command_that_hangs_is_told_with_its_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo so far; exec tail -f /dev/null"]);
        run("the sleeper", command, Duration::from_millis(300)).await;
    }
}
