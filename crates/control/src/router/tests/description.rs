//! The description: what a generated client relies on.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::router::openapi_json;

fn described() -> Value {
    serde_json::from_str(&openapi_json()).expect("a description")
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_words_and_an_answer() {
    let document = described();
    let mut names = HashSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "`{name}` is the name of two operations");
            let words = operation["summary"].as_str().or(operation["description"].as_str()).unwrap_or_default();
            assert!(!words.is_empty(), "{method} {path} says what it does");
            let answers = operation["responses"].as_object().expect("answers");
            assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path} says what it answers");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = described();
    let mut found = Vec::new();
    references(&document, &mut found);
    let used: HashSet<&str> = found.iter().filter_map(|path| path.strip_prefix("#/components/schemas/")).collect();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let known: HashSet<&str> = schemas.keys().map(String::as_str).collect();
    assert_eq!(used, known);
}

#[test]
fn what_is_asked_for_is_closed_and_credentials_only_go_in() {
    let document = described();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let Some(reference) = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str()
            else {
                continue;
            };
            let name = reference.rsplit('/').next().unwrap_or_default();
            assert_eq!(schemas[name]["additionalProperties"], json!(false), "{method} {path}: `{name}`");
        }
    }
    for (name, schema) in schemas {
        for (field, described) in schema["properties"].as_object().into_iter().flatten() {
            if field == "apiKey" {
                assert_eq!(described["writeOnly"], json!(true), "`{name}.{field}`");
            }
        }
    }
}
