use std::sync::Arc;

use omniroute_catalog::{Catalog, Kind};
use omniroute_domain::{Fault, ModelId};

use super::{Plan, plan};
use crate::directory::{CustomModel, Directory, Entry};
use crate::refusal::Refusal;

/// An account; slots are its place in the list.
fn entry(provider: &str, slot: u32) -> Entry {
    Entry {
        account: format!("account-{slot}").into(),
        provider: provider.into(),
        prefixes: Vec::new(),
        variant: None,
        priority: 1,
        slot,
        listed: None,
    }
}

fn node(prefix: &str, slot: u32, listed: &[&str]) -> Entry {
    let listed = listed.iter().map(|id| ModelId::from(*id)).collect();
    Entry { prefixes: vec![prefix.to_owned()], listed: Some(listed), ..entry("node-1", slot) }
}

fn connected(providers: &[&str]) -> Directory {
    let entries = providers.iter().zip(0..).map(|(provider, slot)| entry(provider, slot)).collect();
    Directory::new(entries, Vec::new(), &Catalog::builtin())
}

#[track_caller]
fn leads(directory: &Directory, name: &str, provider: &str, model: &str) {
    let plan = plan(directory, name, None).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    assert_eq!((plan.provider.as_str(), plan.model.as_str()), (provider, model), "{name}");
}

#[track_caller]
fn refused(directory: &Directory, name: &str, code: &str, text: &str) {
    let refusal = plan(directory, name, None).map(|plan| panic!("{plan:?}")).unwrap_err();
    assert_eq!((refusal.code(), refusal.to_string().as_str()), (code, text), "{name}");
}

#[test]
fn a_name_is_split_at_its_first_slash() {
    let directory = connected(&["openai", "openrouter"]);
    leads(&directory, "openai/gpt-6-sol", "openai", "gpt-6-sol");
    leads(&directory, "or/anthropic/claude-sonnet-5:thinking", "openrouter", "anthropic/claude-sonnet-5:thinking");
}

#[test]
fn ids_and_all_aliases_lead_to_a_provider() {
    let directory = connected(&["deepseek", "kimi-coding"]);
    for name in ["ds/deepseek-flash", "deepseek/deepseek-flash"] {
        leads(&directory, name, "deepseek", "deepseek-flash");
    }
    for name in ["kmc/kimi-k3", "kimi-coding/kimi-k3", "kmca/kimi-k3"] {
        leads(&directory, name, "kimi-coding", "kimi-k3");
    }
}

#[test]
fn models_nobody_has_listed_are_passed_on() {
    leads(&connected(&["openai"]), "openai/gpt-99-preview", "openai", "gpt-99-preview");
}

#[test]
fn a_nodes_prefix_leads_to_it() {
    let directory = Directory::new(vec![node("mk", 7, &["mock-1"])], Vec::new(), &Catalog::builtin());
    leads(&directory, "mk/any/thing", "node-1", "any/thing");
    leads(&directory, "mock-1", "node-1", "mock-1");
    leads(&directory, "node-1/mock-1", "node-1", "mock-1");
    assert_eq!(plan(&directory, "mk/mock-1", None).map(|plan| plan.targets), Ok(Arc::from([7])));
}

#[test]
fn a_nodes_prefix_never_hides_the_catalogs() {
    let entries = vec![node("openai", 0, &[]), entry("openai", 1)];
    let directory = Directory::new(entries, Vec::new(), &Catalog::builtin());
    leads(&directory, "openai/gpt-6-sol", "openai", "gpt-6-sol");
}

#[test]
fn a_bare_id_leads_to_the_one_connected_provider_that_has_it() {
    let directory = connected(&["openai", "groq"]);
    leads(&directory, "gpt-6-sol", "openai", "gpt-6-sol");
    leads(&directory, "meta-llama/llama-4-scout-17b-16e-instruct", "groq", "meta-llama/llama-4-scout-17b-16e-instruct");
    leads(&connected(&[]), "echo", "demo", "echo");
}

