//! A gate in a script: the provider stands before it until the test lets it through. This is what
//! tests have in place of sleeps.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A gate that is passed once per permit. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    permits: Arc<Semaphore>,
}

impl Gate {
    /// A gate that nobody passes yet.
    pub fn shut() -> Self {
        Self { permits: Arc::new(Semaphore::new(0)) }
    }

    /// Lets `passes` more through.
    pub fn open(&self, passes: usize) {
        self.permits.add_permits(passes);
    }

    /// Lets everything through from now on.
    pub fn open_for_good(&self) {
        self.permits.close();
    }

    /// Waits for a permit and uses it up.
    pub async fn pass(&self) {
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::Gate;

    fn passes(gate: &Gate) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(pin!(gate.pass()).poll(&mut context), Poll::Ready(()))
    }

    #[test]
    fn a_permit_lets_one_through_and_no_more() {
        let gate = Gate::shut();
        assert!(!passes(&gate), "a shut gate holds");
        gate.open(1);
        assert!(passes(&gate), "one permit, one pass");
        assert!(!passes(&gate), "the permit is used up");
    }

    #[test]
    fn a_gate_opened_for_good_holds_nobody() {
        let gate = Gate::shut();
        gate.open_for_good();
        assert!(passes(&gate) && passes(&gate), "every one passes");
    }
}
