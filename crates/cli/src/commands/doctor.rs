//! `omniroute doctor`: looks at the data folder, also where it does not open, and mends what it can.

use std::path::{Path, PathBuf};

use omniroute_control::{StartError, doctor};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::args::Doctor;
use crate::context::Context;
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
    let restored = match flags.restore {
        true => restore(context.used_data_dir()?).await?,
        false => None,
    };
    let (mut document, way_out) = match Session::open(context).await {
        Ok(session) => {
            let answered = session.get(path(flags)).await;
            session.close().await;
            (answered?, None)
        }
        Err(why) => (does_not_open(&context.data_dir()?, &why), why.way_out().map(str::to_owned)),
    };
    if flags.restore {
        document["restored"] = restored.into();
    }
    answer(document, way_out)
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

/// `way_out` helps where the folder did not open.
fn answer(document: Value, way_out: Option<String>) -> Result<Answer, Failure> {
    let Examination { ok, checks } = view(&document)?;
    let mut text = match document.get("restored") {
        None => String::new(),
        Some(Value::String(file)) => said_of(file),
        Some(_) => "core.db is sound; there was nothing to restore\n\n".to_owned(),
    };
    text.push_str(&rows(&checks));
    let answer = Answer::new(document, text);
    if ok {
        return Ok(answer);
    }
    let failed = checks.iter().filter(|check| check.status == "failed");
    let reasons: Vec<String> = failed.map(|check| format!("{}: {}", check.name, check.message)).collect();
    let failure = Failure::new("unhealthy", reasons.join("; "));
    Ok(answer.but(match way_out {
        Some(hint) => failure.hint(hint),
        None => failure,
    }))
}

/// What a restore means: the snapshot knows nothing of what was changed after it.
fn said_of(file: &str) -> String {
    let since = taken_at(file).map_or_else(|| "the snapshot".to_owned(), |time| format!("{time} UTC"));
    format!(
        "restored `{file}`; what was in the place of core.db is kept beside it as `core.db.replaced-…`\n\
         accounts and keys are as of {since}: later changes are gone, and keys removed or rotated since then work again\n\n"
    )
}

/// The time in a snapshot's name (`core-20261120T080000123Z-…`), to the minute.
fn taken_at(file: &str) -> Option<String> {
    let time = file.strip_prefix("core-")?;
    let part = |range| time.get(range).filter(|digits: &&str| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let [year, month, day, hour, minute] = [part(0..4)?, part(4..6)?, part(6..8)?, part(9..11)?, part(11..13)?];
    Some(format!("{year}-{month}-{day} {hour}:{minute}"))
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
        let (text, verdict) = said(answer(examined("ok"), None).unwrap());
        assert_eq!(
            text,
            "status   check        found\nwarning  vault        a file\nok       request log  12 written\n"
        );
        assert_eq!(verdict, None);
    }

    #[test]
    fn what_failed_is_the_reason() {
        let (_, verdict) = said(answer(examined("failed"), None).unwrap());
        assert_eq!(verdict.as_deref(), Some("error: request log: 12 written\n"));
    }

    #[test]
    fn a_folder_that_does_not_open_names_the_way_out_if_there_is_one() {
        let document = does_not_open(Path::new("/data"), &Failure::new("database_damaged", "`core.db` is torn"));
        let (text, verdict) = said(answer(document.clone(), Some("mend it".into())).unwrap());
        assert!(text.contains("failed  data folder  `core.db` is torn"), "{text}");
        assert!(verdict.is_some_and(|verdict| verdict.ends_with("hint: mend it\n")));
        assert!(said(answer(document, None).unwrap()).1.is_some_and(|verdict| !verdict.contains("hint")));
    }

    #[test]
    fn a_restore_says_what_it_did() {
        let restored = |with: Value| {
            let mut document = examined("ok");
            document["restored"] = with;
            said(answer(document, None).unwrap()).0
        };
        let text = restored(json!("core-20261120T080000123Z-v1-manual.db"));
        assert!(text.starts_with("restored `core-20261120T080000123Z-v1-manual.db`; "), "{text}");
        assert!(text.contains("as of 2026-11-20 08:00 UTC: later changes are gone, and keys removed"), "{text}");
        assert!(restored(json!("core-ä.db")).contains("as of the snapshot: "));
        assert!(restored(Value::Null).starts_with("core.db is sound"));
    }
}
