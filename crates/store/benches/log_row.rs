//! What a recorded request costs, and what looking at a million of them costs.
//!
//! `log/row` is processor time of the whole process per row, the caller's part and the writer's thread
//! together, which is what the machine pays; wall time would hide one behind the other. The others are
//! wall time over 1,000,000 rows of a week.
#![expect(clippy::unwrap_used, reason = "a benchmark that can not go on has nothing to measure")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use omniroute_domain::{AccountId, Format, KeyId, Mark, MicroUsd, ModelId, ProviderId, Usage};
use omniroute_store::DataDir;
use omniroute_store::log::{self, AttemptRecord, HistoryFilter, Log, RequestId, RequestRecord, Retention};

/// Fits the queue, so that nothing is dropped.
const ROWS: u32 = 4000;
const MILLION: u32 = 1_000_000;
const WEEK_MS: i64 = 7 * 24 * 3_600_000;
const NOW: i64 = 1_795_000_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

fn request(at_ms: i64, sequence: u32) -> RequestRecord {
    let which = sequence % 20;
    let provider = ProviderId::from(["openai", "anthropic", "openrouter", "groq"][which as usize % 4]);
    let account = AccountId::from(format!("0190a6b4-7c3e-7b1e-9f1a-0123456789{which:02}"));
    let model = ModelId::from(["gpt-oss-120b", "claude-sonnet", "deepseek-chat"][which as usize % 3]);
    let mut record = RequestRecord::new(RequestId::new(at_ms, sequence), Format::OpenAiChat, "chat", "mk/model".into());
    record.key = Some(KeyId::from(format!("0190a6b4-7c3e-7b1e-9f1a-abcdef0123{:02}", which % 5)));
    (record.provider, record.account, record.model) =
        (Some(provider.clone()), Some(account.clone()), Some(model.clone()));
    (record.stream, record.status, record.ttfb_ms, record.duration_ms) = (true, 200, Some(310), 4200);
    record.usage = Usage {
        input_total: Some(5200),
        cache_read: Some(4096),
        output_total: Some(420),
        reasoning: Some(96),
        ..Usage::default()
    };
    (record.usage_mark, record.cost, record.cost_mark) = (Some(Mark::Reported), MicroUsd(2310), Mark::Estimated);
    record.price_checked = Some("2026-11-20".into());
    (record.bytes_in, record.bytes_out) = (21_000, 9000);
    record.attempts.push(AttemptRecord {
        n: 1,
        provider,
        account,
        model,
        at_ms: at_ms + 1,
        duration_ms: 4190,
        status: Some(200),
        fault_kind: None,
        fault_code: None,
        message: None,
    });
    record
}

/// Processor time of all threads so far; wall time where the system does not tell.
fn spent(begun: Instant) -> Duration {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return begun.elapsed() };
    let nanoseconds = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

fn open(folder: &Path, rows: u64) -> Log {
    let dir = DataDir::open(folder).unwrap();
    let limits = Retention { rows, bytes: u64::MAX >> 1, ..Retention::default() };
    log::open_with(&dir, NOW, limits)
}

fn row(bench: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), 100_000);
    let begun = Instant::now();
    let mut group = bench.benchmark_group("log");
    group.throughput(Throughput::Elements(u64::from(ROWS))).sample_size(20);
    let mut at_ms = NOW;
    group.bench_function("row", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut total = Duration::ZERO;
            for _ in 0..rounds {
                let records: Vec<_> = (0..ROWS).map(|n| request(at_ms + i64::from(n / 4), n)).collect();
                at_ms += i64::from(ROWS);
                let before = spent(begun);
                records.into_iter().for_each(|record| log.writer.record(record));
                assert!(log.writer.flush(PATIENCE));
                total += spent(begun) - before;
            }
            total
        });
    });
    group.finish();
    assert_eq!(log.writer.status().dropped, 0, "every row was written");
    log.writer.close();
}

fn million(bench: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), u64::from(MILLION) * 2);
    for slice in 0..MILLION / ROWS {
        for n in (slice * ROWS)..((slice + 1) * ROWS) {
            log.writer.record(request(NOW - WEEK_MS + WEEK_MS * i64::from(n) / i64::from(MILLION), n));
        }
        assert!(log.writer.flush(PATIENCE));
    }
    log.writer.close();
    drop(log);
    let bytes = fs::metadata(folder.path().join("log.db")).unwrap().len();
    assert!(bytes < 300 * u64::from(MILLION), "{bytes} bytes for a million rows");

    let log = open(folder.path(), u64::from(MILLION) * 2);
    let mut group = bench.benchmark_group("million");
    group.sample_size(20);
    group.bench_function("stats_of_a_week", |bencher| bencher.iter(|| black_box(log.reader.stats(0).unwrap())));
    group.bench_function("stats_of_a_day", |bencher| {
        bencher.iter(|| black_box(log.reader.stats(NOW - 24 * 3_600_000).unwrap()));
    });
    let newest = HistoryFilter::default();
    group.bench_function("newest_50", |bencher| {
        bencher.iter(|| black_box(log.reader.history(&newest, None, 50).unwrap()));
    });
    group.finish();
    log.writer.close();
}

criterion_group!(benches, row, million);
criterion_main!(benches);
