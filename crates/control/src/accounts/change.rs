//! Changing an account.
//!
//! A change is planned, tested over the network where key or address change, and then applied to the
//! account as it is by then: only what the request names, and only if what was tested is still so.

use omniroute_domain::{ModelId, Secret};
use omniroute_store::accounts::{self, Account};
use omniroute_store::nodes::Node;
use omniroute_store::{Reader, Writer};
use omniroute_upstream::address::read_base;
use omniroute_upstream::probe::SeenModel;

use crate::accounts::shape::{AccountChange, Connection};
use crate::accounts::{find, node_of, proof, record, seal, shown};
use crate::clock::now_ms;
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::verdict::TestReply;
use crate::{connect, rules, seen_models};

/// A change that was checked.
pub(super) struct Plan {
    /// The account as it was when the change was planned.
    before: Account,
    /// The account as it is to be, with its old credential still.
    pub(super) account: Account,
    pub(super) node: Option<Node>,
    /// The credential it is to be used with: the new one, else the old one.
    pub(super) key: Option<Secret>,
    is_new_key: bool,
    /// Whether key or address change.
    pub(super) needs_test: bool,
    fields: Fields,
}

/// The fields a request names, but for the key.
#[derive(Default)]
struct Fields {
    name: Option<String>,
    priority: Option<u32>,
    is_active: Option<bool>,
    default_model: Option<Option<ModelId>>,
    local: Option<bool>,
    base_url: Option<Option<String>>,
}

impl Plan {
    /// Checks a change. Blocks.
    pub(super) fn make(instance: &Instance, id: &str, ask: AccountChange) -> Result<Self, Problem> {
        instance.core().read(|from| Ok(Self::of(from, instance, (id, ask))))?
    }

    fn of(from: &Reader<'_>, instance: &Instance, (id, mut ask): (&str, AccountChange)) -> Result<Self, Problem> {
        let before = find(from, id)?;
        let node = node_of(from, &before)?;
        let new_key = ask.api_key.take().filter(|key| !key.is_empty());
        let fields = Fields::read(ask, (&before, node.as_ref()), instance)?;
        let mut account = before.clone();
        fields.apply(&mut account);
        if new_key.is_none() && fields.names().is_empty() {
            return Err(Problem::invalid("no_changes", "the request changes nothing; name at least one field"));
        }
        let is_new_key = new_key.is_some();
        let needs_test = is_new_key || fields.local.is_some() || fields.base_url.is_some();
        if needs_test && !is_new_key {
            keep_key_home(&before, &account, (node.as_ref(), instance))?;
        }
        let key = match new_key {
            Some(key) => Some(key),
            None if needs_test => connect::open_key(&account, instance.vault())?,
            None => None,
        };
        Ok(Self { before, account, node, key, is_new_key, needs_test, fields })
    }

    /// Whether the account is still the one that was tested with the change.
    fn still_holds(&self, from: &Reader<'_>, now: &Account) -> Result<bool, Problem> {
        Ok(proof(now) == proof(&self.before) && node_of(from, now)? == self.node)
    }

    fn changed(&self) -> String {
        let key = self.is_new_key.then_some("apiKey");
        self.fields.names().into_iter().chain(key).collect::<Vec<_>>().join(", ")
    }
}

impl Fields {
    fn read(
        ask: AccountChange,
        (before, node): (&Account, Option<&Node>),
        instance: &Instance,
    ) -> Result<Self, Problem> {
        if let Some(node) = node.filter(|node| node.local && ask.local == Some(false)) {
            let text = format!(
                "the custom endpoint `{}` of this account is marked as local; change `local` there",
                node.prefix
            );
            return Err(Problem::unprocessable("local_is_the_endpoints", text).field("local"));
        }
        let mut fields = Self {
            name: ask.name.as_deref().map(rules::name).transpose()?,
            priority: ask.priority.map(rules::priority).transpose()?,
            is_active: ask.is_active,
            default_model: ask.default_model.map(model).transpose()?,
            local: ask.local,
            base_url: None,
        };
        if let Some(typed) = ask.base_url.or_else(|| ask.provider_specific_data?.base_url) {
            let mut account = before.clone();
            fields.apply(&mut account);
            let reach = connect::reach(&account, node, connect::row_of(&account, instance.catalog())?);
            fields.base_url = Some(typed.map(|typed| read_base(&typed, reach)).transpose()?);
        }
        Ok(fields)
    }

