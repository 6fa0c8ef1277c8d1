//! The decoder gives one end, the same events however the stream is cut, and agrees with the tap about
//! usage; what the encoder makes of the events decodes to the same kind of end.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use omniroute_domain::{StreamEvent, Usage};
use omniroute_wire::openai_chat::fold;
use omniroute_wire::openai_chat::stream::{Decoder, Encoder, EncoderOptions};
use omniroute_wire::openai_chat::tap::StreamTap;
use omniroute_wire::sse::{Cutter, events};

fn read(stream: &[u8], size: usize) -> (Vec<StreamEvent>, StreamTap) {
    let mut cutter = Cutter::new(1 << 20);
    let (mut decoder, mut tap, mut found) = (Decoder::new(), StreamTap::new(), Vec::new());
    let mut take = |whole: Bytes| {
        tap.see(&whole);
        for event in events(&whole) {
            decoder.push_event(&event, &mut found);
        }
    };
    for piece in stream.chunks(size.max(1)) {
        take(cutter.push(Bytes::copy_from_slice(piece)).unwrap_or_default());
    }
    take(cutter.finish());
    found.extend(decoder.finish());
    (found, tap)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, stream) = input;
    let (found, tap) = read(stream, stream.len());
    let (again, other) = read(stream, usize::from(size));
    assert_eq!(format!("{found:?}"), format!("{again:?}"));
    assert_eq!((tap.usage(), tap.finished(), tap.done()), (other.usage(), other.finished(), other.done()));
    let ends = found.iter().filter(|event| matches!(event, StreamEvent::End | StreamEvent::Error(_))).count();
    assert_eq!(ends, 1);
    // The tap believes an error in any object, the decoder only in a chunk.
    if matches!(found.last(), Some(StreamEvent::End)) && !tap.failed() {
        assert!(tap.finished() || tap.done());
        let mut counted = Usage::default();
        for event in &found {
            if let StreamEvent::Usage(usage) = event {
                counted.update(usage.clone());
            }
        }
        assert_eq!(&counted, tap.usage());
    }
    let mut encoder = Encoder::new(EncoderOptions::default());
    let mut out = BytesMut::new();
    for event in &found {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    assert!(out.ends_with(b"data: [DONE]\n\n"));
    let whole = fold::fold(found).is_ok();
    assert_eq!(fold::fold(read(&out, out.len()).0).is_ok(), whole);
});
