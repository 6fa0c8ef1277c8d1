//! Parts of this program as processes of their own: started on a core, killed when dropped.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A start that takes longer has failed.
const START_LIMIT: Duration = Duration::from_secs(15);
/// A part that works and then ends may take so long.
const WORK_LIMIT: Duration = Duration::from_secs(120);

/// The words in front of a command that make it run on one core; none where cores are not told apart.
pub(crate) fn on_core(core: Option<usize>) -> Vec<String> {
    core.map(|core| ["taskset", "-c", &core.to_string()].map(str::to_owned).to_vec()).unwrap_or_default()
}

/// A running part. Its standard input stays open, so that it ends when this process does.
#[derive(Debug)]
pub(crate) struct Part {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Part {
    /// Starts a sub-command of this program.
    pub(crate) fn start(words: &[&str], core: Option<usize>) -> Result<Self> {
        let own = std::env::current_exe().context("this program has a path")?;
        let mut command = match on_core(core).split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(own);
                command
            }
            None => Command::new(own),
        };
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        let output = child.stdout.take().context("standard output is caught")?;
        let (tell, lines) = mpsc::sync_channel(16);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// Starts a server and waits until it says where it listens; tells how long that took.
    pub(crate) fn serve(words: &[&str], core: Option<usize>) -> Result<(Self, SocketAddr, Duration)> {
        let begin = Instant::now();
        let part = Self::start(words, core)?;
        let ready = part.line(START_LIMIT).with_context(|| format!("`{}` does not start", words.join(" ")))?;
        let took = begin.elapsed();
        let url = ready["url"].as_str().context("the ready line has a url")?;
        Ok((part, address(url)?, took))
    }

    /// The result of a part that works and then ends.
    pub(crate) fn result(&self) -> Result<Value> {
        self.line(WORK_LIMIT)
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn line(&self, limit: Duration) -> Result<Value> {
        let line = self.lines.recv_timeout(limit).context("nothing was said in time")?;
        serde_json::from_str(&line).with_context(|| format!("`{line}` is not JSON"))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The address in a URL that has nothing else.
pub(crate) fn address(url: &str) -> Result<SocketAddr> {
    let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    authority.and_then(|authority| authority.parse().ok()).with_context(|| format!("`{url}` is no address"))
}
