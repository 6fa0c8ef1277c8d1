//! The vault's key: 32 bytes, wiped when they go, with a short public name.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chacha20poly1305::aead::Generate as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::error::VaultError;

/// Length of the key in bytes.
pub(crate) const LENGTH: usize = 32;

/// A key and its name.
pub(crate) struct Key {
    bytes: Zeroizing<[u8; LENGTH]>,
    kid: String,
}

impl Key {
    pub(crate) fn new(bytes: Zeroizing<[u8; LENGTH]>) -> Self {
        let kid = name(&bytes);
        Self { bytes, kid }
    }

    /// A new random key.
    pub(crate) fn generate() -> Result<Self, VaultError> {
        let bytes = <[u8; LENGTH]>::try_generate().map_err(|_| VaultError::NoRandom)?;
        Ok(Self::new(Zeroizing::new(bytes)))
    }

    /// A key from bytes of unchecked length.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut copy = Zeroizing::new([0; LENGTH]);
        if bytes.len() != LENGTH {
            return None;
        }
        copy.copy_from_slice(bytes);
        Some(Self::new(copy))
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn bytes(&self) -> &[u8; LENGTH] {
        &self.bytes
    }

    /// The key as text with its name before it, so that a damaged copy is noticed: `v1:kid:key`.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let encoded = Zeroizing::new(BASE64.encode(self.bytes.as_slice()));
        Zeroizing::new(["v1:", &self.kid, ":", &encoded].concat())
    }

    /// Reads what `to_text` wrote; `None` where it is anything else.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (kid, encoded) = text.trim_end().strip_prefix("v1:")?.split_once(':')?;
        let bytes = Zeroizing::new(BASE64.decode(encoded).ok()?);
        Self::from_slice(&bytes).filter(|key| key.kid == kid)
    }
}

/// The first eight hex digits of a hash of the key. The words before the key keep this hash apart
/// from any other use of it.
fn name(bytes: &[u8; LENGTH]) -> String {
    let hash = Sha256::new().chain_update(b"omniroute vault key name\0").chain_update(bytes).finalize();
    hex(&hash[..4])
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String has no way to go wrong.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn a_key_survives_its_text_form() {
        let key = Key::generate().unwrap();
        let again = Key::from_text(&key.to_text()).unwrap();
        assert_eq!((again.bytes(), again.kid()), (key.bytes(), key.kid()));
    }

    #[test]
    fn a_damaged_text_is_no_key() {
        let text = Key::generate().unwrap().to_text();
        for at in 0..text.len() {
            let mut damaged = text.as_bytes().to_vec();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            assert!(Key::from_text(&String::from_utf8(damaged).unwrap()).is_none(), "changed at {at}");
            assert!(Key::from_text(&text[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn two_keys_are_never_the_same() {
        assert_ne!(Key::generate().unwrap().bytes(), Key::generate().unwrap().bytes());
    }
}
