//! The command line: carries requests to the management routes and shows the answers.
//!
//! Invariant: no business logic and no data of its own; what a command knows it got from `control`.
//! One command ends in at most one document on stdout. Deliberately absent: HTTP, SQL, secrets.

pub mod args;
mod commands;
mod context;
pub mod docs;
mod failure;
mod figures;
mod logging;
mod output;
mod pick;
mod session;
mod signals;
pub mod since;
mod table;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use omniroute_control::env::LogLevel;
use omniroute_control::{Settings, StartError};
use tokio::runtime::{Builder, Runtime};
use tracing::level_filters::LevelFilter;

use crate::args::{Cli, Command};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Form, Output};

/// Runs one command line; gives what the process ends with.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(refusal) => return refuse(&words, &refusal),
    };
    let context = Context::of_process(cli.globals);
    match cli.command.map_or_else(|| help(&context), |command| start(&context, command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            context.output.fail(&failure);
            failure.exit_code()
        }
    }
}

/// What the parser says: the help that was asked for, or what is wrong with the command line.
fn refuse(words: &[OsString], refusal: &clap::Error) -> ExitCode {
    let wants_json = words.iter().skip(1).take_while(|word| *word != "--").any(|word| word == "--json");
    if !refusal.use_stderr() || !wants_json {
        // Nobody is left to tell when the help can't be written.
        let _reader_is_gone = refusal.print();
    } else {
        let output = Output::new(Form::Json, terminal::colors());
        output.fail(&Failure::usage(first_line(refusal)));
    }
    u8::try_from(refusal.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn first_line(refusal: &clap::Error) -> String {
    let text = refusal.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Without a command there is nothing to do but to say which there are.
fn help(context: &Context) -> Result<(), Failure> {
    match context.output.form() {
        Form::Json => Err(Failure::usage("no command is given").hint("`omniroute --help` lists them")),
        Form::Text => context.output.say(&(), &Cli::command().render_help().to_string()),
    }
}

fn start(context: &Context, command: Command) -> Result<(), Failure> {
    let settings = Settings::read(&context.environment).map_err(StartError::from)?;
    let level = log_level(settings.log_level, &command);
    logging::start(level, context.output.colors()).map_err(|why| Failure::new("log", why.to_string()))?;
    let runtime = runtime(&command).map_err(|why| Failure::new("runtime", why.to_string()))?;
    let done = runtime.block_on(Box::pin(commands::run(context, command)));
    // Whatever still blocks a thread (a keychain that waits for a person) must not keep the process.
    runtime.shutdown_background();
    done
}

/// The gateway uses every processor; a single command needs one thread.
fn runtime(command: &Command) -> std::io::Result<Runtime> {
    let mut builder = match command {
        Command::Serve(_) => Builder::new_multi_thread(),
        Command::Providers(_) | Command::Keys(_) | Command::Models(_) | Command::Usage(_) | Command::Doctor(_) => {
            Builder::new_current_thread()
        }
    };
    builder.enable_all().build()
}

/// A single command says how it went by itself, so its log begins at `warn` unless more is asked for.
fn log_level(wanted: LogLevel, command: &Command) -> LevelFilter {
    match (wanted, command) {
        (LogLevel::Error, _) => LevelFilter::ERROR,
        (LogLevel::Warn, _) => LevelFilter::WARN,
        (LogLevel::Info, Command::Serve(_)) => LevelFilter::INFO,
        (LogLevel::Info, _) => LevelFilter::WARN,
        (LogLevel::Debug, _) => LevelFilter::DEBUG,
        (LogLevel::Trace, _) => LevelFilter::TRACE,
    }
}
