//! Looking for secrets where none may be: every byte of every file under a folder, and any text.

use std::fs;
use std::path::{Path, PathBuf};

/// The places under `folder` that hold any of the secrets in the clear, as UTF-16, or as base64.
pub fn found_under(folder: &Path, secrets: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for path in files(folder) {
        let Ok(bytes) = fs::read(&path) else { continue };
        found.extend(
            secrets.iter().filter(|secret| holds(&bytes, secret)).map(|secret| (path.clone(), (*secret).to_owned())),
        );
    }
    found
}

/// Whether bytes hold a secret in one of its forms.
pub fn holds(bytes: &[u8], secret: &str) -> bool {
    let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![secret.as_bytes().to_vec(), wide];
    forms.extend((0..3).map(|shift| base64_core(secret.as_bytes(), shift).into_bytes()));
    forms.iter().any(|form| memchr::memmem::find(bytes, form).is_some())
}

/// The files under a folder, all the way down.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                Ok(_) | Err(_) => {}
            }
        }
    }
    found
}

/// The letters of base64 that do not depend on what stands around the bytes, when they begin `shift`
/// bytes into a group of three.
fn base64_core(bytes: &[u8], shift: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let first = (3 - shift) % 3;
    let groups = bytes.get(first..).unwrap_or_default().chunks_exact(3);
    let letters = groups.flat_map(|group| {
        let bits = group.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift) as usize & 63]))
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::holds;

    #[test]
    fn finds_a_secret_in_the_clear_wide_and_in_base64() {
        let secret = "sk-abcdefghi";
        // "..sk-abcdefghi.." in base64, by hand with the tables of RFC 4648.
        for text in ["x sk-abcdefghi y", "c2stYWJjZGVmZ2hp", "Li5zay1hYmNkZWZnaGkuLg=="] {
            assert!(holds(text.as_bytes(), secret), "{text}");
        }
        let wide: Vec<u8> = format!("..{secret}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(holds(&wide, secret), "wide");
        assert!(!holds(b"sk-abcdefgh", secret), "a part is not the whole");
    }
}
