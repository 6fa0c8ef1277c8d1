//! The log from both ends, with its thread held or its database broken where that is the matter.

use std::fs;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use omniroute_domain::{AccountId, FaultKind, Format, KeyId, Mark, MicroUsd, ModelId, ProviderId, Usage};
use tempfile::TempDir;

use super::queue::{BATCH, CAPACITY};
use super::usage_hours::HOUR;
use super::{
    AttemptRecord, AuditRecord, HistoryFilter, Log, LogState, Outcome, RequestId, RequestRecord, Retention, Totals,
    open, open_with,
};
use crate::data_dir::DataDir;

const NOW: i64 = 1_795_000_000_000;
const PATIENCE: Duration = Duration::from_secs(60);

fn folder() -> (TempDir, DataDir) {
    let folder = tempfile::tempdir().unwrap();
    let dir = DataDir::open(folder.path()).unwrap();
    (folder, dir)
}

fn request(sequence: u32) -> RequestRecord {
    request_at(NOW, sequence)
}

fn request_at(at_ms: i64, sequence: u32) -> RequestRecord {
    let mut record = RequestRecord::new(RequestId::new(at_ms, sequence), Format::OpenAiChat, "chat", "oa/m".into());
    record.key = Some(KeyId::from("key-1"));
    record.provider = Some(ProviderId::from("openai"));
    record.account = Some(AccountId::from("account-1"));
    record.model = Some(ModelId::from("m"));
    record.status = 200;
    record.attempts = vec![AttemptRecord {
        n: 1,
        provider: ProviderId::from("openai"),
        account: AccountId::from("account-1"),
        model: ModelId::from("m"),
        at_ms,
        duration_ms: 5,
        status: Some(200),
        fault_kind: None,
        fault_code: None,
        message: None,
    }];
    record
}

#[track_caller]
fn write(log: &Log, records: impl IntoIterator<Item = RequestRecord>) {
    records.into_iter().for_each(|record| log.writer.record(record));
    assert!(log.writer.flush(PATIENCE));
    assert_eq!(log.writer.status().state, LogState::Ready);
}

fn count(log: &Log) -> u64 {
    log.reader.count(&HistoryFilter::default()).unwrap()
}

/// Holds the writer's thread until the sender that is returned goes.
fn hold(log: &Log) -> mpsc::SyncSender<()> {
    let (holder, held) = mpsc::sync_channel::<()>(0);
    let (started, starts) = mpsc::sync_channel(1);
    let held = Mutex::new(held);
    log.writer.probe(move |_| {
        started.send(()).unwrap();
        let _until_dropped = held.lock().unwrap().recv();
    });
    starts.recv().unwrap();
    holder
}

#[test]
fn a_request_comes_back_with_everything_that_was_recorded() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    let mut full = request(1);
    (full.stream, full.outcome, full.status) = (true, Outcome::Error, 502);
    (full.fault_kind, full.fault_code) = (Some(FaultKind::BrokenStream), Some("stream_broken".into()));
    full.message = Some("the stream broke off".into());
    (full.ttfb_ms, full.duration_ms, full.bytes_in, full.bytes_out) = (Some(3), 9, 10, u64::MAX >> 1);
    full.usage = Usage {
        input_total: Some(1),
        cache_read: Some(2),
        cache_write_5m: Some(3),
        cache_write_1h: Some(4),
        output_total: Some(5),
        reasoning: Some(6),
        audio_in: Some(7),
        audio_out: Some(8),
        image: Some(9),
        tool_prompt: Some(10),
        server_tools: vec![("web_search".into(), 11)],
        tier: Some("flex".into()),
        cost: Some(MicroUsd(12)),
    };
    (full.usage_mark, full.cost, full.cost_mark) = (Some(Mark::Reported), MicroUsd(13), Mark::Reported);
    full.price_checked = Some("2026-11-20".into());
    let other = AttemptRecord {
        n: 2,
        provider: ProviderId::from("groq"),
        account: AccountId::from("account-2"),
        model: ModelId::from("x/y"),
        fault_kind: Some(FaultKind::Timeout),
        fault_code: Some("timeout".into()),
        message: Some("too slow".into()),
        status: None,
        ..full.attempts[0].clone()
    };
    full.attempts.push(other);
    let bare = RequestRecord::new(RequestId::new(NOW, 2), Format::Gemini, "models", String::new());

    write(&log, [full.clone(), bare.clone()]);
    assert_eq!(log.reader.request(full.id).unwrap(), Some(full.clone()));
    assert_eq!(log.reader.request(bare.id).unwrap(), Some(bare.clone()));
    assert_eq!(log.reader.request(RequestId::new(NOW, 3)).unwrap(), None);
    let listed = log.reader.history(&HistoryFilter::default(), None, 10).unwrap();
    assert_eq!(listed.items, [bare, RequestRecord { attempts: Vec::new(), ..full }]);
    log.writer.close();
}

