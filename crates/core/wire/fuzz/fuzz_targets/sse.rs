//! The cutter gives the same bytes and the same events however a stream is cut, and never more than its
//! limit.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use omniroute_wire::sse::{Cutter, events};

/// Name and data of all events, the bytes, and whether an event was over the limit.
type Read = (Vec<(Option<Vec<u8>>, Vec<u8>)>, Vec<u8>, bool);

fn read(stream: &[u8], size: usize, limit: usize) -> Read {
    let mut cutter = Cutter::new(limit);
    let (mut found, mut bytes, mut long) = (Vec::new(), Vec::new(), false);
    let mut take = |whole: Bytes| {
        found.extend(events(&whole).map(|event| (event.name.map(<[u8]>::to_vec), event.data.into_owned())));
        bytes.extend_from_slice(&whole);
    };
    for piece in stream.chunks(size.max(1)) {
        match cutter.push(Bytes::copy_from_slice(piece)) {
            Ok(whole) => take(whole),
            Err(_) => long = true,
        }
        assert!(cutter.pending() <= limit);
    }
    long |= cutter.push(Bytes::new()).is_err();
    take(cutter.finish());
    (found, bytes, long)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, stream) = input;
    let whole = read(stream, stream.len(), 1 << 20);
    assert_eq!(whole, read(stream, usize::from(size), 1 << 20));
    read(stream, usize::from(size), 32);
});
