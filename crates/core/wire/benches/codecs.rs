//! What the codecs cost: the outline of a body, a chunk of a stream through cutter and tap, and
//! decoding and encoding. Run with `cargo bench -p omniroute-wire`.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use omniroute_wire::openai_chat::tap::{StreamTap, read_reply};
use omniroute_wire::sse::Cutter;
use omniroute_wire::{Splice, outline};

/// A request whose prompt is code and prose, escapes included, of about so many bytes.
fn request(bytes: usize) -> Vec<u8> {
    let line = "    let answer = ask(\\\"model\\\", 42)?; // then we look at what came back, line by line\\n";
    let head = r#"{"model":"mk/small","stream":true,"temperature":0.2,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":""#;
    let tail = r#""}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]}"#;
    let lines = bytes.saturating_sub(head.len() + tail.len()) / line.len();
    format!("{head}{}{tail}", line.repeat(lines)).into_bytes()
}

fn event() -> Bytes {
    Bytes::from_static(
        b"data: {\"id\":\"chatcmpl-Cq1xBq7hVnTtqv0zYp3m\",\"object\":\"chat.completion.chunk\",\"created\":1763600000,\"model\":\"gpt-x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n",
    )
}

fn outlines(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("outline");
    for (name, bytes) in [("1KB", 1 << 10), ("100KB", 100 << 10), ("1MB", 1 << 20)] {
        let body = request(bytes);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |run| run.iter(|| outline(black_box(&body), 128).is_ok()));
    }
    let body = Bytes::from(request(1 << 20));
    group.bench_function("1MB and splice", |run| {
        run.iter(|| {
            let found = outline(&body, 128).expect("valid");
            let span = found.get("model").expect("present").span;
            Splice::new(body.clone()).replace(span, "\"small\"").finish().len()
        });
    });
    group.finish();
}

fn chunks(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("stream");
    let one = event();
    let many = Bytes::from(one.repeat(80));
    let opened = {
        let mut tap = StreamTap::new();
        tap.see(&one);
        (Cutter::new(16 << 20), tap)
    };
    let (mut cutter, mut tap) = opened;
    cutter.push(Bytes::from_static(b"data: {}\n\n")).expect("short");
    group.throughput(Throughput::Bytes(one.len() as u64));
    group.bench_function("cutter, one event", |run| {
        run.iter(|| cutter.push(black_box(one.clone())).expect("short").len())
    });
    group.bench_function("tap, one event", |run| run.iter(|| tap.see(black_box(&one)).useful));
    group.bench_function("cutter and tap, one event", |run| {
        run.iter(|| tap.see(&cutter.push(black_box(one.clone())).expect("short")).useful);
    });
    let (left, right) = (one.slice(..90), one.slice(90..));
    group.bench_function("cutter and tap, an event in halves", |run| {
        run.iter(|| {
            cutter.push(black_box(left.clone())).expect("short");
            tap.see(&cutter.push(black_box(right.clone())).expect("short")).useful
        });
    });
    group.throughput(Throughput::Bytes(many.len() as u64));
    group.bench_function("cutter and tap, 80 events", |run| {
        run.iter(|| tap.see(&cutter.push(black_box(many.clone())).expect("short")).useful);
    });
    group.bench_function("tap, first event", |run| {
        run.iter_batched(StreamTap::new, |mut tap| tap.see(black_box(&one)).useful, BatchSize::SmallInput);
    });
    let reply = br#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Some words of an answer."},"finish_reason":"stop"}],"usage":{"prompt_tokens":50,"completion_tokens":20,"total_tokens":70}}"#;
    group.bench_function("reply facts", |run| run.iter(|| read_reply(black_box(reply)).is_ok()));
    group.finish();
}

criterion_group!(benches, outlines, chunks);
criterion_main!(benches);
