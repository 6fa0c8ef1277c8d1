//! The first client key: made once in a data folder's life, so that a newcomer can begin. Someone who
//! removes all keys wants nobody to get in, and gets no new one.

use omniroute_domain::KeyId;
use omniroute_gateway::Scope;
use omniroute_store::{keys, meta};
use omniroute_vault::client_key;

use crate::clock::{new_id, now_ms};
use crate::error::StartError;
use crate::instance::Instance;
use crate::principal::Principal;

const MADE: &str = "first_key.made";

impl Instance {
    /// Makes the first client key where none was ever made here, and returns it, this once. Blocks.
    pub(crate) fn issue_first_key(&self) -> Result<Option<String>, StartError> {
        if self.core().read(|from| meta::get(from, MADE))?.is_some() {
            return Ok(None);
        }
        let key = client_key::issue()?;
        let row = keys::Key {
            id: KeyId::from(new_id()),
            name: "first key".to_owned(),
            hash: key.hash,
            prefix: key.prefix.clone(),
            last4: key.last4.clone(),
            scopes: Scope::Chat.as_str().to_owned(),
            is_active: true,
            created_at: now_ms(),
            rotated_at: None,
            expires_at: None,
        };
        self.core().write(|to| {
            keys::insert(to, &row)?;
            meta::set(to, MADE, row.id.as_str())
        })?;
        self.refresh()?;
        self.audit(&Principal::LocalUi, "key.create", row.id.as_str(), Some("the first key".to_owned()));
        Ok(Some(key.show_once()))
    }
}
