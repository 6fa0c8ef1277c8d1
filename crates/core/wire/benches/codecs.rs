//! What the codecs cost: the outline of a body, a chunk of a stream through cutter and tap, and
//! decoding and encoding. Run with `cargo bench -p omniroute-wire`.

#![expect(clippy::expect_used, reason = "a bench that does not run has nothing to measure")]

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use omniroute_wire::openai_chat::ask;
use omniroute_wire::openai_chat::stream::{Decoder, Encoder, EncoderOptions};
use omniroute_wire::openai_chat::tap::{StreamTap, read_reply};
use omniroute_wire::sse::{Cutter, events};
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

/// Decoding and encoding: what a translated exchange costs, and a passed-through one does not.
fn codecs(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("codec");
    for (name, bytes) in [("1KB", 1 << 10), ("1MB", 1 << 20)] {
        let body = request(bytes);
        let asked = ask::decode(&body).expect("a request");
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(format!("ask decode {name}"), |run| run.iter(|| ask::decode(black_box(&body)).is_ok()));
        group.bench_function(format!("ask encode {name}"), |run| run.iter(|| ask::encode(black_box(&asked)).0.len()));
    }
    let one = event();
    let data = events(&one).next().expect("an event").data.into_owned();
    let mut decoder = Decoder::new();
    let mut found = decoder.push(&data);
    let words = found.pop().expect("a piece of text");
    group.throughput(Throughput::Bytes(data.len() as u64));
    group.bench_function("stream decode, one event", |run| {
        run.iter(|| {
            found.clear();
            decoder.push_into(black_box(&data), &mut found);
            found.len()
        });
    });
    let mut encoder = Encoder::new(EncoderOptions::default());
    let mut out = BytesMut::new();
    for event in Decoder::new().push(&data) {
        encoder.push(&event, &mut out);
    }
    group.bench_function("stream encode, one event", |run| {
        run.iter(|| {
            out.clear();
            encoder.push(black_box(&words), &mut out);
            out.len()
        });
    });
    group.finish();
}

criterion_group!(benches, outlines, chunks, codecs);
criterion_main!(benches);
