//! What is written to a table comes back as it was, and only whole transactions stay.

use omniroute_domain::{AccountId, KeyId, ModelId, NodeId, ProviderId};
use omniroute_store::accounts::{TestStatus, Tested};
use omniroute_store::custom_models::CustomModel;
use omniroute_store::nodes::{Node, NodeKind};
use omniroute_store::{StoreError, accounts, custom_models, keys, meta, nodes, settings};

use crate::folders::open;
use crate::rows::{NOW, account, key};

fn node(id: &str, prefix: &str) -> Node {
    Node {
        id: NodeId::from(id),
        name: "mine".into(),
        prefix: prefix.into(),
        kind: NodeKind::OpenAiCompatible,
        api_type: Some("chat".into()),
        base_url: "http://127.0.0.1:9000/v1".into(),
        chat_path: None,
        models_path: Some("/models".into()),
        local: true,
        created_at: NOW,
        updated_at: NOW,
    }
}

#[test]
fn an_account_comes_back_as_it_was_written_and_as_it_was_changed() {
    let (_folder, _dir, core) = open();
    let mut row = account("a");
    core.write(|tx| {
        nodes::insert(tx, &node("n", "mk"))?;
        row.node = Some(NodeId::from("n"));
        accounts::insert(tx, &row)
    })
    .unwrap();
    assert_eq!(core.read(|from| accounts::get(from, &row.id)).unwrap().as_ref(), Some(&row));

    row.name = "home".into();
    (row.sealed, row.key_hint, row.base_url) = (None, None, Some("http://other".into()));
    (row.priority, row.is_active, row.local, row.updated_at) = (9, false, true, NOW + 5);
    let tested = Tested { status: TestStatus::Failed, error: Some("refused".into()), at: NOW + 6 };
    core.write(|tx| {
        accounts::update(tx, &row)?;
        accounts::set_tested(tx, &row.id, &tested)
    })
    .unwrap();
    (row.test_status, row.test_error, row.tested_at) = (tested.status, tested.error, Some(tested.at));
    assert_eq!(core.read(accounts::list).unwrap(), [row]);
}

#[test]
fn accounts_are_listed_by_priority_then_age() {
    let (_folder, _dir, core) = open();
    core.write(|tx| {
        for (id, priority, created_at) in [("late", 1, 3), ("first", 0, 9), ("early", 1, 2)] {
            let mut row = account(id);
            (row.priority, row.created_at) = (priority, created_at);
            accounts::insert(tx, &row)?;
        }
        Ok(())
    })
    .unwrap();
    let ids: Vec<_> = core.read(accounts::list).unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, ["first", "early", "late"].map(AccountId::from));
}

#[test]
fn what_refers_to_a_row_keeps_it_and_a_row_that_is_not_there_is_named() {
    let (_folder, _dir, core) = open();
    let mut row = account("a");
    row.node = Some(NodeId::from("n"));
    let orphan = core.write(|tx| accounts::insert(tx, &row)).unwrap_err();
    assert_eq!(orphan.code(), "reference");

    core.write(|tx| {
        nodes::insert(tx, &node("n", "mk"))?;
        accounts::insert(tx, &row)
    })
    .unwrap();
    let in_use = core.write(|tx| nodes::delete(tx, &NodeId::from("n"))).unwrap_err();
    assert_eq!(in_use.code(), "reference");
    let removed = core
        .write(|tx| Ok((accounts::delete_of_node(tx, &NodeId::from("n"))?, nodes::delete(tx, &NodeId::from("n"))?)));
    assert_eq!(removed.unwrap(), (1, true));

    let missing = core.write(|tx| accounts::update(tx, &account("gone"))).unwrap_err();
    assert_eq!(missing.to_string(), "no `accounts` row has the id `gone`");
    assert!(!core.write(|tx| accounts::delete(tx, &AccountId::from("gone"))).unwrap());
}

#[test]
fn a_prefix_belongs_to_one_node_whatever_its_case() {
    let (_folder, _dir, core) = open();
    core.write(|tx| nodes::insert(tx, &node("1", "mk"))).unwrap();
    let taken = core.write(|tx| nodes::insert(tx, &node("2", "MK"))).unwrap_err();
    assert_eq!((taken.code(), taken.to_string().as_str()), ("taken", "`nodes.prefix` is taken; choose another value"));
    let mut changed = node("1", "other");
    changed.local = false;
    core.write(|tx| nodes::update(tx, &changed)).unwrap();
    assert_eq!(core.read(|from| nodes::get(from, &changed.id)).unwrap(), Some(changed.clone()));
    assert_eq!(core.read(nodes::list).unwrap(), [changed]);
}

