//! The data folder: made for its owner only, and locked by the instance that uses it.
//!
//! Invariant: whoever holds a `DataDir` is the only process that does; the lock goes when the last
//! clone goes, or when the process dies. The lock file is never deleted: that would race.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::StoreError;

/// A data folder in use by this process.
#[derive(Clone, Debug)]
pub struct DataDir {
    held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    folder: PathBuf,
    core_is_open: AtomicBool,
    /// Locked as long as it is open.
    _lock: File,
}

impl DataDir {
    /// Makes the folder where it is missing, closes it to other people and takes its lock.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        make(folder)?;
        let folder =
            folder.canonicalize().map_err(|cause| StoreError::folder(folder, "it can't be read", Some(cause)))?;
        let lock = take_lock(&folder)?;
        let dir = Self { held: Arc::new(Held { folder, core_is_open: AtomicBool::new(false), _lock: lock }) };
        make_private(&dir.backups())?;
        Ok(dir)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.held.folder
    }

    /// Accounts, keys and settings.
    pub fn core(&self) -> PathBuf {
        self.held.folder.join(CORE)
    }

    /// Requests and usage.
    pub fn log(&self) -> PathBuf {
        self.held.folder.join(LOG)
    }

    /// Snapshots of `core.db`.
    pub fn backups(&self) -> PathBuf {
        self.held.folder.join("backups")
    }

    /// The local socket the running instance answers on.
    pub fn socket(&self) -> PathBuf {
        socket_in(&self.held.folder)
    }

    /// Marks `core.db` as open in this process, until the claim goes.
    pub(crate) fn claim_core(&self) -> Result<CoreClaim, StoreError> {
        if self.held.core_is_open.swap(true, Ordering::AcqRel) {
            return Err(StoreError::Open);
        }
        Ok(CoreClaim { dir: self.clone() })
    }
}

/// The right to have `core.db` open.
#[derive(Debug)]
pub(crate) struct CoreClaim {
    pub(crate) dir: DataDir,
}

impl Drop for CoreClaim {
    fn drop(&mut self) {
        self.dir.held.core_is_open.store(false, Ordering::Release);
    }
}

/// Where the instance that runs on a folder answers, for those that do not hold the folder.
pub fn socket_in(folder: &Path) -> PathBuf {
    folder.join("omniroute.sock")
}

pub(crate) const CORE: &str = "core.db";
pub(crate) const LOG: &str = "log.db";
const LOCK: &str = "omniroute.lock";

fn make(folder: &Path) -> Result<(), StoreError> {
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => close_to_others(folder, &metadata),
        Ok(_) => Err(StoreError::folder(folder, "it is not a folder", None)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => make_private(folder),
        Err(cause) => Err(StoreError::folder(folder, "it can't be read", Some(cause))),
    }
}

#[cfg(unix)]
pub(crate) fn make_private(folder: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| StoreError::folder(folder, "it can't be made", Some(cause)))
}

#[cfg(not(unix))]
pub(crate) fn make_private(folder: &Path) -> Result<(), StoreError> {
    // A profile folder's inherited access list already keeps other people out on Windows.
    let made = DirBuilder::new().recursive(true).create(folder);
    made.map_err(|cause| StoreError::folder(folder, "it can't be made", Some(cause)))
}

/// The folder is closed on the first start. One that others may write to and that holds other things
/// is somebody's shared folder: closing it would harm them, and using it would harm us.
#[cfg(unix)]
fn close_to_others(folder: &Path, metadata: &fs::Metadata) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let unreadable = |cause| StoreError::folder(folder, "it can't be read", Some(cause));
    let is_empty = fs::read_dir(folder).map_err(unreadable)?.next().is_none();
    if mode & 0o022 != 0 && !is_empty && !folder.join(CORE).exists() {
        return Err(StoreError::folder(folder, "others can write to it and it holds other files", None));
    }
    let closed = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    closed.map_err(|cause| StoreError::folder(folder, "it belongs to somebody else", Some(cause)))
}

#[cfg(not(unix))]
fn close_to_others(_folder: &Path, _metadata: &fs::Metadata) -> Result<(), StoreError> {
    Ok(())
}

fn take_lock(folder: &Path) -> Result<File, StoreError> {
    let cannot = |cause| StoreError::folder(folder, "its lock file can't be used", Some(cause));
    let mut file =
        owner_only().read(true).write(true).create(true).truncate(false).open(folder.join(LOCK)).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { pid: read_pid(&mut file) }),
        Err(TryLockError::Error(cause)) => return Err(cannot(cause)),
    }
    write_pid(&mut file).map_err(cannot)?;
    Ok(file)
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// The holder's process id. `None` in the instant before it is written, and on systems where a
/// locked file can't be read.
fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(unix)]
pub(crate) fn owner_only() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
pub(crate) fn owner_only() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    // A folder can't be opened as a file there; renames are journalled.
    Ok(())
}
