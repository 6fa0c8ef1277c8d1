//! Saving a new account.
//!
//! Its endpoint was drafted, and its key tested, before the database was locked for writing: what others
//! did to the endpoint meanwhile is looked at again, so that the key stays at the address it was given for.

use omniroute_store::Writer;
use omniroute_store::accounts::{self, Account};
use omniroute_store::nodes::{self, Node};
use omniroute_upstream::probe::SeenModel;

use crate::accounts::draft::{Draft, Step};
use crate::accounts::shape::Connection;
use crate::accounts::{record, seal, shown};
use crate::instance::Instance;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::verdict::TestReply;
use crate::{nodes as endpoints, seen_models};

/// Saves a new account with its endpoint and its sealed credential, all or nothing.
pub(super) fn save(
    instance: &Instance,
    by: &Principal,
    mut draft: Draft,
    (test, seen): (Option<&TestReply>, &[SeenModel]),
) -> Result<Connection, Problem> {
    if let Some(key) = &draft.key {
        seal(instance, &mut draft.account, key)?;
    }
    let account = &mut draft.account;
    record(account, test);
    let done_to_node = instance.write(|to| {
        let done = match &draft.node {
            Some((node, step)) => settle(to, account, (node, *step))?,
            None => None,
        };
        accounts::insert(to, account)?;
        seen_models::remember(to, &account.id, seen, account.created_at)?;
        Ok(done)
    })?;
    if let Some((action, node)) = done_to_node.zip(draft.node.as_ref().map(|(node, _)| node)) {
        instance.audit(by, action, node.id.as_str(), Some(node.prefix.clone()));
    }
    instance.audit(by, "account.create", account.id.as_str(), Some(account.provider.to_string()));
    shown(instance, account)
}

/// Puts a new account's endpoint in its place, beside what others made or moved since the draft. Returns
/// what was done to it, as the audit log writes it.
fn settle(
    to: &Writer<'_>,
    account: &mut Account,
    (node, step): (&Node, Step),
) -> Result<Option<&'static str>, Problem> {
    let there = nodes::list(to)?.into_iter().find(|there| there.prefix.eq_ignore_ascii_case(&node.prefix));
    match (step, there) {
        (Step::Keep, Some(there)) if there == *node => Ok(None),
        (Step::Keep, _) => Err(Problem::overtaken("custom endpoint")),
        (Step::Insert, None) => {
            nodes::insert(to, node)?;
            Ok(Some("node.create"))
        }
        (Step::Insert, Some(there)) if there.base_url == node.base_url && there.kind == node.kind => {
            account.node = Some(there.id);
            Ok(None)
        }
        (Step::Insert, Some(there)) => Err(endpoints::taken(&there.prefix, &there.base_url)),
        (Step::Move, there) => {
            // Its accounts' keys would move along.
            if accounts::list(to)?.iter().any(|other| other.node.as_ref() == Some(&node.id)) {
                let there = there.as_ref().unwrap_or(node);
                return Err(endpoints::taken(&there.prefix, &there.base_url));
            }
            nodes::update(to, node)?;
            Ok(Some("node.update"))
        }
    }
}
