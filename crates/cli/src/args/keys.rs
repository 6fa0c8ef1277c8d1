//! `omniroute keys …`.

use clap::{Args, Subcommand, ValueEnum};

/// Keys that tools show to the gateway.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum KeysCommand {
    /// Make a key and show it, this once
    Add(NewKey),
    /// List the keys: their beginnings and ends, never whole
    List,
    /// Remove a key: tools that use it are refused from then on
    Remove {
        /// The key's id, the beginning of it, or its name
        #[arg(value_name = "KEY")]
        key: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Replace a key by a new one of the same name, shown this once
    Rotate {
        /// The key's id, the beginning of it, or its name
        #[arg(value_name = "KEY")]
        key: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// A key to be made.
#[derive(Debug, Args)]
pub struct NewKey {
    /// What to call it, e.g. the tool that will use it
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// What it may do
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', default_value = "chat")]
    pub scope: Vec<Scope>,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// Ask models
    Chat,
    /// Change providers, keys and settings
    Manage,
}

impl Scope {
    /// The scope as flags and requests spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Manage => "manage",
        }
    }
}
