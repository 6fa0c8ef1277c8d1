//! From what a person asked for to the rows of a new account, checked as far as the database and the
//! catalog can.

use std::sync::Arc;

use omniroute_catalog::{Catalog, Provider, Tier, Variant};
use omniroute_domain::{AccountId, ModelId, NodeId, Secret};
use omniroute_store::accounts::{Account, TestStatus};
use omniroute_store::nodes::Node;
use omniroute_store::{Reader, accounts, nodes};
use omniroute_upstream::address::read_base;

use crate::accounts::shape::{NewAccount, Trial};
use crate::clock::{new_id, now_ms};
use crate::problem::{Problem, not_ready};
use crate::{nodes as endpoints, rules, url_guard};

/// An account that is not saved yet.
pub(crate) struct Draft {
    /// Its row, without its credential.
    pub(crate) account: Account,
    /// Its catalog row.
    pub(crate) row: Arc<Provider>,
    /// The endpoint it is for, and what has to be done with that.
    pub(crate) node: Option<(Node, Step)>,
    /// Its credential.
    pub(crate) key: Option<Secret>,
}

/// What has to be done with an account's endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is there.
    Keep,
    /// It is new.
    Insert,
    /// It has no accounts and moves to another address.
    Move,
}

/// Where an account goes.
enum Target<'a> {
    /// To a provider of the catalog, under one of its prefixes.
    Provider(&'a Arc<Provider>, Option<&'a Variant>),
    /// To an endpoint that is there.
    Node(Node),
    /// To an endpoint that is to be made.
    NewNode(&'a Arc<Provider>),
}

/// Everything that is there already.
struct Present {
    accounts: Vec<Account>,
    nodes: Vec<Node>,
}

impl Draft {
    /// Checks a wish and fills in what it leaves open.
    pub(crate) fn make(ask: NewAccount, from: &Reader<'_>, catalog: &Catalog) -> Result<Self, Problem> {
        let present = Present { accounts: accounts::list(from)?, nodes: nodes::list(from)? };
        Self::beside(ask, &present, catalog)
    }

    fn beside(ask: NewAccount, present: &Present, catalog: &Catalog) -> Result<Self, Problem> {
        let (row, variant, node) = match target(&ask, present, catalog)? {
            Target::Provider(row, variant) => (Arc::clone(row), variant, None),
            Target::Node(node) => (endpoints::row(&node, catalog)?, None, Some((node, Step::Keep))),
            Target::NewNode(row) => (Arc::clone(row), None, Some(node(&ask, row, (present, catalog))?)),
        };
        let typed = given_address(&ask).filter(|_| !matches!(node, Some((_, Step::Insert | Step::Move))));
        let node_is_local = node.as_ref().is_some_and(|(node, _)| node.local);
        let reach = url_guard::reach(Some(ask.local == Some(true) || row.local || node_is_local));
        let base_url = typed.map(|typed| read_base(typed, reach)).transpose()?;
        let base_url = base_url.or_else(|| variant.map(|variant| variant.base_url.to_string()));
        let same_as_node = node.as_ref().is_some_and(|(node, _)| base_url.as_ref() == Some(&node.base_url));
        let siblings = siblings(present, &row, node.as_ref().map(|(node, _)| &node.id));
        let now = now_ms();
        let account = Account {
            id: AccountId::from(new_id()),
            provider: row.id.clone(),
            node: node.as_ref().map(|(node, _)| node.id.clone()),
            name: name(&ask, &row, (node.as_ref().map(|(node, _)| node), &siblings))?,
            auth_kind: if has_key(&ask) { "api-key" } else { "none" }.to_owned(),
            sealed: None,
            key_hint: None,
            base_url: base_url.filter(|_| !same_as_node),
            local: ask.local == Some(true),
            priority: priority(&ask, &siblings)?,
            is_active: true,
            default_model: default_model(&ask)?,
            test_status: TestStatus::Unknown,
            test_error: None,
            tested_at: None,
            created_at: now,
            updated_at: now,
        };
        Ok(Self { account, row, node, key: ask.api_key.filter(|key| !key.is_empty()) })
    }
}

/// The address a person gave, in either of its two places.
pub(crate) fn given_address(ask: &NewAccount) -> Option<&str> {
    let particular = ask.provider_specific_data.as_ref().and_then(|data| data.base_url.as_ref()?.as_deref());
    ask.base_url.as_deref().or(particular).map(str::trim).filter(|typed| !typed.is_empty())
}

fn default_model(ask: &NewAccount) -> Result<Option<ModelId>, Problem> {
    let typed = ask.default_model.as_deref();
    Ok(typed.map(|typed| rules::model_id(typed, "defaultModel")).transpose()?.map(ModelId::from))
}

fn has_key(ask: &NewAccount) -> bool {
    ask.api_key.as_ref().is_some_and(|key| !key.is_empty())
}

fn target<'a>(ask: &NewAccount, present: &Present, catalog: &'a Catalog) -> Result<Target<'a>, Problem> {
    let wanted = ask.provider.trim();
    let Some((row, variant)) = catalog.by_prefix(wanted) else {
        let node = present.nodes.iter().find(|node| node.id.as_str() == wanted || node.prefix == wanted);
        return node.cloned().map(Target::Node).ok_or_else(|| unknown(wanted));
    };
    if row.tier == Tier::Demo {
        return Err(Problem::conflict("always_connected", "the demo needs no account; it is always connected"));
    }
    if !row.readiness().can_connect() {
        return Err(not_ready(wanted, &row.readiness()));
    }
    if row.template {
        return Ok(Target::NewNode(row));
    }
    if ask.prefix.is_some() || ask.chat_path.is_some() || ask.models_path.is_some() {
        let text = format!("`{wanted}` has its own prefix and paths; give them with `openai-compatible` only");
        return Err(Problem::invalid("prefix_not_allowed", text).field("prefix"));
    }
    Ok(Target::Provider(row, variant))
}

