//! `omniroute providers add`: connects an account, after a test that the person may overrule.

mod key;

use omniroute_control::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::args::{NewAccount, ProviderKey};
use crate::commands::in_session;
use crate::commands::providers::available::{self, Provider};
use crate::commands::providers::{Account, Verdict};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::{Session, view};
use crate::terminal::Person;

/// Says that an account was refused because of its test.
const TEST_FAILED: &str = "test_failed";

/// What is asked of the management routes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wish<'a> {
    provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a ProviderKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<&'a str>,
    local: bool,
    no_test: bool,
    save_anyway: bool,
}

#[derive(Deserialize)]
struct Connected {
    connection: Account,
    #[serde(default)]
    test: Option<Verdict>,
    #[serde(default)]
    warning: Option<String>,
}

/// Connects the account. The folder is not held while a person thinks: others wait for it.
pub(super) async fn run(context: &Context, new: &NewAccount) -> Result<Answer, Failure> {
    let row = match context.person {
        Person::Absent => None,
        Person::Present | Person::Reading => {
            let opening = Session::open_or_begin(context);
            in_session(opening, async |session| available::find(session, &new.provider).await).await?
        }
    };
    if let Some(note) = row.as_ref().and_then(Provider::terms_note) {
        context.keep_posted(&format!("terms: {note}"));
    }
    let key = key::obtain(context, row.as_ref(), new).await?;
    let mut wish = Wish {
        provider: &new.provider,
        api_key: key.as_ref(),
        name: new.name.as_deref(),
        priority: new.priority,
        base_url: new.base_url.as_deref(),
        prefix: new.prefix.as_deref(),
        local: new.local,
        no_test: new.no_test,
        save_anyway: new.yes,
    };
    match connect(context, &wish).await {
        Err(refused) if refused.code() == TEST_FAILED && context.can_ask() => {
            context.output.fail(&refused);
            context.make_sure("Save it anyway?".to_owned()).await?;
            wish.save_anyway = true;
            connect(context, &wish).await
        }
        connected => connected,
    }
}

async fn connect(context: &Context, wish: &Wish<'_>) -> Result<Answer, Failure> {
    if !wish.no_test {
        context.keep_posted(&format!("testing the account at `{}`", wish.provider));
    }
    let opening = Session::open_or_begin(context);
    let sent =
        in_session(opening, async |session| session.send(Method::Post, "/api/providers", Some(wish)).await).await;
    answer(&sent.map_err(with_flags)?)
}

fn answer(document: &Value) -> Result<Answer, Failure> {
    let Connected { connection, test, warning } = view(document)?;
    let mut text = format!(
        "connected `{}` ({}); its models are `{}/…`\n",
        connection.name, connection.provider, connection.prefix
    );
    text.extend(test.as_ref().map(Verdict::line));
    text.extend(warning.as_ref().map(|warning| format!("warning: {warning}\n")));
    let mut shown = json!({"id": connection.id});
    for part in ["connection", "test", "warning"] {
        if let Some(value) = document.get(part) {
            shown[part] = value.clone();
        }
    }
    Ok(Answer::new(shown, text))
}

/// The routes speak of fields; here they are flags.
fn with_flags(refused: Failure) -> Failure {
    const FLAGS: &[(&str, &str)] = &[
        (TEST_FAILED, "`--no-test` saves without testing, `--yes` whatever the test says"),
        ("URL_GUARD_BLOCKED", "`--local` allows addresses on this machine and in your own network"),
        ("insecure_base_url", "`--local` allows addresses on this machine and in your own network"),
        ("api_key_missing", "`--api-key-env VARIABLE` takes it from a variable, `--api-key -` from stdin"),
        ("base_url_missing", "give it with `--base-url URL`"),
        ("prefix_missing", "give it with `--prefix PREFIX`"),
        ("provider_unknown", "`omniroute providers available` lists the others"),
    ];
    match FLAGS.iter().find(|(code, _)| refused.code() == *code) {
        Some((_, hint)) => refused.hint(*hint),
        None => refused,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;
    use tempfile::TempDir;

    use super::{answer, run, with_flags};
    use crate::args::{Cli, Command, ProvidersCommand};
    use crate::context::Context;
    use crate::failure::Failure;
    use crate::output::Answer;

    fn connected() -> serde_json::Value {
        json!({
            "connection": {
                "id": "0192", "provider": "openai-compatible", "name": "mk", "prefix": "mk", "keyHint": null,
                "priority": 1, "isActive": true, "testStatus": "failed", "lastTestedAt": null, "more": 1,
            },
            "test": {"valid": false, "message": "no answer", "latencyMs": 12},
            "warning": "saved although the test failed: no answer",
        })
    }

    #[tokio::test]
    async fn the_key_is_at_hand_before_the_folder_is_opened() {
        let line = "omniroute providers add openai --api-key-env OMNIROUTE_NOT_SET_ANYWHERE";
        let command = Cli::try_parse_from(line.split(' ')).unwrap().command;
        let Some(Command::Providers(ProvidersCommand::Add(new))) = command else { panic!("add") };
        let folder = TempDir::new().unwrap();
        let data_dir = folder.path().join("data");
        let refused = run(&Context::of_folder(&data_dir), &new).await.unwrap_err();
        assert_eq!((refused.code(), data_dir.exists()), ("api_key_missing", false));
    }

    #[test]
    fn the_answer_has_the_id_in_front_and_the_rest_unchanged() {
        let Answer { document, text, .. } = answer(&connected()).unwrap();
        assert_eq!((&document["id"], &document["connection"]["more"]), (&json!("0192"), &json!(1)));
        assert_eq!(
            text,
            "connected `mk` (openai-compatible); its models are `mk/…`\ntest: no answer (12 ms)\n\
             warning: saved although the test failed: no answer\n"
        );
    }

    #[test]
    fn a_refusal_names_the_flag_that_helps() {
        let hinted = with_flags(Failure::new("prefix_missing", "an address of your own needs a `prefix`"));
        assert!(hinted.lines("error:").ends_with("hint: give it with `--prefix PREFIX`\n"));
        assert!(!with_flags(Failure::new("other", "x")).lines("error:").contains("hint"));
    }
}
