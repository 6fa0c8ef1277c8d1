use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use super::{Cli, Command, KeysCommand, ProvidersCommand, Scope, VaultPlace};

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("omniroute").chain(line.split_whitespace()))
}

#[track_caller]
fn command(line: &str) -> Command {
    parse(line).unwrap_or_else(|refused| panic!("`{line}`: {refused}")).command.expect("a command")
}

#[track_caller]
fn refused(line: &str, kind: ErrorKind) {
    let error = parse(line).expect_err(line);
    assert_eq!(error.kind(), kind, "`{line}`: {error}");
    assert_eq!(error.exit_code(), 2, "a usage error");
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn common_flags_stand_before_or_after_the_command() {
    for line in ["--data-dir d --json --vault file keys list", "keys list --data-dir d --json --vault file"] {
        let globals = parse(line).unwrap().globals;
        assert_eq!(globals.data_dir.as_deref(), Some("d".as_ref()), "`{line}`");
        assert_eq!((globals.json, globals.vault), (true, Some(VaultPlace::File)), "`{line}`");
    }
    assert!(parse("").unwrap().command.is_none(), "no command asks for the help");
}

#[test]
fn serve_takes_an_address() {
    let Command::Serve(serve) = command("serve --host ::1 --port 0") else { panic!("serve") };
    assert_eq!((serve.host.as_deref(), serve.port), (Some("::1"), Some(0)));
    let Command::Serve(serve) = command("serve") else { panic!("serve") };
    assert_eq!((serve.host, serve.port), (None, None), "the environment may say");
    refused("serve --port 65536", ErrorKind::ValueValidation);
}

#[test]
fn an_account_of_an_address_of_ones_own() {
    let line = "providers add openai-compatible --prefix mk --base-url http://127.0.0.1:9000/v1 --local --api-key x";
    let Command::Providers(ProvidersCommand::Add(new)) = command(line) else { panic!("add") };
    assert_eq!((new.provider.as_str(), new.prefix.as_deref()), ("openai-compatible", Some("mk")));
    assert_eq!(new.base_url.as_deref(), Some("http://127.0.0.1:9000/v1"));
    assert!(new.local && !new.no_test && !new.yes && new.api_key.is_some());
}

#[test]
fn a_key_comes_from_one_place_and_is_not_in_debug_output() {
    refused("providers add openai --api-key a --api-key-env B", ErrorKind::ArgumentConflict);
    refused("providers add openai --api-key", ErrorKind::InvalidValue);
    refused("providers add openai --api-key --json", ErrorKind::InvalidValue);
    let Command::Providers(ProvidersCommand::Add(new)) = command("providers add openai --api-key -") else {
        panic!("add")
    };
    assert!(new.api_key.is_some_and(|key| key.is_stdin()));
    let shown = format!("{:?}", parse("providers add openai --api-key sk-canary").unwrap());
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn priorities_have_a_range() {
    for bad in ["0", "101", "-1", "first"] {
        assert!(parse(&format!("providers add openai --priority={bad}")).is_err(), "{bad}");
    }
    let Command::Providers(ProvidersCommand::Add(new)) = command("providers add openai --priority 7") else {
        panic!("add")
    };
    assert_eq!(new.priority, Some(7));
}

#[test]
fn scopes_are_a_list_and_chat_is_the_least() {
    let scopes = |line: &str| match command(line) {
        Command::Keys(KeysCommand::Add(new)) => new.scope,
        other => panic!("{other:?}"),
    };
    assert_eq!(scopes("keys add --name n"), [Scope::Chat]);
    assert_eq!(scopes("keys add --name n --scope chat,manage"), [Scope::Chat, Scope::Manage]);
    refused("keys add --name n --scope root", ErrorKind::InvalidValue);
    refused("keys add", ErrorKind::MissingRequiredArgument);
}

#[test]
fn a_day_is_counted_unless_another_span_is_asked_for() {
    let since = |line: &str| match command(line) {
        Command::Usage(usage) => usage.since.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!((since("usage"), since("usage --since 7d")), ("24h".to_owned(), "7d".to_owned()));
    refused("usage --since yesterday", ErrorKind::ValueValidation);
}

#[test]
fn what_is_no_command_is_a_usage_error() {
    refused("providers frobnicate", ErrorKind::InvalidSubcommand);
    refused("keys remove", ErrorKind::MissingRequiredArgument);
    refused("models --vault cellar", ErrorKind::InvalidValue);
    refused("doctor --mend", ErrorKind::UnknownArgument);
}

/// The help of a command, as it is printed where nothing can be coloured.
fn help(path: &[&str]) -> String {
    let mut root = Cli::command();
    root.build();
    let mut command = &mut root;
    for name in path {
        command = command.find_subcommand_mut(name).expect("a command");
    }
    command.render_help().to_string()
}

#[test]
fn every_help_text_is_as_agreed() {
    insta::assert_snapshot!("omniroute", help(&[]));
    insta::assert_snapshot!("serve", help(&["serve"]));
    insta::assert_snapshot!("providers", help(&["providers"]));
    insta::assert_snapshot!("providers_add", help(&["providers", "add"]));
    insta::assert_snapshot!("keys", help(&["keys"]));
    insta::assert_snapshot!("keys_add", help(&["keys", "add"]));
    insta::assert_snapshot!("models", help(&["models"]));
    insta::assert_snapshot!("usage", help(&["usage"]));
    insta::assert_snapshot!("doctor", help(&["doctor"]));
}
