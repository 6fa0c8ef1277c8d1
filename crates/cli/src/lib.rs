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

use clap::error::{ContextKind, ContextValue, ErrorKind};
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
        Err(refusal) => return refuse(&words, &without_values(refusal)),
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
    let form = if wants_json { Form::Json } else { Form::Text };
    let output = Output::new(form, terminal::colors());
    match usage_failure(refusal) {
        Some(failure) if wants_json || is_stray_value(refusal) => output.fail(&failure),
        // The parser's own words, with colours; nobody is left to tell when they can't be written.
        Some(_) | None => drop(refusal.print()),
    }
    u8::try_from(refusal.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The same refusal without what was typed as a value or a command, which may be a key. Which flag it
/// was given to, and what that takes, is still said.
fn without_values(mut refusal: clap::Error) -> clap::Error {
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
        if refusal.get(kind).is_some() {
            refusal.insert(kind, ContextValue::String("…".to_owned()));
        }
    }
    refusal
}

/// What is wrong with the command line; `None` where the help was asked for.
fn usage_failure(refusal: &clap::Error) -> Option<Failure> {
    if !refusal.use_stderr() {
        return None;
    }
    if is_stray_value(refusal) {
        let text = "there is a value that belongs to no flag; it is not repeated here, since it may be a key";
        return Some(Failure::usage(text).hint("`--help` shows the flags"));
    }
    let text = refusal.render().to_string();
    let reason: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    let reason = reason.join(" ");
    Some(Failure::usage(reason.strip_prefix("error: ").unwrap_or(&reason)))
}

/// Whether the parser complains of a value where none belongs, e.g. of a key without its flag.
fn is_stray_value(refusal: &clap::Error) -> bool {
    let is_flag = |value: &ContextValue| matches!(value, ContextValue::String(text) if text.starts_with('-'));
    refusal.kind() == ErrorKind::UnknownArgument && !refusal.get(ContextKind::InvalidArg).is_some_and(is_flag)
}

/// Without a command there is nothing to do but to say which there are.
fn help(context: &Context) -> Result<(), Failure> {
    match context.output.form() {
        Form::Json => Err(Failure::usage("no command is given").hint("`omniroute --help` lists them")),
        Form::Text => context.output.say(&(), &Cli::command().render_help().to_string()).map(drop),
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

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use omniroute_control::env::LogLevel;
    use tracing::level_filters::LevelFilter;

    use super::{log_level, usage_failure, without_values};
    use crate::args::Cli;

    #[track_caller]
    fn refused(line: &str) -> String {
        let refusal = without_values(Cli::try_parse_from(line.split(' ')).expect_err(line));
        usage_failure(&refusal).map(|failure| failure.json()).unwrap_or_default()
    }

    #[test]
    fn a_key_without_its_flag_is_not_repeated() {
        let said = refused("omniroute providers add openai sk-canary");
        assert!(said.contains("\"code\":\"usage\"") && !said.contains("canary"), "{said}");
        assert!(refused("omniroute providers add openai --nmae x").contains("'--nmae'"), "a flag is named");
    }

    #[test]
    fn a_key_given_to_a_flag_that_does_not_take_it_is_not_repeated() {
        for (line, flag) in [
            ("omniroute providers add openai --local=sk-canary", "--local"),
            ("omniroute providers add openai --priority sk-canary", "--priority"),
            ("omniroute providers add openai --no-such=sk-canary", "--no-such"),
            ("omniroute keys add --name n --scope sk-canary", "chat, manage"),
            ("omniroute serve --port sk-canary", "--port"),
            ("omniroute serve --vault=sk-canary", "keychain, file, env"),
            ("omniroute usage --since sk-canary", "24h"),
            ("omniroute providers sk-canary", "subcommand"),
        ] {
            let to_people = without_values(Cli::try_parse_from(line.split(' ')).expect_err(line)).to_string();
            for said in [refused(line), to_people] {
                assert!(said.contains(flag) && !said.contains("canary"), "{line}: {said}");
            }
        }
    }

    #[test]
    fn a_usage_error_is_told_on_one_line_and_whole() {
        let said = refused("omniroute keys add");
        let expected = r#"{"error":{"code":"usage","message":"the following required arguments were not provided: --name <NAME>"}}"#;
        assert_eq!(said, format!("{expected}\n"));
    }

    #[test]
    fn help_is_no_failure() {
        assert_eq!(refused("omniroute --help"), "");
    }

    #[test]
    fn a_single_command_logs_less_than_the_gateway_unless_asked() {
        let level = |line: &str, wanted| {
            let command = Cli::try_parse_from(line.split(' ')).unwrap().command.unwrap();
            log_level(wanted, &command)
        };
        assert_eq!(level("omniroute serve", LogLevel::Info), LevelFilter::INFO);
        assert_eq!(level("omniroute models", LogLevel::Info), LevelFilter::WARN);
        assert_eq!(level("omniroute models", LogLevel::Debug), LevelFilter::DEBUG);
    }
}
