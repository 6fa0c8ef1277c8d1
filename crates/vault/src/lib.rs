//! Sealing secrets with one key, and the client keys we issue.
//!
//! Invariant: the key exists in memory only, wiped when it goes, and at rest only where `Choice` says.
//! An existing key is never replaced, so nothing sealed is lost by opening the vault.
//! Deliberately absent: where sealed texts are kept (`store`), and any way to read the key out.

pub mod client_key;
mod env_key;
mod error;
mod key;
mod key_file;
mod keychain;
pub mod scan;
mod seal;

use std::fmt;
use std::path::Path;

use omniroute_domain::Secret;

pub use env_key::ENV_KEY;
pub use error::VaultError;
pub use key_file::set_aside as set_key_file_aside;
pub use seal::{Place, Sealed};

use crate::key::Key;

/// Where the vault's key is to be kept.
#[derive(Clone, Debug)]
pub enum Choice {
    /// In the operating system's keychain.
    Keychain,
    /// In `vault.key` in the data folder, readable by its owner only; the operating system does not
    /// protect it beyond that.
    File,
    /// Nowhere: the environment gives it at every start. 32 bytes as hex or base64, or a passphrase.
    Env(Secret),
}

/// Where a vault's key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In the operating system's keychain.
    Keychain,
    /// In a file of the data folder.
    File,
    /// In the environment.
    Env,
}

impl Kind {
    /// The kind as flags and answers spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::File => "file",
            Self::Env => "env",
        }
    }

    /// Whether the operating system guards the key; where it does not, the dashboard says so.
    pub fn is_protected(self) -> bool {
        match self {
            Self::Keychain => true,
            Self::File | Self::Env => false,
        }
    }
}

/// A vault that is open: it seals and opens.
pub struct Vault {
    key: Key,
    kind: Kind,
}

impl Vault {
    /// Fetches the key. A keychain or file that has none yet gets a new random one; the caller holds
    /// the data folder's lock, so nobody else does the same at the same time.
    ///
    /// Blocks: up to five seconds where a keychain waits for a person to unlock it.
    pub fn open(choice: Choice, data_dir: &Path) -> Result<Self, VaultError> {
        let (key, kind) = match choice {
            Choice::Keychain => (keychain::fetch_or_create(data_dir)?, Kind::Keychain),
            Choice::File => (key_file::read_or_create(data_dir)?, Kind::File),
            Choice::Env(text) => (env_key::parse(&text)?, Kind::Env),
        };
        Ok(Self { key, kind })
    }

    /// Fetches a key that is there already; `None` where there is none. Makes nothing. Blocks like `open`.
    pub fn find(choice: Choice, data_dir: &Path) -> Result<Option<Self>, VaultError> {
        let (key, kind) = match choice {
            Choice::Keychain => (keychain::fetch(data_dir)?, Kind::Keychain),
            Choice::File => (key_file::read(data_dir)?, Kind::File),
            Choice::Env(text) => (Some(env_key::parse(&text)?), Kind::Env),
        };
        Ok(key.map(|key| Self { key, kind }))
    }

    /// The id of the key: eight hex digits that name it and say nothing about it.
    pub fn kid(&self) -> &str {
        self.key.kid()
    }

    /// Where the key is kept.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Seals a secret for one place. The text can be opened by this key in that place only.
    pub fn seal(&self, place: Place<'_>, secret: &Secret) -> Result<Sealed, VaultError> {
        seal::seal(&self.key, place, secret)
    }

    /// Opens what was sealed for this place.
    pub fn open_sealed(&self, place: Place<'_>, sealed: &Sealed) -> Result<Secret, VaultError> {
        seal::open(&self.key, place, sealed)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Vault({} {})", self.kind.as_str(), self.kid())
    }
}

/// The end of a provider key, to tell one from another on a screen. Empty for a text so short that
/// its end would give much of it away.
pub fn hint(secret: &Secret) -> String {
    const SHOWN: usize = 4;
    const LEAST: usize = 4 * SHOWN;
    let count = secret.expose().chars().count();
    if count < LEAST {
        return String::new();
    }
    secret.expose().chars().skip(count - SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use omniroute_domain::Secret;

    use super::{Choice, Kind, Vault, hint};

    #[test]
    fn a_hint_shows_four_characters_of_a_long_key_and_nothing_of_a_short_one() {
        assert_eq!(hint(&Secret::new("sk-0123456789abcdef".into())), "cdef");
        assert_eq!(hint(&Secret::new("sk-0123456789äöü→".into())), "äöü→", "characters, not bytes");
        assert_eq!(hint(&Secret::new("hunter2".into())), "");
    }

    #[test]
    fn debug_shows_where_the_key_is_and_its_name_only() {
        let folder = tempfile::tempdir().unwrap();
        let secret = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let vault = Vault::open(Choice::Env(Secret::new(secret.into())), folder.path()).unwrap();
        assert_eq!(format!("{vault:?}"), format!("Vault(env {})", vault.kid()));
        assert!(!Kind::Env.is_protected() && Kind::Keychain.is_protected());
    }
}
