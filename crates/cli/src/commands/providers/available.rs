//! `omniroute providers available`: what can be connected, and what the others wait for.

use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::output::Answer;
use crate::session::{Session, view};
use crate::table::{Column, table};

/// What is shown of a provider.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Provider {
    id: String,
    name: String,
    prefixes: Vec<String>,
    tier: String,
    readiness_text: String,
    auth: Vec<String>,
    terms: Terms,
}

#[derive(Debug, Deserialize)]
struct Terms {
    risk: String,
    note: Option<String>,
}

/// Whether an account needs a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyNeed {
    /// It takes none.
    None,
    /// It works with and without.
    Optional,
    /// It does not work without.
    Required,
}

impl Provider {
    /// Whether it is what a person calls by that name.
    fn is_called(&self, name: &str) -> bool {
        self.id == name || self.prefixes.iter().any(|prefix| prefix == name)
    }

    fn holds(&self, text: &str) -> bool {
        let names = self.prefixes.iter().chain([&self.id, &self.name]);
        names.into_iter().any(|name| name.to_lowercase().contains(text))
    }

    /// Whether an account of it needs a key.
    pub(super) fn key_need(&self) -> KeyNeed {
        let takes = |kind: &str| self.auth.iter().any(|auth| auth == kind);
        match (takes("api-key"), takes("none")) {
            (true, true) => KeyNeed::Optional,
            (true, false) => KeyNeed::Required,
            (false, _) => KeyNeed::None,
        }
    }

    /// What to know about its terms before connecting it.
    pub(super) fn terms_note(&self) -> Option<&str> {
        self.terms.note.as_deref().filter(|_| self.terms.risk != "none")
    }
}

/// Lists them.
pub(super) async fn run(session: &Session, search: Option<&str>) -> Result<Answer, Failure> {
    let document = session.get("/api/providers/available").await?;
    answer(document, &search.unwrap_or_default().to_lowercase())
}

/// The provider of that id or prefix, where it is one of the catalog's.
pub(super) async fn find(session: &Session, name: &str) -> Result<Option<Provider>, Failure> {
    let document = session.get("/api/providers/available").await?;
    Ok(read(&document)?.into_iter().find(|provider| provider.is_called(name)))
}

fn read(document: &Value) -> Result<Vec<Provider>, Failure> {
    #[derive(Deserialize)]
    struct Providers {
        providers: Vec<Provider>,
    }
    Ok(view::<Providers>(document)?.providers)
}

fn answer(mut document: Value, search: &str) -> Result<Answer, Failure> {
    let mut providers = read(&document)?;
    if let Some(Value::Array(list)) = document.get_mut("providers") {
        let mut kept = providers.iter().map(|provider| provider.holds(search));
        list.retain(|_| kept.next().unwrap_or(false));
    }
    providers.retain(|provider| provider.holds(search));
    let text = match providers.as_slice() {
        [] => format!("no provider's name, id or prefix contains `{search}`\n"),
        providers => rows(providers),
    };
    Ok(Answer::new(document, text))
}

fn rows(providers: &[Provider]) -> String {
    let columns = [
        Column::Words("id"),
        Column::Words("name"),
        Column::Words("tier"),
        Column::Words("models"),
        Column::Words("risk by its terms"),
        Column::Words("can be connected"),
    ];
    let row = |provider: &Provider| {
        let prefixes: Vec<String> = provider.prefixes.iter().map(|prefix| format!("{prefix}/…")).collect();
        [
            provider.id.clone(),
            provider.name.clone(),
            provider.tier.clone(),
            prefixes.join(" "),
            provider.terms.risk.clone(),
            provider.readiness_text.clone(),
        ]
    };
    table(columns, providers.iter().map(row))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{KeyNeed, answer, read};

    fn document() -> Value {
        let provider = |id: &str, prefixes: &[&str], auth: &[&str]| {
            json!({
                "id": id, "name": format!("The {id}"), "prefixes": prefixes, "tier": "api-key", "auth": auth,
                "readiness": "ready", "readinessText": "ready", "terms": {"risk": "low", "note": "read them"},
            })
        };
        json!({"providers": [
            provider("glm", &["glm", "zai"], &["api-key"]),
            provider("ollama", &["ollama"], &["none", "api-key"]),
            provider("codex", &["cx"], &["oauth"]),
        ]})
    }

    #[test]
    fn a_search_finds_ids_names_and_prefixes_in_text_and_document_alike() {
        for (search, expected) in [("", 3), ("zai", 1), ("the o", 1), ("x", 1), ("none", 0)] {
            let answer = answer(document(), search).unwrap();
            assert_eq!(answer.document["providers"].as_array().map(Vec::len), Some(expected), "`{search}`");
            // A title above the rows, or one sentence.
            assert_eq!(answer.text.lines().count(), expected + 1, "`{search}`: {}", answer.text);
        }
        assert_eq!(answer(document(), "zai").unwrap().document["providers"][0]["id"], "glm");
    }

    #[test]
    fn a_provider_goes_by_its_id_and_all_its_prefixes_and_says_what_it_needs() {
        let providers = read(&document()).unwrap();
        assert!(providers[0].is_called("zai") && providers[0].is_called("glm") && !providers[0].is_called("za"));
        let needs: Vec<KeyNeed> = providers.iter().map(|provider| provider.key_need()).collect();
        assert_eq!(needs, [KeyNeed::Required, KeyNeed::Optional, KeyNeed::None]);
        assert_eq!(providers[0].terms_note(), Some("read them"));
    }
}
