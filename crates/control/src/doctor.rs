//! Examining a data folder, and mending it.
//!
//! `/api/doctor` looks and changes nothing. `restore_newest` is for when the folder does not open.

use std::collections::HashSet;
use std::path::Path;

use axum::Json;
use axum::extract::State;
use omniroute_store::log::LogState;
use omniroute_store::{CoreDb, DataDir, StoreError, accounts, keys, snapshot};
use omniroute_vault::scan::{self, Wanted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::blocking::blocking;
use crate::clock::{iso, now_ms};
use crate::connect;
use crate::error::StartError;
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::strict::Asked;

pub(crate) fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::new().routes(routes!(examine))
}

/// What to look at.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wish {
    /// Whether to look through every file of the data folder for secrets in the clear.
    secrets: Option<bool>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Examination {
    /// Whether nothing failed; warnings do not count.
    ok: bool,
    version: &'static str,
    data_dir: String,
    checks: Vec<Check>,
    /// What the search for secrets came to, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    secrets: Option<SecretScan>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
struct Check {
    #[schema(value_type = String)]
    name: &'static str,
    /// `ok`, `warning` or `failed`.
    #[schema(value_type = String)]
    status: &'static str,
    /// What was found, and what to do where there is something to do.
    message: String,
}

/// A search for secrets in the clear.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SecretScan {
    /// How many secrets were looked for; the ones too short are not among them.
    secrets: usize,
    /// How many files were looked through.
    files: u64,
    bytes: u64,
    findings: Vec<SecretFinding>,
    /// Files that could not be read.
    unread: Vec<String>,
    /// Secrets too short to be told from chance.
    too_short: Vec<String>,
}

/// A secret in the clear.
#[derive(Debug, Serialize, ToSchema)]
struct SecretFinding {
    /// The file, below the data folder.
    file: String,
    /// Whose secret it is; never the secret.
    what: String,
}

/// Looks at the data folder: its databases, its vault, its accounts; with `secrets`, at every file.
#[utoipa::path(get, operation_id = "examine", path = "/api/doctor", tag = "about", params(Wish), responses((status = 200, body = Examination)))]
async fn examine(
    State(instance): State<Instance>,
    _by: Principal,
    Asked(wish): Asked<Wish>,
) -> Result<Json<Examination>, Problem> {
    blocking(move || {
        let mut checks = vec![folder(&instance), database(&instance)?, log(&instance), vault(&instance)];
        checks.push(credentials(&instance)?);
        checks.extend(instance.notices().iter().map(|notice| warning("notice", notice.clone())));
        let secrets = match wish.secrets {
            Some(true) => Some(find_secrets(&instance)?),
            Some(false) | None => None,
        };
        checks.extend(secrets.as_ref().map(said));
        let data_dir = instance.data_dir().display().to_string();
        let ok = checks.iter().all(|check| check.status != "failed");
        Ok(Json(Examination { ok, version: env!("CARGO_PKG_VERSION"), data_dir, checks, secrets }))
    })
    .await
}

fn fine(name: &'static str, message: impl Into<String>) -> Check {
    Check { name, status: "ok", message: message.into() }
}

fn warning(name: &'static str, message: impl Into<String>) -> Check {
    Check { name, status: "warning", message: message.into() }
}

fn failed(name: &'static str, message: impl Into<String>) -> Check {
    Check { name, status: "failed", message: message.into() }
}

fn folder(instance: &Instance) -> Check {
    let socket = instance.dir().socket();
    let served = if answers(&socket) { "commands reach the running instance" } else { "no instance serves" };
    fine("data folder", format!("locked by process {}; {served}", std::process::id()))
}

/// Whether somebody listens at a local socket; after a crash its file is there all the same.
#[cfg(unix)]
fn answers(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}

#[cfg(not(unix))]
fn answers(_: &Path) -> bool {
    false
}

