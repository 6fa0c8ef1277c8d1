//! The list of models, in a form that OpenAI's and Anthropic's clients both read.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use omniroute_domain::{Fault, FaultKind};
use omniroute_routing::ListedModel;
use serde::Serialize;

use crate::gateway::Gateway;
use crate::{admit, reject, request_id};

#[derive(Serialize)]
struct List {
    object: &'static str,
    has_more: bool,
    first_id: Option<String>,
    last_id: Option<String>,
    data: Vec<Entry>,
}

/// One model. `type`, `display_name` and `created_at` are what Anthropic's clients look for.
#[derive(Serialize)]
struct Entry {
    object: &'static str,
    r#type: &'static str,
    created: u64,
    created_at: &'static str,
    owned_by: String,
    display_name: String,
    id: String,
}

impl From<ListedModel> for Entry {
    fn from(model: ListedModel) -> Self {
        Self {
            object: "model",
            r#type: "model",
            created: 0,
            created_at: "1970-01-01T00:00:00Z",
            owned_by: model.provider.to_string(),
            display_name: model.id.clone(),
            id: model.id,
        }
    }
}

/// Every model that can be asked for.
pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, head: Parts) -> Response {
    let snapshot = gateway.live.load();
    match admit::admit(&snapshot, &head) {
        Ok(_) => {
            let data: Vec<Entry> = snapshot.directory.models().into_iter().map(Entry::from).collect();
            let id = |entry: Option<&Entry>| entry.map(|entry| entry.id.clone());
            let (first_id, last_id) = (id(data.first()), id(data.last()));
            axum::Json(List { object: "list", has_more: false, first_id, last_id, data }).into_response()
        }
        Err(fault) => reject::fault_response(&fault, &request_id::some_request_id(&head.headers)),
    }
}

/// One model; its id may hold slashes.
pub(crate) async fn one(State(gateway): State<Arc<Gateway>>, Path(id): Path<String>, head: Parts) -> Response {
    let snapshot = gateway.live.load();
    let found = admit::admit(&snapshot, &head).and_then(|_| {
        let model = snapshot.directory.models().into_iter().find(|model| model.id == id);
        model.ok_or_else(|| Fault::new(FaultKind::NotFound, "model_not_found", format!("model `{id}` is not listed")))
    });
    match found {
        Ok(model) => axum::Json(Entry::from(model)).into_response(),
        Err(fault) => reject::fault_response(&fault, &request_id::some_request_id(&head.headers)),
    }
}
