//! `omniroute providers …`.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde::Serialize;

/// Providers and accounts.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum ProvidersCommand {
    /// Connect an account of a provider, or an address of your own
    Add(NewAccount),
    /// List the providers that can be connected, and what the others wait for
    Available {
        /// Only providers whose name, id or prefix contains this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// List the connected accounts
    List,
    /// Ask an account's provider whether it accepts the account
    Test {
        /// The account's id, the beginning of it, its name, or its provider where it has no other
        #[arg(value_name = "ACCOUNT")]
        account: String,
    },
    /// Remove an account and its credential
    Remove {
        /// The account's id, the beginning of it, its name, or its provider where it has no other
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// An account to be connected.
#[derive(Debug, Args)]
#[command(after_help = ADD_EXAMPLES)]
pub struct NewAccount {
    /// The provider's id or a prefix of it, or `openai-compatible` for an address of your own
    #[arg(value_name = "PROVIDER")]
    pub provider: String,
    /// What to call the account [default: the provider's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Its API key, `-` for the first line of stdin; others here can see what stands on a command line
    /// [default: asked for on a terminal]
    #[arg(long, value_name = "KEY", conflicts_with = "api_key_env")]
    pub api_key: Option<ProviderKey>,
    /// The environment variable that holds the API key
    #[arg(long, value_name = "VARIABLE")]
    pub api_key_env: Option<String>,
    /// The address to use for this account, e.g. http://127.0.0.1:9000/v1
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The prefix of its models' names, for an address of your own
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// The address may be on this machine or in the local network
    #[arg(long)]
    pub local: bool,
    /// Save without testing the account
    #[arg(long)]
    pub no_test: bool,
    /// Which account of a provider is asked first: 1 before 2
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub priority: Option<u32>,
    /// Save even if the test fails, and do not ask
    #[arg(long)]
    pub yes: bool,
}

const ADD_EXAMPLES: &str = "\
Examples:
  omniroute providers add openai
  omniroute providers add groq --api-key-env GROQ_API_KEY --name work
  omniroute providers add openai-compatible --prefix mine --base-url http://127.0.0.1:9000/v1 --local --api-key -";

/// A provider's API key on its way to the vault. It is sent on and never shown.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ProviderKey(String);

impl ProviderKey {
    /// Takes the text without the blanks and line ends that pasting leaves around it; `None` where
    /// nothing remains.
    pub(crate) fn pasted(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Whether it only says that the key comes on stdin.
    pub(crate) fn is_stdin(&self) -> bool {
        self.0 == "-"
    }
}

impl FromStr for ProviderKey {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl fmt::Debug for ProviderKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}
