//! Why an instance does not start. Each text says what to do; the causes hang on the source chain.

use std::net::IpAddr;

use omniroute_gateway::ListenError;
use omniroute_store::StoreError;
use omniroute_vault::VaultError;

use crate::env::SettingError;
use crate::instance::VaultChoice;

/// Why an instance does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable of the environment is no use.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Nothing says where the data folder is.
    #[error("the environment names no home folder; say where the data goes with `--data-dir`")]
    NoHome,
    /// The data folder or its databases can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault does not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The secrets of this folder were sealed with a key kept elsewhere.
    #[error(
        "the credentials in this data folder are sealed with the key of `--vault {used}`; start with that, or remove the accounts first to change to `--vault {asked}`"
    )]
    OtherVault {
        /// Where the key that was used is kept.
        used: VaultChoice,
        /// What was asked for.
        asked: VaultChoice,
    },
    /// A host that is no address of this machine's own.
    #[error("`{0}` is no address to listen on; use `127.0.0.1`, `::1` or `localhost`")]
    Host(String),
    /// A host that others can reach.
    #[error(
        "`{0}` opens the gateway to a network; that needs a password first, which comes with the dashboard: until then use 127.0.0.1"
    )]
    OpenHost(IpAddr),
    /// The port can't be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// There is nothing wrong with the database.
    #[error("`core.db` is sound; there is nothing to restore")]
    NothingToRestore,
    /// A defect of ours.
    #[error("{0}; this is a defect of the gateway, report it with the log")]
    Defect(&'static str),
}

impl StartError {
    /// The stable code a script can branch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting(_) => "setting_invalid",
            Self::NoHome => "data_dir_unknown",
            Self::Store(why) => why.code(),
            Self::Vault(why) => why.code(),
            Self::OtherVault { .. } => "vault_differs",
            Self::Host(_) => "host_invalid",
            Self::OpenHost(_) => "host_not_loopback",
            Self::Listen(ListenError::Taken(_)) => "port_taken",
            Self::Listen(ListenError::Forbidden(_)) => "port_forbidden",
            Self::Listen(ListenError::Other(..)) => "port_unusable",
            Self::NothingToRestore => "nothing_to_restore",
            Self::Defect(_) => "internal",
        }
    }
}
