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