#[test]
fn an_id_that_begins_with_its_vendors_name_is_taken_whole() {
    let directory = connected(&["groq"]);
    leads(&directory, "groq/compound", "groq", "groq/compound");
    leads(&directory, "groq/groq/compound", "groq", "groq/compound");
    leads(&directory, "groq/compound-new", "groq", "compound-new");
}

#[test]
fn a_bare_id_of_several_providers_is_refused_with_the_names_to_choose_from() {
    refused(
        &connected(&["cerebras", "sambanova"]),
        "gpt-oss-120b",
        "ambiguous_model",
        "model `gpt-oss-120b` is offered by several connected providers; say which: `cerebras/gpt-oss-120b` or \
         `samba/gpt-oss-120b`",
    );
    leads(&connected(&["cerebras"]), "gpt-oss-120b", "cerebras", "gpt-oss-120b");
}

#[test]
fn a_provider_without_account_names_others_that_have_the_model() {
    refused(
        &connected(&["groq"]),
        "openai/gpt-oss-120b",
        "no_account",
        "no account is connected for `openai`; connect one, or try `groq/openai/gpt-oss-120b`",
    );
    refused(
        &connected(&[]),
        "openai/gpt-6-sol",
        "no_account",
        "no account is connected for `openai`; connect one with `omniroute providers add openai`",
    );
}

#[test]
fn what_comes_later_or_is_gone_says_so() {
    let none = connected(&[]);
    refused(
        &none,
        "anthropic/claude-opus-5-5",
        "not_supported_yet",
        "`anthropic` can't be used yet: it speaks `anthropic`, which comes later",
    );
    refused(&none, "qw/coder-model", "provider_retired", "`qwen` is gone since 2026-04-15; use `alibaba`");
    let stored = connected(&["anthropic"]);
    refused(
        &stored,
        "anthropic/claude-opus-5-5",
        "not_supported_yet",
        "`anthropic` can't be used yet: it speaks `anthropic`, which comes later",
    );
    refused(
        &connected(&["opencode-zen"]),
        "oc/claude-sonnet-5",
        "not_supported_yet",
        "`opencode-zen` can't be used yet: it speaks `anthropic` for `claude-sonnet-5`, which comes later",
    );
    leads(&connected(&["opencode-zen"]), "oc/glm-5.2", "opencode-zen", "glm-5.2");
}

#[test]
fn a_name_that_matches_nothing_gets_help() {
    let directory = connected(&["openai", "groq"]);
    let rows = [
        (
            "gpt-6-slo",
            "model_not_found",
            "model `gpt-6-slo` matches no connected provider; did you mean `openai/gpt-6-sol`",
        ),
        ("gorq/x", "unknown_provider", "`gorq` is no provider; try `groq/x`"),
        ("my/gpt-6-luna", "unknown_provider", "`my` is no provider; try `openai/gpt-6-luna`"),
        ("nobody/x", "unknown_provider", "`nobody` is no provider; `/v1/models` lists what is connected"),
        (
            "zzzzzzzz",
            "model_not_found",
            "model `zzzzzzzz` matches no connected provider; use `prefix/model`, `/v1/models` lists what is connected",
        ),
        (
            "kimi-k2.7-code-highspeed",
            "model_not_found",
            "model `kimi-k2.7-code-highspeed` matches no connected provider; it is offered by `kimi` or `kimi-coding`: connect \
             with `omniroute providers add kimi`",
        ),
        (
            "meta-llama/llama-4-scout-17b-16e-instrutc",
            "unknown_provider",
            "`meta-llama` is no provider; try `groq/meta-llama/llama-4-scout-17b-16e-instruct`",
        ),
    ];
    for (name, code, text) in rows {
        refused(&directory, name, code, text);
    }
}

