//! The key in the operating system's keychain.
//!
//! Invariant: an entry that is there is never replaced; a new one is read back before it is used.
//! Keychain calls block, for as long as a prompt stays open: they run on a thread of their own, and
//! after five seconds we stop waiting for it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use keyring::{Entry, Error as KeyringError};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::{KeychainSaid, VaultError};
use crate::key::{Key, hex};

const SERVICE: &str = "omniroute";
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn fetch_or_create(data_dir: &Path) -> Result<Key, VaultError> {
    let made = call(data_dir, |entry, given_up| match read(entry)? {
        Some(key) => Ok(Some(key)),
        // Whoever asked is gone and may ask again; two new keys at once would lose one.
        None if given_up.load(Ordering::Acquire) => Err(failed("nobody waits any more".into())),
        None => create(entry).map(Some),
    })?;
    made.ok_or_else(|| failed("the entry just written is gone".into()))
}

/// The key; `None` where the keychain has no entry for the folder.
pub(crate) fn fetch(data_dir: &Path) -> Result<Option<Key>, VaultError> {
    call(data_dir, |entry, _| read(entry))
}

type Ask = fn(&Entry, &AtomicBool) -> Result<Option<Key>, VaultError>;

fn call(data_dir: &Path, ask: Ask) -> Result<Option<Key>, VaultError> {
    let user = user_of(data_dir)?;
    let given_up = Arc::new(AtomicBool::new(false));
    let (sender, answer) = mpsc::sync_channel(1);
    let flag = Arc::clone(&given_up);
    let spawned = thread::Builder::new().name("keychain".into()).spawn(move || {
        // Nobody listens any more once the time is up; the answer then has no use.
        let entry = Entry::new(SERVICE, &user).map_err(classify);
        let _unheard = sender.send(entry.and_then(|entry| ask(&entry, &flag)));
    });
    spawned.map_err(|cause| failed(cause.to_string()))?;
    match answer.recv_timeout(PATIENCE) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => {
            given_up.store(true, Ordering::Release);
            Err(VaultError::KeychainLocked { cause: KeychainSaid("no answer within five seconds".into()) })
        }
        Err(RecvTimeoutError::Disconnected) => Err(failed("the keychain call ended without an answer".into())),
    }
}

/// The entry of one data folder: two folders of one person have two keys.
fn user_of(data_dir: &Path) -> Result<String, VaultError> {
    let whole = data_dir.canonicalize().map_err(|cause| failed(cause.to_string()))?;
    let hash = Sha256::digest(whole.as_os_str().as_encoded_bytes());
    Ok(["vault-key:", &hex(&hash[..4])].concat())
}

fn read(entry: &Entry) -> Result<Option<Key>, VaultError> {
    match entry.get_secret().map(Zeroizing::new) {
        Ok(bytes) => {
            Key::from_slice(&bytes).map(Some).ok_or_else(|| failed("the entry holds no key of 32 bytes".into()))
        }
        Err(KeyringError::NoEntry) => Ok(None),
        Err(error) => Err(classify(error)),
    }
}

fn create(entry: &Entry) -> Result<Key, VaultError> {
    let key = Key::generate()?;
    entry.set_secret(key.bytes()).map_err(classify)?;
    let kept = Zeroizing::new(entry.get_secret().map_err(classify)?);
    if kept.as_slice() != key.bytes() {
        return Err(failed("the entry just written reads differently".into()));
    }
    Ok(key)
}

/// What each answer means for the person, as seen with keyring 4.2.0 and gnome-keyring (2026-11-20):
/// no bus gives `NoDefaultStore`, a locked keyring without a prompter `NoStorageAccess`.
fn classify(error: KeyringError) -> VaultError {
    match error {
        KeyringError::NoDefaultStore => VaultError::KeychainMissing { cause: KeychainSaid(why_no_store()) },
        KeyringError::NoStorageAccess(cause) => VaultError::KeychainLocked { cause: KeychainSaid(cause.to_string()) },
        other => failed(other.to_string()),
    }
}

fn why_no_store() -> String {
    match Entry::store_status() {
        Ok(()) => "no store".into(),
        Err(error) => error.to_string(),
    }
}

fn failed(said: String) -> VaultError {
    VaultError::KeychainFailed { cause: KeychainSaid(said) }
}
