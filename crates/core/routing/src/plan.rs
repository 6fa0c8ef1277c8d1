//! One question: who can answer for this model name, in which order?
//!
//! On the way to an answer nothing is allocated except the id of a model nobody has listed. Refusals
//! may take their time: they look for what was meant.

use std::sync::Arc;

use omniroute_domain::{ModelId, ProviderId};

use crate::directory::Directory;
use crate::name;
use crate::place::Place;
use crate::reasons;
use crate::refusal::Refusal;

/// Who can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The provider.
    pub provider: ProviderId,
    /// The model as the provider calls it.
    pub model: ModelId,
    /// Slots of the accounts to try, in order, none twice; empty for the demo only.
    pub targets: Arc<[u32]>,
    /// The base address the prefix leads to, where it is not the provider's usual one. A base address
    /// of the account's own goes before it.
    pub base_url: Option<Arc<str>>,
}

/// Finds who can answer for a model name. `only_provider` is the provider of the address, where the
/// client called one; the name then needs no prefix.
pub fn plan(directory: &Directory, model: &str, only_provider: Option<&str>) -> Result<Plan, Refusal> {
    name::check(model)?;
    match only_provider {
        Some(provider) => plan_at(directory, model, provider),
        None => plan_anywhere(directory, model),
    }
}

fn plan_anywhere(directory: &Directory, model: &str) -> Result<Plan, Refusal> {
    let Some((prefix, rest)) = name::split(model)? else { return plan_bare(directory, model) };
    let Some(place) = Place::find(directory, prefix) else { return plan_bare(directory, model) };
    // Some vendors' own ids begin with their name (`groq/compound`); such an id is known only whole.
    let id = if place.knows(rest) || !place.knows(model) { rest } else { model };
    place.plan(id)
}

/// A plan at one provider: its own ids go as they are, its own prefix may stand before them.
fn plan_at(directory: &Directory, model: &str, provider: &str) -> Result<Plan, Refusal> {
    let Some(place) = Place::find(directory, provider) else {
        return Err(reasons::unknown_prefix(directory, provider, model));
    };
    if place.knows(model) {
        return place.plan(model);
    }
    let Some((prefix, rest)) = name::split(model)? else { return place.plan(model) };
    match Place::find(directory, prefix) {
        Some(named) if named.id() == place.id() => named.plan(rest),
        Some(named) if !place.has_namespace(prefix) => {
            Err(Refusal::WrongProvider { provider: place.id().clone(), named: named.id().clone() })
        }
        Some(_) | None => place.plan(model),
    }
}

/// A name without a known prefix: the one connected provider that has it.
fn plan_bare(directory: &Directory, model: &str) -> Result<Plan, Refusal> {
    let mut having = directory.connected_with(model);
    match (having.next(), having.next()) {
        (None, _) => Err(reasons::unknown_model(directory, model)),
        (Some(group), None) => Place::of(directory, group).plan(model),
        (Some(_), Some(_)) => Err(reasons::ambiguous(directory, model)),
    }
}

#[cfg(test)]
mod tests;
