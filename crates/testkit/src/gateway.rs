//! Running the built binary `omniroute` on a data folder of its own: as a server, and command by
//! command, with a clean environment.
//!
//! The binary is `OMNIROUTE_BIN`, else the one in the target folder; it is never built here.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::client::Call;
use crate::command::{self, CliOutput};
use crate::process::Running;

/// A start that takes longer has failed.
const START_LIMIT: Duration = Duration::from_secs(15);
/// A command that takes longer hangs.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// Where the binary under test is; panics with what to do when there is none.
pub fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("OMNIROUTE_BIN") {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "OMNIROUTE_BIN names `{}`, which is no file", named.display());
        return named;
    }
    let name = format!("omniroute{}", std::env::consts::EXE_SUFFIX);
    let places = target_folders();
    let found = places.iter().map(|folder| folder.join(&name)).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("there is no `{name}` in {places:?}; build it with `cargo build -p omniroute-cli`, or name it in OMNIROUTE_BIN")
    })
}

/// The folder this test was built into comes first, so that a release test takes the release binary.
fn target_folders() -> Vec<PathBuf> {
    let own = std::env::current_exe().ok();
    let own = own.iter().flat_map(|path| path.ancestors().skip(1).take(2).map(Path::to_owned));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    own.chain(["debug", "release"].map(|profile| workspace.join(profile))).collect()
}

/// A data folder, an environment, and the binary to run on them.
#[derive(Clone, Debug)]
pub struct Setup {
    binary: PathBuf,
    folder: Arc<TempDir>,
    data_dir: PathBuf,
    env: Vec<(String, String)>,
    serve_args: Vec<String>,
    wrapper: Vec<String>,
}

impl Setup {
    /// A new data folder that does not exist yet and an environment with nothing in it but a home.
    #[expect(clippy::new_without_default, reason = "it makes a folder on disk, which a default should not")]
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("omniroute-test-").expect("a temporary folder can be made");
        let home = folder.path().join("home");
        std::fs::create_dir(&home).expect("a folder can be made in a new folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut env = vec![
            ("HOME".to_owned(), home.display().to_string()),
            ("PATH".to_owned(), path),
            ("RUST_BACKTRACE".to_owned(), "1".to_owned()),
        ];
        if let Ok(profile) = std::env::var("LLVM_PROFILE_FILE") {
            env.push(("LLVM_PROFILE_FILE".to_owned(), profile));
        }
        let serve_args = ["--port", "0", "--vault", "file"].map(str::to_owned).to_vec();
        let data_dir = folder.path().join("data");
        Self { binary: binary(), data_dir, folder: Arc::new(folder), env, serve_args, wrapper: Vec::new() }
    }

    /// Sets a variable for the server and for every command.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds an argument to `serve`.
    #[must_use]
    pub fn serve_arg(mut self, argument: &str) -> Self {
        self.serve_args.push(argument.to_owned());
        self
    }

    /// Replaces all arguments of `serve` but `--data-dir` and `--json`.
    #[must_use]
    pub fn serve_args(mut self, arguments: &[&str]) -> Self {
        self.serve_args = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self
    }

    /// Runs the binary through other words, e.g. a shell that sets limits and then `exec`s the rest.
    #[must_use]
    pub fn wrapped(mut self, words: &[&str]) -> Self {
        self.wrapper = words.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The folder that holds the data folder and the home, for scans.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The binary to run by hand, with the environment but without arguments.
    pub fn command(&self) -> Command {
        let mut command = match self.wrapper.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command.env_clear().envs(self.env.iter().map(|(name, value)| (name, value))).current_dir(self.folder.path());
        command
    }

    /// Runs a command with `--data-dir` and `--json` to its end.
    pub async fn cli(&self, arguments: &[&str]) -> CliOutput {
        let mut all = arguments.to_vec();
        let data_dir = self.data_dir.display().to_string();
        all.extend(["--data-dir", &data_dir, "--json"]);
        self.run(&all).await
    }

    /// Runs the binary with exactly these arguments to its end.
    pub async fn run(&self, arguments: &[&str]) -> CliOutput {
        let mut command = self.command();
        command.args(arguments);
        command::run(&format!("omniroute {}", arguments.join(" ")), command, COMMAND_LIMIT).await
    }

    /// Starts the server; panics with its output when it does not get ready.
    pub async fn start(self) -> Gateway {
        match self.try_start().await {
            Ok(gateway) => gateway,
            Err(refused) => panic!("the gateway did not start: {refused}"),
        }
    }

    /// Starts the server; gives its last words when it ends instead of getting ready.
    pub async fn try_start(self) -> Result<Gateway, CliOutput> {
        let mut command = self.command();
        command.arg("serve").args(&self.serve_args).arg("--data-dir").arg(&self.data_dir).arg("--json");
        let begin = Instant::now();
        let work = move || {
            let mut run = Running::start(command);
            match ready_line(&run, begin + START_LIMIT) {
                Some(ready) => Ok((run, ready)),
                None => {
                    let status = run.wait(Duration::from_secs(2));
                    run.kill();
                    let status = status.or_else(|| run.wait(Duration::ZERO)).expect("a killed process has a status");
                    Err(CliOutput::of("omniroute serve", status, &run))
                }
            }
        };
        let started = spawn_blocking(work).await.unwrap_or_else(|why| std::panic::resume_unwind(why.into_panic()));
        let took = begin.elapsed();
        started.map(|(run, ready)| Gateway { key: text(&ready, "client_key"), setup: self, run, ready, took })
    }
}