/// The database was examined when it was opened; here it is read once more, and its snapshots counted.
fn database(instance: &Instance) -> Result<Check, StoreError> {
    let name = "accounts database";
    let (accounts, keys) = match instance.core().read(|from| Ok((accounts::list(from)?.len(), keys::list(from)?.len())))
    {
        Ok(counts) => counts,
        Err(why) => return Ok(failed(name, format!("`core.db` can't be read: {why}"))),
    };
    let snapshots = snapshot::list(instance.dir())?;
    let newest = snapshots.first().map_or_else(|| "none yet".to_owned(), |newest| iso(newest.taken_at));
    let text = format!("sound; {accounts} accounts, {keys} keys; snapshots: {}, newest {newest}", snapshots.len());
    Ok(fine(name, text))
}

fn log(instance: &Instance) -> Check {
    let name = "request log";
    let status = instance.gateway().log.status();
    let lost = format!("{} entries written, {} lost since the start", status.written, status.dropped);
    match (status.state, status.notice) {
        (LogState::Paused("disk_full"), _) => failed(name, format!("the disk is full, so nothing is recorded; {lost}")),
        (LogState::Paused(code), _) => failed(name, format!("nothing is recorded (`{code}`); {lost}")),
        (LogState::Closed, _) => failed(name, format!("it is closed; {lost}")),
        (LogState::Opening | LogState::Ready, Some(notice)) => warning(name, format!("{notice}; {lost}")),
        (LogState::Opening | LogState::Ready, None) if status.dropped > 0 => warning(name, lost),
        (LogState::Opening | LogState::Ready, None) => fine(name, lost),
    }
}

fn vault(instance: &Instance) -> Check {
    let vault = instance.vault();
    let text = format!("key `{}` from `--vault {}`", vault.kid(), instance.vault_choice());
    if vault.kind().is_protected() {
        return fine("vault", text);
    }
    warning("vault", format!("{text}; the operating system does not protect it"))
}

/// Whether every credential opens and every active account is in use.
fn credentials(instance: &Instance) -> Result<Check, StoreError> {
    let name = "credentials";
    let live = instance.live();
    let in_use: HashSet<&str> = live.accounts.iter().map(|account| account.id.as_str()).collect();
    let rows = instance.core().read(accounts::list)?;
    let closed = rows.iter().filter(|row| connect::open_key(row, instance.vault()).is_err());
    let closed: Vec<&str> = closed.map(|row| row.name.as_str()).collect();
    if !closed.is_empty() {
        return Ok(failed(
            name,
            format!("these accounts' credentials can't be opened, enter them again: {}", closed.join(", ")),
        ));
    }
    let idle = rows.iter().filter(|row| row.is_active && !in_use.contains(row.id.as_str()));
    let idle: Vec<&str> = idle.map(|row| row.name.as_str()).collect();
    if !idle.is_empty() {
        return Ok(warning(name, format!("these accounts can't be used, test them to see why: {}", idle.join(", "))));
    }
    Ok(fine(name, format!("all {} open", rows.iter().filter(|row| row.sealed.is_some()).count())))
}

fn find_secrets(instance: &Instance) -> Result<SecretScan, Problem> {
    let (rows, keys) = instance.core().read(|from| Ok((accounts::list(from)?, keys::list(from)?)))?;
    let mut wanted = Vec::new();
    for row in &rows {
        // What can't be opened is said by another check.
        if let Ok(Some(secret)) = connect::open_key(row, instance.vault()) {
            wanted.push(Wanted { label: format!("the key of account {} ({})", row.name, row.id), secret });
        }
    }
    let hashes = keys.iter().map(|key| key.hash).collect();
    let report = scan::scan(instance.data_dir(), &wanted, &hashes);
    let findings = report
        .findings
        .iter()
        .map(|found| SecretFinding { file: found.file.display().to_string(), what: found.label.clone() });
    Ok(SecretScan {
        secrets: wanted.len() - report.too_short.len() + keys.len(),
        files: report.files,
        bytes: report.bytes,
        findings: findings.collect(),
        unread: report.unread.iter().map(|file| file.display().to_string()).collect(),
        too_short: report.too_short,
    })
}

