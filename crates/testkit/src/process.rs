//! Child processes with their output on record, a limit on their time, and signals by name.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often a child whose output is closed is asked whether it has ended.
const ASK_EVERY: Duration = Duration::from_millis(2);

/// How many lines of output wait for a reader. More are on record, but not told one by one.
const LINES_AHEAD: usize = 1024;

/// A running child. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stderr: Arc<Mutex<Vec<u8>>>,
    stdout: Arc<Mutex<Vec<u8>>>,
    lines: Mutex<Receiver<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts it with its output caught and no input.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|why| panic!("{command:?} does not start: {why}"));
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let (tell, lines) = mpsc::sync_channel(LINES_AHEAD);
        let out = child.stdout.take().expect("stdout is caught");
        let err = child.stderr.take().expect("stderr is caught");
        let readers = vec![
            keep(out, Arc::clone(&stdout), move |line| drop(tell.try_send(line))),
            keep(err, Arc::clone(&stderr), drop),
        ];
        Self { child, stderr, stdout, lines: Mutex::new(lines), readers }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line on stdout, when one comes in time.
    pub(crate) fn line(&self, limit: Duration) -> Option<String> {
        self.lines().recv_timeout(limit).ok()
    }

    pub(crate) fn stdout(&self) -> String {
        text(&self.stdout)
    }

    pub(crate) fn stderr(&self) -> String {
        text(&self.stderr)
    }

    /// Waits for its end; `None` when it has not ended in time.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                for reader in self.readers.drain(..) {
                    reader.join().expect("a reader of output does not panic");
                }
                return Some(status);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            // Its output closes when it ends; what is left then is for the system to say so.
            if matches!(self.lines().recv_timeout(left), Err(RecvTimeoutError::Disconnected)) {
                thread::park_timeout(ASK_EVERY.min(left));
            }
        }
    }

    fn lines(&self) -> MutexGuard<'_, Receiver<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn kill(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.wait(Duration::from_secs(10));
    }

    /// Sends a signal by name, e.g. `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(sent.is_ok_and(|status| status.success()), "signal {name} can't be sent");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

fn keep(
    from: impl Read + Send + 'static,
    into: Arc<Mutex<Vec<u8>>>,
    tell: impl Fn(String) + Send + 'static,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&line);
            tell(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
    })
}

fn text(kept: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&kept.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::Running;

    const SOON: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Running::start(command)
    }

    #[test]
    fn keeps_both_outputs_and_tells_the_lines() {
        let mut run = shell("echo one; echo two >&2; echo three; exit 3");
        assert_eq!(run.line(SOON).as_deref(), Some("one"));
        let status = run.wait(SOON).expect("it ends by itself");
        assert_eq!((status.code(), run.stdout().as_str(), run.stderr().as_str()), (Some(3), "one\nthree\n", "two\n"));
    }

    #[test]
    fn does_not_wait_beyond_its_limit_and_can_kill() {
        let mut run = shell("exec tail -f /dev/null");
        assert!(run.wait(Duration::from_millis(5)).is_none(), "it runs on");
        run.kill();
        assert!(run.wait(SOON).is_some(), "killed is ended");
    }

    #[test]
    fn a_signal_arrives() {
        let mut run = shell("trap 'echo caught; exit 7' TERM; echo set; while :; do read line < /dev/null; done");
        assert_eq!(run.line(SOON).as_deref(), Some("set"));
        run.signal("TERM");
        assert_eq!(run.wait(SOON).and_then(|status| status.code()), Some(7));
    }
}
