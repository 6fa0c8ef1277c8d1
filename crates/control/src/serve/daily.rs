//! One snapshot of the accounts database a day.

use std::time::Duration;

use omniroute_store::{Reason, StoreError, snapshot};

use crate::clock::{HOUR, now_ms};
use crate::instance::Instance;

/// Nothing competes with a start.
const FIRST_LOOK: Duration = Duration::from_secs(60);
/// Machines sleep, so a timer of a day would drift by days.
const BETWEEN_LOOKS: Duration = Duration::from_secs(60 * 60);

/// Takes a snapshot whenever the newest is a day old, until the drain begins.
pub(super) async fn snapshots(instance: Instance) {
    let mut wait = FIRST_LOOK;
    loop {
        tokio::select! {
            () = instance.gateway().drain.begun() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = BETWEEN_LOOKS;
        let here = instance.clone();
        match tokio::task::spawn_blocking(move || take_if_due(&here, now_ms())).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => tracing::warn!(code = why.code(), cause = ?why, "The daily snapshot could not be taken."),
            Err(why) => tracing::error!(cause = %why, "The daily snapshot ended by a panic."),
        }
    }
}

/// Takes a snapshot where the newest is a day old, or there is none.
pub(super) fn take_if_due(instance: &Instance, now: i64) -> Result<(), StoreError> {
    let newest = snapshot::list(instance.dir())?.first().map(|newest| newest.taken_at);
    if newest.is_none_or(|taken| now - taken >= 24 * HOUR) {
        let taken = instance.core().snapshot(Reason::Daily, now)?;
        tracing::info!(file = taken.file, bytes = taken.bytes, "Took the daily snapshot.");
    }
    Ok(())
}
