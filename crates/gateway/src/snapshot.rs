//! What a request may read: one immutable view of the configuration, replaced whole on every change.

use std::collections::HashMap;
use std::sync::Arc;

use omniroute_catalog::Catalog;
use omniroute_domain::{KeyId, Price};
use omniroute_routing::Directory;
use omniroute_upstream::Account;

/// What a client key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Ask models.
    Chat,
    /// Change the configuration.
    Manage,
}

impl Scope {
    /// The scope's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Manage => "manage",
        }
    }

    /// The scope of a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Chat, Self::Manage].into_iter().find(|scope| scope.as_str() == name)
    }
}

/// A client key that is in force.
#[derive(Clone, Debug)]
pub struct ClientKey {
    /// The key's id.
    pub id: KeyId,
    /// The name the user gave it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends, in Unix milliseconds.
    pub expires_at: Option<i64>,
}

/// The configuration as one request sees it.
pub struct Snapshot {
    /// Client keys in force, by the SHA-256 of the key.
    pub keys: HashMap<[u8; 32], Arc<ClientKey>>,
    /// Which names lead where.
    pub directory: Directory,
    /// The accounts; routing names them by their place in this list.
    pub accounts: Vec<Arc<Account>>,
    /// Providers, models and prices.
    pub catalog: Arc<Catalog>,
}

/// A list price and the day it was checked.
#[derive(Clone, Debug)]
pub struct DatedPrice {
    /// The price.
    pub price: Price,
    /// The day, as `YYYY-MM-DD`.
    pub checked: String,
}

impl Snapshot {
    /// The list price of a provider's model, where one is known.
    pub fn price(&self, provider: &str, model: &str) -> Option<DatedPrice> {
        let model = self.catalog.provider(provider)?.model(model)?;
        model.price.map(|price| DatedPrice { price, checked: model.checked.to_string() })
    }
}
