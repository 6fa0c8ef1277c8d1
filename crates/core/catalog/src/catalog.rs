//! All providers, found by id and by prefix.
//!
//! A prefix leads to one provider only. Cloning is cheap; nothing changes after it is built.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use omniroute_domain::ProviderId;

use crate::overrides::{self, Warning};
use crate::provider::{Provider, Variant};
use crate::row::Row;

/// The rows that were compiled in, as the build script wrote them: one JSON array.
const BUILTIN: &str = include_str!(concat!(env!("OUT_DIR"), "/providers.json"));

/// All providers.
#[derive(Clone, Debug)]
pub struct Catalog {
    tables: Arc<Tables>,
}

#[derive(Debug)]
struct Tables {
    /// In display order.
    providers: Vec<Arc<Provider>>,
    by_id: HashMap<ProviderId, usize>,
    by_prefix: HashMap<Box<str>, usize>,
}

impl Catalog {
    /// The rows compiled into the program.
    pub fn builtin() -> Self {
        // Tests hold that every row can be read and is sound, so nothing is left out here.
        let rows: Vec<Row> = serde_json::from_str(BUILTIN).unwrap_or_default();
        let sound = rows.into_iter().filter_map(|row| row.check().ok()).map(Arc::new).collect();
        Self::assemble(sound, Vec::new()).0
    }

    /// Takes over rows from the data folder (file name and text): one that is not older replaces the
    /// row of the same id, one with a new id joins. What can't be used is named in the warnings.
    pub fn overridden(self, files: Vec<(String, String)>) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let mut known = self.tables.providers.clone();
        let mut fresh: Vec<Arc<Provider>> = Vec::new();
        for (file, text) in files {
            match overrides::read(&file, &text).and_then(|row| self.admit(&file, row)) {
                Ok(row) => {
                    known.retain(|old| old.id != row.id);
                    fresh.retain(|old| old.id != row.id);
                    fresh.push(Arc::new(row));
                }
                Err(warning) => warnings.push(warning),
            }
        }
        let (catalog, taken) = Self::assemble(known, fresh);
        warnings.extend(taken);
        (catalog, warnings)
    }

    /// Refuses a row that is older than the one in use, or whose id is another provider's prefix.
    fn admit(&self, file: &str, row: Provider) -> Result<Provider, Warning> {
        let warn = |message: String| Err(Warning { file: file.to_owned(), line: None, message });
        match self.provider(row.id.as_str()) {
            Some(known) if row.checked < known.checked => warn(format!(
                "the row was checked {}, the one in use {}; the older row is not used",
                row.checked, known.checked
            )),
            Some(_) => Ok(row),
            None => match self.by_prefix(row.id.as_str()) {
                Some((owner, _)) => {
                    warn(format!("id `{}` is a prefix of `{}` already; the row is not used", row.id, owner.id))
                }
                None => Ok(row),
            },
        }
    }

    /// Orders the rows and builds the tables. A prefix that is taken stays with its first owner, and
    /// compiled-in rows come first.
    fn assemble(known: Vec<Arc<Provider>>, fresh: Vec<Arc<Provider>>) -> (Self, Vec<Warning>) {
        let fresh_ids: HashSet<ProviderId> = fresh.iter().map(|row| row.id.clone()).collect();
        let mut providers: Vec<Arc<Provider>> = known.into_iter().chain(fresh).collect();
        providers.sort_by(|a, b| (a.tier, &a.id).cmp(&(b.tier, &b.id)));
        let by_id = providers.iter().enumerate().map(|(index, row)| (row.id.clone(), index)).collect();
        let ids = providers.iter().enumerate().map(|(index, row)| (Box::from(row.id.as_str()), index));
        let mut by_prefix: HashMap<Box<str>, usize> = ids.collect();
        let mut warnings = Vec::new();
        let order = |is_fresh: bool| {
            let ids = &fresh_ids;
            providers.iter().enumerate().filter(move |(_, row)| ids.contains(&row.id) == is_fresh)
        };
        for (index, row) in order(false).chain(order(true)) {
            for prefix in row.all_prefixes() {
                let owner = *by_prefix.entry(prefix.into()).or_insert(index);
                if owner != index {
                    warnings.push(taken(row, prefix, providers.get(owner)));
                }
            }
        }
        (Self { tables: Arc::new(Tables { providers, by_id, by_prefix }) }, warnings)
    }

    /// The provider of that id.
    pub fn provider(&self, id: &str) -> Option<&Arc<Provider>> {
        self.tables.by_id.get(id).and_then(|index| self.tables.providers.get(*index))
    }

    /// All providers in the order they are shown in.
    pub fn providers(&self) -> impl ExactSizeIterator<Item = &Arc<Provider>> {
        self.tables.providers.iter()
    }

    /// The provider a prefix of a model name leads to: its id, one of its prefixes, or one of its
    /// variants', which is then named too.
    pub fn by_prefix(&self, prefix: &str) -> Option<(&Arc<Provider>, Option<&Variant>)> {
        let index = self.tables.by_prefix.get(prefix)?;
        let provider = self.tables.providers.get(*index)?;
        Some((provider, provider.variant(prefix)))
    }
}

fn taken(provider: &Provider, prefix: &str, owner: Option<&Arc<Provider>>) -> Warning {
    let owner = owner.map_or("another provider", |owner| owner.id.as_str());
    Warning {
        file: format!("{}.toml", provider.id),
        line: None,
        message: format!("prefix `{prefix}` belongs to `{owner}` already and keeps leading there"),
    }
}

#[cfg(test)]
mod tests;
