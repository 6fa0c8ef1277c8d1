//! Folders the store's tests share.

use std::fs;
use std::path::{Path, PathBuf};

use omniroute_store::{CoreDb, DataDir};
use tempfile::TempDir;

use crate::rows::NOW;

/// A new data folder with its database.
pub(crate) fn open() -> (TempDir, DataDir, CoreDb) {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::open(folder.path()).unwrap();
    let core = CoreDb::open(&dir, NOW).unwrap();
    (folder, dir, core)
}

/// Every file under a folder.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}