fn ready_line(run: &Running, until: Instant) -> Option<Value> {
    while let Some(line) = run.line(until.saturating_duration_since(Instant::now())) {
        if let Ok(value) = serde_json::from_str::<Value>(&line)
            && value["event"] == "ready"
        {
            return Some(value);
        }
    }
    None
}

fn text(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().map(str::to_owned)
}

/// A running gateway. It is killed when dropped, and its data folder goes with the last one who
/// holds the [`Setup`].
#[derive(Debug)]
pub struct Gateway {
    setup: Setup,
    run: Running,
    ready: Value,
    key: Option<String>,
    took: Duration,
}

impl Gateway {
    /// Starts one on a new data folder.
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        self.ready["url"].as_str().expect("the ready line has a url")
    }

    /// The first client key of the data folder; kept over restarts.
    #[track_caller]
    pub fn key(&self) -> &str {
        self.key.as_deref().expect("the first start shows a client key")
    }

    /// The ready line.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// How long the start took, up to the ready line.
    pub fn start_took(&self) -> Duration {
        self.took
    }

    /// The data folder and how commands are run on it.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        self.setup.data_dir()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.run.id()
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        self.run.stderr()
    }

    /// Standard output so far.
    pub fn stdout(&self) -> String {
        self.run.stdout()
    }

    /// The most memory the process ever had resident, in KiB; `None` where the system does not tell.
    pub fn peak_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Runs a command against the same data folder, with `--json`.
    pub async fn cli(&self, arguments: &[&str]) -> CliOutput {
        self.setup.cli(arguments).await
    }

    /// A chat completion with these bytes, signed with the first client key.
    pub fn chat(&self, body: impl Into<Bytes>) -> Call {
        Call::post(self.url(), "/v1/chat/completions", body).key(self.key())
    }

    /// Kills the process on the spot.
    pub fn kill9(&mut self) {
        self.run.kill();
    }

    /// Asks the process to end in good order.
    pub fn terminate(&self) {
        self.run.signal("TERM");
    }

    /// Waits for the end of the process; `None` when it still runs after `limit`.
    pub async fn ended(self, limit: Duration) -> (Setup, Option<ExitStatus>) {
        let Self { setup, mut run, .. } = self;
        let work = move || run.wait(limit);
        (setup, spawn_blocking(work).await.expect("waiting does not panic"))
    }

    /// Kills the process if it runs and starts another one on the same data folder.
    pub async fn restart(mut self) -> Self {
        self.kill9();
        let Self { setup, key, .. } = self;
        let mut next = setup.start().await;
        next.key = key.or(next.key);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::{Setup, target_folders};

    #[test]
    fn looks_into_the_folder_it_was_built_into_first() {
        let first = &target_folders()[..2];
        let own = std::env::current_exe().unwrap();
        assert!(first.iter().all(|folder| own.starts_with(folder)), "{first:?} against {own:?}");
    }

    fn with_fake_binary(script: &str) -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fake");
        std::fs::write(&path, script).unwrap();
        let mut setup = Setup {
            binary: "/bin/sh".into(),
            data_dir: folder.path().join("data"),
            folder: folder.into(),
            env: Vec::new(),
            serve_args: Vec::new(),
            wrapper: Vec::new(),
        };
        setup.env.push(("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()));
        std::fs::rename(&path, setup.folder().join("serve")).unwrap();
        setup
    }

    #[tokio::test]
    async fn a_ready_line_is_found_among_others_and_its_key_is_kept_over_a_restart() {
        let setup = with_fake_binary(concat!(
            "echo '{\"event\":\"note\"}'\n",
            "if [ -e seen ]; then key=null; else key='\"k1\"'; touch seen; fi\n",
            "echo '{\"event\":\"ready\",\"url\":\"http://127.0.0.1:1\",\"client_key\":'$key'}'\n",
            "exec tail -f /dev/null\n",
        ));
        let gateway = setup.start().await;
        assert_eq!((gateway.url(), gateway.key()), ("http://127.0.0.1:1", "k1"));
        let first = gateway.pid();
        let gateway = gateway.restart().await;
        assert_ne!(gateway.pid(), first, "another process");
        assert_eq!((&gateway.ready()["client_key"], gateway.key()), (&serde_json::Value::Null, "k1"));
    }

    #[tokio::test]
    async fn a_wrapper_hands_the_binary_on() {
        let setup = with_fake_binary("echo \"\\\"$LIMIT $1\\\"\"\n");
        let setup = setup.wrapped(&["sh", "-c", "LIMIT=set; export LIMIT; exec \"$@\"", "sh"]);
        assert_eq!(setup.cli(&["serve", "x"]).await.json(), "set x");
    }

    #[tokio::test]
    async fn a_start_that_ends_gives_its_last_words() {
        let refused = with_fake_binary("echo no room >&2; exit 4\n").try_start().await.unwrap_err();
        assert_eq!((refused.status.code(), refused.stderr.trim()), (Some(4), "no room"));
    }

    #[tokio::test]
    async fn a_command_runs_in_the_clean_environment_with_its_data_folder() {
        let setup = with_fake_binary("echo \"\\\"$ONLY$CARGO_MANIFEST_DIR|$*\\\"\"\n").env("ONLY", "this");
        let said = setup.cli(&["serve", "x"]).await.json();
        let expected = format!("this|x --data-dir {} --json", setup.data_dir().display());
        assert_eq!(said, expected.as_str());
    }
}
