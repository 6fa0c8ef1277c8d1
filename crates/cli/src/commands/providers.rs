//! `omniroute providers …`: what can be connected, and what is.

mod add;
mod available;

use omniroute_control::Method;
use serde::Deserialize;
use serde_json::json;

use crate::args::ProvidersCommand;
use crate::commands::in_session;
use crate::context::Context;
use crate::failure::Failure;
use crate::figures::minute;
use crate::output::Answer;
use crate::pick::{self, Named};
use crate::session::{NOTHING, Session, encode, view};
use crate::table::{Column, table};

/// Runs one of the commands.
pub(crate) async fn run(context: &Context, command: &ProvidersCommand) -> Result<Answer, Failure> {
    let session = || Session::open(context);
    match command {
        ProvidersCommand::Add(new) => add::run(context, new).await,
        ProvidersCommand::Available { search } => {
            in_session(session(), async |session| available::run(session, search.as_deref()).await).await
        }
        ProvidersCommand::List => in_session(session(), async |session| list(context, session).await).await,
        ProvidersCommand::Test { account } => {
            in_session(session(), async |session| test(context, session, account).await).await
        }
        ProvidersCommand::Remove { account, yes } => {
            in_session(session(), async |session| remove(context, session, (account, *yes)).await).await
        }
    }
}

/// What is shown of an account.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    id: String,
    provider: String,
    name: String,
    prefix: String,
    key_hint: Option<String>,
    priority: u32,
    is_active: bool,
    test_status: String,
    last_tested_at: Option<String>,
}

#[derive(Deserialize)]
struct Accounts {
    connections: Vec<Account>,
}

/// What a test of an account found.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    valid: bool,
    message: String,
    latency_ms: u64,
}

impl Verdict {
    fn line(&self) -> String {
        format!("test: {} ({} ms)\n", self.message, self.latency_ms)
    }
}

impl Named for Account {
    const KIND: &'static str = "account";
    const LISTED_BY: &'static str = "omniroute providers list";

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn bynames(&self) -> [&str; 2] {
        [&self.prefix, &self.provider]
    }
}

async fn list(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let document = session.get("/api/providers").await?;
    let Accounts { connections } = view(&document)?;
    let text = match connections.as_slice() {
        [] => format!("no account is connected; `{}` connects one\n", context.command_line("providers add PROVIDER")),
        accounts => rows(accounts),
    };
    Ok(Answer::new(document, text))
}

fn rows(accounts: &[Account]) -> String {
    let columns = [
        Column::Words("name"),
        Column::Words("provider"),
        Column::Words("models"),
        Column::Words("key"),
        Column::Figures("priority"),
        Column::Words("state"),
        Column::Words("test"),
        Column::Words("tested (UTC)"),
        Column::Words("id"),
    ];
    let row = |account: &Account| {
        [
            account.name.clone(),
            account.provider.clone(),
            format!("{}/…", account.prefix),
            account.key_hint.as_ref().map_or_else(|| "-".to_owned(), |end| format!("…{end}")),
            account.priority.to_string(),
            if account.is_active { "active" } else { "off" }.to_owned(),
            account.test_status.clone(),
            minute(account.last_tested_at.as_deref()),
            account.id.clone(),
        ]
    };
    table(columns, accounts.iter().map(row))
}

async fn test(context: &Context, session: &Session, wanted: &str) -> Result<Answer, Failure> {
    let account = find(session, wanted).await?;
    context.keep_posted(&format!("testing `{}` ({})", account.name, account.provider));
    let document = session.send(Method::Post, &format!("/api/providers/{}/test", encode(&account.id)), NOTHING).await?;
    let verdict: Verdict = view(&document)?;
    let answer = Answer::new(document, verdict.line());
    if verdict.valid {
        return Ok(answer);
    }
    let message = format!("account `{}` can't be used: {}", account.name, verdict.message);
    Ok(answer.but(Failure::new("test_failed", message)))
}

async fn remove(context: &Context, session: &Session, (wanted, yes): (&str, bool)) -> Result<Answer, Failure> {
    let account = find(session, wanted).await?;
    if !yes {
        let question = format!("Remove account `{}` of {} with its credential?", account.name, account.provider);
        context.make_sure(question).await?;
    }
    session.send(Method::Delete, &format!("/api/providers/{}", encode(&account.id)), NOTHING).await?;
    let document = json!({"id": account.id, "name": account.name, "removed": true});
    Ok(Answer::new(document, format!("removed account `{}`\n", account.name)))
}

async fn find(session: &Session, wanted: &str) -> Result<Account, Failure> {
    let Accounts { connections } = view(&session.get("/api/providers").await?)?;
    pick::take(connections, wanted)
}
