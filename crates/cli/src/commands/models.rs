//! `omniroute models`: what requests can name with what is connected.

use serde::Deserialize;
use serde_json::Value;

use crate::args::Models;
use crate::failure::Failure;
use crate::figures::count;
use crate::output::Answer;
use crate::session::{Session, encode, view};
use crate::table::{Column, table};

#[derive(Deserialize)]
struct Listed {
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    context: Option<u64>,
    price: Option<Price>,
}

/// Dollars per million tokens.
#[derive(Deserialize)]
struct Price {
    input: f64,
    output: f64,
}

/// Lists them.
pub(crate) async fn run(session: &Session, flags: &Models) -> Result<Answer, Failure> {
    let path = match &flags.search {
        Some(search) => format!("/api/models?search={}", encode(search)),
        None => "/api/models".to_owned(),
    };
    answer(session.get(&path).await?)
}

fn answer(document: Value) -> Result<Answer, Failure> {
    let Listed { models } = view(&document)?;
    let text = match models.as_slice() {
        [] => "no model fits\n".to_owned(),
        models => rows(models),
    };
    Ok(Answer::new(document, text))
}

fn rows(models: &[Model]) -> String {
    let columns = [
        Column::Words("model"),
        Column::Words("name"),
        Column::Words("type"),
        Column::Figures("context"),
        Column::Figures("$/M in"),
        Column::Figures("$/M out"),
    ];
    let row = |model: &Model| {
        let price = |pick: fn(&Price) -> f64| {
            model.price.as_ref().map_or_else(|| "-".to_owned(), |price| pick(price).to_string())
        };
        [
            model.id.clone(),
            model.name.clone(),
            model.kind.clone(),
            model.context.map_or_else(|| "-".to_owned(), count),
            price(|price| price.input),
            price(|price| price.output),
        ]
    };
    table(columns, models.iter().map(row))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::answer;

    #[test]
    fn models_are_listed_with_what_is_known_of_them() {
        let document = json!({"models": [
            {"id": "demo/echo", "name": "Echo", "type": "chat", "context": null, "price": {"input": 0.0, "output": 0.0}},
            {"id": "mk/m", "name": "m", "type": "chat", "context": 128_000, "price": null},
            {"id": "x/y", "name": "Y", "type": "chat", "context": 1_050_000, "price": {"input": 0.075, "output": 10.0}},
        ]});
        insta::assert_snapshot!(answer(document).unwrap().text);
    }

    #[test]
    fn nothing_found_is_said_in_words() {
        assert_eq!(answer(json!({"models": []})).unwrap().text, "no model fits\n");
    }
}
