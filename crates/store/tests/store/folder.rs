//! The data folder belongs to one person and one process.

use std::fs;

use omniroute_store::{CoreDb, DataDir, Reason, log};

use crate::folders::{files_in, open};
use crate::rows::{NOW, account, request};

#[test]
fn a_second_instance_is_refused_and_told_who_runs() {
    let folder = tempfile::tempdir().unwrap();
    let first = DataDir::open(folder.path()).unwrap();
    let refused = DataDir::open(folder.path()).unwrap_err();
    let pid = std::process::id();
    assert_eq!(refused.code(), "data_dir_locked");
    assert!(refused.to_string().contains(&format!("(process {pid})")), "{refused}");
    drop(first);
    DataDir::open(folder.path()).expect("the lock goes with its holder");
}

#[test]
fn an_open_database_keeps_the_lock() {
    let (folder, dir, core) = open();
    drop(dir);
    assert_eq!(DataDir::open(folder.path()).unwrap_err().code(), "data_dir_locked");
    drop(core);
    assert!(DataDir::open(folder.path()).is_ok());
}

#[test]
fn a_lock_file_left_behind_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("omniroute.lock"), "1234567 and a long line from somebody else\n").unwrap();
    drop(DataDir::open(folder.path()).unwrap());
    let written = fs::read_to_string(folder.path().join("omniroute.lock")).unwrap();
    assert_eq!(written, format!("{}\n", std::process::id()));
}

#[test]
fn one_process_opens_the_database_once() {
    let (_folder, dir, core) = open();
    assert_eq!(CoreDb::open(&dir, NOW).unwrap_err().code(), "database_open");
    let snapshot = core.snapshot(Reason::Manual, NOW).unwrap();
    assert_eq!(CoreDb::restore(&dir, &snapshot, NOW).unwrap_err().code(), "database_open");
    drop(core);
    assert!(CoreDb::open(&dir, NOW).is_ok());
}

#[test]
fn a_file_in_the_folders_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, "").unwrap();
    let refused = DataDir::open(&path).unwrap_err();
    assert_eq!(refused.code(), "data_dir_unusable");
    assert!(refused.to_string().contains("it is not a folder"), "{refused}");
}

#[cfg(unix)]
mod permissions {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_can_read_anything() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        let dir = DataDir::open(&deep).unwrap();
        let core = CoreDb::open(&dir, NOW).unwrap();
        let log = log::open(&dir, NOW);
        core.write(|tx| omniroute_store::accounts::insert(tx, &account("a"))).unwrap();
        core.snapshot(Reason::Manual, NOW).unwrap();
        log.writer.record(request(1));
        assert!(log.writer.flush(Duration::from_secs(60)));

        assert_eq!((mode(&deep), mode(&dir.backups())), (0o700, 0o700));
        let files = files_in(&deep);
        assert!(files.len() >= 8, "databases, their logs, the lock and a snapshot: {files:?}");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        log.writer.close();
    }

    #[test]
    fn an_empty_folder_and_one_of_ours_are_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let dir = DataDir::open(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        drop(CoreDb::open(&dir, NOW).unwrap());
        drop(dir);

        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        DataDir::open(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
    }

    #[test]
    fn a_folder_that_others_can_only_read_is_closed_on_the_first_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes"), "").unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        DataDir::open(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
    }

    #[test]
    fn a_folder_others_share_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("theirs"), "").unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let refused = DataDir::open(folder.path()).unwrap_err();
        assert!(refused.to_string().contains("others can write to it"), "{refused}");
        assert_eq!((mode(folder.path()), fs::read_dir(folder.path()).unwrap().count()), (0o777, 1));
    }
}
