//! What holds for every input.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use omniroute_domain::{StreamEvent, Usage};
use omniroute_wire::openai_chat::stream::{Encoder, EncoderOptions};
use omniroute_wire::openai_chat::tap::read_reply;
use omniroute_wire::openai_chat::{ask, error, fold, reply, unfold};
use omniroute_wire::outline::MAX_FIELDS;
use omniroute_wire::{OutlineError, Splice, outline};
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::{prop_assert, prop_assert_eq};
use serde_json::value::RawValue;

use crate::fixtures::{cut, decode, tap};
use crate::grammar::{check_chunks, check_events};
use crate::strategies::{answer, any_events, maybe_json, stream_like, text_of};

fn encoded(events: &[StreamEvent]) -> Vec<u8> {
    let mut encoder = Encoder::new(EncoderOptions { include_usage: true, ..EncoderOptions::default() });
    let mut out = BytesMut::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.finish(&mut out);
    out.to_vec()
}

/// The verdict of another parser, and the last value of each key.
fn by_serde(body: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    let whole: &RawValue = serde_json::from_slice(body).ok()?;
    whole.get().starts_with('{').then(|| serde_json::from_slice(body).unwrap_or_default())
}

fn same_verdict(body: &[u8]) {
    let theirs = by_serde(body);
    match outline(body, usize::MAX) {
        Ok(found) => {
            let theirs = theirs.unwrap_or_else(|| panic!("accepted {}", String::from_utf8_lossy(body)));
            for (key, value) in theirs {
                let field = found.get(&key).expect("a field");
                assert_eq!((field.raw, &body[field.span.clone()]), (value.get(), value.get().as_bytes()));
            }
        }
        Err(OutlineError::TooManyFields { limit: MAX_FIELDS }) => {}
        Err(error) => assert!(theirs.is_none(), "refused {}: {error}", String::from_utf8_lossy(body)),
    }
}

