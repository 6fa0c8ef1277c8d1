//! Changing an account.

use omniroute_domain::{ModelId, Secret};
use omniroute_store::accounts;
use omniroute_store::accounts::Account;
use omniroute_store::nodes::Node;
use omniroute_upstream::address::read_base;
use omniroute_upstream::probe::SeenModel;

use crate::accounts::shape::{AccountChange, Connection};
use crate::accounts::{find, node_of, seal, shown};
use crate::clock::now_ms;
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::verdict::TestReply;
use crate::{connect, rules, seen_models};

/// A change that was checked.
pub(super) struct Plan {
    /// The account as it is to be, with its old credential still.
    pub(super) account: Account,
    pub(super) node: Option<Node>,
    /// The credential it is to be used with: the new one, else the old one.
    pub(super) key: Option<Secret>,
    is_new_key: bool,
    /// Whether key or address change.
    pub(super) needs_test: bool,
    changed: Vec<&'static str>,
}

impl Plan {
    /// Checks a change. Blocks.
    pub(super) fn make(instance: &Instance, id: &str, ask: AccountChange) -> Result<Self, Problem> {
        let mut account = find(instance, id)?;
        let node = node_of(instance, &account)?;
        let mut changed = Vec::new();
        change_plain(&mut account, &ask, &mut changed)?;
        let new_key = ask.api_key.filter(|key| !key.is_empty());
        if new_key.is_some() {
            changed.push("apiKey");
        }
        if let Some(local) = ask.local {
            account.local = local;
            changed.push("local");
        }
        if let Some(typed) = ask.base_url.or_else(|| ask.provider_specific_data?.base_url) {
            let row = connect::row_of(&account, instance.catalog()).ok_or_else(Problem::defect)?;
            let reach = connect::reach(&account, node.as_ref(), row);
            account.base_url = typed.map(|typed| read_base(&typed, reach)).transpose()?;
            changed.push("baseUrl");
        }
        if changed.is_empty() {
            return Err(Problem::invalid("no_changes", "the request changes nothing; name at least one field"));
        }
        account.updated_at = now_ms();
        let needs_test = changed.iter().any(|field| matches!(*field, "apiKey" | "local" | "baseUrl"));
        let is_new_key = new_key.is_some();
        let key = match new_key {
            Some(key) => Some(key),
            None if needs_test => connect::open_key(&account, instance.vault())?,
            None => None,
        };
        Ok(Self { account, node, key, is_new_key, needs_test, changed })
    }
}

/// Takes over what needs no test.
fn change_plain(account: &mut Account, ask: &AccountChange, changed: &mut Vec<&'static str>) -> Result<(), Problem> {
    if let Some(name) = &ask.name {
        account.name = rules::name(name)?;
        changed.push("name");
    }
    if let Some(priority) = ask.priority {
        account.priority = rules::priority(priority)?;
        changed.push("priority");
    }
    if let Some(is_active) = ask.is_active {
        account.is_active = is_active;
        changed.push("isActive");
    }
    if let Some(model) = &ask.default_model {
        account.default_model = model.as_deref().map(rules::model_id).transpose()?.map(ModelId::from);
        changed.push("defaultModel");
    }
    Ok(())
}

/// Saves a change. Blocks.
pub(super) fn save(
    instance: &Instance,
    by: &Principal,
    mut plan: Plan,
    (test, seen): (Option<&TestReply>, &[SeenModel]),
) -> Result<Connection, Problem> {
    if let Some(key) = plan.key.as_ref().filter(|_| plan.is_new_key) {
        seal(instance, &mut plan.account, key)?;
    }
    let account = &mut plan.account;
    if let Some(tested) = test.map(TestReply::tested) {
        account.test_status = tested.status;
        account.test_error = tested.error;
        account.tested_at = Some(tested.at);
    } else if plan.needs_test {
        // What the old key or address was found to be says nothing about the new one.
        account.test_status = accounts::TestStatus::Unknown;
        account.test_error = None;
        account.tested_at = None;
    }
    let account = &plan.account;
    instance.core().write(|to| {
        accounts::update(to, account)?;
        seen_models::remember(to, &account.id, seen, account.updated_at)
    })?;
    instance.refresh()?;
    instance.audit(by, "account.update", account.id.as_str(), Some(plan.changed.join(", ")));
    shown(instance, account)
}
