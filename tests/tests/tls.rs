//! Providers behind TLS: the system's certificates decide, and nothing is sent to one they do not vouch for.

use omniroute_testkit::{Provider, Setup, chat};
use omniroute_tests::scene::{ask, ask_stream};
use omniroute_tests::tls::Front;

const KEY: &str = "pk-behind-tls-71c4";

#[tokio::test]
async fn a_provider_behind_tls_is_tested_and_answers() {
    let provider = Provider::start().await;
    provider.always(chat::greeting().script());
    let front = Front::before(&provider).await;
    let authority = front.authority();
    let gateway = Setup::new().env("SSL_CERT_FILE", authority.to_str().expect("a path")).start().await;
    let base = front.base_url();
    let add =
        ["providers", "add", "openai-compatible", "--prefix", "tl", "--base-url", &base, "--local", "--api-key", KEY];
    let added = gateway.cli(&add).await;
    assert!(added.ok(), "{added:?}");
    for _ in 0..3 {
        assert_eq!(gateway.chat(ask("tl/m")).send().await.text(), chat::greeting().reply);
        let streamed = gateway.chat(ask_stream("tl/m")).send().await;
        assert_eq!(streamed.body, chat::stream_bytes(&chat::greeting().stream()));
    }
    assert_eq!(provider.chats().len(), 6);
    assert!(provider.counts().accepted <= 2, "connections are kept: {:?}", provider.counts());
    assert_eq!(provider.chats()[0].bearer(), Some(KEY));
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_ends_the_call_before_the_key_is_sent() {
    let (provider, other) = (Provider::start().await, Provider::start().await);
    let (front, stranger) = (Front::before(&provider).await, Front::before(&other).await);
    let authority = stranger.authority();
    let gateway = Setup::new().env("SSL_CERT_FILE", authority.to_str().expect("a path")).start().await;
    let base = front.base_url();
    let add =
        ["providers", "add", "openai-compatible", "--prefix", "tl", "--base-url", &base, "--local", "--api-key", KEY];
    let refused = gateway.cli(&add).await;
    assert!(!refused.ok() && refused.stderr.contains("TLS"), "{refused:?}");
    assert!(gateway.cli(&[&add[..], &["--no-test"]].concat()).await.ok());
    let answer = gateway.chat(ask("tl/m")).send().await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (502, &"upstream_tls".into()));
    assert_eq!(provider.requests().len(), 0, "nothing was sent");
}