#[test]
fn long_texts_are_cut_and_a_number_counts_once() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    let mut long = request(1);
    (long.asked_model, long.message) = ("ä".repeat(1000), Some("ö".repeat(1000)));
    write(&log, [long.clone(), request(1)]);
    let kept = log.reader.request(long.id).unwrap().unwrap();
    assert_eq!((kept.asked_model.chars().count(), kept.message.unwrap().chars().count()), (200, 300));
    assert_eq!((count(&log), log.reader.stats(0).unwrap().total.requests), (1, 1), "rows and sums agree");
    assert_eq!((log.writer.status().written, log.writer.status().dropped), (1, 1));
    log.writer.close();
}

#[test]
fn history_pages_backwards_through_what_the_filter_lets_through() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    let records = (0..10).map(|n| {
        let mut record = request_at(NOW + i64::from(n), n);
        if n % 2 == 1 {
            (record.provider, record.status, record.outcome) = (Some("groq".into()), 429, Outcome::Error);
        }
        record
    });
    write(&log, records);
    let odd = HistoryFilter { provider: Some("groq".into()), ..HistoryFilter::default() };
    let first = log.reader.history(&odd, None, 3).unwrap();
    let times = |items: &[RequestRecord]| items.iter().map(|record| record.at_ms() - NOW).collect::<Vec<_>>();
    assert_eq!(times(&first.items), [9, 7, 5]);
    let rest = log.reader.history(&odd, first.next, 3).unwrap();
    assert_eq!((times(&rest.items), rest.next), (vec![3, 1], None));

    let none = HistoryFilter::default;
    let filters = [
        (HistoryFilter { since: Some(NOW + 7), ..none() }, 3),
        (HistoryFilter { until: Some(NOW + 7), ..none() }, 7),
        (HistoryFilter { status: Some(429), ..none() }, 5),
        (HistoryFilter { outcome: Some(Outcome::Ok), ..none() }, 5),
        (HistoryFilter { key: Some("key-1".into()), ..none() }, 10),
        (HistoryFilter { key: Some("key-2".into()), ..none() }, 0),
        (HistoryFilter { account: Some("account-1".into()), model: Some("m".into()), ..none() }, 10),
        (HistoryFilter { model: Some("n".into()), ..none() }, 0),
        (HistoryFilter { since: Some(NOW + 2), until: Some(NOW + 6), ..odd.clone() }, 2),
    ];
    for (filter, expected) in filters {
        assert_eq!(log.reader.count(&filter).unwrap(), expected, "{filter:?}");
        assert_eq!(log.reader.history(&filter, None, 100).unwrap().items.len() as u64, expected, "{filter:?}");
    }
    log.writer.close();
}

