use super::{MAX_FIELDS, OutlineError, outline};

#[track_caller]
fn valid(body: &str, fields: &[(&str, &str)]) {
    let found = outline(body.as_bytes(), 64).unwrap_or_else(|error| panic!("{body}: {error}"));
    let listed: Vec<(String, &str)> = found.fields().map(|(key, field)| (key.to_owned(), field.raw)).collect();
    let expected: Vec<(String, &str)> = fields.iter().map(|&(key, raw)| (key.to_owned(), raw)).collect();
    assert_eq!(listed, expected, "{body}");
}

#[track_caller]
fn invalid(body: &[u8], expected: OutlineError) {
    assert_eq!(outline(body, 4).map(|_| ()), Err(expected), "{}", String::from_utf8_lossy(body));
}

fn syntax(at: usize) -> OutlineError {
    OutlineError::Syntax { at }
}

#[test]
fn top_level_values_are_found_whatever_is_in_them() {
    valid("{}", &[]);
    valid(" \r\n{\t} ", &[]);
    valid(
        r#"{"model":"a/b","n" : 1.5e+3 ,"x":[{"model":"no"},[]],"y":{"z":{}}}"#,
        &[("model", r#""a/b""#), ("n", "1.5e+3"), ("x", r#"[{"model":"no"},[]]"#), ("y", r#"{"z":{}}"#)],
    );
    valid(
        r#"{"a":"\"}\\","b":-0,"c":0.0,"d":true,"e":false,"f":null,"":1}"#,
        &[("a", r#""\"}\\""#), ("b", "-0"), ("c", "0.0"), ("d", "true"), ("e", "false"), ("f", "null"), ("", "1")],
    );
}

#[test]
fn keys_are_compared_as_a_parser_reads_them() {
    valid(r#"{"m\u006fdel":"x"}"#, &[("model", r#""x""#)]);
    valid(r#"{"\ud800":1}"#, &[(r#""\ud800""#, "1")]);
}

#[test]
fn of_a_repeated_key_the_last_counts_and_it_is_told() {
    let found = outline(br#"{"model":"a","n":1,"model":"b"}"#, 4).expect("valid");
    assert_eq!(found.get("model").and_then(|field| field.as_str()).as_deref(), Some("b"));
    assert!(found.is_repeated("model") && !found.is_repeated("n") && !found.is_repeated("x"));
}

#[test]
fn fields_read_as_text_truth_and_null() {
    let found = outline(br#"{"s":"a\n\u00e9","t":true,"f":false,"z":null,"n":3,"bad":"\udc00"}"#, 4).expect("valid");
    let get = |key| found.get(key).expect("present");
    assert_eq!(get("s").as_str().as_deref(), Some("a\né"));
    assert_eq!((get("t").as_bool(), get("f").as_bool(), get("n").as_bool()), (Some(true), Some(false), None));
    assert!(get("z").is_null() && !get("n").is_null());
    assert_eq!(get("n").read::<u64>(), Some(3));
    assert_eq!(get("bad").as_str(), None, "half a surrogate pair is no text");
}

#[test]
fn the_place_for_a_new_field_is_before_the_closing_brace() {
    let place = |body: &str| outline(body.as_bytes(), 4).map(|found| found.addition("f"));
    assert_eq!(place("{} "), Ok((1..1, "f".to_owned())));
    assert_eq!(place("{\"a\":1 }"), Ok((7..7, ",f".to_owned())));
}

#[test]
fn broken_json_is_refused_with_its_place() {
    let cases: &[(&[u8], usize)] = &[
        (b"", 0),
        (b"{", 1),
        (b"{\"a\":1", 6),
        (b"{\"a\":1}x", 7),
        (b"{\"a\":1,}", 7),
        (b"{,\"a\":1}", 1),
        (b"{\"a\" 1}", 5),
        (b"{\"a\":}", 5),
        (b"{a:1}", 1),
        (b"{\"a\":01}", 6),
        (b"{\"a\":1.}", 7),
        (b"{\"a\":-}", 6),
        (b"{\"a\":1e}", 7),
        (b"{\"a\":.5}", 5),
        (b"{\"a\":+1}", 5),
        (b"{\"a\":nul}", 5),
        (b"{\"a\":[1}", 7),
        (b"{\"a\":[1,]}", 8),
        (b"{\"a\":\"x}", 8),
        (b"{\"a\":\"\x01\"}", 6),
        (b"{\"a\":\"x\ny\"}", 7),
        (b"{\"a\":\"\\x\"}", 6),
        (b"{\"a\":\"\\u12g4\"}", 6),
        (b"{\"a\":\"\\", 6),
        (b"{\"a\":1]", 6),
        (b"<html>", 0),
    ];
    for &(body, at) in cases {
        invalid(body, syntax(at));
    }
}

#[test]
fn what_is_valid_but_no_object_is_named_so() {
    for body in ["[]", "\"x\"", "1", "null", " true"] {
        invalid(body.as_bytes(), OutlineError::NotAnObject);
    }
    invalid(b"{\"a\":\"\xff\"}", OutlineError::NotUtf8 { at: 6 });
}

#[test]
fn depth_is_limited_without_recursion() {
    invalid(br#"{"a":[[[[1]]]]}"#, OutlineError::TooDeep { limit: 4 });
    valid(r#"{"a":[[[1]]]}"#, &[("a", "[[[1]]]")]);
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(outline(deep.as_bytes(), 128).map(|_| ()), Err(OutlineError::TooDeep { limit: 128 }));
    assert!(outline(deep.as_bytes(), usize::MAX).is_ok(), "only the limit stops it");
}

#[test]
fn a_body_of_nothing_but_keys_is_refused() {
    let many: Vec<String> = (0..=MAX_FIELDS).map(|n| format!("\"{n}\":1")).collect();
    let body = format!("{{{}}}", many.join(","));
    assert_eq!(outline(body.as_bytes(), 4).map(|_| ()), Err(OutlineError::TooManyFields { limit: MAX_FIELDS }));
}
