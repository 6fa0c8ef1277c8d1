use omniroute_catalog::{Catalog, Kind};
use omniroute_domain::ModelId;

use crate::directory::{CustomModel, Directory, Entry};

fn entry(provider: &str, prefixes: &[&str], listed: Option<&[&str]>) -> Entry {
    Entry {
        account: "account".into(),
        provider: provider.into(),
        prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
        variant: None,
        priority: 1,
        slot: 0,
        listed: listed.map(|ids| ids.iter().map(|id| ModelId::from(*id)).collect()),
    }
}

fn custom(model: &str) -> CustomModel {
    let name = Some("Mine".into());
    CustomModel { provider: "groq".into(), model: model.into(), name, kind: Kind::Chat, hidden: false }
}

fn ids(directory: &Directory) -> Vec<String> {
    directory.models().into_iter().map(|model| model.id).filter(|id| !id.starts_with("demo/")).collect()
}

#[test]
fn only_what_is_connected_is_listed_and_the_demo_always() {
    let all: Vec<String> = Directory::new(Vec::new(), Vec::new(), &Catalog::builtin())
        .models()
        .into_iter()
        .map(|model| model.id)
        .collect();
    assert_eq!(all.first().map(String::as_str), Some("demo/echo"));
    assert_eq!(all.len(), 6);
}

#[test]
fn models_carry_the_catalogs_facts() {
    let directory = Directory::new(vec![entry("deepseek", &[], None)], Vec::new(), &Catalog::builtin());
    let models = directory.models();
    let flash = models.iter().find(|model| model.id == "ds/deepseek-flash").expect("listed with the short prefix");
    assert_eq!((flash.model.as_str(), flash.kind, flash.context), ("deepseek-flash", Kind::Chat, Some(1_000_000)));
    assert!(!flash.custom);
}

#[test]
fn a_list_seen_at_the_provider_goes_before_the_catalogs() {
    let seen = ["openai/gpt-oss-20b", "brand-new", "openai/gpt-oss-20b"];
    let directory = Directory::new(vec![entry("groq", &[], Some(&seen))], Vec::new(), &Catalog::builtin());
    assert_eq!(ids(&directory), ["groq/brand-new", "groq/openai/gpt-oss-20b"]);
}

#[test]
fn custom_models_join_and_hidden_ones_leave() {
    let seen: &[&str] = &["a", "b"];
    let models = vec![custom("mine"), CustomModel { hidden: true, ..custom("a") }];
    let directory = Directory::new(vec![entry("groq", &[], Some(seen))], models, &Catalog::builtin());
    assert_eq!(ids(&directory), ["groq/mine", "groq/b"]);
    assert!(directory.models().iter().any(|model| model.custom && model.name.as_deref() == Some("Mine")));
}

#[test]
fn nodes_are_listed_under_their_prefix() {
    let directory = Directory::new(vec![entry("node-1", &["mk"], Some(&["m"]))], Vec::new(), &Catalog::builtin());
    assert_eq!(ids(&directory), ["mk/m"]);
}

#[test]
fn what_can_not_be_asked_for_is_not_listed() {
    let entries = vec![entry("anthropic", &[], None), entry("opencode-zen", &[], None), entry("openai", &[], None)];
    let ids = ids(&Directory::new(entries, Vec::new(), &Catalog::builtin()));
    assert!(!ids.iter().any(|id| id.starts_with("anthropic/")), "its format comes later");
    assert!(!ids.contains(&"opencode-zen/claude-sonnet-5".to_owned()), "this model's format comes later");
    assert!(ids.contains(&"opencode-zen/glm-5.2".to_owned()));
    assert!(!ids.contains(&"openai/o4-mini".to_owned()), "it was gone when the row was checked");
    assert!(ids.contains(&"openai/gpt-5".to_owned()), "it ends later");
}

#[test]
fn every_listed_id_leads_back_to_its_model() {
    let catalog = Catalog::builtin();
    let entries = catalog.providers().map(|row| entry(row.id.as_str(), &[], None)).collect();
    let directory = Directory::new(entries, Vec::new(), &catalog);
    for model in directory.models() {
        let plan = crate::plan(&directory, &model.id, None).unwrap_or_else(|refusal| panic!("{}: {refusal}", model.id));
        assert_eq!((plan.provider, plan.model), (model.provider, model.model), "{}", model.id);
    }
}