/// Whether a file is one of the databases or a snapshot of one.
fn is_database(file: &str) -> bool {
    file.contains(".db")
}

fn said(scan: &SecretScan) -> Check {
    let name = "secrets";
    let short = match scan.too_short.len() {
        0 => String::new(),
        count => format!(" ({count} too short to look for)"),
    };
    let looked = format!("{} secrets looked for in {} files{short}", scan.secrets, scan.files);
    if !scan.findings.is_empty() {
        let files: Vec<&str> = scan.findings.iter().map(|found| found.file.as_str()).collect();
        let (ours, others): (Vec<&str>, Vec<&str>) = files.into_iter().partition(|file| is_database(file));
        let mut message = format!("{looked}; change the keys that were found in the clear.");
        if !others.is_empty() {
            message += &format!(" Delete {}.", others.join(", "));
        }
        if !ours.is_empty() {
            message +=
                &format!(" Keep {}: it holds your accounts or your usage; report this as a defect.", ours.join(", "));
        }
        return failed(name, message);
    }
    if !scan.unread.is_empty() {
        return warning(name, format!("{looked}, none found; these could not be read: {}", scan.unread.join(", ")));
    }
    fine(name, format!("{looked}, none in the clear"))
}

/// Puts the newest good snapshot in the place of a damaged `core.db`, which is kept beside it.
/// Returns the snapshot's file name. Refused while an instance runs, where nothing is damaged, and
/// where no snapshot is good. Blocks.
pub fn restore_newest(data_dir: &Path) -> Result<String, StartError> {
    let dir = DataDir::open(data_dir)?;
    let now = now_ms();
    let found = match CoreDb::open(&dir, now) {
        Ok(_) => return Err(StartError::NothingToRestore),
        Err(StoreError::Damaged { newest_snapshot: Some(found), .. }) => found,
        Err(other) => return Err(other.into()),
    };
    CoreDb::restore(&dir, &found, now)?;
    Ok(found.file)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use omniroute_store::Reason;
    use serde_json::json;

    use super::restore_newest;
    use crate::clock::now_ms;
    use crate::instance::Instance;
    use crate::test_house::{House, options};

    #[tokio::test]
    async fn a_damaged_database_is_said_and_the_newest_snapshot_put_in_its_place() {
        let house = House::new();
        let (id, _) = house.key(&["chat"]).await;
        let taken = house.instance.core().snapshot(Reason::Manual, now_ms()).unwrap();
        let folder = house.leave();
        let options = options(&folder);
        fs::write(options.data_dir.join("core.db"), "not a database any more").unwrap();
        let refused = Instance::open(options.clone()).unwrap_err();
        assert_eq!(refused.code(), "database_damaged");
        assert!(refused.to_string().contains(&taken.file), "{refused}");

        assert_eq!(restore_newest(&options.data_dir).unwrap(), taken.file);
        let house = House::in_folder(folder);
        assert_eq!(house.get("/api/keys").await.json()["keys"][0]["id"], json!(id));
        assert_eq!(restore_newest(&options.data_dir).unwrap_err().code(), "data_dir_locked");
        drop(house.leave());
    }

    #[tokio::test]
    async fn a_sound_database_is_left_alone() {
        let folder = House::new().leave();
        assert_eq!(restore_newest(&options(&folder).data_dir).unwrap_err().code(), "nothing_to_restore");
    }

    #[tokio::test]
    async fn the_examination_names_what_is_not_protected() {
        let report = House::new().get("/api/doctor").await.json();
        assert_eq!((&report["ok"], report.get("secrets")), (&json!(true), None), "{report}");
        let vault = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "vault").unwrap();
        assert_eq!(vault["status"], "warning", "a key file is not protected by the operating system");
    }
}
