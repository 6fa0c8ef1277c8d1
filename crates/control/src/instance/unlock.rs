//! Opening the vault of a data folder, and making sure that it is the one the secrets are sealed with.
//!
//! Invariant: a key that could not open what is sealed is noticed at the start, before anything is
//! sealed with it, and never recorded as the folder's own.

use omniroute_store::{CoreDb, DataDir, StoreError, Writer, accounts, meta};
use omniroute_vault::{Choice, Vault};

use crate::env::Settings;
use crate::error::StartError;
use crate::instance::VaultChoice;

const KIND: &str = "vault.kind";
const KID: &str = "vault.kid";

/// What the database says about its vault.
struct Recorded {
    choice: Option<VaultChoice>,
    kid: Option<String>,
    /// Whether anything is sealed, so that another key would lose it.
    is_used: bool,
}

/// Opens the vault: the one asked for, else the recorded one, else the environment's, else the
/// keychain.
pub(super) fn unlock(
    core: &CoreDb,
    dir: &DataDir,
    asked: Option<VaultChoice>,
    settings: &Settings,
) -> Result<Vault, StartError> {
    let recorded = read(core)?;
    let from_environment = settings.vault_key.is_some().then_some(VaultChoice::Env);
    let choice = asked.or(recorded.choice).or(from_environment).unwrap_or(VaultChoice::Keychain);
    if let Some(used) = recorded.choice.filter(|used| recorded.is_used && *used != choice) {
        // Before the vault is opened: opening would make a new key where there is none.
        return Err(StartError::OtherVault { used, asked: choice });
    }
    let vault = Vault::open(with_key(choice, settings), dir.path())?;
    if let Some(sealed_with) = recorded.kid.filter(|kid| recorded.is_used && kid != vault.kid()) {
        return Err(StartError::OtherKey { sealed_with, held: vault.kid().to_owned(), choice });
    }
    core.write(|to| record(to, &vault))?;
    Ok(vault)
}

fn with_key(choice: VaultChoice, settings: &Settings) -> Choice {
    match choice {
        VaultChoice::Keychain => Choice::Keychain,
        VaultChoice::File => Choice::File,
        // An absent key is the vault's to complain about; it words that for every caller.
        VaultChoice::Env => Choice::Env(settings.vault_key.clone().unwrap_or_else(|| String::new().into())),
    }
}

fn read(core: &CoreDb) -> Result<Recorded, StoreError> {
    core.read(|from| {
        let choice = meta::get(from, KIND)?.and_then(|kind| kind.parse().ok());
        let is_used = accounts::list(from)?.iter().any(|account| account.sealed.is_some());
        Ok(Recorded { choice, kid: meta::get(from, KID)?, is_used })
    })
}

fn record(to: &Writer<'_>, vault: &Vault) -> Result<(), StoreError> {
    let facts = [(KIND, vault.kind().as_str()), (KID, vault.kid())];
    for (fact, value) in facts {
        if meta::get(to, fact)?.as_deref() != Some(value) {
            meta::set(to, fact, value)?;
        }
    }
    Ok(())
}
