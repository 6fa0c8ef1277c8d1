use bytes::Bytes;

use super::{Cutter, TooLong, events};

/// Name and data of every event.
fn read(whole: &[u8]) -> Vec<(Option<String>, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    events(whole).map(|event| (event.name.map(text), text(&event.data))).collect()
}

#[track_caller]
fn check(stream: &str, data: &[&str]) {
    let found: Vec<String> = read(stream.as_bytes()).into_iter().map(|(_, data)| data).collect();
    assert_eq!(found, data, "{stream:?}");
}

/// The data of all events when the stream comes in pieces of one size, comments left out.
fn cut(stream: &[u8], size: usize) -> Vec<String> {
    let mut cutter = Cutter::new(1 << 20);
    let mut found = Vec::new();
    let mut take = |whole: Bytes| found.extend(read(&whole).into_iter().map(|(_, data)| data));
    for piece in stream.chunks(size) {
        take(cutter.push(Bytes::copy_from_slice(piece)).expect("under the limit"));
    }
    take(cutter.finish());
    found
}

#[test]
fn every_line_end_ends_a_line() {
    check("data: a\n\ndata: b\n\n", &["a", "b"]);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    check("data: a\r\rdata: b\r\r", &["a", "b"]);
    check("data: a\n\rdata: b\r\n\n", &["a", "b"]);
}

#[test]
fn one_space_after_the_colon_is_dropped_and_none_is_needed() {
    check("data:{\"x\":1}\n\n", &["{\"x\":1}"]);
    check("data:  x\n\n", &[" x"]);
    check("data\n\ndata:\n\n", &["", ""]);
}

#[test]
fn data_lines_of_one_event_are_joined() {
    check("data: {\"a\":\ndata: 1}\n\n", &["{\"a\":\n1}"]);
    check("data: a\nid: 7\nretry: 9\ndata: b\n\n", &["a\nb"]);
}

#[test]
fn comments_are_events_without_data_and_blank_lines_are_none() {
    check(": OPENROUTER PROCESSING\n\ndata: a\n\n", &["", "a"]);
    check(": x\ndata: a\n\n", &["a"]);
    check("\n\n\r\n\ndata: a\n\n\n\n", &["a"]);
    check("", &[]);
}

#[test]
fn the_last_event_needs_no_blank_line() {
    check("data: a\n\ndata: [DONE]", &["a", "[DONE]"]);
    check("data: a\n\ndata: [DONE]\n", &["a", "[DONE]"]);
}

#[test]
fn names_and_places_are_given() {
    let stream = b"event: ping\ndata: x\n\n: note\n\ndata: y";
    let found: Vec<_> = events(stream).map(|event| (event.name, event.raw)).collect();
    assert_eq!(found, [(Some(&b"ping"[..]), 0..21), (None, 21..29), (None, 29..36)]);
}

#[test]
fn any_cut_gives_the_same_events() {
    let stream = "\u{feff}data: a\r\n\r\n: note\n\ndata:b\ndata: c\n\ndata: \u{1f389}é\r\rdata: d\n\n\ndata: e\r\n\r\ndata: [DONE]";
    let whole = cut(stream.as_bytes(), stream.len());
    assert_eq!(whole, ["a", "", "b\nc", "\u{1f389}é", "d", "e", "[DONE]"]);
    for size in 1..stream.len() {
        assert_eq!(cut(stream.as_bytes(), size), whole, "in pieces of {size}");
    }
}

