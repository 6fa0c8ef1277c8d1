//! A request that decodes is written as JSON without losses, and comes back the same from what was
//! written. Answers and errors decode without a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use omniroute_wire::openai_chat::tap::read_reply;
use omniroute_wire::openai_chat::{ask, error, reply};
use omniroute_wire::outline;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    if let Ok(request) = ask::decode(body) {
        let (written, _) = ask::encode(&request);
        assert!(outline(&written, usize::MAX).is_ok());
        let again = ask::decode(&written).expect("what we write is a request");
        // The order of fields may change once more; no value does.
        let value = |json: &[u8]| serde_json::from_slice::<Value>(json).ok();
        assert_eq!(value(&ask::encode(&again).0), value(&written));
    }
    if let Ok(response) = reply::decode(body) {
        let (written, _) = reply::encode(&response);
        let again = reply::decode(&written).expect("what we write is an answer");
        if response.usage.is_reported() {
            assert_eq!(again.usage, response.usage);
        }
    }
    let _ = read_reply(body);
    assert!(error::decode(500, body).message.chars().count() <= 500);
});
