//! The command line: every command, flag and help text, once. The reference page and the help come
//! from here.
//!
//! Deliberately absent: what a command does, and defaults that the environment may set (`control`
//! knows those).

mod keys;
mod providers;
mod serve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use keys::{KeysCommand, NewKey, Scope};
pub use providers::{NewAccount, ProviderKey, ProvidersCommand};
pub use serve::Serve;

use crate::since::Since;

/// One local endpoint for every AI tool, and behind it every model you may use.
#[derive(Debug, Parser)]
#[command(name = "omniroute", version, disable_help_subcommand = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub globals: Globals,
    /// The command; none asks for the help.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that every command takes, before or after its name.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Globals {
    /// The folder with accounts, keys and usage [default: DATA_DIR, else the platform's]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print one JSON document instead of text; failures are one JSON line on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Where the key that seals credentials is kept
    #[arg(long, global = true, value_name = "WHERE")]
    pub vault: Option<VaultPlace>,
}

/// Where the key that seals credentials is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VaultPlace {
    /// In the operating system's keychain
    Keychain,
    /// In a file of the data folder that only you can read
    File,
    /// In the variable OMNIROUTE_VAULT_KEY, given at every start
    Env,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway
    Serve(Serve),
    /// Connect providers and look after their accounts
    #[command(subcommand)]
    Providers(ProvidersCommand),
    /// Make and remove the keys that tools show to the gateway
    #[command(subcommand)]
    Keys(KeysCommand),
    /// List the models that requests can name
    Models(Models),
    /// Show tokens and costs by provider and model
    Usage(Usage),
    /// Check the data folder and say what to do about what is wrong
    Doctor(Doctor),
}

/// Which models to list.
#[derive(Debug, Args)]
pub struct Models {
    /// Only models whose name or provider contains this
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
}

/// Which requests to count.
#[derive(Debug, Args)]
pub struct Usage {
    /// How far back to count: minutes, hours, days or weeks, e.g. 30m, 24h, 7d, 2w
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    pub since: Since,
}

/// What to check and mend.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Also look through every file of the data folder for credentials in the clear
    #[arg(long)]
    pub secrets: bool,
    /// Put the newest good snapshot in the place of a damaged core.db, which is kept beside it
    #[arg(long)]
    pub restore: bool,
}

#[cfg(test)]
mod tests;
