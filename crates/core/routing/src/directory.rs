//! What is connected: built when accounts change, then only read.
//!
//! Targets are ordered here, once, and shared; a request clones a pointer. Groups, prefixes and model
//! ids are found by hash, so the number of accounts never shows in a request's cost.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use omniroute_catalog::{Catalog, Kind, Provider, Tier};
use omniroute_domain::{AccountId, Format, ModelId, ProviderId};

use crate::place::unusable;
use crate::refusal::Refusal;

/// One active account.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The account.
    pub account: AccountId,
    /// Its provider: a catalog row or a node.
    pub provider: ProviderId,
    /// Prefixes besides the catalog's, e.g. a node's.
    pub prefixes: Vec<String>,
    /// The catalog's variant prefix it was connected under (`byteplus`, `zai`); it then answers for
    /// that prefix, and accounts without one for all others.
    pub variant: Option<String>,
    /// Lower comes first.
    pub priority: u32,
    /// Where the gateway keeps it.
    pub slot: u32,
    /// The models it was seen to have, where that is known.
    pub listed: Option<Vec<ModelId>>,
}

/// A model a person added, or hid.
#[derive(Clone, Debug)]
pub struct CustomModel {
    /// Whose model it is.
    pub provider: ProviderId,
    /// What the provider calls it.
    pub model: ModelId,
    /// What people call it.
    pub name: Option<String>,
    /// What it is for.
    pub kind: Kind,
    /// Whether lists leave it out; it can be asked for all the same.
    pub hidden: bool,
}

/// Everything that is connected.
#[derive(Debug)]
pub struct Directory {
    pub(crate) catalog: Catalog,
    pub(crate) groups: Vec<Group>,
    /// Prefixes the catalog does not have, to their group.
    own_prefixes: HashMap<Box<str>, u16>,
    by_provider: HashMap<ProviderId, u16>,
    /// Every model id of a connected provider, to the groups that have it.
    owners: HashMap<ModelId, Owners>,
}

/// All accounts of one provider.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its place among the groups.
    index: u16,
    pub(crate) provider: ProviderId,
    /// The catalog row; `None` for a node.
    pub(crate) row: Option<Arc<Provider>>,
    /// The prefix its models are shown with.
    pub(crate) prefix: Box<str>,
    /// Targets for every prefix that has none of its own.
    targets: Arc<[u32]>,
    /// Targets of accounts connected under a variant's prefix.
    variants: Vec<(Box<str>, Arc<[u32]>)>,
    /// Models seen at its accounts, none twice.
    pub(crate) listed: Vec<ModelId>,
    /// Models a person added or hid.
    pub(crate) custom: Vec<CustomModel>,
    /// Why it can't be asked although it has accounts; `None` where it can.
    pub(crate) refusal: Option<Refusal>,
    /// Whether some of its models speak something else than its chat endpoint.
    mixed: bool,
}

/// The groups that have a model.
#[derive(Debug)]
enum Owners {
    One(u16),
    Many(Vec<u16>),
}

impl Owners {
    fn as_slice(&self) -> &[u16] {
        match self {
            Self::One(group) => std::slice::from_ref(group),
            Self::Many(groups) => groups,
        }
    }

    fn add(&mut self, group: u16) {
        match self {
            Self::One(first) if *first == group => {}
            Self::One(first) => *self = Self::Many(vec![*first, group]),
            Self::Many(groups) if groups.contains(&group) => {}
            Self::Many(groups) => groups.push(group),
        }
    }
}

impl Directory {
    /// Builds the view. Accounts of one provider are ordered by priority, then as given.
    pub fn new(accounts: Vec<Entry>, custom: Vec<CustomModel>, catalog: &Catalog) -> Self {
        let mut by_provider: BTreeMap<ProviderId, Vec<Entry>> = BTreeMap::new();
        for row in catalog.providers().filter(|row| row.tier == Tier::Demo) {
            by_provider.entry(row.id.clone()).or_default();
        }
        for entry in accounts {
            by_provider.entry(entry.provider.clone()).or_default().push(entry);
        }
        let mut custom_by_provider: HashMap<ProviderId, Vec<CustomModel>> = HashMap::new();
        for model in custom {
            custom_by_provider.entry(model.provider.clone()).or_default().push(model);
        }
        let mut directory = Self {
            catalog: catalog.clone(),
            groups: Vec::new(),
            own_prefixes: HashMap::new(),
            by_provider: HashMap::new(),
            owners: HashMap::new(),
        };
        for (provider, entries) in by_provider {
            let custom = custom_by_provider.remove(&provider).unwrap_or_default();
            directory.add(provider, entries, custom);
        }
        directory
    }

    fn add(&mut self, provider: ProviderId, entries: Vec<Entry>, custom: Vec<CustomModel>) {
        // More groups than that can't be told apart; the rest is left out rather than mixed up.
        let Ok(index) = u16::try_from(self.groups.len()) else { return };
        let row = self.catalog.provider(provider.as_str()).map(Arc::clone);
        let own = entries.iter().flat_map(|entry| &entry.prefixes).map(String::as_str);
        let id = row.is_none().then_some(provider.as_str());
        for prefix in own.chain(id) {
            if self.catalog.by_prefix(prefix).is_none() {
                self.own_prefixes.entry(prefix.into()).or_insert(index);
            }
        }
        let group = Group::new(index, provider, row, entries, custom);
        for model in group.model_ids() {
            self.owners.entry(model.clone()).and_modify(|owners| owners.add(index)).or_insert(Owners::One(index));
        }
        self.by_provider.insert(group.provider.clone(), index);
        self.groups.push(group);
    }

