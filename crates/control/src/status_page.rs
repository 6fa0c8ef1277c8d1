//! The status page at `/`, until the dashboard takes its place.
use axum::Router;

use crate::instance::Instance;

pub(crate) fn routes() -> Router<Instance> {
    Router::new()
}