#[test]
fn a_client_key_comes_back_rotates_and_goes() {
    let (_folder, _dir, core) = open();
    let mut row = key("k", 7);
    core.write(|tx| keys::insert(tx, &row)).unwrap();
    assert_eq!(core.write(|tx| keys::insert(tx, &key("twin", 7))).unwrap_err().code(), "taken", "same hash");
    (row.hash, row.rotated_at, row.is_active) = ([8; 32], Some(NOW + 1), false);
    core.write(|tx| keys::update(tx, &row)).unwrap();
    assert_eq!(core.read(|from| keys::get(from, &row.id)).unwrap(), Some(row.clone()));
    assert_eq!(core.read(keys::list).unwrap(), [row]);
    assert!(core.write(|tx| keys::delete(tx, &KeyId::from("k"))).unwrap());
    assert_eq!(core.write(|tx| keys::update(tx, &key("k", 7))).unwrap_err().code(), "not_found");
}

#[test]
fn custom_models_are_put_replaced_and_removed() {
    let (_folder, _dir, core) = open();
    let mut row = CustomModel {
        provider: ProviderId::from("openai"),
        model_id: ModelId::from("org/model"),
        name: Some("mine".into()),
        api_format: None,
        endpoints: r#"["chat"]"#.into(),
        hidden: false,
        created_at: NOW,
    };
    core.write(|tx| custom_models::put(tx, &row)).unwrap();
    row.hidden = true;
    core.write(|tx| custom_models::put(tx, &CustomModel { created_at: NOW + 9, ..row.clone() })).unwrap();
    assert_eq!(core.read(custom_models::list).unwrap(), [row.clone()]);
    assert_eq!(core.read(|from| custom_models::get(from, &row.provider, &row.model_id)).unwrap(), Some(row.clone()));
    assert!(core.write(|tx| custom_models::delete(tx, &row.provider, &row.model_id)).unwrap());
    core.write(|tx| custom_models::put(tx, &row)).unwrap();
    assert_eq!(core.write(|tx| custom_models::delete_of_provider(tx, &row.provider)).unwrap(), 1);
}

#[test]
fn settings_and_facts_are_set_read_and_unset() {
    let (_folder, _dir, core) = open();
    core.write(|tx| {
        settings::set(tx, "retry", "{\"attempts\":3}", NOW)?;
        settings::set(tx, "retry", "{\"attempts\":4}", NOW + 1)?;
        meta::set(tx, "vault_kid", "0011aabb")
    })
    .unwrap();
    assert_eq!(core.read(|from| settings::get(from, "retry")).unwrap().as_deref(), Some("{\"attempts\":4}"));
    assert_eq!(core.read(settings::list).unwrap().len(), 1);
    assert_eq!(core.read(|from| meta::get(from, "vault_kid")).unwrap().as_deref(), Some("0011aabb"));
    assert!(core.write(|tx| settings::set(tx, "bad", "no json", NOW)).is_err());
    assert!(core.write(|tx| settings::delete(tx, "retry")).unwrap());
    assert_eq!(core.read(|from| settings::get(from, "retry")).unwrap(), None);
}

#[test]
fn a_transaction_that_fails_leaves_nothing_behind() {
    let (_folder, _dir, core) = open();
    let outcome: Result<(), _> = core.write(|tx| {
        accounts::insert(tx, &account("a"))?;
        assert!(accounts::get(tx, &AccountId::from("a"))?.is_some(), "a transaction reads what it wrote");
        Err(StoreError::Full)
    });
    assert_eq!(outcome.unwrap_err().code(), "disk_full");
    assert!(core.read(accounts::list).unwrap().is_empty());
}

#[test]
fn a_panic_inside_a_transaction_leaves_the_database_usable() {
    let (_folder, _dir, core) = open();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        core.write(|tx| -> Result<(), StoreError> {
            accounts::insert(tx, &account("a"))?;
            panic!("a defect in the caller");
        })
    }));
    assert!(panicked.is_err());
    core.write(|tx| accounts::insert(tx, &account("b"))).unwrap();
    assert_eq!(core.read(accounts::list).unwrap().len(), 1, "the panicked transaction was rolled back");
}
