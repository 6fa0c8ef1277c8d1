//! Recorded exchanges, and driving a stream through cutter and decoder.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use omniroute_domain::StreamEvent;
use omniroute_wire::openai_chat::stream::Decoder;
use omniroute_wire::openai_chat::tap::StreamTap;
use omniroute_wire::sse::{Cutter, events};
use serde_json::Value;

/// Names and contents of the fixtures with an ending, in order of name.
pub(crate) fn all(ending: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openai_chat");
    let files = fs::read_dir(folder).expect("the fixtures are there").map(|entry| entry.expect("a file").path());
    let mut found: Vec<(String, Vec<u8>)> = files
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
            Some((name, fs::read(&path).expect("readable")))
        })
        .collect();
    found.sort();
    assert!(found.len() > 2, "fixtures with {ending}");
    found
}

/// The events of a stream that comes in pieces cut at some places.
pub(crate) fn decode(stream: &[u8], cuts: &[usize]) -> Vec<StreamEvent> {
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    for whole in cut(stream, cuts) {
        for event in events(&whole) {
            decoder.push_event(&event, &mut found);
        }
    }
    found.extend(decoder.finish());
    found
}

/// A tap that has seen a stream in pieces.
pub(crate) fn tap(stream: &[u8], cuts: &[usize]) -> StreamTap {
    let mut tap = StreamTap::new();
    for whole in cut(stream, cuts) {
        tap.see(&whole);
    }
    tap
}

/// What the cutter gives for a stream in pieces, what is left at the end included.
pub(crate) fn cut(stream: &[u8], cuts: &[usize]) -> Vec<Bytes> {
    let mut cutter = Cutter::new(16 << 20);
    let mut places: Vec<usize> = cuts.iter().map(|place| place % (stream.len() + 1)).chain([0, stream.len()]).collect();
    places.sort_unstable();
    let pieces = places.windows(2).map(|pair| Bytes::copy_from_slice(&stream[pair[0]..pair[1]]));
    let mut whole: Vec<Bytes> = pieces.map(|piece| cutter.push(piece).expect("under the limit")).collect();
    whole.push(cutter.finish());
    whole
}

/// JSON with what makes no difference taken out: fields that are null, and the shapes that are two
/// spellings of one thing.
pub(crate) fn canonical(json: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(json).expect("valid JSON");
    simplify(&mut value);
    value
}

fn simplify(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(simplify);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
