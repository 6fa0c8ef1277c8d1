//! Accounts as requests and answers write them. The HTTP API calls an account a provider connection.

use std::collections::HashMap;

use omniroute_catalog::Catalog;
use omniroute_domain::{AccountId, NodeId, Secret};
use omniroute_store::{accounts, nodes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::iso;
use crate::verdict::{AccountModel, TestReply};

/// An account, without its credential.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection {
    id: String,
    /// The provider's id, or the kind of endpoint it is for.
    provider: String,
    name: String,
    /// `apikey` or `none`.
    #[schema(value_type = String, example = "apikey")]
    auth_type: &'static str,
    /// The login's address; always null until there are logins.
    email: Option<String>,
    /// The end of the key.
    key_hint: Option<String>,
    /// What stands before the slash of its models' names.
    prefix: String,
    /// The custom endpoint it is for.
    node_id: Option<String>,
    /// Lower comes first.
    priority: u32,
    is_active: bool,
    /// `unknown`, `ok` or `failed`.
    #[schema(value_type = String, example = "ok")]
    test_status: &'static str,
    /// Why it can't be used, else what its last test complained about.
    last_error: Option<String>,
    last_tested_at: Option<String>,
    /// Always null until there are cooldowns.
    rate_limited_until: Option<String>,
    /// Always null until there are logins.
    expires_at: Option<String>,
    default_model: Option<String>,
    provider_specific_data: ProviderData,
    created_at: String,
    updated_at: String,
}

/// What is particular to one account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProviderData {
    /// The address used for it, where it is not the provider's usual one.
    base_url: Option<String>,
    /// Whether the address may be on this machine or in the local network.
    local: bool,
}

/// All accounts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionList {
    pub(crate) connections: Vec<Connection>,
}

/// One account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionReply {
    pub(crate) connection: Connection,
    /// What the test of it found, where it was tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<TestReply>,
    /// What may be wrong although it was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<String>,
}

/// A thing that was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageReply {
    pub(crate) message: String,
}

/// The models of an account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectionModels {
    pub(crate) provider: String,
    pub(crate) connection_id: String,
    pub(crate) models: Vec<AccountModel>,
    /// Why the list is not the provider's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<String>,
}

/// An account to be connected.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// The provider's id or prefix, a custom endpoint's id or prefix, or `openai-compatible` with
    /// `prefix` and `baseUrl` for a new endpoint.
    pub(crate) provider: String,
    #[schema(value_type = Option<String>, format = Password, write_only)]
    pub(crate) api_key: Option<Secret>,
    /// 1 to 200 characters; the provider's name where absent.
    pub(crate) name: Option<String>,
    /// 1 to 100, lower comes first; after the provider's other accounts where absent.
    pub(crate) priority: Option<u32>,
    pub(crate) default_model: Option<String>,
    pub(crate) base_url: Option<String>,
    /// What is to stand before the slash of its models' names.
    pub(crate) prefix: Option<String>,
    /// The path of the chat endpoint, where it is not the usual one.
    pub(crate) chat_path: Option<String>,
    /// The path of the model list, where it is not the usual one.
    pub(crate) models_path: Option<String>,
    /// Whether the address may be on this machine or in the local network.
    pub(crate) local: Option<bool>,
    pub(crate) provider_specific_data: Option<ProviderDataChange>,
    /// Save it without testing it.
    pub(crate) no_test: Option<bool>,
    /// Save it even if the test fails.
    pub(crate) save_anyway: Option<bool>,
}

/// Changes to what is particular to one account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProviderDataChange {
    #[serde(default, deserialize_with = "crate::strict::patch")]
    #[schema(value_type = Option<String>)]
    pub(crate) base_url: Option<Option<String>>,
}

