//! `omniroute serve`: runs the gateway until it is told to stop.
//!
//! The first signal drains: open answers go on, new requests are refused. The second ends at once.

mod welcome;

use std::future::pending;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use omniroute_control::{Instance, Options, Ready, ServeOptions, StartError};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use crate::args::Serve;
use crate::context::Context;
use crate::failure::{Failure, Signal};
use crate::output::Reader;
use crate::signals::Signals;

/// How long another command may hold the folder before that is a failure; as long as commands wait.
const PATIENCE: Duration = Duration::from_secs(3);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);
const HELD: &str = "data_dir_locked";

/// The readiness line.
#[derive(Debug, Serialize)]
struct ReadyLine<'a> {
    event: &'static str,
    url: &'a str,
    dashboard: &'a str,
    client_key: Option<&'a str>,
    data_dir: String,
}

/// Runs the gateway.
pub(crate) async fn run(context: &Context, flags: &Serve) -> Result<(), Failure> {
    let listened = Signals::listen();
    let mut signals = listened.map_err(|cause| Failure::new("signals", format!("no signals here: {cause}")))?;
    let instance = tokio::select! {
        opened = open(context) => opened?,
        signal = signals.next() => return Err(Failure::interrupted(signal, "stopped before it was ready")),
    };
    let (stop, stopped) = oneshot::channel();
    let options = ServeOptions { host: flags.host.clone(), port: flags.port };
    let stopped = async {
        // A sender that went without a word is no wish to stop.
        if stopped.await.is_err() {
            pending::<()>().await;
        }
    };
    let mut serving = pin!(omniroute_control::serve(instance, options, stopped, |ready| announce(context, &ready)));
    tokio::select! {
        done = &mut serving => return Ok(done?),
        signal = signals.next() => note_stop(signal),
    }
    let _already_stopped = stop.send(());
    tokio::select! {
        done = &mut serving => Ok(done?),
        signal = signals.next() => Err(Failure::interrupted(signal, "stopped at once; open answers were cut")),
    }
}

/// Opens the data folder, as soon as nobody else holds it.
async fn open(context: &Context) -> Result<Instance, Failure> {
    let data_dir = context.data_dir()?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match open_now(data_dir.clone(), context).await {
            Err(why) if why.code() == HELD && Instant::now() < deadline => sleep(BETWEEN_TRIES).await,
            outcome => return outcome.map_err(|why| context.not_opened(why)),
        }
    }
}

/// Opening waits for disks and keychains, so it has a thread of its own.
async fn open_now(data_dir: PathBuf, context: &Context) -> Result<Instance, StartError> {
    let options = Options { data_dir, vault: context.vault(), environment: context.environment.clone() };
    let opened = spawn_blocking(move || Instance::open(options)).await;
    opened.unwrap_or(Err(StartError::Defect("opening the data folder broke off")))
}

fn note_stop(signal: Signal) {
    let word = match signal {
        Signal::Interrupt => "interrupt",
        Signal::Terminate => "terminate",
    };
    tracing::info!(signal = word, "Asked to stop; a second signal ends open answers at once.");
}

fn announce(context: &Context, ready: &Ready) {
    let line = ReadyLine {
        event: "ready",
        url: &ready.url,
        dashboard: &ready.dashboard,
        client_key: ready.client_key.as_deref(),
        data_dir: ready.data_dir.display().to_string(),
    };
    for notice in &ready.notices {
        tracing::warn!("{notice}");
    }
    let more_keys = context.command_line("keys add --name NAME");
    match context.output.say(&line, &welcome::text(ready, &more_keys)) {
        Ok(Reader::There) => {}
        // The gateway answers all the same; only the news of it is lost.
        Ok(Reader::Gone) if ready.client_key.is_some() => {
            tracing::warn!("Nobody read the first client key, and it is not shown again; `{more_keys}` makes another.");
        }
        Ok(Reader::Gone) => {}
        Err(failure) => context.output.fail(&failure),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;
    use tokio::time::timeout;

    use super::open;
    use crate::context::Context;

    #[tokio::test(start_paused = true)]
    async fn a_folder_that_another_command_holds_for_a_moment_is_waited_for() {
        let folder = TempDir::new().unwrap();
        let context = Context::of_folder(folder.path());
        let holder = open(&context).await.unwrap();
        assert_eq!(open(&context).await.unwrap_err().code(), "data_dir_locked", "patience ends");
        assert!(timeout(Duration::from_secs(1), open(&context)).await.is_err(), "a second is not too long");
        drop(holder);
        open(&context).await.expect("it is free");
    }
}
