//! A secret that went through the vault is nowhere to be read.

use std::fs;
use std::time::Duration;

use omniroute_domain::Secret;
use omniroute_store::{Reason, accounts, keys, log};
use omniroute_vault::{Choice, Place, Sealed, Vault, client_key};

use crate::folders::{files_in, open};
use crate::rows::{NOW, account, key, request};

const CANARY: &str = "sk-canary-7Qm2Zx9Lw4Vb6Tn8Rk1Yp3Hd5";

#[test]
fn a_canary_is_in_no_file_in_any_form_and_opens_from_where_it_is_sealed() {
    let (folder, dir, core) = open();
    let vault = Vault::open(Choice::File, folder.path()).unwrap();
    let log = log::open(&dir, NOW);
    let place = Place { table: "accounts", column: "sealed", row: "a" };
    let secret = Secret::new(CANARY.into());
    let issued = client_key::issue().unwrap();

    let mut row = account("a");
    row.sealed = Some(vault.seal(place, &secret).unwrap().into_text());
    let mut client = key("k", 0);
    (client.hash, client.prefix, client.last4) = (issued.hash, issued.prefix.clone(), issued.last4.clone());
    core.write(|tx| {
        accounts::insert(tx, &row)?;
        keys::insert(tx, &client)
    })
    .unwrap();
    log.writer.record(request(1));
    assert!(log.writer.flush(Duration::from_secs(60)));
    core.snapshot(Reason::Manual, NOW).unwrap();

    let stored = core.read(|from| accounts::get(from, &row.id)).unwrap().unwrap().sealed.unwrap();
    assert_eq!(vault.open_sealed(place, &Sealed::from_text(stored)).unwrap(), secret);

    let shown = issued.show_once();
    let files = files_in(folder.path());
    assert!(files.len() >= 8, "{files:?}");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        for needle in [CANARY.to_owned(), reversed(CANARY), hex(CANARY), shown.clone()] {
            let found = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "a secret can be read in {}", file.display());
        }
    }
    log.writer.close();
}

#[test]
fn a_deleted_credential_leaves_no_sealed_text_in_the_closed_database() {
    let (_folder, dir, core) = open();
    let mut row = account("a");
    row.sealed = Some("v1:0011aabb:nonce:unmistakable-sealed-text".into());
    core.write(|tx| accounts::insert(tx, &row)).unwrap();
    core.write(|tx| accounts::delete(tx, &row.id)).unwrap();
    drop(core);
    let bytes = fs::read(dir.core()).unwrap();
    assert!(!bytes.windows(24).any(|window| window == b"unmistakable-sealed-text"));
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