/// Changes to an account: what is absent stays, null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccountChange {
    pub(crate) name: Option<String>,
    #[schema(value_type = Option<String>, format = Password, write_only)]
    pub(crate) api_key: Option<Secret>,
    pub(crate) priority: Option<u32>,
    pub(crate) is_active: Option<bool>,
    #[serde(default, deserialize_with = "crate::strict::patch")]
    #[schema(value_type = Option<String>)]
    pub(crate) default_model: Option<Option<String>>,
    #[serde(default, deserialize_with = "crate::strict::patch")]
    #[schema(value_type = Option<String>)]
    pub(crate) base_url: Option<Option<String>>,
    pub(crate) local: Option<bool>,
    pub(crate) provider_specific_data: Option<ProviderDataChange>,
    /// Save it without testing it, where key or address change.
    pub(crate) no_test: Option<bool>,
    /// Save it even if the test fails.
    pub(crate) save_anyway: Option<bool>,
}

/// A credential to be tried without saving anything.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Trial {
    /// The provider's id or prefix, or `openai-compatible` with `baseUrl`.
    pub(crate) provider: String,
    #[schema(value_type = Option<String>, format = Password, write_only)]
    pub(crate) api_key: Option<Secret>,
    pub(crate) base_url: Option<String>,
    pub(crate) local: Option<bool>,
    /// A model to ask where the provider lists none.
    pub(crate) validation_model_id: Option<String>,
}

/// An address of one's own to be tried without saving anything.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NodeTrial {
    /// `openai-compatible` where absent.
    #[serde(rename = "type")]
    kind: Option<String>,
    base_url: String,
    #[schema(value_type = Option<String>, format = Password, write_only)]
    api_key: Option<Secret>,
    local: Option<bool>,
    /// A model to ask where the address lists none.
    validation_model_id: Option<String>,
}

impl From<NodeTrial> for Trial {
    fn from(ask: NodeTrial) -> Self {
        Self {
            provider: ask.kind.unwrap_or_else(|| "openai-compatible".to_owned()),
            api_key: ask.api_key,
            base_url: Some(ask.base_url),
            local: ask.local,
            validation_model_id: ask.validation_model_id,
        }
    }
}

/// What accounts are shown with.
pub(crate) struct Surroundings<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) nodes: &'a HashMap<NodeId, nodes::Node>,
    /// The active accounts that can't be used, and why.
    pub(crate) unusable: &'a HashMap<AccountId, String>,
}

/// An account as answers write it.
pub(crate) fn show(account: &accounts::Account, around: &Surroundings<'_>) -> Connection {
    let node = account.node.as_ref().and_then(|id| around.nodes.get(id));
    let base_url = account.base_url.clone().or_else(|| node.map(|node| node.base_url.clone()));
    let unusable = around.unusable.get(&account.id);
    let test_status = unusable.map_or(account.test_status, |_| accounts::TestStatus::Failed);
    Connection {
        id: account.id.to_string(),
        provider: account.provider.to_string(),
        name: account.name.clone(),
        auth_type: if account.auth_kind == "none" { "none" } else { "apikey" },
        email: None,
        key_hint: account.key_hint.clone(),
        prefix: prefix(account, node, around.catalog),
        node_id: account.node.as_ref().map(ToString::to_string),
        priority: account.priority,
        is_active: account.is_active,
        test_status: test_status.as_str(),
        last_error: unusable.or(account.test_error.as_ref()).cloned(),
        last_tested_at: account.tested_at.map(iso),
        rate_limited_until: None,
        expires_at: None,
        default_model: account.default_model.as_ref().map(ToString::to_string),
        provider_specific_data: ProviderData { base_url, local: account.local || node.is_some_and(|node| node.local) },
        created_at: iso(account.created_at),
        updated_at: iso(account.updated_at),
    }
}

fn prefix(account: &accounts::Account, node: Option<&nodes::Node>, catalog: &Catalog) -> String {
    if let Some(node) = node {
        return node.prefix.clone();
    }
    let Some(row) = catalog.provider(account.provider.as_str()) else { return account.provider.to_string() };
    let variant = account.base_url.as_deref().and_then(|url| row.variant_at(url));
    variant.map_or_else(|| row.prefix().to_owned(), |variant| variant.prefix.to_string())
}
