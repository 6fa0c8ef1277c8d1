//! The model list of what is connected, for `/v1/models` and the catalogue.

use std::collections::HashSet;

use omniroute_catalog::{Date, Kind, Model, Provider, Wire};
use omniroute_domain::{Format, ModelId, ProviderId};

use crate::directory::{Directory, Group};

/// One model that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedModel {
    /// Its full name: `prefix/model`.
    pub id: String,
    /// Its provider.
    pub provider: ProviderId,
    /// What the provider calls it.
    pub model: ModelId,
    /// What people call it, where that is known.
    pub name: Option<String>,
    /// What it is for.
    pub kind: Kind,
    /// Whether a person added it.
    pub custom: bool,
    /// Tokens of context, where that is known.
    pub context: Option<u32>,
    /// The most output tokens, where that is known.
    pub max_output: Option<u32>,
    /// When it ends, where that is known; lists of a later day leave it out.
    pub shutdown: Option<Date>,
}

impl Directory {
    /// Every model that can be asked for, by provider: what its accounts were seen to have, or else
    /// what the catalog says, and what a person added. Hidden ones are left out.
    pub fn models(&self) -> Vec<ListedModel> {
        self.groups.iter().filter(|group| group.is_connected()).flat_map(models_of).collect()
    }
}

fn models_of(group: &Group) -> Vec<ListedModel> {
    let row = group.row.as_deref();
    let hidden: HashSet<&ModelId> =
        group.custom.iter().filter(|model| model.hidden).map(|model| &model.model).collect();
    let mut seen: HashSet<&ModelId> = hidden;
    let mut list: Vec<ListedModel> = Vec::new();
    for custom in &group.custom {
        if seen.insert(&custom.model) {
            let facts = row.and_then(|row| row.model(custom.model.as_str()));
            let name = custom.name.clone();
            list.push(ListedModel { name, kind: custom.kind, custom: true, ..listed(group, &custom.model, facts) });
        }
    }
    let known: Vec<&ModelId> = match group.listed.as_slice() {
        [] => row.into_iter().flat_map(offered).collect(),
        seen_there => seen_there.iter().collect(),
    };
    for id in known {
        if seen.insert(id) {
            list.push(listed(group, id, row.and_then(|row| row.model(id.as_str()))));
        }
    }
    list
}

/// The models of a row that are worth listing: not hidden, not gone when the row was checked, and in a
/// format we speak.
fn offered(row: &Provider) -> impl Iterator<Item = &ModelId> {
    let gone = |model: &Model| model.shutdown.is_some_and(|end| end <= row.checked);
    let foreign = |wire: &Wire| wire.format() != Some(Format::OpenAiChat);
    let models = row.models.iter().filter(move |model| !model.hidden && !gone(model));
    models.filter(move |model| !model.wire.as_ref().is_some_and(foreign)).map(|model| &model.id)
}

fn listed(group: &Group, id: &ModelId, facts: Option<&Model>) -> ListedModel {
    ListedModel {
        id: group.full_name(id.as_str()),
        provider: group.provider.clone(),
        model: id.clone(),
        name: facts.and_then(|facts| facts.name.as_deref()).map(str::to_owned),
        kind: facts.map_or(Kind::Chat, |facts| facts.kind),
        custom: false,
        context: facts.and_then(|facts| facts.context),
        max_output: facts.and_then(|facts| facts.max_output),
        shutdown: facts.and_then(|facts| facts.shutdown),
    }
}

#[cfg(test)]
mod tests;
