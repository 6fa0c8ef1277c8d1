//! Opening the vault of a data folder, and telling whether it is the one the secrets are sealed with.
//!
//! Invariant: a lost key costs the credentials sealed with it and nothing else. The folder opens without
//! them, they stay as they are until a person replaces or removes them, and a vault becomes the
//! folder's own only once nothing is sealed with another key.

use omniroute_store::{CoreDb, DataDir, StoreError, Writer, accounts, meta};
use omniroute_vault::{Choice, Kind, Sealed, Vault, VaultError};

use crate::env::Settings;
use crate::error::StartError;
use crate::instance::VaultChoice;

const KIND: &str = "vault.kind";
const KID: &str = "vault.kid";

/// What the database says about its vault.
struct Recorded {
    choice: Option<VaultChoice>,
    kid: Option<String>,
    accounts: Vec<accounts::Account>,
}

/// Opens the vault: the one asked for, else the recorded one, else the environment's, else the
/// keychain. What a person should know about it comes along.
pub(super) fn unlock(
    (core, dir): (&CoreDb, &DataDir),
    asked: Option<VaultChoice>,
    settings: &Settings,
    now: i64,
) -> Result<(Vault, Vec<String>), StartError> {
    let recorded = read(core)?;
    let from_environment = settings.vault_key.is_some().then_some(VaultChoice::Env);
    let choice = asked.or(recorded.choice).or(from_environment).unwrap_or(VaultChoice::Keychain);
    let is_used = recorded.accounts.iter().any(|account| account.sealed.is_some());
    if let Some(used) = recorded.choice.filter(|used| is_used && *used != choice)
        && is_at_hand(with_key(used, settings), dir, recorded.kid.as_deref())
    {
        // Before the vault is opened: opening would make a new key where there is none.
        return Err(StartError::OtherVault { used, asked: choice });
    }
    let (vault, mut notices) = open(with_key(choice, settings), dir, now)?;
    notices.extend(lost(&recorded.accounts, &vault));
    for notice in &notices {
        tracing::warn!(notice, "The vault is not as it was.");
    }
    core.write(|to| adopt(to, &vault))?;
    Ok((vault, notices))
}

fn with_key(choice: VaultChoice, settings: &Settings) -> Choice {
    match choice {
        VaultChoice::Keychain => Choice::Keychain,
        VaultChoice::File => Choice::File,
        // An absent key is the vault's to complain about; it words that for every caller.
        VaultChoice::Env => Choice::Env(settings.vault_key.clone().unwrap_or_else(|| String::new().into())),
    }
}

/// Whether the key that was used can be had. Where it can't, a person who names another vault may have it:
/// nothing sealed is lost by that.
fn is_at_hand(used: Choice, dir: &DataDir, kid: Option<&str>) -> bool {
    let found = Vault::find(used, dir.path()).ok().flatten();
    found.is_some_and(|vault| Some(vault.kid()) == kid)
}

/// Opens a vault; a key file that holds no key is kept under another name and made anew.
fn open(choice: Choice, dir: &DataDir, now: i64) -> Result<(Vault, Vec<String>), VaultError> {
    match Vault::open(choice.clone(), dir.path()) {
        Err(VaultError::KeyFileDamaged) => {
            let kept = omniroute_vault::set_key_file_aside(dir.path(), now)?;
            let notice = format!("`vault.key` held no whole key; it was kept as `{kept}` and a new one was made");
            Ok((Vault::open(choice, dir.path())?, vec![notice]))
        }
        outcome => outcome.map(|vault| (vault, Vec::new())),
    }
}

/// What to say where credentials are sealed with another key.
fn lost(accounts: &[accounts::Account], vault: &Vault) -> Option<String> {
    let count = accounts.iter().filter(|account| is_foreign(account, vault)).count();
    let total = accounts.iter().filter(|account| account.sealed.is_some()).count();
    if count == 0 {
        return None;
    }
    let way_back = match vault.kind() {
        Kind::File => "`vault.key` was missing or is another one: stop and put the old `vault.key` back",
        Kind::Keychain => {
            "a keychain key belongs to its folder's place: stop and put the folder back where it was, or start with the `--vault` used before"
        }
        Kind::Env => "stop and start with the old `OMNIROUTE_VAULT_KEY`, or with the `--vault` used before",
    };
    Some(format!(
        "{count} of {total} credentials are sealed with another key than the vault's `{}`, so their accounts are not used; {way_back}, or enter their keys again or remove them",
        vault.kid()
    ))
}

fn is_foreign(account: &accounts::Account, vault: &Vault) -> bool {
    let sealed = account.sealed.as_ref().map(Sealed::from_text);
    sealed.is_some_and(|sealed| sealed.kid().is_some_and(|kid| kid != vault.kid()))
}

fn read(core: &CoreDb) -> Result<Recorded, StoreError> {
    core.read(|from| {
        let choice = meta::get(from, KIND)?.and_then(|kind| kind.parse().ok());
        Ok(Recorded { choice, kid: meta::get(from, KID)?, accounts: accounts::list(from)? })
    })
}

/// Records a vault as the folder's own, unless something is still sealed with another key.
pub(super) fn adopt(to: &Writer<'_>, vault: &Vault) -> Result<(), StoreError> {
    let is_own = meta::get(to, KIND)?.as_deref() == Some(vault.kind().as_str())
        && meta::get(to, KID)?.as_deref() == Some(vault.kid());
    if is_own || accounts::list(to)?.iter().any(|account| is_foreign(account, vault)) {
        return Ok(());
    }
    meta::set(to, KIND, vault.kind().as_str())?;
    meta::set(to, KID, vault.kid())
}
