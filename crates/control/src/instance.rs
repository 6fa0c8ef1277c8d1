//! (being written: the signatures below are final)
//! One data folder in use: its databases, its vault, its gateway.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::env::Environment;
use crate::error::StartError;

/// Where the vault's key is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultChoice {
    /// In the operating system's keychain.
    Keychain,
    /// In a file of the data folder.
    File,
    /// In `OMNIROUTE_VAULT_KEY`, given at every start.
    Env,
}

impl VaultChoice {
    /// The choice as flags spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::File => "file",
            Self::Env => "env",
        }
    }
}

impl fmt::Display for VaultChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for VaultChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let choices = [Self::Keychain, Self::File, Self::Env];
        let found = choices.into_iter().find(|choice| choice.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is no vault; use `keychain`, `file` or `env`"))
    }
}

/// What to open.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder (`paths::data_dir`).
    pub data_dir: PathBuf,
    /// Where the vault's key is; `None` takes what the folder was sealed with, else what the
    /// environment gives, else the keychain.
    pub vault: Option<VaultChoice>,
    /// The environment.
    pub environment: Environment,
}

/// A data folder in use. Clones share it.
#[derive(Clone)]
pub struct Instance {}

impl Instance {
    /// Opens a data folder. Blocks: disks, and up to five seconds for a locked keychain.
    pub fn open(options: Options) -> Result<Self, StartError> {
        let _ = options;
        Err(StartError::Defect("not written yet"))
    }
}
