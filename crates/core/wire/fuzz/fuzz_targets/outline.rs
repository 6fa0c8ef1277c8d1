//! The outline accepts what a parser accepts, and finds the same values.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use omniroute_wire::{OutlineError, outline};
use serde_json::value::RawValue;

fuzz_target!(|body: &[u8]| {
    let whole: Option<&RawValue> = serde_json::from_slice(body).ok();
    let is_object = whole.is_some_and(|whole| whole.get().starts_with('{'));
    match outline(body, usize::MAX) {
        Ok(found) => {
            assert!(is_object, "accepted what a parser refuses");
            let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(body).unwrap_or_default();
            for (key, value) in fields {
                let field = found.get(&key).expect("the parser's field");
                assert_eq!((field.raw, &body[field.span]), (value.get(), value.get().as_bytes()));
            }
        }
        Err(OutlineError::TooManyFields { .. }) => {}
        Err(error) => assert!(!is_object, "refused what a parser accepts: {error}"),
    }
});
