//! What holds for every name and every set of accounts.

use std::collections::{HashMap, HashSet};

use omniroute_catalog::Catalog;
use omniroute_domain::ModelId;
use omniroute_routing::{Directory, Entry, plan};
use proptest::prelude::*;

const PROVIDERS: [&str; 8] =
    ["openai", "groq", "openrouter", "glm", "volcengine", "anthropic", "node-a", "openai-compatible"];
const VARIANTS: [Option<&str>; 4] = [None, Some("zai"), Some("byteplus"), Some("nonsense")];

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let one = (0..PROVIDERS.len(), 0..VARIANTS.len(), 0..4u32, 0..12u32, prop::bool::ANY, "[a-c/]{0,3}");
    let one = one.prop_map(|(provider, variant, priority, slot, listed, prefix)| Entry {
        account: format!("account-{slot}").into(),
        provider: PROVIDERS[provider].into(),
        prefixes: vec![prefix],
        variant: VARIANTS[variant].map(str::to_owned),
        priority,
        // A slot belongs to one provider, as in the gateway's account table.
        slot: slot * PROVIDERS.len() as u32 + provider as u32,
        listed: listed.then(|| vec![ModelId::from("shared"), ModelId::from("a/b")]),
    });
    prop::collection::vec(one, 0..12)
}

/// Names near the interesting ones, and anything at all.
fn names() -> impl Strategy<Value = String> {
    let part = || {
        prop::sample::select(vec![
            "openai",
            "groq",
            "or",
            "zai",
            "glm",
            "byteplus",
            "node-a",
            "a",
            "b",
            "",
            "..",
            "shared",
            "compound",
            "gpt-6-sol",
            "demo",
            "echo",
            "anthropic",
            "qw",
            "é",
            "\u{7}",
        ])
    };
    prop_oneof![
        3 => prop::collection::vec(part(), 1..4).prop_map(|parts| parts.join("/")),
        1 => any::<String>(),
        1 => ".{0,400}",
    ]
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn a_plan_is_sound_whatever_is_asked() {
    let catalog = Catalog::builtin();
    proptest!(config(), |(entries in entries(), name in names(), only in prop::option::of(names()))| {
        let owners: HashMap<u32, String> =
            entries.iter().map(|entry| (entry.slot, entry.provider.to_string())).collect();
        let directory = Directory::new(entries, Vec::new(), &catalog);
        match plan(&directory, &name, only.as_deref()) {
            Ok(plan) => {
                let unique: HashSet<&u32> = plan.targets.iter().collect();
                prop_assert_eq!(unique.len(), plan.targets.len(), "no target twice");
                for slot in plan.targets.iter() {
                    prop_assert_eq!(owners.get(slot).map(String::as_str), Some(plan.provider.as_str()));
                }
                prop_assert!(!plan.targets.is_empty() || plan.provider.as_str() == "demo");
                prop_assert!(name.ends_with(plan.model.as_str()), "the model is the name or the end of it");
            }
            Err(refusal) => {
                let text = refusal.to_string();
                prop_assert!(!text.is_empty() && !text.ends_with('.'));
                prop_assert!((400..500).contains(&refusal.kind().status()));
            }
        }
    });
}

#[test]
fn the_order_of_accounts_of_one_priority_is_kept() {
    let catalog = Catalog::builtin();
    proptest!(config(), |(priorities in prop::collection::vec(0..4u32, 1..40))| {
        let entries = priorities.iter().zip(0..).map(|(priority, slot)| Entry {
            account: format!("account-{slot}").into(),
            provider: "openai".into(),
            prefixes: Vec::new(),
            variant: None,
            priority: *priority,
            slot,
            listed: None,
        });
        let directory = Directory::new(entries.collect(), Vec::new(), &catalog);
        let targets = plan(&directory, "openai/gpt-6-sol", None).map(|plan| plan.targets.to_vec()).unwrap_or_default();
        let rank = |slot: &u32| (priorities.get(*slot as usize), *slot);
        prop_assert_eq!(targets.len(), priorities.len());
        prop_assert!(targets.is_sorted_by_key(rank));
    });
}
