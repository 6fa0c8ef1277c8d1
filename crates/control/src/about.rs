//! Liveness, version, and the description of this interface.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::instance::Instance;
use crate::principal::Principal;
use crate::router;

pub(crate) fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(version)).routes(routes!(description))
}

/// It runs.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    ok: bool,
}

/// Which version runs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Version {
    current_version: &'static str,
    /// Always null: nobody is asked for newer versions yet.
    latest_version: Option<String>,
    has_update: bool,
}

/// Says that the gateway runs, and nothing else.
#[utoipa::path(get, operation_id = "get_health", path = "/api/health", tag = "about", security(()), responses((status = 200, body = Health)))]
async fn health() -> Json<Health> {
    Json(Health { ok: true })
}

/// Which version runs.
#[utoipa::path(get, operation_id = "get_version", path = "/api/version", tag = "about", responses((status = 200, body = Version)))]
async fn version(State(_): State<Instance>, _by: Principal) -> Json<Version> {
    Json(Version { current_version: env!("CARGO_PKG_VERSION"), latest_version: None, has_update: false })
}

/// This description.
#[utoipa::path(get, operation_id = "get_description", path = "/api/openapi.json", tag = "about",
    responses((status = 200, description = "an OpenAPI document", content_type = "application/json")))]
async fn description(State(_): State<Instance>, _by: Principal) -> Response {
    let mut response = router::openapi_json().into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
