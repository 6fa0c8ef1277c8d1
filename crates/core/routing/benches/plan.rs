//! What a plan costs: the same for 1 and for 1,000 accounts.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use omniroute_catalog::Catalog;
use omniroute_routing::{Directory, Entry, plan};

/// So many accounts, spread over a few providers, the way a busy gateway has them.
fn directory(accounts: u32) -> Directory {
    const PROVIDERS: [&str; 4] = ["openai", "groq", "openrouter", "deepseek"];
    let entries = (0..accounts).zip(PROVIDERS.iter().cycle()).map(|(slot, provider)| Entry {
        account: format!("account-{slot}").into(),
        provider: (*provider).into(),
        prefixes: Vec::new(),
        variant: None,
        priority: slot % 7,
        slot,
        listed: None,
    });
    Directory::new(entries.collect(), Vec::new(), &Catalog::builtin())
}

fn plans(bench: &mut Criterion) {
    let names = [
        ("listed", "openai/gpt-6-sol"),
        ("unlisted", "openai/gpt-99-preview"),
        ("bare", "gpt-6-sol"),
        ("refused", "gpt-6-slo"),
    ];
    for accounts in [1, 1_000] {
        let directory = directory(accounts);
        for (case, name) in names {
            bench.bench_function(&format!("plan/{case}/{accounts} accounts"), |bencher| {
                bencher.iter(|| plan(black_box(&directory), black_box(name), None));
            });
        }
    }
    let catalog = Catalog::builtin();
    bench.bench_function("catalog/builtin", |bencher| bencher.iter(Catalog::builtin));
    bench.bench_function("catalog/lookup of a price", |bencher| {
        bencher.iter(|| catalog.provider(black_box("openai")).and_then(|row| row.model(black_box("gpt-6-sol"))?.price));
    });
}

criterion_group!(benches, plans);
criterion_main!(benches);
