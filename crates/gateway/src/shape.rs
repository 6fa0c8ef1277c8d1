//! What a request is turned into before it is sent: its plan, and the short list of edits.
//!
//! What comes in: a chat request and a target. What goes out: the client's own bytes with the model
//! name exchanged and, for a stream, the wish for a usage report added, so that a streamed exchange is
//! counted like any other. Nothing else of the body is touched.

use std::sync::Arc;

use omniroute_domain::{Fault, FaultKind, ModelId, ProviderId};
use omniroute_routing::Plan;
use omniroute_upstream::Account;
use omniroute_wire::splice::{Segments, Splice};

use crate::call::Ask;
use crate::snapshot::Snapshot;

/// The accounts that can answer a request, in the order they are tried.
pub(crate) struct Planned(Plan);

/// One account and the model it is asked for.
pub(crate) struct Target {
    pub(crate) account: Arc<Account>,
    plan: Plan,
}

/// Looks up who can answer.
pub(crate) fn plan(snapshot: &Snapshot, ask: &Ask, provider: Option<&str>) -> Result<Planned, Fault> {
    omniroute_routing::plan(&snapshot.directory, &ask.model, provider).map(Planned).map_err(Fault::from)
}

impl Planned {
    /// The targets in order.
    pub(crate) fn targets<'a>(&'a self, snapshot: &'a Snapshot) -> impl Iterator<Item = Target> + 'a {
        let accounts = self.0.targets.iter().filter_map(|&slot| snapshot.accounts.get(slot as usize));
        accounts.map(|account| Target { account: Arc::clone(account), plan: self.0.clone() })
    }

    /// Said when there is no target at all, which a plan does not allow.
    pub(crate) fn nobody(&self) -> Fault {
        let text = format!("no account of `{}` can answer", self.0.provider);
        Fault::new(FaultKind::Overloaded, "no_target", text)
    }
}

impl Target {
    /// The provider's id.
    pub(crate) fn provider(&self) -> &str {
        self.plan.provider.as_str()
    }

    /// The provider.
    pub(crate) fn provider_id(&self) -> ProviderId {
        self.plan.provider.clone()
    }

    /// The address the model's prefix leads to, where it is not the provider's usual one.
    pub(crate) fn base(&self) -> Option<&str> {
        self.plan.base_url.as_deref()
    }

    /// The model as the provider names it.
    pub(crate) fn model(&self) -> &str {
        self.plan.model.as_str()
    }

    /// The model.
    pub(crate) fn model_id(&self) -> ModelId {
        self.plan.model.clone()
    }
}

/// The body for a target.
pub(crate) fn body_for(ask: &Ask, target: &Target) -> Segments {
    let name = serde_json::to_vec(target.model()).unwrap_or_default();
    let splice = Splice::new(ask.body.clone()).replace(ask.model_at.clone(), name);
    match ask.usage_edit.as_ref().filter(|_| ask.stream && target.account.stream_usage) {
        Some(edit) => splice.replace(edit.at.clone(), edit.text.clone()).finish(),
        None => splice.finish(),
    }
}
