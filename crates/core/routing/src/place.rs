//! Where a prefix leads: to a catalog row, to what is connected, or to both.

use std::sync::Arc;

use omniroute_catalog::{Provider, Readiness, Variant};
use omniroute_domain::{ModelId, ProviderId};

use crate::directory::{Directory, Group};
use crate::plan::Plan;
use crate::reasons;
use crate::refusal::Refusal;

pub(crate) struct Place<'a> {
    directory: &'a Directory,
    id: &'a ProviderId,
    row: Option<&'a Provider>,
    group: Option<&'a Group>,
    variant: Option<&'a Variant>,
}

impl<'a> Place<'a> {
    /// Where a prefix leads. The catalog's prefixes go before those of nodes.
    pub(crate) fn find(directory: &'a Directory, prefix: &str) -> Option<Self> {
        let Some((row, variant)) = directory.catalog.by_prefix(prefix) else {
            return directory.by_own_prefix(prefix).map(|group| Self::of(directory, group));
        };
        let group = directory.group_of(&row.id);
        Some(Self { directory, id: &row.id, row: Some(row), group, variant })
    }

    /// The place of what is connected.
    pub(crate) fn of(directory: &'a Directory, group: &'a Group) -> Self {
        Self { directory, id: &group.provider, row: group.row.as_deref(), group: Some(group), variant: None }
    }

    pub(crate) fn id(&self) -> &'a ProviderId {
        self.id
    }

    /// Whether the provider is known to have a model.
    pub(crate) fn knows(&self, model: &str) -> bool {
        match self.group {
            Some(group) => self.directory.shared_id(group, model).is_some(),
            None => self.row.is_some_and(|row| row.model(model).is_some()),
        }
    }

    /// Whether ids of the provider's models are known to begin with this and a slash.
    pub(crate) fn has_namespace(&self, first: &str) -> bool {
        let begins = |id: &ModelId| id.as_str().split_once('/').is_some_and(|(namespace, _)| namespace == first);
        let of_row = self.row.is_some_and(|row| row.models.iter().any(|model| begins(&model.id)));
        of_row || self.group.is_some_and(|group| group.model_ids().any(begins))
    }

    /// The plan for a model of this provider, known or not: vendors add models every day.
    pub(crate) fn plan(&self, model: &str) -> Result<Plan, Refusal> {
        let Some(group) = self.group else { return Err(self.idle(model)) };
        if let Some(refusal) = &group.refusal {
            return Err(refusal.clone());
        }
        let targets = group.targets_for(self.variant.map(|variant| &*variant.prefix));
        if targets.is_empty() && !group.is_demo() {
            return Err(self.idle(model));
        }
        let shared = self.directory.shared_id(group, model);
        if shared.is_none() && self.row.is_some_and(|row| row.closed) {
            return Err(reasons::not_in_closed(group, model));
        }
        if let Some(refusal) = group.refuses(model) {
            return Err(refusal);
        }
        Ok(Plan {
            provider: group.provider.clone(),
            model: shared.cloned().unwrap_or_else(|| ModelId::from(model)),
            targets: Arc::clone(targets),
            base_url: self.variant.map(|variant| Arc::clone(&variant.base_url)),
        })
    }

    /// Why a provider without accounts for this prefix can't be asked.
    fn idle(&self, model: &str) -> Refusal {
        self.row.and_then(unusable).unwrap_or_else(|| Refusal::NoAccount {
            provider: self.id.clone(),
            elsewhere: reasons::elsewhere(self.directory, self.id, model),
        })
    }
}

/// Why the gateway can't use a provider at all; `None` where it can.
pub(crate) fn unusable(row: &Provider) -> Option<Refusal> {
    match row.readiness() {
        Readiness::Ready | Readiness::NeedsBaseUrl { .. } => None,
        Readiness::Later { why } => Some(Refusal::Later { provider: row.id.clone(), why }),
        Readiness::Retired { since, instead } => Some(Refusal::Retired { provider: row.id.clone(), since, instead }),
    }
}