    fn group(&self, index: u16) -> Option<&Group> {
        self.groups.get(usize::from(index))
    }

    pub(crate) fn group_of(&self, provider: &ProviderId) -> Option<&Group> {
        self.by_provider.get(provider).and_then(|index| self.group(*index))
    }

    pub(crate) fn by_own_prefix(&self, prefix: &str) -> Option<&Group> {
        self.own_prefixes.get(prefix).and_then(|index| self.group(*index))
    }

    pub(crate) fn own_prefixes(&self) -> impl Iterator<Item = &str> {
        self.own_prefixes.keys().map(|prefix| &**prefix)
    }

    /// The connected groups that are known to have a model.
    pub(crate) fn connected_with(&self, model: &str) -> impl Iterator<Item = &Group> {
        let owners = self.owners.get(model).map_or(&[][..], Owners::as_slice);
        owners.iter().filter_map(|index| self.group(*index)).filter(|group| group.is_connected())
    }

    /// The shared id of a model of a group; `None` where the group is not known to have it.
    pub(crate) fn shared_id(&self, group: &Group, model: &str) -> Option<&ModelId> {
        let (id, owners) = self.owners.get_key_value(model)?;
        owners.as_slice().contains(&group.index).then_some(id)
    }
}

impl Group {
    fn new(
        index: u16,
        provider: ProviderId,
        row: Option<Arc<Provider>>,
        mut entries: Vec<Entry>,
        custom: Vec<CustomModel>,
    ) -> Self {
        entries.sort_by_key(|entry| entry.priority);
        let mut listed: Vec<ModelId> = entries.iter_mut().filter_map(|entry| entry.listed.take()).flatten().collect();
        listed.sort_unstable();
        listed.dedup();
        let mut names: Vec<&str> = entries.iter().filter_map(|entry| entry.variant.as_deref()).collect();
        names.sort_unstable();
        names.dedup();
        let variants = names.into_iter().map(|name| (name.into(), slots(&entries, Some(name)))).collect();
        Self {
            index,
            prefix: shown_prefix(&provider, row.as_deref(), &entries),
            targets: slots(&entries, None),
            variants,
            listed,
            custom,
            refusal: row.as_deref().and_then(unusable),
            mixed: row.as_ref().is_some_and(|row| row.models.iter().any(|model| model.wire.is_some())),
            provider,
            row,
        }
    }

    /// The targets for a prefix: a variant's own accounts where it has some, else the general ones.
    /// Without a variant in the name, accounts of variants stand in where there are no others.
    pub(crate) fn targets_for(&self, variant: Option<&str>) -> &Arc<[u32]> {
        let own = match variant {
            Some(variant) => self.variants.iter().find(|(name, _)| **name == *variant),
            None if self.targets.is_empty() => self.variants.first(),
            None => None,
        };
        own.map_or(&self.targets, |(_, targets)| targets)
    }

    /// Every model it is known to have; one may come up more than once.
    pub(crate) fn model_ids(&self) -> impl Iterator<Item = &ModelId> {
        let row = self.row.iter().flat_map(|row| row.models.iter()).map(|model| &model.id);
        row.chain(&self.listed).chain(self.custom.iter().map(|model| &model.model))
    }

    pub(crate) fn is_demo(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.tier == Tier::Demo)
    }

    /// Whether it can be asked at all: it has an account, or is the demo, which needs none.
    pub(crate) fn is_connected(&self) -> bool {
        self.refusal.is_none() && (self.is_demo() || !self.targets.is_empty() || !self.variants.is_empty())
    }

    /// Why one model can't be asked for although its provider can; `None` where it can.
    pub(crate) fn refuses(&self, model: &str) -> Option<Refusal> {
        let row = self.row.as_ref().filter(|_| self.mixed)?;
        let wire = row.model(model)?.wire.as_ref()?;
        let why = format!("speaks `{wire}` for `{model}`, which comes later");
        (wire.format() != Some(Format::OpenAiChat)).then(|| Refusal::Later { provider: self.provider.clone(), why })
    }

    /// A model's full name.
    pub(crate) fn full_name(&self, model: &str) -> String {
        format!("{}/{model}", self.prefix)
    }
}

/// The slots of the accounts connected under a variant's prefix, or under none; each once.
fn slots(entries: &[Entry], variant: Option<&str>) -> Arc<[u32]> {
    let mut seen = HashSet::new();
    let chosen = entries.iter().filter(|entry| entry.variant.as_deref() == variant).map(|entry| entry.slot);
    chosen.filter(|slot| seen.insert(*slot)).collect()
}

/// The prefix to show: the row's; where only variants are connected, the first of theirs; a node's own.
fn shown_prefix(provider: &ProviderId, row: Option<&Provider>, entries: &[Entry]) -> Box<str> {
    let general = entries.iter().any(|entry| entry.variant.is_none());
    let variant = entries.iter().filter_map(|entry| entry.variant.as_deref()).min();
    let own = entries.iter().find_map(|entry| entry.prefixes.first());
    match (row, variant) {
        (Some(_), Some(variant)) if !general => variant.into(),
        (Some(row), _) => row.prefix().into(),
        (None, _) => own.map_or_else(|| provider.as_str().into(), |prefix| prefix.as_str().into()),
    }
}
