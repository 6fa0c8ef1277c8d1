//! Work that blocks (databases, the vault), off the threads that answer requests.

use crate::problem::Problem;

/// Runs blocking work and waits for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(why) => {
            tracing::error!(cause = %why, "Work on the database ended by a panic.");
            Err(Problem::defect())
        }
    }
}