#[test]
fn the_demo_needs_no_account_and_has_a_closed_list() {
    let none = connected(&[]);
    let echo = plan(&none, "demo/echo", None).expect("the demo is always there");
    assert!(echo.targets.is_empty());
    refused(
        &none,
        "demo/ehco",
        "model_not_found",
        "model `demo/ehco` matches no connected provider; did you mean `demo/echo`",
    );
    let all = plan(&none, "demo/gpt-6", None).map(|plan| panic!("{plan:?}")).unwrap_err().to_string();
    assert!(all.ends_with("`demo/rate-limited`, `demo/down`, `demo/broken-stream` or `demo/hang`"), "{all}");
}

#[test]
fn names_outside_the_grammar_are_refused() {
    let none = connected(&[]);
    let bad = |name: &str| plan(&none, name, None).map(|plan| panic!("{plan:?}")).unwrap_err();
    for name in ["", " ", "\t"] {
        assert_eq!(bad(name), Refusal::NoModel, "{name:?}");
    }
    let rows = [
        ("openai/../x", "it holds `..`"),
        ("..", "it holds `..`"),
        ("openai/gpt\u{0}", "it holds a control character"),
        ("openai/gpt\n", "it holds a control character"),
        ("openai/\u{9b}x", "it holds a control character"),
        (" openai/x", "it begins or ends with a space"),
        ("openai/", "no model stands after its slash"),
        ("/gpt", "nothing stands before its first slash"),
    ];
    for (name, why) in rows {
        assert_eq!(bad(name), Refusal::BadName { why }, "{name:?}");
    }
    assert_eq!(bad(&"é".repeat(301)), Refusal::BadName { why: "it is longer than 300 characters" });
    assert_ne!(bad(&"é".repeat(300)), Refusal::BadName { why: "it is longer than 300 characters" });
}

#[test]
fn targets_are_ordered_by_priority_and_then_as_given() {
    let with = |slot, priority| Entry { priority, ..entry("openai", slot) };
    let entries = vec![with(0, 5), with(1, 1), with(2, 5), with(3, 1), with(1, 9)];
    let directory = Directory::new(entries, Vec::new(), &Catalog::builtin());
    let targets = plan(&directory, "openai/gpt-6-sol", None).map(|plan| plan.targets);
    assert_eq!(targets, Ok(Arc::from([1, 3, 0, 2])));
}

#[test]
fn plans_share_their_targets() {
    let directory = connected(&["openai", "openai", "openai"]);
    let targets = |name: &str| plan(&directory, name, None).map(|plan| plan.targets).expect("a plan");
    assert!(Arc::ptr_eq(&targets("openai/gpt-6-sol"), &targets("openai/gpt-99")), "no request copies the list");
}

#[test]
fn a_variants_prefix_brings_its_address_and_its_own_accounts_first() {
    let base = Some(Arc::from("https://api.z.ai/api/paas/v4"));
    let zai = |directory: &Directory| {
        let Plan { provider, model, targets, base_url } = plan(directory, "zai/glm-5.2", None).expect("a plan");
        assert_eq!((provider.as_str(), model.as_str()), ("glm", "glm-5.2"));
        (targets.to_vec(), base_url)
    };
    assert_eq!(zai(&connected(&["glm"])), (vec![0], base.clone()), "accounts of the provider itself stand in");

    let entries = vec![entry("glm", 0), Entry { variant: Some("zai".into()), ..entry("glm", 1) }];
    let both = Directory::new(entries, Vec::new(), &Catalog::builtin());
    assert_eq!(zai(&both), (vec![1], base));
    let glm = plan(&both, "glm/glm-5.2", None).expect("a plan");
    assert_eq!((glm.targets.to_vec(), glm.base_url), (vec![0], None));
}

#[test]
fn accounts_of_a_variant_answer_for_the_provider_where_there_are_no_others() {
    let only = vec![Entry { variant: Some("byteplus".into()), ..entry("volcengine", 4) }];
    let directory = Directory::new(only, Vec::new(), &Catalog::builtin());
    for name in ["byteplus/glm-5.1", "ark/glm-5.1", "glm-5.1"] {
        let plan = plan(&directory, name, None).expect("a plan");
        assert_eq!((plan.provider.as_str(), plan.targets.to_vec()), ("volcengine", vec![4]), "{name}");
    }
}

