//! From an account's rows to an account that can be asked.

use http::Uri;
use omniroute_catalog::{Catalog, Endpoint, Provider};
use omniroute_domain::{ProviderId, Secret};
use omniroute_store::{accounts, nodes};
use omniroute_upstream::address::Reach;
use omniroute_upstream::{Account, AccountSpec, ConnectError};
use omniroute_vault::{Place, Sealed, Vault, VaultError};

/// Why a saved account can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// Its provider is not in the catalog any more.
    #[error(
        "the provider `{0}` is not in the catalog any more; put its row `providers/{0}.toml` back into the data folder and start again, or remove the account"
    )]
    NoProvider(ProviderId),
    /// Its credential can't be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Its address or key is no use.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// Where an account's credential is sealed.
pub(crate) fn place(account: &accounts::Account) -> Place<'_> {
    Place { table: "accounts", column: "sealed", row: account.id.as_str() }
}

/// Opens an account's credential, where it has one.
pub(crate) fn open_key(account: &accounts::Account, vault: &Vault) -> Result<Option<Secret>, VaultError> {
    let sealed = account.sealed.as_ref().map(Sealed::from_text);
    sealed.map(|sealed| vault.open_sealed(place(account), &sealed)).transpose()
}

/// Connects a saved account.
pub(crate) fn saved(
    account: &accounts::Account,
    node: Option<&nodes::Node>,
    (vault, catalog): (&Vault, &Catalog),
) -> Result<Account, Unusable> {
    let row = row_of(account, catalog)?;
    let provider = node.map_or_else(|| account.provider.clone(), |node| provider_id(node, catalog));
    let key = open_key(account, vault)?;
    Ok(Account::connect(spec(account, node, row, provider), key.as_ref())?)
}

/// Connects an account that is not saved yet.
pub(crate) fn unsaved(
    account: &accounts::Account,
    node: Option<&nodes::Node>,
    row: &Provider,
    key: Option<&Secret>,
) -> Result<Account, ConnectError> {
    let provider = node.map_or_else(|| account.provider.clone(), |node| ProviderId::from(node.prefix.as_str()));
    Account::connect(spec(account, node, row, provider), key)
}

/// The catalog row of an account; a node's accounts have their kind's.
pub(crate) fn row_of<'a>(account: &accounts::Account, catalog: &'a Catalog) -> Result<&'a Provider, Unusable> {
    let row = catalog.provider(account.provider.as_str()).map(|row| &**row);
    row.ok_or_else(|| Unusable::NoProvider(account.provider.clone()))
}

/// The address an account's credential goes to.
pub(crate) fn address(account: &accounts::Account, node: Option<&nodes::Node>, row: &Provider) -> Option<String> {
    let given = account.base_url.clone().or_else(|| node.map(|node| node.base_url.clone()));
    given.or_else(|| row.chat.as_ref().map(Endpoint::url))
}

/// Whether two addresses have scheme, host and port in common. What can't be read has nothing in common.
pub(crate) fn same_origin(a: &str, b: &str) -> bool {
    let origin = |url: &str| {
        let uri: Uri = url.parse().ok()?;
        let usual = if uri.scheme_str()? == "https" { 443 } else { 80 };
        Some((uri.scheme_str()?.to_owned(), uri.host()?.to_ascii_lowercase(), uri.port_u16().unwrap_or(usual)))
    };
    origin(a).is_some_and(|a| Some(a) == origin(b))
}

/// The name a node goes by where requests are routed and counted: its prefix, so that figures can be
/// read, unless a provider of the catalog came to own that prefix.
pub(crate) fn provider_id(node: &nodes::Node, catalog: &Catalog) -> ProviderId {
    match catalog.by_prefix(&node.prefix) {
        Some(_) => ProviderId::from(node.id.as_str()),
        None => ProviderId::from(node.prefix.as_str()),
    }
}

/// How far an account may reach: as far as the person said, or as a provider on the own machine needs.
pub(crate) fn reach(account: &accounts::Account, node: Option<&nodes::Node>, row: &Provider) -> Reach {
    let is_local = account.local || row.local || node.is_some_and(|node| node.local);
    if is_local { Reach::Local } else { Reach::Public }
}

fn spec<'a>(
    account: &'a accounts::Account,
    node: Option<&'a nodes::Node>,
    row: &'a Provider,
    provider: ProviderId,
) -> AccountSpec<'a> {
    AccountSpec {
        id: account.id.clone(),
        provider,
        name: account.name.clone(),
        row,
        base_url: account.base_url.as_deref().or(node.map(|node| node.base_url.as_str())),
        chat_path: node.and_then(|node| node.chat_path.as_deref()),
        models_path: node.and_then(|node| node.models_path.as_deref()),
        reach: reach(account, node, row),
    }
}
