//! Stopping in order: no new connections, open answers go on for a while, then they are told.
//!
//! The order, which the command line's `serve` follows: begin (listeners close, idle connections
//! close, busy ones finish their answer) → wait, at most the drain limit → cut (streams that are
//! still open end with the client's own error event) → the log is flushed → the databases close.

use std::future::Future;

use omniroute_domain::{Fault, FaultKind};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The state of stopping, shared by everything that has to know.
#[derive(Clone, Default)]
pub struct Drain {
    begun: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
}

impl Drain {
    /// Nothing is stopping yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task that belongs to the gateway; `wait` waits for it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Stops taking new work.
    pub fn begin(&self) {
        self.begun.cancel();
        self.tasks.close();
    }

    /// Ends what is still open.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    /// Resolves when the drain begins.
    pub async fn begun(&self) {
        self.begun.cancelled().await;
    }

    /// Resolves when what is open must end; owned, so that a stream can hold it.
    pub(crate) fn cut_token(&self) -> CancellationToken {
        self.cut.clone()
    }

    /// Waits for all tasks.
    pub async fn wait(&self) {
        self.tasks.wait().await;
    }
}

/// Said to a client whose answer is cut.
pub(crate) fn stopping() -> Fault {
    Fault::new(FaultKind::ShuttingDown, "shutting_down", "the gateway is stopping; ask again in a moment")
}