#[test]
fn custom_models_are_known_by_their_bare_id() {
    let custom = |provider: &str| CustomModel {
        provider: provider.into(),
        model: "my-tune".into(),
        name: None,
        kind: Kind::Chat,
        hidden: true,
    };
    let entries = || vec![entry("openai", 0), entry("groq", 1)];
    let directory = Directory::new(entries(), vec![custom("openai")], &Catalog::builtin());
    leads(&directory, "my-tune", "openai", "my-tune");
    let directory = Directory::new(entries(), vec![custom("openai"), custom("groq")], &Catalog::builtin());
    assert_eq!(plan(&directory, "my-tune", None).map_err(|refusal| refusal.code()), Err("ambiguous_model"));
}

#[track_caller]
fn at(directory: &Directory, provider: &str, name: &str, expected: Result<(&str, &str), &str>) {
    let plan = plan(directory, name, Some(provider));
    let shown = plan.as_ref().map(|plan| (plan.provider.as_str(), plan.model.as_str()));
    assert_eq!(shown.map_err(Refusal::code), expected, "{provider} {name}");
}

#[test]
fn an_address_with_a_provider_takes_names_without_prefix() {
    let directory = connected(&["openai", "openrouter", "groq"]);
    at(&directory, "openai", "gpt-6-sol", Ok(("openai", "gpt-6-sol")));
    at(&directory, "openai", "openai/gpt-6-sol", Ok(("openai", "gpt-6-sol")));
    at(&directory, "openai", "gpt-99", Ok(("openai", "gpt-99")));
    at(&directory, "or", "anthropic/claude-opus-5.5", Ok(("openrouter", "anthropic/claude-opus-5.5")));
    at(&directory, "openrouter", "anthropic/claude-brand-new", Ok(("openrouter", "anthropic/claude-brand-new")));
    at(&directory, "openrouter", "or/anthropic/claude-opus-5.5", Ok(("openrouter", "anthropic/claude-opus-5.5")));
    at(&directory, "groq", "groq/compound", Ok(("groq", "groq/compound")));
    at(&directory, "groq", "no-such-vendor/new", Ok(("groq", "no-such-vendor/new")));
    at(&directory, "openai", "groq/compound", Err("wrong_provider"));
    at(&directory, "gorq", "x", Err("unknown_provider"));
    at(&directory, "mistral", "x", Err("no_account"));
    at(&directory, "demo", "nothing", Err("model_not_found"));
    at(&directory, "openai", "a/../b", Err("invalid_model_name"));
}

#[test]
fn every_refusal_is_a_fault_about_the_model() {
    let rows = [
        (Refusal::NoModel, 400),
        (Refusal::BadName { why: "x" }, 400),
        (Refusal::UnknownPrefix { prefix: "x".into(), candidates: vec![] }, 404),
        (Refusal::NoAccount { provider: "x".into(), elsewhere: vec![] }, 404),
        (Refusal::Ambiguous { name: "x".into(), candidates: vec![] }, 400),
        (Refusal::UnknownModel { name: "x".into(), nearest: vec![], offered_by: vec![] }, 404),
        (Refusal::WrongProvider { provider: "x".into(), named: "y".into() }, 400),
        (Refusal::Later { provider: "x".into(), why: "y".into() }, 400),
        (Refusal::Retired { provider: "x".into(), since: None, instead: None }, 404),
    ];
    for (refusal, status) in rows {
        let (code, text) = (refusal.code(), refusal.to_string());
        assert_eq!(refusal.kind().status(), status, "{code}");
        let fault = Fault::from(refusal);
        assert_eq!((fault.code.as_ref(), fault.message, fault.param.as_deref()), (code, text, Some("model")));
    }
}