#[test]
fn sums_are_kept_by_everything_that_took_part() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    let mut cheap = request(1);
    cheap.usage = Usage { input_total: Some(100), cache_read: Some(40), output_total: Some(7), ..Usage::default() };
    (cheap.cost, cheap.cost_mark, cheap.usage_mark) = (MicroUsd(30), Mark::Estimated, Some(Mark::Reported));
    (cheap.duration_ms, cheap.ttfb_ms) = (500, Some(50));
    let mut failed = request_at(NOW + HOUR, 2);
    (failed.provider, failed.model, failed.account, failed.key) = (None, None, None, None);
    (failed.outcome, failed.duration_ms) = (Outcome::Error, 11);
    let mut left = request_at(NOW + HOUR, 3);
    (left.model, left.outcome, left.usage_mark) = (Some("n".into()), Outcome::ClientClosed, Some(Mark::Estimated));
    left.usage.output_total = Some(3);
    write(&log, [cheap.clone(), failed, left]);
    write(&log, [RequestRecord { id: RequestId::new(NOW, 4), ..cheap }]);

    let stats = log.reader.stats(0).unwrap();
    let expected = Totals {
        requests: 4,
        errors: 1,
        input: 200,
        cache_read: 80,
        output: 17,
        cost: MicroUsd(60),
        unpriced_requests: 2,
        estimated_requests: 1,
        duration_ms_sum: 1011,
        ttfb_ms_sum: 100,
        ttfb_requests: 2,
        ..Totals::default()
    };
    assert_eq!(stats.total, expected);
    let requests = |totals: Option<&Totals>| totals.map(|totals| totals.requests);
    assert_eq!(stats.by_provider.len(), 1, "a request nobody answered counts for no provider");
    assert_eq!(requests(stats.by_provider.get("openai")), Some(3));
    assert_eq!(requests(stats.by_model.get(&("openai".into(), "m".into()))), Some(2));
    assert_eq!(requests(stats.by_model.get(&("openai".into(), "n".into()))), Some(1));
    assert_eq!(requests(stats.by_account.get("account-1")), Some(3));
    assert_eq!(requests(stats.by_key.get("key-1")), Some(3));
    assert_eq!(stats.by_hour.values().map(|totals| totals.requests).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(stats.by_hour.keys().copied().collect::<Vec<_>>(), [NOW / HOUR * HOUR, (NOW / HOUR + 1) * HOUR]);
    assert_eq!(log.reader.stats(NOW + HOUR).unwrap().total.requests, 2, "since the hour");
    let minutes = log.reader.minutes(0).unwrap();
    assert_eq!(minutes.keys().copied().collect::<Vec<_>>(), [NOW / 60_000 * 60_000, (NOW + HOUR) / 60_000 * 60_000]);
    let mut total = Totals::default();
    minutes.values().for_each(|minute| total.add(minute));
    assert_eq!(total, expected, "the rows sum up to the same");
    assert!(log.reader.minutes(NOW + 2 * HOUR).unwrap().is_empty());
    assert_eq!(log.reader.last_used().unwrap()[&KeyId::from("key-1")], NOW + HOUR);
    log.writer.close();
}

#[test]
fn a_full_queue_drops_and_counts_and_holds_nobody_up() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    let holder = hold(&log);
    let surplus = 100;
    // The writer's thread stands still, so this returns only because it waits for nothing.
    (0..(CAPACITY + surplus) as u32).for_each(|n| log.writer.record(request(n)));
    assert_eq!(log.writer.status().dropped, surplus as u64);
    drop(holder);
    assert!(log.writer.flush(PATIENCE));
    assert_eq!((count(&log), log.writer.status().dropped), (CAPACITY as u64, surplus as u64));
    log.writer.close();
    log.writer.record(request(1));
    assert_eq!(log.writer.status().dropped, surplus as u64 + 1, "a closed log takes nothing");
}

#[test]
fn rows_are_written_without_being_asked_for() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    log.writer.record(request(1));
    // Nothing here hurries the writer: it ends its wait by itself.
    while log.writer.status().written == 0 {
        std::thread::yield_now();
    }
    assert_eq!(count(&log), 1);
    log.writer.close();
}

#[test]
fn a_batch_is_one_transaction_of_at_most_two_hundred() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    let holder = hold(&log);
    (0..BATCH as u32).for_each(|n| log.writer.record(request(n)));
    log.writer.probe(|connection| {
        let rows: i64 = connection.query_row("SELECT count(*) FROM requests", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, BATCH as i64, "the first two hundred were committed before the next batch began");
    });
    drop(holder);
    assert!(log.writer.flush(PATIENCE));
    assert_eq!(log.writer.status().dropped, 0);
    log.writer.close();
}

