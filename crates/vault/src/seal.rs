//! Sealed texts: XChaCha20-Poly1305 with a random 24-byte nonce.
//!
//! Form: `v1:kid:nonce:ciphertext`, the last two base64url. The place (`table|column|row|kid`) is
//! authenticated with it, so a text moved to another row or column does not open there.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use omniroute_domain::Secret;
use zeroize::Zeroize as _;

use crate::error::VaultError;
use crate::key::Key;

const VERSION: &str = "v1";

/// Where a sealed text lives. Table and column are names of ours, so no `|` can be in them.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's id.
    pub row: &'a str,
}

impl Place<'_> {
    fn bound_to(&self, kid: &str) -> String {
        [self.table, self.column, self.row, kid].join("|")
    }

    fn unreadable(&self, why: &'static str) -> VaultError {
        VaultError::SealedUnreadable { table: self.table, column: self.column, why }
    }
}

/// A sealed text, safe to store and to copy.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    /// A text that was sealed earlier, as it was stored. It is checked when it is opened.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text to store, by value.
    pub fn into_text(self) -> String {
        self.0
    }

    /// The id of the key that sealed it; `None` where this is no sealed text.
    pub fn kid(&self) -> Option<&str> {
        parts(&self.0).map(|[kid, ..]| kid)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Sealed({})", self.kid().unwrap_or("unreadable"))
    }
}

pub(crate) fn seal(key: &Key, place: Place<'_>, secret: &Secret) -> Result<Sealed, VaultError> {
    let nonce = XNonce::try_generate().map_err(|_| VaultError::NoRandom)?;
    let bound = place.bound_to(key.kid());
    let payload = Payload { msg: secret.expose().as_bytes(), aad: bound.as_bytes() };
    let ciphertext =
        cipher(key).encrypt(&nonce, payload).map_err(|_| place.unreadable("it is too long to be sealed"))?;
    let text = [VERSION, key.kid(), &BASE64.encode(nonce), &BASE64.encode(ciphertext)].join(":");
    Ok(Sealed(text))
}

pub(crate) fn open(key: &Key, place: Place<'_>, sealed: &Sealed) -> Result<Secret, VaultError> {
    let [kid, nonce, ciphertext] = parts(&sealed.0).ok_or_else(|| place.unreadable("it is no sealed text"))?;
    if kid != key.kid() {
        return Err(VaultError::KeyLost { sealed_with: shortened(kid), held: key.kid().to_owned() });
    }
    let no_base64 = |_| place.unreadable("it was changed");
    let nonce = BASE64.decode(nonce).map_err(no_base64)?;
    let nonce = XNonce::try_from(nonce.as_slice()).map_err(|_| place.unreadable("it was changed"))?;
    let ciphertext = BASE64.decode(ciphertext).map_err(no_base64)?;
    let bound = place.bound_to(key.kid());
    let plain = cipher(key)
        .decrypt(&nonce, Payload { msg: &ciphertext, aad: bound.as_bytes() })
        .map_err(|_| place.unreadable("it was changed, or belongs to another row"))?;
    String::from_utf8(plain).map(Secret::new).map_err(|error| {
        error.into_bytes().zeroize();
        place.unreadable("it holds no text")
    })
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

fn parts(text: &str) -> Option<[&str; 3]> {
    let mut fields = text.split(':');
    let version = fields.next()?;
    let parts = [fields.next()?, fields.next()?, fields.next()?];
    (version == VERSION && fields.next().is_none()).then_some(parts)
}

/// A foreign text's idea of a key id, cut so that it can't flood a message.
fn shortened(kid: &str) -> String {
    kid.chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use omniroute_domain::Secret;
    use proptest::prelude::*;

    use super::{Place, Sealed, open, seal};
    use crate::env_key;
    use crate::key::Key;

    const PLACE: Place<'static> = Place { table: "accounts", column: "sealed", row: "row-1" };

    fn secret(text: &str) -> Secret {
        Secret::new(text.into())
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_and_nowhere_else() {
        let key = Key::generate().unwrap();
        let sealed = seal(&key, PLACE, &secret("sk-1")).unwrap();
        assert_eq!(open(&key, PLACE, &sealed).unwrap(), secret("sk-1"));
        let elsewhere =
            [Place { row: "row-2", ..PLACE }, Place { column: "refresh", ..PLACE }, Place { table: "nodes", ..PLACE }];
        for place in elsewhere {
            assert_eq!(open(&key, place, &sealed).unwrap_err().code(), "sealed_unreadable", "{place:?}");
        }
    }

    #[test]
    fn another_key_is_told_apart_from_damage() {
        let [key, other] = [Key::generate().unwrap(), Key::generate().unwrap()];
        let sealed = seal(&key, PLACE, &secret("sk-1")).unwrap();
        let error = open(&other, PLACE, &sealed).unwrap_err();
        assert_eq!(error.code(), "key_lost");
        assert!(error.to_string().contains(key.kid()) && error.to_string().contains(other.kid()), "{error}");
        assert_eq!(sealed.kid(), Some(key.kid()));
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let key = Key::generate().unwrap();
        let sealed = seal(&key, PLACE, &secret("sk-1")).unwrap().into_text();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            let changed = Sealed::from_text(String::from_utf8(changed).unwrap());
            assert!(open(&key, PLACE, &changed).is_err(), "changed at {at}");
            assert!(open(&key, PLACE, &Sealed::from_text(&sealed[..at])).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_text_sealed_by_the_first_version_still_opens() {
        let key = env_key::parse(&secret("correct horse battery staple")).unwrap();
        let sealed = Sealed::from_text(FIRST_VERSION);
        assert_eq!(open(&key, PLACE, &sealed).unwrap(), secret("sk-first-version"));
    }

    /// Made on 2026-11-20 by a second implementation (Python, from the draft of XChaCha20-Poly1305) with
    /// the passphrase above and the nonce 0, 1, … 23. It may never change.
    const FIRST_VERSION: &str =
        "v1:a41ea499:AAECAwQFBgcICQoLDA0ODxAREhMUFRYX:_ChnfExPJq_rnSx1qERYViuf8Dnb60AT_6YMg4ZTGWU";

    proptest! {
        #[test]
        fn any_text_survives_and_no_two_sealings_are_alike(text in ".{0,200}", row in "[a-z0-9|:-]{0,40}") {
            let key = Key::generate().unwrap();
            let place = Place { row: &row, ..PLACE };
            let [once, twice] = [(); 2].map(|()| seal(&key, place, &secret(&text)).unwrap());
            prop_assert_eq!(open(&key, place, &once).unwrap(), secret(&text));
            prop_assert_ne!(&once, &twice);
            prop_assert!(text.len() < 4 || !once.as_str().contains(&text));
        }

        #[test]
        fn no_text_makes_opening_panic(text in ".{0,200}") {
            let key = Key::generate().unwrap();
            prop_assert!(open(&key, PLACE, &Sealed::from_text(text)).is_err());
        }
    }
}