    fn apply(&self, account: &mut Account) {
        account.name = self.name.clone().unwrap_or_else(|| account.name.clone());
        account.priority = self.priority.unwrap_or(account.priority);
        account.is_active = self.is_active.unwrap_or(account.is_active);
        account.default_model = self.default_model.clone().unwrap_or_else(|| account.default_model.clone());
        account.local = self.local.unwrap_or(account.local);
        account.base_url = self.base_url.clone().unwrap_or_else(|| account.base_url.clone());
    }

    fn names(&self) -> Vec<&'static str> {
        let named = [
            ("name", self.name.is_some()),
            ("priority", self.priority.is_some()),
            ("isActive", self.is_active.is_some()),
            ("defaultModel", self.default_model.is_some()),
            ("local", self.local.is_some()),
            ("baseUrl", self.base_url.is_some()),
        ];
        named.into_iter().filter(|(_, is_named)| *is_named).map(|(name, _)| name).collect()
    }
}

fn model(typed: Option<String>) -> Result<Option<ModelId>, Problem> {
    Ok(typed.map(|typed| rules::model_id(&typed, "defaultModel")).transpose()?.map(ModelId::from))
}

/// Refuses to let a stored key follow to an origin it was not given for.
fn keep_key_home(
    before: &Account,
    after: &Account,
    (node, instance): (Option<&Node>, &Instance),
) -> Result<(), Problem> {
    let row = connect::row_of(before, instance.catalog())?;
    let [from, to] = [before, after].map(|account| connect::address(account, node, row));
    if before.sealed.is_none() || from.zip(to).is_some_and(|(from, to)| connect::same_origin(&from, &to)) {
        return Ok(());
    }
    let text = "a key is sent only to the origin it was given for, and this address has another one; give the account's key again together with the address";
    Err(Problem::unprocessable("key_needed_for_new_address", text).field("apiKey"))
}

/// Saves a change. Blocks.
pub(super) fn save(
    instance: &Instance,
    by: &Principal,
    plan: &Plan,
    (test, seen): (Option<&TestReply>, &[SeenModel]),
) -> Result<Connection, Problem> {
    let account = instance.write(|to| {
        let account = changed(to, instance, (plan, test))?;
        accounts::update(to, &account)?;
        seen_models::remember(to, &account.id, seen, account.updated_at)?;
        Ok(account)
    })?;
    instance.audit(by, "account.update", account.id.as_str(), Some(plan.changed()));
    shown(instance, &account)
}

/// The account as it is now, with the change.
fn changed(
    to: &Writer<'_>,
    instance: &Instance,
    (plan, test): (&Plan, Option<&TestReply>),
) -> Result<Account, Problem> {
    let mut account = find(to, plan.account.id.as_str())?;
    if plan.needs_test && !plan.still_holds(to, &account)? {
        return Err(Problem::overtaken("account"));
    }
    plan.fields.apply(&mut account);
    if let Some(key) = plan.key.as_ref().filter(|_| plan.is_new_key) {
        seal(instance, &mut account, key)?;
    }
    if plan.needs_test {
        // What the old key or address was found to be says nothing about the new one.
        account.test_status = accounts::TestStatus::Unknown;
        account.test_error = None;
        account.tested_at = None;
    }
    record(&mut account, test);
    account.updated_at = now_ms();
    Ok(account)
}
