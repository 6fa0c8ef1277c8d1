//! Why a vault does not open, or a sealed text does not.
//!
//! Every error has a stable code and says what to do. No text holds a key, a secret or a path.

use thiserror::Error;

/// What went wrong, with the way out in the same sentence.
#[derive(Debug, Error)]
pub enum VaultError {
    /// No keychain answers: a server, a container, a session without a bus.
    #[error(
        "no keychain answers in this session; start with `--vault file`, or set `OMNIROUTE_VAULT_KEY` and start with `--vault env`"
    )]
    KeychainMissing {
        /// What the keychain library said.
        #[source]
        cause: KeychainSaid,
    },
    /// The keychain is there but locked, and nobody unlocked it in time.
    #[error(
        "the keychain is locked; unlock it (log in to the desktop session) and start again, or start with `--vault file`"
    )]
    KeychainLocked {
        /// What the keychain library said.
        #[source]
        cause: KeychainSaid,
    },
    /// The keychain answers, but not as it should.
    #[error(
        "the keychain does not keep the key; see the cause in the log, or start with `--vault file` for a new data folder"
    )]
    KeychainFailed {
        /// What the keychain library said.
        #[source]
        cause: KeychainSaid,
    },
    /// The text was sealed with a key this vault does not hold.
    #[error(
        "sealed with key `{sealed_with}`, but the vault holds `{held}`; start with the `--vault` and data folder used before (a keychain key belongs to its folder's place), or enter the secret again"
    )]
    KeyLost {
        /// The key it was sealed with.
        sealed_with: String,
        /// The key at hand.
        held: String,
    },
    /// The text is no sealed text, or was changed, or belongs to another row.
    #[error("the sealed `{table}.{column}` can't be opened: {why}; enter the secret again")]
    SealedUnreadable {
        /// The table it is in.
        table: &'static str,
        /// The column it is in.
        column: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// `--vault env` without a key in the environment.
    #[error("`OMNIROUTE_VAULT_KEY` is not set; set it to 32 random bytes, e.g. from `openssl rand -base64 32`")]
    EnvKeyMissing,
    /// The key in the environment is too easy to guess.
    #[error("`OMNIROUTE_VAULT_KEY` {why}; set it to 32 random bytes, e.g. from `openssl rand -base64 32`")]
    EnvKeyWeak {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The key file is there but can't be read.
    #[error("`vault.key` can't be read; see that this user owns it, without it nothing sealed can be opened")]
    KeyFileUnreadable {
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// The key file holds no key.
    #[error("`vault.key` holds no whole key; put back the copy from a backup, without it nothing sealed can be opened")]
    KeyFileDamaged,
    /// The key file could not be made.
    #[error("`vault.key` can't be written to the data folder; see that the folder is writable and its disk not full")]
    KeyFileUnwritable {
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// Others than its owner can read the key file.
    #[error(
        "`vault.key` has mode {mode:o}, so others can read it; run `chmod 600` on it, and change the secrets if others were there"
    )]
    KeyFilePermissions {
        /// Its permission bits.
        mode: u32,
    },
    /// The system gives no random numbers.
    #[error("the operating system gives no random numbers; without them no key can be made")]
    NoRandom,
}

impl VaultError {
    /// The stable code a script or a screen can branch on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeychainMissing { .. } => "keychain_missing",
            Self::KeychainLocked { .. } => "keychain_locked",
            Self::KeychainFailed { .. } => "keychain_failed",
            Self::KeyLost { .. } => "key_lost",
            Self::SealedUnreadable { .. } => "sealed_unreadable",
            Self::EnvKeyMissing => "env_key_missing",
            Self::EnvKeyWeak { .. } => "env_key_weak",
            Self::KeyFileUnreadable { .. } => "key_file_unreadable",
            Self::KeyFileDamaged => "key_file_damaged",
            Self::KeyFileUnwritable { .. } => "key_file_unwritable",
            Self::KeyFilePermissions { .. } => "key_file_permissions",
            Self::NoRandom => "random_missing",
        }
    }
}

/// The keychain library's own words. Its errors can carry the bytes of an entry, so only their
/// sentence is kept.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct KeychainSaid(pub(crate) String);
