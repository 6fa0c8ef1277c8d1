//! `omniroute keys …`: the keys that tools show to the gateway.

use omniroute_control::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::args::{KeysCommand, NewKey};
use crate::commands::in_session;
use crate::context::Context;
use crate::failure::Failure;
use crate::figures::minute;
use crate::output::Answer;
use crate::pick::{self, Named};
use crate::session::{NOTHING, Session, encode, view};
use crate::table::{Column, table};

/// Runs one of the commands.
pub(crate) async fn run(context: &Context, command: &KeysCommand) -> Result<Answer, Failure> {
    let session = || Session::open(context);
    match command {
        KeysCommand::Add(new) => {
            in_session(Session::open_or_begin(context), async |session| add(session, new).await).await
        }
        KeysCommand::List => in_session(session(), async |session| list(context, session).await).await,
        KeysCommand::Remove { key, yes } => {
            in_session(session(), async |session| remove(context, session, (key, *yes)).await).await
        }
        KeysCommand::Rotate { key, yes } => {
            in_session(session(), async |session| rotate(context, session, (key, *yes)).await).await
        }
    }
}

/// What is shown of a key.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    id: String,
    name: String,
    prefix: String,
    last4: String,
    scopes: Vec<String>,
    is_active: bool,
    created_at: String,
    last_used_at: Option<String>,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

/// A new key, the only time it is shown.
#[derive(Deserialize, Serialize)]
struct Shown {
    id: String,
    key: String,
}

#[derive(Serialize)]
struct Wanted<'a> {
    name: &'a str,
    scopes: Vec<&'static str>,
}

impl Named for Key {
    const KIND: &'static str = "key";
    const LISTED_BY: &'static str = "omniroute keys list";

    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn bynames(&self) -> [&str; 2] {
        [&self.prefix, &self.last4]
    }
}

async fn add(session: &Session, new: &NewKey) -> Result<Answer, Failure> {
    let wanted = Wanted { name: &new.name, scopes: new.scope.iter().map(|scope| scope.as_str()).collect() };
    let shown: Shown = view(&session.send(Method::Post, "/api/keys", Some(&wanted)).await?)?;
    Ok(show_once(&shown))
}

async fn list(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let document = session.get("/api/keys").await?;
    let Keys { keys } = view(&document)?;
    let text = match keys.as_slice() {
        [] => format!(
            "there are no keys, so nobody gets in; `{}` makes one\n",
            context.command_line("keys add --name NAME")
        ),
        keys => rows(keys),
    };
    Ok(Answer::new(document, text))
}

async fn remove(context: &Context, session: &Session, (key, yes): (&str, bool)) -> Result<Answer, Failure> {
    let key = find(session, key).await?;
    if !yes {
        context.make_sure(format!("Remove key `{}` ({})? Tools that use it are refused.", key.name, key.id)).await?;
    }
    session.send(Method::Delete, &format!("/api/keys/{}", encode(&key.id)), NOTHING).await?;
    let document = json!({"id": key.id, "name": key.name, "removed": true});
    Ok(Answer::new(document, format!("removed key `{}`\n", key.name)))
}

async fn rotate(context: &Context, session: &Session, (key, yes): (&str, bool)) -> Result<Answer, Failure> {
    let key = find(session, key).await?;
    if !yes {
        context.make_sure(format!("Replace key `{}` ({})? The old one stops working.", key.name, key.id)).await?;
    }
    let path = format!("/api/keys/{}/rotate", encode(&key.id));
    let shown: Shown = view(&session.send(Method::Post, &path, NOTHING).await?)?;
    Ok(show_once(&shown))
}

async fn find(session: &Session, wanted: &str) -> Result<Key, Failure> {
    let Keys { keys } = view(&session.get("/api/keys").await?)?;
    pick::take(keys, wanted)
}

fn show_once(shown: &Shown) -> Answer {
    let text =
        format!("{}\n\nThis key is shown this once. Tools send it to the gateway as their API key.\n", shown.key);
    Answer::new(json!({"id": shown.id, "key": shown.key}), text)
}

fn rows(keys: &[Key]) -> String {
    let columns = [
        Column::Words("name"),
        Column::Words("key"),
        Column::Words("scopes"),
        Column::Words("state"),
        Column::Words("created (UTC)"),
        Column::Words("last used (UTC)"),
        Column::Words("id"),
    ];
    let row = |key: &Key| {
        [
            key.name.clone(),
            format!("{}…{}", key.prefix, key.last4),
            key.scopes.join(","),
            if key.is_active { "active" } else { "off" }.to_owned(),
            minute(Some(&key.created_at)),
            minute(key.last_used_at.as_deref()),
            key.id.clone(),
        ]
    };
    table(columns, keys.iter().map(row))
}