#[test]
fn close_writes_what_waits_and_leaves_one_clean_file() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    (0..500).for_each(|n| log.writer.record(request(n)));
    log.writer.close();
    assert_eq!(log.writer.status().state, LogState::Closed);
    assert!(!dir.path().join("log.db-wal").exists(), "a clean end leaves no write-ahead log");
    assert_eq!(count(&open(&dir, NOW)), 500);
}

#[test]
fn the_oldest_rows_go_beyond_the_row_cap_and_the_sums_stay() {
    let (_folder, dir) = folder();
    let log = open_with(&dir, NOW, Retention { rows: 300, ..Retention::default() });
    for round in 0..20 {
        write(&log, (0..100).map(|n| request_at(NOW + round, n)));
    }
    assert!(count(&log) <= 300 + 300, "at most a look's worth over the cap: {}", count(&log));
    let newest = log.reader.history(&HistoryFilter::default(), None, 1).unwrap().items.remove(0);
    assert_eq!(newest.at_ms(), NOW + 19);
    assert_eq!(log.reader.stats(0).unwrap().total.requests, 2000);
    log.writer.probe(|connection| {
        let orphans = "SELECT count(*) FROM attempts WHERE request NOT IN (SELECT id FROM requests)";
        let orphans: i64 = connection.query_row(orphans, [], |row| row.get(0)).unwrap();
        assert_eq!(orphans, 0);
    });
    assert!(log.writer.flush(PATIENCE));
    log.writer.close();
}

#[test]
fn rows_sums_and_audit_entries_go_when_they_are_too_old_or_too_many() {
    let (_folder, dir) = folder();
    let day = 24 * HOUR;
    let limits = Retention { hours_age: Duration::from_secs(10 * 24 * 3600), audit_rows: 3, ..Retention::default() };
    let log = open_with(&dir, NOW, limits);
    write(&log, [request_at(NOW - 20 * day, 1), request_at(NOW - 8 * day, 2), request_at(NOW - 6 * day, 3)]);
    let audit = |n| AuditRecord { at: NOW, actor: "local".into(), action: "a".into(), subject: n, detail: None };
    (0..10).for_each(|n: u32| log.writer.audit(audit(n.to_string())));
    assert!(log.writer.flush(PATIENCE));
    log.writer.close();

    let log = open_with(&dir, NOW, limits);
    write(&log, [request_at(NOW, 4)]);
    let kept = log.reader.history(&HistoryFilter::default(), None, 10).unwrap().items;
    assert_eq!(kept.iter().map(|record| (NOW - record.at_ms()) / day).collect::<Vec<_>>(), [0, 6]);
    assert_eq!(log.reader.stats(0).unwrap().total.requests, 3, "sums live longer than rows, not for ever");
    let subjects: Vec<_> = log.reader.audit(None, 10).unwrap().into_iter().map(|(_, entry)| entry.subject).collect();
    assert_eq!(subjects, ["9", "8", "7"]);
    log.writer.close();
}

#[test]
fn the_file_stays_under_the_byte_cap_and_shrinks_back() {
    let (_folder, dir) = folder();
    let cap = 400_000;
    let log = open_with(&dir, NOW, Retention { bytes: cap, ..Retention::default() });
    for round in 0..20 {
        let big = (0..200).map(|n| RequestRecord { message: Some("x".repeat(300)), ..request_at(NOW + round, n) });
        write(&log, big);
    }
    assert!(count(&log) < 2000, "rows went: {}", count(&log));
    log.writer.close();
    let size = fs::metadata(dir.log()).unwrap().len();
    assert!(size < cap + 1000 * 600, "{size}");
}

