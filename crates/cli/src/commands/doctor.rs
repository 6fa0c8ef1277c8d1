//! `omniroute doctor`: looks at the data folder, also where it does not open, and mends what it can.

use std::path::{Path, PathBuf};

use omniroute_control::{StartError, doctor};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::args::Doctor;
use crate::context::{Context, DAMAGED};
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::{Session, view};
use crate::table::{Column, table};

#[derive(Deserialize)]
struct Examination {
    ok: bool,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    name: String,
    status: String,
    message: String,
}

/// Looks, after mending where that was asked for.
pub(crate) async fn run(context: &Context, flags: &Doctor) -> Result<Answer, Failure> {
    let data_dir = context.data_dir()?;
    let restored = match flags.restore {
        true => restore(data_dir.clone()).await?,
        false => None,
    };
    let mut document = match Session::open(context).await {
        Ok(session) => {
            let answered = session.get(path(flags)).await;
            session.close().await;
            answered?
        }
        Err(why) => does_not_open(&data_dir, &why),
    };
    if flags.restore {
        document["restored"] = restored.into();
    }
    answer(document, &context.command_line("doctor --restore"))
}

fn path(flags: &Doctor) -> &'static str {
    if flags.secrets { "/api/doctor?secrets=true" } else { "/api/doctor" }
}

/// The name of the snapshot that took the damaged database's place; `None` where it is sound.
async fn restore(data_dir: PathBuf) -> Result<Option<String>, Failure> {
    let restored = spawn_blocking(move || doctor::restore_newest(&data_dir)).await;
    match restored.unwrap_or(Err(StartError::Defect("restoring ended by a panic"))) {
        Ok(file) => Ok(Some(file)),
        Err(StartError::NothingToRestore) => Ok(None),
        Err(why) => Err(why.into()),
    }
}

/// An examination that ended at the door.
fn does_not_open(data_dir: &Path, why: &Failure) -> Value {
    let check = json!({"name": "data folder", "status": "failed", "code": why.code(), "message": why.message()});
    json!({
        "ok": false,
        "version": env!("CARGO_PKG_VERSION"),
        "dataDir": data_dir.display().to_string(),
        "checks": [check],
    })
}

/// `mending` is the command that restores a snapshot.
fn answer(document: Value, mending: &str) -> Result<Answer, Failure> {
    let Examination { ok, checks } = view(&document)?;
    let mut text = match document.get("restored") {
        None => String::new(),
        Some(Value::String(file)) => {
            format!("restored `{file}`; the damaged database is kept beside it as `core.db.replaced-…`\n\n")
        }
        Some(_) => "core.db is sound; there was nothing to restore\n\n".to_owned(),
    };
    text.push_str(&rows(&checks));
    let is_damaged = document["checks"].as_array().is_some_and(|all| all.iter().any(|check| check["code"] == DAMAGED));
    let answer = Answer::new(document, text);
    if ok {
        return Ok(answer);
    }
    let failed = checks.iter().filter(|check| check.status == "failed");
    let reasons: Vec<String> = failed.map(|check| format!("{}: {}", check.name, check.message)).collect();
    let failure = Failure::new("unhealthy", reasons.join("; "));
    Ok(answer.but(match is_damaged {
        true => failure.hint(format!("`{mending}` puts the newest good snapshot in its place, if any")),
        false => failure,
    }))
}

fn rows(checks: &[Check]) -> String {
    let columns = [Column::Words("status"), Column::Words("check"), Column::Words("found")];
    table(columns, checks.iter().map(|check| [check.status.clone(), check.name.clone(), check.message.clone()]))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::{answer, does_not_open};
    use crate::failure::Failure;
    use crate::output::Answer;

    fn examined(status: &str) -> Value {
        let checks = json!([
            {"name": "vault", "status": "warning", "message": "a file"},
            {"name": "request log", "status": status, "message": "12 written"},
        ]);
        json!({"ok": status != "failed", "checks": checks})
    }

    #[track_caller]
    fn said(answer: Answer) -> (String, Option<String>) {
        (answer.text.clone(), answer.verdict().err().map(|failure| failure.lines("error:")))
    }

    #[test]
    fn warnings_are_no_failure() {
        let (text, verdict) = said(answer(examined("ok"), "").unwrap());
        assert_eq!(
            text,
            "status   check        found\nwarning  vault        a file\nok       request log  12 written\n"
        );
        assert_eq!(verdict, None);
    }

    #[test]
    fn what_failed_is_the_reason() {
        let (_, verdict) = said(answer(examined("failed"), "").unwrap());
        assert_eq!(verdict.as_deref(), Some("error: request log: 12 written\n"));
    }

    #[test]
    fn a_damaged_database_names_the_way_out() {
        let document = does_not_open(Path::new("/data"), &Failure::new("database_damaged", "`core.db` is torn"));
        let (text, verdict) = said(answer(document, "omniroute doctor --restore").unwrap());
        assert!(text.contains("failed  data folder  `core.db` is torn"), "{text}");
        let hint = "hint: `omniroute doctor --restore` puts the newest good snapshot in its place, if any\n";
        assert!(verdict.is_some_and(|verdict| verdict.ends_with(hint)));
        let locked = does_not_open(Path::new("/data"), &Failure::new("data_dir_locked", "busy"));
        assert!(said(answer(locked, "x").unwrap()).1.is_some_and(|verdict| !verdict.contains("hint")));
    }

    #[test]
    fn a_restore_says_what_it_did() {
        let restored = |with: Value| {
            let mut document = examined("ok");
            document["restored"] = with;
            said(answer(document, "").unwrap()).0
        };
        assert!(restored(json!("core-1.db")).starts_with("restored `core-1.db`; the damaged database is kept"));
        assert!(restored(Value::Null).starts_with("core.db is sound"));
    }
}
