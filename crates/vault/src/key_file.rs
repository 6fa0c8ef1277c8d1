//! The key in a file of the data folder, for machines without a keychain.
//!
//! Invariant: the file is whole and on disk before anything is sealed with its key (written beside,
//! synced, then renamed), and a file that is there is never written over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::key::Key;

const NAME: &str = "vault.key";
const UNFINISHED: &str = "vault.key.new";
/// Far more than a key takes; a larger file is something else.
const LARGEST: u64 = 4096;

pub(crate) fn read_or_create(data_dir: &Path) -> Result<Key, VaultError> {
    match File::open(data_dir.join(NAME)) {
        Ok(file) => read(file),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => create(data_dir),
        Err(cause) => Err(VaultError::KeyFileUnreadable { why: "can't be read", cause: Some(cause) }),
    }
}

fn read(file: File) -> Result<Key, VaultError> {
    let unreadable = |cause| VaultError::KeyFileUnreadable { why: "can't be read", cause: Some(cause) };
    // The open file is asked, not its path: what is checked is what is read.
    check_permissions(&file.metadata().map_err(unreadable)?)?;
    let mut text = Zeroizing::new(String::new());
    file.take(LARGEST).read_to_string(&mut text).map_err(unreadable)?;
    Key::from_text(&text).ok_or(VaultError::KeyFileUnreadable { why: "holds no whole key", cause: None })
}

fn create(data_dir: &Path) -> Result<Key, VaultError> {
    let key = Key::generate()?;
    write(data_dir, &key).map_err(|cause| VaultError::KeyFileUnwritable { cause })?;
    Ok(key)
}

fn write(data_dir: &Path, key: &Key) -> io::Result<()> {
    let unfinished = data_dir.join(UNFINISHED);
    // A leftover of a start that was killed here; nothing was sealed with it.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = owner_only().write(true).create_new(true).open(&unfinished)?;
    file.write_all(key.to_text().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&unfinished, data_dir.join(NAME))?;
    sync_folder(data_dir)
}

#[cfg(unix)]
fn check_permissions(metadata: &fs::Metadata) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(VaultError::KeyFilePermissions { mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_permissions(_metadata: &fs::Metadata) -> Result<(), VaultError> {
    // A profile folder's inherited access list already keeps other people out on Windows.
    Ok(())
}

#[cfg(unix)]
fn owner_only() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn owner_only() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    // A folder can't be opened as a file there; the rename is journalled.
    Ok(())
}