fn unknown(wanted: &str) -> Problem {
    let wanted: String = wanted.chars().take(60).collect();
    let text = format!(
        "there is no provider `{wanted}`; for an address of your own use `openai-compatible` with a prefix and a base URL"
    );
    Problem::unprocessable("provider_unknown", text).field("provider")
}

/// The endpoint of a new account: a new one, one that is there, or one that moves.
fn node(ask: &NewAccount, row: &Provider, (present, catalog): (&Present, &Catalog)) -> Result<(Node, Step), Problem> {
    let Some(prefix) = ask.prefix.as_deref() else {
        let text = "an address of your own needs a `prefix`; models are then `prefix/model`";
        return Err(Problem::unprocessable("prefix_missing", text).field("prefix"));
    };
    let prefix = rules::prefix(prefix)?;
    let there = present.nodes.iter().find(|node| node.prefix.eq_ignore_ascii_case(&prefix));
    let Some(typed) = given_address(ask) else {
        let text = "an address of your own needs a `baseUrl`, e.g. `https://api.example.com/v1`";
        return there
            .cloned()
            .map(|node| (node, Step::Keep))
            .ok_or_else(|| Problem::unprocessable("base_url_missing", text).field("baseUrl"));
    };
    let base_url = read_base(typed, url_guard::reach(ask.local))?;
    let now = now_ms();
    let fresh = Node {
        id: NodeId::from(new_id()),
        name: ask.name.as_deref().map(rules::name).transpose()?.unwrap_or_else(|| prefix.clone()),
        prefix,
        kind: endpoints::kind_of(row.id.as_str()).ok_or_else(Problem::defect)?,
        api_type: None,
        base_url,
        chat_path: ask.chat_path.as_deref().map(|path| rules::path(path, "chatPath")).transpose()?,
        models_path: ask.models_path.as_deref().map(|path| rules::path(path, "modelsPath")).transpose()?,
        local: ask.local == Some(true),
        created_at: now,
        updated_at: now,
    };
    let Some(there) = there else {
        endpoints::check_free(&fresh.prefix, catalog)?;
        return Ok((fresh, Step::Insert));
    };
    if there.base_url == fresh.base_url && there.kind == fresh.kind {
        return Ok((there.clone(), Step::Keep));
    }
    if present.accounts.iter().any(|account| account.node.as_ref() == Some(&there.id)) {
        return Err(endpoints::taken(&there.prefix, &there.base_url));
    }
    Ok((Node { id: there.id.clone(), created_at: there.created_at, ..fresh }, Step::Move))
}

/// The accounts a new one stands beside.
fn siblings<'a>(present: &'a Present, row: &Provider, node: Option<&NodeId>) -> Vec<&'a Account> {
    let beside = |account: &&Account| account.provider == row.id && account.node.as_ref() == node;
    present.accounts.iter().filter(beside).collect()
}

fn name(ask: &NewAccount, row: &Provider, (node, siblings): (Option<&Node>, &[&Account])) -> Result<String, Problem> {
    if let Some(name) = &ask.name {
        return rules::name(name);
    }
    let usual = node.map_or(&*row.name, |node| node.name.as_str());
    let is_free = |name: &str| siblings.iter().all(|account| account.name != name);
    if is_free(usual) {
        return Ok(usual.to_owned());
    }
    let numbered = (2..).map(|number| format!("{usual} {number}")).find(|name| is_free(name));
    Ok(numbered.unwrap_or_else(|| usual.to_owned()))
}

fn priority(ask: &NewAccount, siblings: &[&Account]) -> Result<u32, Problem> {
    let last = siblings.iter().map(|account| account.priority).max().unwrap_or(0);
    ask.priority.map_or(Ok((last + 1).min(*rules::PRIORITIES.end())), rules::priority)
}

/// What is tried without being saved: an account, its endpoint, its catalog row and its credential.
pub(crate) type Trying = (Account, Option<Node>, Arc<Provider>, Option<Secret>);

/// Checks a trial. It is drafted as an account in an empty database would be.
pub(crate) fn trial(ask: Trial, catalog: &Catalog) -> Result<Trying, Problem> {
    let is_own = catalog.by_prefix(ask.provider.trim()).is_some_and(|(row, _)| row.template);
    let ask = NewAccount {
        provider: ask.provider,
        api_key: ask.api_key,
        name: None,
        priority: None,
        default_model: ask.validation_model_id,
        base_url: ask.base_url,
        prefix: is_own.then(|| "trial".to_owned()),
        chat_path: None,
        models_path: None,
        local: ask.local,
        provider_specific_data: None,
        no_test: None,
        save_anyway: None,
    };
    let nothing = Present { accounts: Vec::new(), nodes: Vec::new() };
    let draft = Draft::beside(ask, &nothing, catalog)?;
    Ok((draft.account, draft.node.map(|(node, _)| node), draft.row, draft.key))
}
