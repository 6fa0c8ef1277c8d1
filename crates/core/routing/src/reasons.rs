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
    let groups = directory.groups.iter().filter(|group| group.is_connected());
    let names = groups.flat_map(|group| group.model_ids().map(move |id| (id.as_str(), group.full_name(id.as_str()))));
    Refusal::UnknownModel { name: name.to_owned(), nearest: nearest(name, names), offered_by }
}

/// What stands before the slash, or in the address, is no provider.
pub(crate) fn unknown_prefix(directory: &Directory, prefix: &str, rest: &str) -> Refusal {
    let mut candidates = elsewhere(directory, &ProviderId::from(""), rest);
    if candidates.is_empty() {
        let known = directory.catalog.providers().flat_map(|row| row.all_prefixes());
        let own = directory.own_prefixes();
        candidates = nearest(prefix, known.chain(own).map(|known| (known, format!("{known}/{rest}"))));
    }
    Refusal::UnknownPrefix { prefix: prefix.to_owned(), candidates }
}

/// The provider's models are all known, and this is none of them.
pub(crate) fn not_in_closed(group: &Group, model: &str) -> Refusal {
    let all = || group.model_ids().map(|id| (id.as_str(), group.full_name(id.as_str())));
    let mut names = nearest(model, all());
    if names.is_empty() {
        names = all().map(|(_, full)| full).take(MOST).collect();
    }
    Refusal::UnknownModel { name: group.full_name(model), nearest: names, offered_by: Vec::new() }
}

/// Full names under which other connected providers have a model.
pub(crate) fn elsewhere(directory: &Directory, except: &ProviderId, model: &str) -> Vec<String> {
    let whole = format!("{except}/{model}");
    let having = [model, whole.as_str()]
        .into_iter()
        .flat_map(|name| directory.connected_with(name).map(move |group| (group, group.full_name(name))));
    having.filter(|(group, _)| group.provider != *except).map(|(_, full)| full).take(MOST).collect()
}

/// Providers that have a model and could be connected.
fn offered_by(directory: &Directory, model: &str) -> Vec<ProviderId> {
    let offering = directory.catalog.providers().filter(|row| row.model(model).is_some());
    offering.filter(|row| row.readiness().can_connect()).map(|row| row.id.clone()).take(MOST).collect()
}
