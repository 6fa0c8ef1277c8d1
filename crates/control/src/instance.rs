//! One data folder in use: its databases, its vault, its gateway, and the snapshot requests read.
//!
//! Invariant: whoever changes the database calls `refresh` before answering, so that a request that
//! comes after the answer sees the change. A revoked key is refused from that moment on.

mod first_key;
mod live;
mod unlock;
mod write;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use omniroute_catalog::Catalog;
use omniroute_domain::AccountId;
use omniroute_gateway::{Drain, Gateway, Snapshot};
use omniroute_store::log::{AuditRecord, LogReader, RequestIds, Retention};
use omniroute_store::{CoreDb, DataDir, StoreError, log};
use omniroute_upstream::Upstream;
use omniroute_vault::{Kind, Vault};
use uuid::Uuid;

use crate::clock::now_ms;
use crate::dumps;
use crate::env::{Environment, Settings};
use crate::error::StartError;
use crate::principal::Principal;

/// Where the vault's key is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultChoice {
    /// In the operating system's keychain.
    Keychain,
    /// In a file of the data folder.
    File,
    /// In `OMNIROUTE_VAULT_KEY`, given at every start.
    Env,
}

impl VaultChoice {
    /// The choice as flags spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::File => "file",
            Self::Env => "env",
        }
    }
}

impl fmt::Display for VaultChoice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for VaultChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let choices = [Self::Keychain, Self::File, Self::Env];
        let found = choices.into_iter().find(|choice| choice.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is no vault; use `keychain`, `file` or `env`"))
    }
}

impl From<Kind> for VaultChoice {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Keychain => Self::Keychain,
            Kind::File => Self::File,
            Kind::Env => Self::Env,
        }
    }
}

/// What to open.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder (`paths::data_dir`).
    pub data_dir: PathBuf,
    /// Where the vault's key is; `None` takes what the folder was sealed with, else what the
    /// environment gives, else the keychain.
    pub vault: Option<VaultChoice>,
    /// The environment.
    pub environment: Environment,
}

/// A data folder in use. Clones share it.
#[derive(Clone)]
pub struct Instance {
    shared: Arc<Shared>,
}

struct Shared {
    dir: DataDir,
    core: CoreDb,
    log: LogReader,
    vault: Vault,
    catalog: Arc<Catalog>,
    gateway: Arc<Gateway>,
    settings: Settings,
    notices: Vec<String>,
    /// The accounts as they are connected; held while the snapshot is exchanged.
    connected: Mutex<live::Connected>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The log's thread holds the folder, which is to be free when the last clone is gone.
        self.gateway.log.close();
    }
}

impl Instance {
    /// Opens a data folder. Blocks: disks, and up to five seconds for a locked keychain.
    pub fn open(options: Options) -> Result<Self, StartError> {
        dumps::forbid();
        let settings = Settings::read(&options.environment)?;
        let now = now_ms();
        let dir = DataDir::open(&options.data_dir)?;
        let core = CoreDb::open(&dir, now)?;
        let (vault, mut notices) = unlock::unlock((&core, &dir), options.vault, &settings, now)?;
        let (catalog, unread) = read_catalog(dir.path());
        notices.extend(unread);
        notices.extend(core.notice().map(str::to_owned));
        let catalog = Arc::new(catalog);
        let mut connected = live::Connected::default();
        let snapshot = connected.rebuild(&core, &vault, &catalog)?;
        let log = log::open_with(&dir, now, retention(&settings));
        let gateway = Gateway {
            live: Arc::new(snapshot).into(),
            upstream: Upstream::new(settings.upstream.clone()),
            log: log.writer,
            // Where the counting begins tells requests of two runs in one millisecond apart.
            ids: RequestIds::starting_at(Uuid::now_v7().as_u128() as u32),
            limits: settings.gateway.clone(),
            drain: Drain::new(),
        };
        let shared = Shared {
            dir,
            core,
            log: log.reader,
            vault,
            catalog,
            gateway: Arc::new(gateway),
            settings,
            notices,
            connected: Mutex::new(connected),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Reads the database again and gives requests what it says. Blocks.
    pub fn refresh(&self) -> Result<(), StoreError> {
        let shared = &*self.shared;
        let mut connected = shared.connected.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = connected.rebuild(&shared.core, &shared.vault, &shared.catalog)?;
        shared.gateway.live.store(Arc::new(snapshot));
        Ok(())
    }

    /// Writes what the log still holds and closes it. Blocks. Nothing is recorded after.
    pub fn close(&self) {
        self.shared.gateway.log.close();
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// The data folder.
    pub fn data_dir(&self) -> &Path {
        self.shared.dir.path()
    }

    /// Where the vault's key is kept.
    pub fn vault_choice(&self) -> VaultChoice {
        self.shared.vault.kind().into()
    }

    /// What did not stop the start, but what a person should know; whole sentences.
    pub fn notices(&self) -> &[String] {
        &self.shared.notices
    }

    pub(crate) fn dir(&self) -> &DataDir {
        &self.shared.dir
    }

    pub(crate) fn core(&self) -> &CoreDb {
        &self.shared.core
    }

    pub(crate) fn log(&self) -> &LogReader {
        &self.shared.log
    }

    /// The log with the requests that ended just now, which its writer may still hold. Blocks for a moment;
    /// a writer in trouble is not waited for.
    pub(crate) fn whole_log(&self) -> &LogReader {
        let _came_in_time = self.gateway().log.flush(Duration::from_millis(500));
        self.log()
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    pub(crate) fn catalog(&self) -> &Arc<Catalog> {
        &self.shared.catalog
    }

    pub(crate) fn gateway(&self) -> &Arc<Gateway> {
        &self.shared.gateway
    }

    /// The active accounts that requests can't use, and why.
    pub(crate) fn unusable(&self) -> HashMap<AccountId, String> {
        self.shared.connected.lock().unwrap_or_else(PoisonError::into_inner).unusable.clone()
    }

    /// What requests read right now.
    pub(crate) fn live(&self) -> Arc<Snapshot> {
        self.shared.gateway.live.load_full()
    }

    /// Writes down who changed what. Never waits and never fails.
    pub(crate) fn audit(&self, by: &Principal, action: &str, subject: &str, detail: Option<String>) {
        self.shared.gateway.log.audit(AuditRecord {
            at: now_ms(),
            actor: by.actor(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail,
        });
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Instance({})", self.data_dir().display())
    }
}

fn retention(settings: &Settings) -> Retention {
    let age = Duration::from_secs(settings.log_days * 24 * 60 * 60);
    Retention { rows: settings.log_rows, age, ..Retention::default() }
}

/// The catalog with the rows of the data folder; what could not be used is named in the notices.
fn read_catalog(data_dir: &Path) -> (Catalog, Vec<String>) {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut notices = Vec::new();
    for entry in fs::read_dir(data_dir.join("providers")).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.ends_with(".toml") {
            continue;
        }
        match fs::read_to_string(entry.path()) {
            Ok(text) => files.push((name, text)),
            Err(why) => notices.push(format!("`{name}` can't be read ({}); the row is not used", why.kind())),
        }
    }
    files.sort();
    let (catalog, warnings) = match files.is_empty() {
        true => (Catalog::builtin(), Vec::new()),
        false => Catalog::builtin().overridden(files),
    };
    notices.extend(warnings.iter().map(ToString::to_string));
    (catalog, notices)
}

#[cfg(test)]
mod tests;