#[test]
fn a_chunk_of_whole_events_is_passed_on_uncopied() {
    let mut cutter = Cutter::new(1 << 20);
    let chunk = Bytes::from_static(b"data: a\n\ndata: b\n\n");
    let out = cutter.push(chunk.clone()).expect("short");
    assert_eq!((out.as_ptr(), out.len(), cutter.pending()), (chunk.as_ptr(), chunk.len(), 0));
    let chunk = Bytes::from_static(b"data: c\n\ndata: d");
    let out = cutter.push(chunk.clone()).expect("short");
    assert_eq!((out.as_ptr(), out.len(), cutter.pending()), (chunk.as_ptr(), 9, 7));
    assert_eq!(cutter.push(Bytes::from_static(b"\n")).expect("short"), "");
    assert_eq!(cutter.push(Bytes::from_static(b"\n: x")).expect("short"), "data: d\n\n");
    assert_eq!(cutter.finish(), ": x");
    assert_eq!((cutter.pending(), cutter.finish()), (0, Bytes::new()));
}

#[test]
fn a_lone_cr_is_held_back_only_until_the_next_byte() {
    let mut cutter = Cutter::new(1 << 20);
    let mut push = |piece: &'static str| cutter.push(Bytes::from_static(piece.as_bytes())).expect("short");
    assert_eq!(push("data: a\n\r"), "", "a LF may follow");
    assert_eq!(push("d"), "data: a\n\r");
    assert_eq!(push("ata: b\r\n\r"), "");
    assert_eq!(push("\n"), "data: b\r\n\r\n");
    assert_eq!(push("data: c\r\r"), "data: c\r\r", "a stream of CRs is not held back");
    assert_eq!(push("\ndata: d\n\n"), "\ndata: d\n\n");
}

#[test]
fn a_byte_order_mark_is_stripped_at_the_start_only() {
    let mut cutter = Cutter::new(1 << 20);
    for piece in [&b"\xef"[..], b"\xbb", b""] {
        assert_eq!(cutter.push(Bytes::from_static(piece)).expect("short"), "");
    }
    assert_eq!(cutter.push(Bytes::from_static(b"\xbfdata: a\n\n")).expect("short"), "data: a\n\n");
    let again = Bytes::from_static(b"\xef\xbb\xbfdata: b\n\n");
    assert_eq!(cutter.push(again.clone()).expect("short"), again);
    let mut short = Cutter::new(9);
    assert_eq!(short.push(Bytes::from_static(b"\n\n")).expect("short"), "\n\n");
}

#[test]
fn an_event_over_the_limit_is_an_error_however_it_is_cut() {
    let stream = b"data: short\n\ndata: 0123456789012345\n\ndata: z\n\n";
    for size in 1..=stream.len() {
        let mut cutter = Cutter::new(20);
        let mut out = Vec::new();
        let verdict = stream.chunks(size).try_for_each(|piece| {
            out.extend_from_slice(&cutter.push(Bytes::copy_from_slice(piece))?);
            Ok(())
        });
        // A single chunk ends with what came before; the next one gets the error.
        let verdict = verdict.and_then(|()| cutter.push(Bytes::new()).map(|_| ()));
        assert_eq!(verdict, Err(TooLong { limit: 20 }), "in pieces of {size}");
        assert_eq!(out, b"data: short\n\n", "in pieces of {size}");
        assert_eq!((cutter.pending(), cutter.finish()), (0, Bytes::new()), "nothing is kept of it");
    }
}

#[test]
fn an_event_at_the_limit_passes() {
    let stream = b"data: 0123456789\n\ndata: 0123456789\n\n";
    for size in 1..=stream.len() {
        let mut cutter = Cutter::new(18);
        let pieces = stream.chunks(size).map(|piece| cutter.push(Bytes::copy_from_slice(piece)).expect("at the limit"));
        assert_eq!(pieces.collect::<Vec<_>>().concat(), stream);
    }
}

#[test]
fn a_picture_of_five_megabytes_in_one_line_passes() {
    let line = format!("data: {}\n\n", "A".repeat(5 << 20));
    let mut cutter = Cutter::new(16 << 20);
    let pieces = line.as_bytes().chunks(16 << 10);
    let out: usize =
        pieces.map(|piece| cutter.push(Bytes::copy_from_slice(piece)).expect("under the limit").len()).sum();
    assert_eq!(out, line.len());
}
