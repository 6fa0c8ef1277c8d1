//! The load run behind `make bench`: the product, a bare pass-through and a minimal gateway in turns,
//! each a process on a core of its own, every answer checked to the byte.
//!
//! One program with sub-commands, so that each part is a process whose CPU time and memory the system
//! counts by itself. Deliberately absent: comparisons of absolute times from different runs.

mod client;
mod contestant;
mod exchange;
mod figure;
mod growth;
mod latency;
mod listen;
mod load;
mod log_row;
mod machine;
mod mingate;
mod options;
mod ours;
mod pace;
mod passthru;
mod placement;
mod process;
mod report;
mod rest;
mod rounds;
mod run;
mod series;
mod upstream;

use std::future::Future;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use tokio::runtime::Builder;

use crate::options::{Command, Options, RunOptions};

fn main() -> ExitCode {
    match answer(Options::parse().command) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("error: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn answer(command: Command) -> Result<ExitCode> {
    match command {
        Command::Run(options) => return drive(&options),
        Command::Upstream => on_one_thread(upstream::run())?,
        Command::Passthru { provider } => on_all_cores(passthru::run(provider))?,
        Command::Mingate { provider } => on_all_cores(mingate::run(provider))?,
        Command::LogRow { rows, at_a_time } => log_row::run(rows, at_a_time)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn drive(options: &RunOptions) -> Result<ExitCode> {
    ensure!(cfg!(target_os = "linux"), "the figures are read from /proc; run this on Linux");
    if !options.placed {
        return placement::start_again();
    }
    let report = on_one_thread(run::run(options))?;
    report.print();
    println!("written to {}", report.write()?.display());
    let is_fine = report.failures.is_empty() && (report.holds() || !options.strict);
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// For what is to cost little.
fn on_one_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    Builder::new_current_thread().enable_all().build().context("starting a runtime")?.block_on(work)
}

/// For the references: the runtime that the product has, too.
fn on_all_cores<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    Builder::new_multi_thread().enable_all().build().context("starting a runtime")?.block_on(work)
}
