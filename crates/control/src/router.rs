//! The routes of the control plane, put together and wrapped: who asks is decided outside, in one
//! place, for every path there is and is not.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue, StatusCode};
use omniroute_gateway::some_request_id;
use tower::ServiceExt;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, SecurityRequirement};
use utoipa_axum::router::OpenApiRouter;

use crate::instance::Instance;
use crate::principal::{self, Principal};
use crate::problem::Problem;
use crate::{about, accounts, available, doctor, keys, models, nodes, provider_models, status_page, usage};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_SNIFF: HeaderName = HeaderName::from_static("x-content-type-options");
/// The name of the security scheme in the description.
const SCHEME: &str = "clientKey";

/// Every route, with its description.
fn routes() -> OpenApiRouter<Instance> {
    OpenApiRouter::with_openapi(described())
        .merge(about::routes())
        .merge(available::routes())
        .merge(accounts::routes())
        .merge(nodes::routes())
        .merge(provider_models::routes())
        .merge(models::routes())
        .merge(keys::routes())
        .merge(usage::routes())
        .merge(doctor::routes())
}

/// The control plane: management routes and the status page, behind the check of who asks.
fn control(instance: &Instance) -> Router {
    let (router, _) = routes().split_for_parts();
    wrap(router.merge(status_page::routes()), instance)
}

/// Puts the check of who asks around routes. What is added here is refused until a key is shown,
/// whoever added it.
fn wrap(routes: Router<Instance>, instance: &Instance) -> Router {
    routes
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(instance.clone(), principal::admit))
        .layer(middleware::map_request(named))
        .layer(middleware::from_fn(finish))
        .with_state(instance.clone())
}

/// Everything a TCP listener serves: both planes.
pub(crate) fn everything(instance: &Instance) -> Router {
    let control = control(instance);
    let data = omniroute_gateway::router(instance.gateway().clone());
    Router::new().fallback(async move |request: Request| {
        let plane = if is_management(request.uri().path()) { control.clone() } else { data.clone() };
        plane.oneshot(request).await
    })
}

/// Which plane a path belongs to. Nothing rests on this: the planes have no routes in common, and each
/// checks who asks by itself.
fn is_management(path: &str) -> bool {
    matches!(path, "/" | "/api") || (path.starts_with("/api/") && !path.starts_with("/api/v1/"))
}

/// The control plane for the person at this machine. Whoever gets hold of it is `LocalUi`; it must not
/// be served over TCP.
pub(crate) fn for_local_ui(instance: &Instance) -> Router {
    control(instance).layer(middleware::from_fn(as_local_ui))
}

async fn as_local_ui(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Principal::LocalUi);
    next.run(request).await
}

/// Gives a request an id where it has none, so that answer and log name the same.
async fn named(mut request: Request) -> Request {
    let id = some_request_id(request.headers());
    request.headers_mut().insert(REQUEST_ID, id);
    request
}

/// What every answer carries.
async fn finish(request: Request, next: Next) -> Response {
    let id = some_request_id(request.headers());
    let mut response = next.run(request).await;
    let fields = response.headers_mut();
    fields.insert(REQUEST_ID, id);
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(NO_SNIFF, HeaderValue::from_static("nosniff"));
    response
}

async fn unknown(request: Request) -> Problem {
    let path: String = request.uri().path().chars().take(200).collect();
    let text = format!("there is no `{path}` here; `/api/openapi.json` lists what there is");
    Problem::new(StatusCode::NOT_FOUND, "unknown_route", text)
}

async fn wrong_method(request: Request) -> Problem {
    let path: String = request.uri().path().chars().take(200).collect();
    let text = format!("`{path}` does not answer to {}", request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text)
}

fn described() -> OpenApi {
    let info = InfoBuilder::new()
        .title("OmniRoute management")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Accounts, keys, models and usage of one gateway. Every route but the marked ones needs a \
             client key with the scope `manage`.",
        ))
        .license(Some(LicenseBuilder::new().name("MIT").build()))
        .build();
    let mut described =
        OpenApiBuilder::new().info(info).security(Some([SecurityRequirement::new(SCHEME, ["manage"])])).build();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("sk-omni-…").build();
    let components = described.components.get_or_insert_default();
    components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
    described
}

/// The description of the management routes, as JSON.
pub fn openapi_json() -> String {
    let described = routes().into_openapi();
    described.to_pretty_json().unwrap_or_default()
}

#[cfg(test)]
mod tests;
