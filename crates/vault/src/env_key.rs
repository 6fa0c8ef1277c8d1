//! The key from the environment.
//!
//! 64 hex digits or 43-44 base64 characters (either alphabet) are the 32 bytes themselves. Any other
//! text of 16 characters or more is a passphrase, and the key is one SHA-256 of it behind fixed words:
//! no slow hash, so a passphrase is as strong as the person made it, and random bytes are advised.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use omniroute_domain::Secret;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::key::{Key, LENGTH};

/// The environment variable that holds the key for `--vault env`.
pub const ENV_KEY: &str = "OMNIROUTE_VAULT_KEY";

const SHORTEST_PASSPHRASE: usize = 16;
/// 32 random bytes have about 30 different values; a text with fewer than this is no secret.
const FEWEST_DIFFERENT: usize = 8;

pub(crate) fn parse(text: &Secret) -> Result<Key, VaultError> {
    let text = text.expose().trim();
    if text.is_empty() {
        return Err(VaultError::EnvKeyMissing);
    }
    if let Some(bytes) = from_hex(text).or_else(|| from_base64(text)) {
        check_variety(bytes.as_slice())?;
        return Ok(Key::new(bytes));
    }
    if text.chars().count() < SHORTEST_PASSPHRASE {
        return Err(VaultError::EnvKeyWeak { why: "is shorter than 16 characters" });
    }
    check_variety(text.as_bytes())?;
    let hash = Sha256::new().chain_update(b"omniroute vault passphrase\0").chain_update(text).finalize();
    Ok(Key::new(Zeroizing::new(hash.into())))
}

fn check_variety(bytes: &[u8]) -> Result<(), VaultError> {
    let mut seen = [false; 256];
    bytes.iter().for_each(|&byte| seen[usize::from(byte)] = true);
    let different = seen.into_iter().filter(|&is_there| is_there).count();
    if different < FEWEST_DIFFERENT {
        return Err(VaultError::EnvKeyWeak { why: "repeats the same few characters" });
    }
    Ok(())
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let digits = text.as_bytes();
    if digits.len() != 2 * LENGTH || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = Zeroizing::new([0; LENGTH]);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn from_base64(text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let bare = text.strip_suffix('=').unwrap_or(text);
    let decoded = Zeroizing::new(STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok()?);
    let mut bytes = Zeroizing::new([0; LENGTH]);
    if decoded.len() != LENGTH {
        return None;
    }
    bytes.copy_from_slice(&decoded);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use omniroute_domain::Secret;

    use super::parse;

    const HEX: &str = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

    fn code(text: &str) -> Result<String, &'static str> {
        parse(&Secret::new(text.into())).map(|key| key.kid().to_owned()).map_err(|error| error.code())
    }

    #[test]
    fn every_spelling_of_the_same_bytes_is_the_same_key() {
        let kid = code(HEX).unwrap();
        let spellings = [
            "00112233445566778899AABBCCDDEEFF0123456789ABCDEF0123456789ABCDEF",
            "ABEiM0RVZneImaq7zN3u/wEjRWeJq83vASNFZ4mrze8=",
            "ABEiM0RVZneImaq7zN3u/wEjRWeJq83vASNFZ4mrze8",
            "ABEiM0RVZneImaq7zN3u_wEjRWeJq83vASNFZ4mrze8=",
            "  ABEiM0RVZneImaq7zN3u_wEjRWeJq83vASNFZ4mrze8\n",
        ];
        for spelling in spellings {
            assert_eq!(code(spelling).as_ref(), Ok(&kid), "{spelling}");
        }
    }

    #[test]
    fn a_long_passphrase_is_a_key_and_the_same_one_every_time() {
        let kid = code("correct horse battery staple").unwrap();
        assert_eq!(code("correct horse battery staple"), Ok(kid.clone()));
        assert_ne!(code("correct horse battery stapler"), Ok(kid));
    }

    #[test]
    fn what_is_easy_to_guess_is_refused() {
        assert_eq!(code(" "), Err("env_key_missing"));
        assert_eq!(code("fifteen chars.."), Err("env_key_weak"));
        assert_eq!(code("aaaaaaaaaaaaaaaaaaaaaaaaaaaa"), Err("env_key_weak"));
        assert_eq!(code(&"0".repeat(64)), Err("env_key_weak"), "a sample value");
    }
}
