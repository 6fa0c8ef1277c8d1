//! What a row of the request log costs: the store's own writer, fed with the records of ordinary
//! requests in a process that does nothing else.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use omniroute_domain::{AccountId, Format, KeyId, Mark, MicroUsd, ModelId, ProviderId, Usage};
use omniroute_store::DataDir;
use omniroute_store::log::{self, AttemptRecord, LogWriter, RequestId, RequestIds, RequestRecord};
use serde_json::json;

use crate::contestant::Place;
use crate::figure::{Figure, Must};
use crate::machine::Used;
use crate::pace::Pace;
use crate::process::Part;
use crate::series::Series;

/// The most rows that share a transaction: a busy second.
const BUSY: usize = 200;
/// A quiet one.
const QUIET: usize = 20;
/// Repetitions.
const TIMES: usize = 3;
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes rows and says what one of them cost in CPU time, as a process.
pub(crate) fn run(rows: usize, at_a_time: usize) -> Result<()> {
    let folder = tempfile::TempDir::with_prefix("omniroute-bench-").context("making a folder")?;
    let dir = DataDir::open(&folder.path().join("data")).context("opening a data folder")?;
    let log = log::open(&dir, now_ms());
    let ids = RequestIds::starting_at(0);
    write(&log.writer, records(&ids, BUSY))?;
    let records = records(&ids, rows);
    let before = used_when_quiet()?;
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        write(&log.writer, records.by_ref().take(at_a_time))?;
    }
    let cpu = used_when_quiet()?.cpu_since(&before);
    let status = log.writer.status();
    ensure!(status.written == (BUSY + rows) as u64, "not every row was written: {status:?}");
    log.writer.close();
    println!("{}", json!({ "us_per_row": cpu.as_secs_f64() * 1e6 / rows as f64 }));
    Ok(())
}

/// Measures it.
pub(crate) fn measure(place: Place, pace: Pace) -> Result<Vec<Figure>> {
    let busy = cost(place, pace.rows, BUSY)?;
    let quiet = cost(place, pace.rows / 10, QUIET)?;
    Ok(vec![
        Figure::of_ours(format!("CPU per log row, {BUSY} at a time"), "us", busy, Must::AtMost(10.0)),
        Figure::of_ours(format!("CPU per log row, {QUIET} at a time"), "us", quiet, Must::Nothing),
    ])
}

fn cost(place: Place, rows: usize, at_a_time: usize) -> Result<Series> {
    let (rows, at_a_time) = (rows.max(1).to_string(), at_a_time.to_string());
    let words = ["log-row", "--rows", &rows, "--at-a-time", &at_a_time];
    let cost = || {
        let said = Part::start(&words, place.core)?.result()?;
        said["us_per_row"].as_f64().context("the cost of a row is told")
    };
    (0..TIMES).map(|_| cost()).collect()
}

fn write(writer: &LogWriter, records: impl IntoIterator<Item = RequestRecord>) -> Result<()> {
    for record in records {
        writer.record(record);
    }
    ensure!(writer.flush(PATIENCE), "the rows are not written: {:?}", writer.status());
    Ok(())
}

/// The system adds up a thread's time when it stops, so all of them have to.
fn used_when_quiet() -> Result<Used> {
    let until = Instant::now() + Duration::from_millis(50);
    while Instant::now() < until {
        thread::park_timeout(until - Instant::now());
    }
    Used::of(std::process::id())
}

fn records(ids: &RequestIds, count: usize) -> Vec<RequestRecord> {
    let now = now_ms();
    (0..count).map(|_| record(ids.next(now))).collect()
}

fn record(id: RequestId) -> RequestRecord {
    let (provider, account) = (ProviderId::from("openai-compatible-mk"), AccountId::from("0199a000-1111-7222-8333"));
    let model = ModelId::from("gpt-large-2026-08-01");
    let attempt = AttemptRecord {
        n: 1,
        provider: provider.clone(),
        account: account.clone(),
        model: model.clone(),
        at_ms: id.at_ms(),
        duration_ms: 1234,
        status: Some(200),
        fault_kind: None,
        fault_code: None,
        message: None,
    };
    let usage = Usage {
        input_total: Some(412),
        cache_read: Some(128),
        output_total: Some(64),
        reasoning: Some(16),
        ..Usage::default()
    };
    let mut record = RequestRecord::new(id, Format::OpenAiChat, "chat", "mk/gpt-large-2026-08-01".to_owned());
    record.key = Some(KeyId::from("0199a000-4444-7555-8666"));
    record.provider = Some(provider);
    record.account = Some(account);
    record.model = Some(model);
    record.stream = true;
    record.status = 200;
    record.ttfb_ms = Some(310);
    record.duration_ms = 1234;
    record.usage = usage;
    record.usage_mark = Some(Mark::Reported);
    record.cost = MicroUsd(1873);
    record.cost_mark = Mark::Estimated;
    record.price_checked = Some("2026-11-20".to_owned());
    record.bytes_in = 5120;
    record.bytes_out = 18_000;
    record.attempts.push(attempt);
    record
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