#[test]
fn a_damaged_file_is_kept_under_another_name_and_a_new_one_begun() {
    for bytes in [&b""[..], b"not a database", &[0; 9000]] {
        let (_folder, dir) = folder();
        fs::write(dir.log(), bytes).unwrap();
        fs::write(dir.path().join("log.db-wal"), b"its log").unwrap();
        let log = open(&dir, NOW);
        write(&log, [request(1)]);
        let aside = format!("log.db.damaged-{NOW}");
        assert_eq!(fs::read(dir.path().join(&aside)).unwrap(), bytes);
        assert_eq!(fs::read(dir.path().join(format!("{aside}-wal"))).unwrap(), b"its log");
        assert!(log.writer.status().notice.unwrap().contains(&aside));
        assert_eq!(count(&log), 1);
        log.writer.close();

        fs::write(dir.log(), bytes).unwrap();
        open(&dir, NOW).writer.close();
        assert_eq!(fs::read(dir.path().join(&aside)).unwrap(), bytes, "the first one is not written over");
        assert_eq!(fs::read(dir.path().join(format!("log.db.damaged-{}", NOW + 1))).unwrap(), bytes);
    }
}

/// Damage inside a table, and the write-ahead log that a killed process leaves.
fn damage_inside(dir: &DataDir) {
    let mut bytes = fs::read(dir.log()).unwrap();
    let end = bytes.len();
    bytes[4096..end].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(dir.log(), bytes).unwrap();
}

#[test]
fn after_an_unclean_end_the_whole_file_is_checked() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    write(&log, (0..2000).map(request));
    log.writer.close();
    damage_inside(&dir);
    fs::write(dir.path().join("log.db-wal"), b"").unwrap();
    let log = open(&dir, NOW + 1);
    write(&log, [request(1)]);
    assert!(log.writer.status().notice.is_some(), "the damage was found before anything was written");
    assert_eq!(count(&log), 1);
    log.writer.close();
}

#[test]
fn damage_met_while_running_loses_a_batch_and_not_the_log() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    write(&log, (0..2000).map(request));
    log.writer.close();
    damage_inside(&dir);
    let log = open(&dir, NOW + 1);
    assert!(log.reader.stats(0).is_err(), "a clean end: nobody looked yet");
    write(&log, [request(1)]);
    assert!(log.writer.status().notice.is_some(), "what the reader met, the writer looked into");
    assert_eq!((count(&log), log.reader.stats(0).unwrap().total.requests), (1, 1));
    log.writer.close();
}

#[test]
fn a_log_of_a_newer_version_is_kept_and_a_new_one_begun() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    log.writer.probe(|connection| connection.pragma_update(None, "user_version", 99).unwrap());
    write(&log, [request(1)]);
    log.writer.close();
    let log = open(&dir, NOW + 1);
    write(&log, [request(2)]);
    assert_eq!(count(&log), 1);
    assert!(dir.path().join(format!("log.db.newer-{}", NOW + 1)).exists());
    log.writer.close();
}

#[test]
fn a_full_disk_drops_a_batch_says_so_and_passes() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    write(&log, [request(1)]);
    log.writer.probe(|connection| connection.pragma_update(None, "max_page_count", 1).unwrap());
    (2..400).for_each(|n| log.writer.record(request(n)));
    assert!(log.writer.flush(PATIENCE));
    let status = log.writer.status();
    assert_eq!(status.state, LogState::Paused("disk_full"));
    assert!(status.dropped > 0);
    log.writer.probe(|connection| connection.pragma_update(None, "max_page_count", 1_000_000).unwrap());
    write(&log, [request(1000)]);
    assert!(log.reader.request(RequestId::new(NOW, 1000)).unwrap().is_some());
    log.writer.close();
}

#[test]
fn an_audit_entry_comes_back_newest_first_page_by_page() {
    let (_folder, dir) = folder();
    let log = open(&dir, NOW);
    let entry = |subject: &str| AuditRecord {
        at: NOW,
        actor: "key-1".into(),
        action: "account.create".into(),
        subject: subject.into(),
        detail: Some("{\"name\":\"work\"}".into()),
    };
    ["a", "b", "c"].map(entry).into_iter().for_each(|record| log.writer.audit(record));
    assert!(log.writer.flush(PATIENCE));
    let first = log.reader.audit(None, 2).unwrap();
    assert_eq!(first.iter().map(|(_, record)| record.clone()).collect::<Vec<_>>(), ["c", "b"].map(entry));
    assert_eq!(log.reader.audit(Some(first[1].0), 2).unwrap()[0].1, entry("a"));
    log.writer.close();
}