proptest! {
    #[test]
    fn the_outline_agrees_with_a_parser(body in maybe_json()) {
        same_verdict(&body);
    }

    #[test]
    fn the_outline_agrees_with_a_parser_about_noise(body in vec(any::<u8>(), 0..64)) {
        same_verdict(&body);
    }

    #[test]
    fn an_edited_body_differs_in_the_edited_field_only(body in maybe_json(), number in any::<u32>()) {
        let Ok(found) = outline(&body, 64) else { return Ok(()) };
        let Some(theirs) = by_serde(&body) else { return Ok(()) };
        let Some(key) = theirs.keys().next() else { return Ok(()) };
        let field = found.get(key).expect("a field");
        let splice = Splice::new(Bytes::from(body.clone())).replace(field.span, number.to_string());
        let (place, text) = found.addition("\"added field\":[1]");
        let edited = splice.replace(place, text).finish().to_bytes();
        let after = by_serde(&edited).expect("still an object");
        prop_assert_eq!(after["added field"].get(), "[1]");
        prop_assert_eq!(after[key].get(), number.to_string());
        for (other, value) in theirs.iter().filter(|(other, _)| *other != key && *other != "added field") {
            prop_assert_eq!(after[other].get(), value.get());
        }
    }

    #[test]
    fn a_cutter_gives_the_same_bytes_and_events_for_every_cut(stream in stream_like(), cuts in vec(any::<usize>(), 0..12)) {
        let read = |pieces: &[Bytes]| -> Vec<(Option<Vec<u8>>, Vec<u8>)> {
            let events = pieces.iter().flat_map(|piece| omniroute_wire::sse::events(piece));
            events.map(|event| (event.name.map(<[u8]>::to_vec), event.data.into_owned())).collect()
        };
        let (whole, pieces) = (cut(&stream, &[]), cut(&stream, &cuts));
        prop_assert_eq!(whole.concat(), pieces.concat());
        prop_assert_eq!(read(&whole), read(&pieces));
    }

    #[test]
    fn a_decoder_gives_well_formed_and_the_same_events_for_every_cut(stream in stream_like(), cuts in vec(any::<usize>(), 0..12)) {
        let whole = decode(&stream, &[]);
        check_events(&whole);
        prop_assert_eq!(format!("{whole:?}"), format!("{:?}", decode(&stream, &cuts)));
    }

    #[test]
    fn the_tap_counts_what_the_decoder_counts(stream in stream_like(), cuts in vec(any::<usize>(), 0..12)) {
        let (one, many) = (tap(&stream, &[]), tap(&stream, &cuts));
        prop_assert_eq!(one.usage(), many.usage());
        prop_assert_eq!((one.finished(), one.done(), one.failed()), (many.finished(), many.done(), many.failed()));
        // What the decoder takes for a complete answer, the tap does too.
        let events = decode(&stream, &[]);
        if matches!(events.last(), Some(StreamEvent::End)) {
            prop_assert!(many.finished() || many.done());
            let mut counted = Usage::default();
            for event in events {
                if let StreamEvent::Usage(usage) = event { counted.update(usage) }
            }
            prop_assert_eq!(&counted, many.usage());
        }
    }

    #[test]
    fn whatever_the_events_the_chunks_are_well_formed(events in any_events()) {
        let stream = encoded(&events);
        check_chunks(&stream);
        check_events(&decode(&stream, &[]));
    }

    #[test]
    fn an_answer_survives_being_streamed(response in answer(), cuts in vec(any::<usize>(), 0..9)) {
        let stream = encoded(&unfold::events(&response));
        check_chunks(&stream);
        let has_output = response.choices.iter().any(|choice| !choice.blocks.is_empty());
        match fold::fold(decode(&stream, &cuts)) {
            Ok(again) => prop_assert_eq!(&again, &response),
            Err(fault) => prop_assert!(!has_output, "{fault:?}"),
        }
        let tap = tap(&stream, &cuts);
        prop_assert_eq!(tap.usage(), &response.usage);
    }

    #[test]
    fn a_stream_cut_off_before_its_end_is_never_an_answer(response in answer(), place in any::<usize>()) {
        let stream = encoded(&unfold::events(&response));
        let text = String::from_utf8_lossy(&stream).into_owned();
        let finish = text.rfind("\"delta\":{},\"finish_reason\":").expect("a finish");
        let length = place % (finish + "\"delta\":{},\"finish_reason\":".len());
        let events = decode(&stream[..length], &[]);
        check_events(&events);
        prop_assert!(matches!(events.last(), Some(StreamEvent::Error(_))), "{:?}", events);
        prop_assert!(!tap(&stream[..length], &[]).done());
    }

    #[test]
    fn streamed_and_whole_answers_are_the_same(response in answer()) {
        let whole = reply::decode(&reply::encode(&response).0).expect("an answer");
        prop_assert_eq!(&whole.usage, &response.usage);
        prop_assert_eq!(text_of(&whole), text_of(&response));
        let streamed = fold::fold(decode(&encoded(&unfold::events(&whole)), &[]));
        if let Ok(streamed) = streamed {
            prop_assert_eq!(streamed, whole);
        }
    }

    #[test]
    fn a_request_written_once_is_written_the_same_again(body in maybe_json()) {
        let body = [b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[", &*body, b",1],\"x\":", &*body, b"}],\"y\":", &*body, b"}"].concat();
        let Ok(request) = ask::decode(&body) else { return Ok(()) };
        let (written, losses) = ask::encode(&request);
        prop_assert!(losses.is_empty(), "{losses:?}");
        let again = ask::decode(&written).expect("what we write is a request");
        prop_assert_eq!(String::from_utf8(ask::encode(&again).0), String::from_utf8(written));
    }

    #[test]
    fn nothing_makes_a_decoder_panic(noise in vec(any::<u8>(), 0..200), json in maybe_json(), status in any::<u16>()) {
        for body in [&noise, &json] {
            let _ = ask::decode(body);
            let _ = reply::decode(body);
            let _ = read_reply(body);
            let rejection = error::decode(status, body);
            prop_assert!(rejection.message.chars().count() <= 500);
            let fault = error::classify(status, &rejection, None);
            let written = error::encode(&fault, "r");
            prop_assert!(outline(&written, 8).is_ok());
        }
    }
}
