//! Waiting with a limit and with words: a test that would hang fails instead and says for what.
//!
//! `eventually` looks again and again at something outside this process that tells nobody when it
//! changes (a log row, a process). What tells is awaited, not looked at.

use std::future::Future;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// How long anything in a test may take before it counts as hanging.
pub const LIMIT: Duration = Duration::from_secs(30);

/// How often `eventually` looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Awaits `work`; panics naming `what` when it takes longer than [`LIMIT`].
#[track_caller]
pub fn within<F: Future>(what: &str, work: F) -> impl Future<Output = F::Output> {
    within_limit(LIMIT, what, work)
}

/// Awaits `work`; panics naming `what` when it takes longer than `limit`.
#[track_caller]
pub fn within_limit<F: Future>(limit: Duration, what: &str, work: F) -> impl Future<Output = F::Output> {
    let asked_at = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        match timeout(limit, work).await {
            Ok(result) => result,
            Err(_) => panic!("{what} took longer than {limit:?} (asked at {asked_at})"),
        }
    }
}

/// Calls `look` until it gives a value; panics naming `what` when none came within [`LIMIT`].
#[track_caller]
pub fn eventually<T, L, F>(what: &str, mut look: L) -> impl Future<Output = T>
where
    L: FnMut() -> F,
    F: Future<Output = Option<T>>,
{
    within(what, async move {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use super::{eventually, within_limit};

    #[tokio::test]
    async fn looks_again_until_there_is_something_to_see() {
        let mut looks = 0;
        let seen = eventually("a third look", || {
            looks += 1;
            let found = (looks == 3).then_some(looks);
            async move { found }
        });
        assert_eq!(seen.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "the impossible took longer than")]
    async fn a_hang_becomes_a_failure_with_words() {
        within_limit(Duration::from_millis(5), "the impossible", pending::<()>()).await;
    }
}
