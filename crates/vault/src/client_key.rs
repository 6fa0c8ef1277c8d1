//! Client keys: `sk-omni-` and 43 letters and digits, 256 random bits.
//!
//! Only the hash is kept. A fast hash is enough: there is nothing to guess in 256 random bits.
//! Letters and digits only, so that a double click selects the whole key.

use chacha20poly1305::aead::Generate as _;
use omniroute_domain::Secret;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::VaultError;

pub(crate) const PREFIX: &str = "sk-omni-";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 > 2^256.
const LENGTH: usize = 43;
/// How much of a key's beginning is kept for display: the fixed part and four characters.
pub(crate) const SHOWN_PREFIX: usize = PREFIX.len() + 4;
/// All of a key.
pub(crate) const WHOLE_LENGTH: usize = PREFIX.len() + LENGTH;
const SHOWN_END: usize = 4;

/// A client key, the only time it is at hand.
#[derive(Debug)]
pub struct NewClientKey {
    /// The key itself, to be shown once.
    pub shown: Secret,
    /// What is stored of it.
    pub hash: [u8; 32],
    /// Its beginning, for display.
    pub prefix: String,
    /// Its end, for display.
    pub last4: String,
}

impl NewClientKey {
    /// The key as text, for the one answer that shows it to the person.
    pub fn show_once(self) -> String {
        self.shown.expose().to_owned()
    }
}

/// Makes a client key.
pub fn issue() -> Result<NewClientKey, VaultError> {
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + LENGTH));
    text.push_str(PREFIX);
    while text.len() < PREFIX.len() + LENGTH {
        push_characters(&mut text)?;
    }
    Ok(NewClientKey {
        hash: hash(text.as_bytes()),
        prefix: text[..SHOWN_PREFIX].to_owned(),
        last4: text[text.len() - SHOWN_END..].to_owned(),
        shown: Secret::new(text.as_str().to_owned()),
    })
}

/// What is stored and looked up: SHA-256 of the key as it was sent.
pub fn hash(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Adds characters drawn from 64 random bytes. Six bits that name no character are thrown away, so
/// that each character is equally likely.
fn push_characters(text: &mut String) -> Result<(), VaultError> {
    let mut random = <[u8; 64]>::try_generate().map_err(|_| VaultError::NoRandom)?;
    let missing = PREFIX.len() + LENGTH - text.len();
    let drawn = random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 0x3f)));
    text.extend(drawn.take(missing).map(|&character| char::from(character)));
    random.zeroize();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{hash, issue};

    #[test]
    fn a_key_has_the_promised_form_and_its_hash() {
        let key = issue().unwrap();
        let (hashed, prefix, last4) = (key.hash, key.prefix.clone(), key.last4.clone());
        let text = key.show_once();
        let secret_part = text.strip_prefix("sk-omni-").unwrap();
        assert_eq!(secret_part.len(), 43);
        assert!(secret_part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(hashed, hash(text.as_bytes()));
        assert!(text.starts_with(&prefix) && prefix.len() == 12 && text.ends_with(&last4) && last4.len() == 4);
    }

    #[test]
    fn the_hash_is_plain_sha_256() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(crate::key::hex(&hash(b"abc")), expected, "FIPS 180-2 appendix B.1");
    }

    #[test]
    fn every_character_turns_up_and_no_key_twice() {
        let keys: HashSet<String> = (0..500).map(|_| issue().unwrap().show_once()).collect();
        assert_eq!(keys.len(), 500);
        let used: HashSet<char> = keys.iter().flat_map(|key| key["sk-omni-".len()..].chars()).collect();
        assert_eq!(used.len(), 62);
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let key = issue().unwrap();
        let debug = format!("{key:?}");
        assert!(!debug.contains(&key.show_once()));
    }
}
