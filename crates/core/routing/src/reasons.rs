//! What a refusal suggests: other names for the same model, names that look alike, providers that
//! would have it. Runs for refused requests only, so it may look at everything.

use omniroute_domain::ProviderId;

use crate::directory::{Directory, Group};
use crate::nearest::{MOST, nearest};
use crate::refusal::Refusal;

/// Several connected providers have the model.
pub(crate) fn ambiguous(directory: &Directory, model: &str) -> Refusal {
    let candidates = directory.connected_with(model).map(|group| group.full_name(model)).take(MOST).collect();
    Refusal::Ambiguous { name: model.to_owned(), candidates }
}

/// Nothing connected has the model, and what stands before its slash is no provider.
pub(crate) fn unknown_model(directory: &Directory, name: &str) -> Refusal {
    let offered_by = offered_by(directory, name);
    if let Some((prefix, rest)) = name.split_once('/')
        && offered_by.is_empty()
    {
        return unknown_prefix(directory, prefix, rest);
    }
    Refusal::UnknownModel { name: name.to_owned(), nearest: alike(directory, name), offered_by }
}

/// What stands before the slash, or in the address, is no provider.
pub(crate) fn unknown_prefix(directory: &Directory, prefix: &str, rest: &str) -> Refusal {
    let having = directory.connected_with(rest).map(|group| group.full_name(rest)).take(MOST);
    let mut candidates: Vec<String> = having.collect();
    if candidates.is_empty() {
        let rows = directory.catalog.providers().filter(|row| row.readiness().can_connect());
        let known = rows.flat_map(|row| row.all_prefixes()).chain(directory.own_prefixes());
        let near = nearest(prefix, known.map(|known| (known, ())));
        candidates = near.into_iter().map(|(known, ())| format!("{known}/{rest}")).collect();
    }
    if candidates.is_empty() {
        candidates = alike(directory, &format!("{prefix}/{rest}"));
    }
    Refusal::UnknownPrefix { prefix: prefix.to_owned(), candidates }
}

/// The provider's models are all known, and this is none of them.
pub(crate) fn not_in_closed(group: &Group, model: &str) -> Refusal {
    let near = nearest(model, group.model_ids().map(|id| (id.as_str(), ())));
    let mut names: Vec<String> = near.into_iter().map(|(id, ())| group.full_name(id)).collect();
    if names.is_empty() {
        names = group.model_ids().map(|id| group.full_name(id.as_str())).collect();
    }
    Refusal::UnknownModel { name: group.full_name(model), nearest: names, offered_by: Vec::new() }
}

/// Full names under which other connected providers have a model of a provider without accounts.
pub(crate) fn elsewhere(directory: &Directory, provider: &ProviderId, model: &str) -> Vec<String> {
    // Resellers put the vendor's name before the model's.
    let resold = format!("{provider}/{model}");
    let having = [model, resold.as_str()]
        .into_iter()
        .flat_map(|name| directory.connected_with(name).map(move |group| (group, group.full_name(name))));
    having.filter(|(group, _)| group.provider != *provider).map(|(_, full)| full).take(MOST).collect()
}

/// Full names of connected models that look like a name.
fn alike(directory: &Directory, name: &str) -> Vec<String> {
    let connected = directory.groups.iter().filter(|group| group.is_connected());
    let names = connected.flat_map(|group| group.model_ids().map(move |id| (id.as_str(), group)));
    let mut full: Vec<String> = nearest(name, names).into_iter().map(|(id, group)| group.full_name(id)).collect();
    full.dedup();
    full
}

/// Providers that have a model and could be connected.
fn offered_by(directory: &Directory, model: &str) -> Vec<ProviderId> {
    let offering = directory.catalog.providers().filter(|row| row.model(model).is_some());
    offering.filter(|row| row.readiness().can_connect()).map(|row| row.id.clone()).take(MOST).collect()
}
