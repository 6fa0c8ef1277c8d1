use std::net::IpAddr;

use super::{AddressError, Reach, read_base};

const NEVER: &[&str] = &[
    "0.0.0.0",
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "ff02::1",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::a9fe:a9fe",
    "168.63.129.16",
    "fd00:ec2::23",
    "fd20:ce::254",
    "64:ff9b:1::7f00:1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "::ffff:0:a9fe:a9fe",
];
const PRIVATE: &[&str] = &[
    "127.0.0.1",
    "127.8.8.8",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fc00::1",
    "fdab::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
];
const PUBLIC: &[&str] = &["1.1.1.1", "172.32.0.1", "172.15.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"];

#[test]
fn an_address_is_reached_only_as_far_as_allowed() {
    let allowed = |text: &&str, reach: Reach| reach.allows(text.parse::<IpAddr>().expect("an address"));
    for text in NEVER {
        assert!(!allowed(text, Reach::Local), "{text} is never reached");
    }
    for text in PRIVATE {
        assert_eq!((allowed(text, Reach::Public), allowed(text, Reach::Local)), (false, true), "{text} is private");
    }
    for text in PUBLIC {
        assert!(allowed(text, Reach::Public), "{text} is public");
    }
}

#[test]
fn a_pasted_endpoint_is_taken_off() {
    let rows = [
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        (" https://api.example.com/v1/ ", "https://api.example.com/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("https://api.example.com/v1/models/", "https://api.example.com/v1"),
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com:8443/x/y", "https://api.example.com:8443/x/y"),
    ];
    for (typed, read) in rows {
        assert_eq!(read_base(typed, Reach::Public).as_deref(), Ok(read), "{typed}");
    }
}

#[test]
fn what_is_wrong_with_an_address_is_said() {
    let code = |typed: &str, reach| read_base(typed, reach).map_err(|why| why.code());
    for typed in ["", "example", "api.example.com/v1", "https://", "ftp://x.example/v1", "https://a b/"] {
        assert_eq!(code(typed, Reach::Public), Err("invalid_base_url"), "{typed}");
    }
    assert_eq!(read_base("https://u:p@x.example/v1", Reach::Public), Err(AddressError::UserInfo));
    assert_eq!(read_base("https://x.example/v1?key=1", Reach::Public), Err(AddressError::Query));
    assert_eq!(code("https://x.example/{account_id}", Reach::Public), Err("invalid_base_url"));
    assert_eq!(code("http://x.example/v1", Reach::Public), Err("insecure_base_url"));
    assert_eq!(code("https://127.0.0.1/v1", Reach::Public), Err("URL_GUARD_BLOCKED"));
    assert_eq!(code("https://[::ffff:10.0.0.1]/v1", Reach::Public), Err("URL_GUARD_BLOCKED"));
    assert_eq!(code("http://10.0.0.1/v1", Reach::Public), Err("URL_GUARD_BLOCKED"), "the graver fault first");
    assert_eq!(code("http://169.254.169.254/latest", Reach::Local), Err("URL_GUARD_BLOCKED"));
    assert_eq!(code("http://1.1.1.1/v1", Reach::Local), Err("insecure_base_url"), "a key is not sent in the clear");
    assert_eq!(code("http://127.0.0.1:9000/v1", Reach::Local), Ok("http://127.0.0.1:9000/v1".into()));
}
