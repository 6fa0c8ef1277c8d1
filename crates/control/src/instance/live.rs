//! From the database to the snapshot that requests read.
//!
//! An account whose row did not change keeps its place in memory: changing one of a thousand opens one
//! sealed key, not a thousand. An account that can't be used is left out and said in the log; it
//! never stops the others.

use std::collections::HashMap;
use std::sync::Arc;

use omniroute_catalog::{Catalog, Kind, Tier};
use omniroute_domain::{AccountId, ModelId, NodeId, ProviderId};
use omniroute_gateway::{ClientKey, Scope, Snapshot};
use omniroute_routing::{CustomModel, Directory, Entry};
use omniroute_store::{CoreDb, StoreError, accounts, custom_models, keys, nodes};
use omniroute_upstream::address::Reach;
use omniroute_upstream::{Account, AccountSpec};
use omniroute_vault::Vault;

use crate::connect::{self, Unusable, provider_id};
use crate::seen_models;

/// Accounts as they are connected, by their id.
#[derive(Default)]
pub(super) struct Connected {
    accounts: HashMap<AccountId, Connection>,
    /// The active ones that can't be used, and why.
    pub(super) unusable: HashMap<AccountId, String>,
}

/// An account and the rows it was made of.
struct Connection {
    row: accounts::Account,
    node: Option<nodes::Node>,
    account: Arc<Account>,
}

/// Everything the database says, in one state.
struct Rows {
    accounts: Vec<accounts::Account>,
    nodes: HashMap<NodeId, nodes::Node>,
    keys: Vec<keys::Key>,
    custom: Vec<custom_models::CustomModel>,
    seen: HashMap<AccountId, Vec<ModelId>>,
}

/// Accounts in the order of their slots, and how routing finds them.
#[derive(Default)]
struct Slots {
    accounts: Vec<Arc<Account>>,
    entries: Vec<Entry>,
}

impl Connected {
    /// Reads the database and connects what is new or changed.
    pub(super) fn rebuild(
        &mut self,
        core: &CoreDb,
        vault: &Vault,
        catalog: &Arc<Catalog>,
    ) -> Result<Snapshot, StoreError> {
        let mut rows = read(core)?;
        let custom = custom_of(&rows, catalog);
        let keys = keys_of(&rows);
        let mut slots = Slots::default();
        let mut before = std::mem::take(&mut self.accounts);
        let mut unusable = HashMap::new();
        for row in std::mem::take(&mut rows.accounts).into_iter().filter(|row| row.is_active) {
            let node = row.node.as_ref().and_then(|id| rows.nodes.get(id));
            let known = before.remove(&row.id).filter(|known| known.row == row && known.node.as_ref() == node);
            let connection = match known {
                Some(known) => known,
                None => match connect::saved(&row, node, (vault, catalog)) {
                    Ok(account) => Connection { account: Arc::new(account), node: node.cloned(), row },
                    Err(why) => {
                        let text = why.to_string();
                        // Said once, not at every change of something else.
                        if self.unusable.get(&row.id) != Some(&text) {
                            left_out(&row, &why);
                        }
                        unusable.insert(row.id, text);
                        continue;
                    }
                },
            };
            slots.add(&connection, catalog, rows.seen.remove(&connection.row.id));
            self.accounts.insert(connection.row.id.clone(), connection);
        }
        self.unusable = unusable;
        slots.add_demos(catalog);
        let directory = Directory::new(slots.entries, custom, catalog);
        Ok(Snapshot { keys, directory, accounts: slots.accounts, catalog: Arc::clone(catalog) })
    }
}

fn left_out(row: &accounts::Account, why: &Unusable) {
    tracing::warn!(account = %row.id, provider = %row.provider, %why, "An account can't be used.");
}

impl Slots {
    fn add(&mut self, connection: &Connection, catalog: &Catalog, seen: Option<Vec<ModelId>>) {
        let row = &connection.row;
        let variant = row.base_url.as_deref().filter(|_| connection.node.is_none()).and_then(|url| {
            let variant = catalog.provider(row.provider.as_str())?.variant_at(url)?;
            Some(variant.prefix.to_string())
        });
        self.push(Arc::clone(&connection.account), |slot| Entry {
            account: row.id.clone(),
            provider: connection.account.provider.clone(),
            prefixes: connection.node.iter().map(|node| node.prefix.clone()).collect(),
            variant,
            priority: row.priority,
            slot,
            listed: seen,
        });
    }

    /// The demo needs no account of a person's: it is always connected.
    fn add_demos(&mut self, catalog: &Catalog) {
        for row in catalog.providers().filter(|row| row.tier == Tier::Demo) {
            let spec = AccountSpec {
                id: AccountId::from(row.id.as_str()),
                provider: row.id.clone(),
                name: row.name.to_string(),
                row,
                base_url: None,
                chat_path: None,
                models_path: None,
                reach: Reach::Local,
            };
            let Ok(account) = Account::connect(spec, None) else { continue };
            self.push(Arc::new(account), |slot| Entry {
                account: AccountId::from(row.id.as_str()),
                provider: row.id.clone(),
                prefixes: Vec::new(),
                variant: None,
                priority: 1,
                slot,
                listed: None,
            });
        }
    }

    fn push(&mut self, account: Arc<Account>, entry: impl FnOnce(u32) -> Entry) {
        // More accounts than that do not fit into memory either.
        let Ok(slot) = u32::try_from(self.accounts.len()) else { return };
        self.accounts.push(account);
        self.entries.push(entry(slot));
    }
}

fn read(core: &CoreDb) -> Result<Rows, StoreError> {
    core.read(|from| {
        Ok(Rows {
            accounts: accounts::list(from)?,
            nodes: nodes::list(from)?.into_iter().map(|node| (node.id.clone(), node)).collect(),
            keys: keys::list(from)?,
            custom: custom_models::list(from)?,
            seen: seen_models::all(from)?,
        })
    })
}

fn keys_of(rows: &Rows) -> HashMap<[u8; 32], Arc<ClientKey>> {
    let in_force = rows.keys.iter().filter(|key| key.is_active);
    let entry = |key: &keys::Key| {
        let scopes = key.scopes.split(',').filter_map(Scope::parse).collect();
        let client = ClientKey { id: key.id.clone(), name: key.name.clone(), scopes, expires_at: key.expires_at };
        (key.hash, Arc::new(client))
    };
    in_force.map(entry).collect()
}

fn custom_of(rows: &Rows, catalog: &Catalog) -> Vec<CustomModel> {
    let provider = |stored: &ProviderId| match rows.nodes.get(stored.as_str()) {
        Some(node) => provider_id(node, catalog),
        None => stored.clone(),
    };
    let model = |row: &custom_models::CustomModel| CustomModel {
        provider: provider(&row.provider),
        model: row.model_id.clone(),
        name: row.name.clone(),
        kind: kind_of(row, catalog),
        hidden: row.hidden,
    };
    rows.custom.iter().map(model).collect()
}

/// What a model is for: by the API it is asked with, else what the catalog says.
fn kind_of(row: &custom_models::CustomModel, catalog: &Catalog) -> Kind {
    let in_catalog = || catalog.provider(row.provider.as_str())?.model(row.model_id.as_str()).map(|model| model.kind);
    match row.api_format.as_deref() {
        Some("embeddings") => Kind::Embedding,
        Some("audio-transcriptions") => Kind::Transcription,
        Some("audio-speech") => Kind::Speech,
        Some("images-generations") => Kind::Image,
        Some(_) => Kind::Chat,
        None => in_catalog().unwrap_or_default(),
    }
}
