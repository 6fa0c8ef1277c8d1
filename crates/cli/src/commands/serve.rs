//! `omniroute serve`: runs the gateway until it is told to stop.
//!
//! The first signal drains: open answers go on, new requests are refused. The second ends at once.

mod welcome;

use std::future::pending;
use std::path::PathBuf;
use std::pin::pin;

use omniroute_control::{Instance, Options, Ready, ServeOptions, StartError};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::args::Serve;
use crate::context::Context;
use crate::failure::{Failure, Signal};
use crate::output::Reader;
use crate::signals::Signals;

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
        opened = open(context.data_dir()?, context) => opened?,
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

/// Opening waits for disks and keychains, so it has a thread of its own.
async fn open(data_dir: PathBuf, context: &Context) -> Result<Instance, StartError> {
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
