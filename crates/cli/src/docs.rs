//! The reference page of the commands, made from the command line's own definition.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use crate::args::Cli;

/// The page in Markdown: every command with its usage and its options.
pub fn markdown() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = String::from(HEAD);
    for command in leaves(&root) {
        write_command(&mut page, command);
    }
    page.push_str("## Options of every command\n\n");
    write_table(&mut page, root.get_arguments().filter(|argument| argument.is_global_set()));
    page
}

const HEAD: &str = "\
# Commands

Made from the command line's definition (`crates/cli/src/args.rs`) by `cargo xtask gen`;
change that, not this page.

Each command works on a data folder: against the instance that runs on it, through a local socket in the
folder, or by itself where none runs. Progress and questions appear on a terminal only. What was asked for
goes to stdout; with `--json` it is exactly one JSON document. Why it failed goes to stderr: a line
`error: …`, often followed by `hint: …`; with `--json` one line `{\"error\":{\"code\",\"message\",\"hint\"}}`,
the last one there. A password or key is never repeated.

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | tried, and failed |
| 2 | the command line makes no sense |
| 130, 143 | broken off by Ctrl+C or by the request to end |

";

/// The commands that do something, in order.
fn leaves(command: &Command) -> Vec<&Command> {
    let mut found = Vec::new();
    for inner in command.get_subcommands() {
        if inner.has_subcommands() {
            found.extend(leaves(inner));
        } else {
            found.push(inner);
        }
    }
    found
}

fn write_command(page: &mut String, command: &Command) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    // Writing to a String can't fail.
    let _ = write!(page, "## {name}\n\n{}.\n\n", text(command.get_about()));
    let _ = write!(page, "```\n{}\n```\n\n", usage(command, name));
    if command.get_arguments().any(is_own) {
        write_table(page, command.get_arguments().filter(|argument| is_own(argument)));
    }
    if let Some(examples) = command.get_after_help() {
        let lines: Vec<String> = examples.to_string().lines().skip(1).map(|line| line.trim().to_owned()).collect();
        let _ = write!(page, "```\n{}\n```\n\n", lines.join("\n"));
    }
}

fn is_own(argument: &Arg) -> bool {
    !argument.is_global_set() && !matches!(argument.get_id().as_str(), "help" | "version")
}

fn usage(command: &Command, name: &str) -> String {
    let mut line = name.to_owned();
    for argument in command.get_arguments().filter(|argument| argument.is_positional()) {
        let _ = write!(line, " {argument}");
    }
    line.push_str(" [OPTIONS]");
    line
}

fn write_table<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    page.push_str("| option | meaning |\n|---|---|\n");
    for argument in arguments {
        let _ = writeln!(page, "| `{}` | {} |", shown(argument), meaning(argument));
    }
    page.push('\n');
}

/// The argument as it is typed.
fn shown(argument: &Arg) -> String {
    match (argument.get_long(), argument.get_action().takes_values(), argument.get_value_names()) {
        (Some(long), true, Some([name, ..])) => format!("--{long} {name}"),
        (Some(long), true, _) => format!("--{long} VALUE"),
        (Some(long), false, _) => format!("--{long}"),
        (None, ..) => argument.to_string(),
    }
}

fn meaning(argument: &Arg) -> String {
    let mut words = text(argument.get_help());
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| format!("`{}`: {}", value.get_name(), text(value.get_help())))
        .collect();
    let takes_values = argument.get_action().takes_values();
    if takes_values && !values.is_empty() {
        let _ = write!(words, " ({})", values.join("; "));
    }
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes_values && !defaults.is_empty() {
        let _ = write!(words, " [default: {}]", defaults.join(","));
    }
    words.replace('|', "\\|")
}

fn text(styled: Option<&clap::builder::StyledStr>) -> String {
    styled.map(|styled| styled.to_string().trim_end_matches('.').to_owned()).unwrap_or_default()
}
