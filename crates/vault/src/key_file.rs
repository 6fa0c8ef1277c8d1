//! The key in a file of the data folder, for machines without a keychain.
//!
//! Invariant: the file is whole and on disk before anything is sealed with its key (written beside,
//! synced, then renamed), and a file that is there is never written over: a damaged one can only be
//! given another name, which is the caller's decision.

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
    read(data_dir)?.map_or_else(|| create(data_dir), Ok)
}

/// The key; `None` where there is no file.
pub(crate) fn read(data_dir: &Path) -> Result<Option<Key>, VaultError> {
    let unreadable = |cause| VaultError::KeyFileUnreadable { cause };
    let file = match File::open(data_dir.join(NAME)) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unreadable(cause)),
    };
    // The open file is asked, not its path: what is checked is what is read.
    check_permissions(&file.metadata().map_err(unreadable)?)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LARGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    let key = str::from_utf8(&bytes).ok().and_then(Key::from_text);
    key.map(Some).ok_or(VaultError::KeyFileDamaged)
}

/// Gives a damaged key file another name, under which it stays, so that a new key can be made. Returns
/// that name.
pub fn set_aside(data_dir: &Path, now: i64) -> Result<String, VaultError> {
    let kept = [NAME, ".damaged-", &now.to_string()].concat();
    let moved = fs::rename(data_dir.join(NAME), data_dir.join(&kept)).and_then(|()| sync_folder(data_dir));
    moved.map(|()| kept).map_err(|cause| VaultError::KeyFileUnwritable { cause })
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{NAME, UNFINISHED, read, read_or_create, set_aside};

    #[test]
    fn the_first_start_makes_a_key_and_later_ones_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let made = read_or_create(folder.path()).unwrap();
        let read = read_or_create(folder.path()).unwrap();
        assert_eq!((made.bytes(), made.kid()), (read.bytes(), read.kid()));
        assert!(!folder.path().join(UNFINISHED).exists());
    }

    #[test]
    fn a_start_that_was_killed_half_way_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(UNFINISHED), "v1:0011").unwrap();
        read_or_create(folder.path()).unwrap();
    }

    #[test]
    fn a_damaged_file_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        read_or_create(folder.path()).unwrap();
        let path = folder.path().join(NAME);
        let good = fs::read_to_string(&path).unwrap();
        for bad in ["", "v1:", &good[..20], &good.replace("v1", "v2"), "\u{0}\u{1}"] {
            fs::write(&path, bad).unwrap();
            let code = read_or_create(folder.path()).map(|key| key.kid().to_owned()).unwrap_err().code();
            assert_eq!(code, "key_file_damaged");
            assert_eq!(fs::read_to_string(&path).unwrap(), bad, "an existing file is never replaced");
        }
        fs::write(&path, b"v1:\xff\xfe").unwrap();
        assert_eq!(
            read_or_create(folder.path()).map(|key| key.kid().to_owned()).unwrap_err().code(),
            "key_file_damaged"
        );
        let kept = set_aside(folder.path(), 7).unwrap();
        assert_eq!(fs::read(folder.path().join(kept)).unwrap(), b"v1:\xff\xfe", "it is kept");
        assert!(read(folder.path()).unwrap().is_none(), "looking makes nothing");
        read_or_create(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let code = read_or_create(&folder.path().join("gone")).map(|key| key.kid().to_owned()).unwrap_err().code();
        assert_eq!(code, "key_file_unwritable");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        read_or_create(folder.path()).unwrap();
        let path = folder.path().join(NAME);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o620, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = read_or_create(folder.path()).map(|key| key.kid().to_owned()).unwrap_err();
            assert_eq!(error.code(), "key_file_permissions");
            assert!(error.to_string().contains(&format!("mode {mode:o}")), "{error}");
        }
    }
}
