//! The provider and both references together, on real sockets.

use std::net::SocketAddr;

use tokio::task::JoinSet;

use super::{serve, stats};
use crate::client::{Connection, Question};
use crate::exchange::{LARGE_PROMPT, Play, SMALL_PROMPT, ask_as};
use crate::{listen, mingate, passthru};

/// The provider, the pass-through and the minimal gateway; they end with the set.
struct Stage {
    provider: SocketAddr,
    passthru: SocketAddr,
    mingate: SocketAddr,
    _servers: JoinSet<()>,
}

async fn stage() -> Stage {
    let mut servers = JoinSet::new();
    let (provider_listener, provider) = listen::bind().await.unwrap();
    servers.spawn(serve(provider_listener));
    let (listener, passthru) = listen::bind().await.unwrap();
    servers.spawn(passthru::serve(listener, provider));
    let (listener, mingate) = listen::bind().await.unwrap();
    servers.spawn(async move { mingate::serve(listener, provider).await.unwrap() });
    Stage { provider, passthru, mingate, _servers: servers }
}

fn question(address: SocketAddr, name: &str, model: &str, prompt: usize) -> Question {
    let body = ask_as(name, model, prompt).unwrap();
    Question::chat(address, mingate::KEY, &body, Play::parse(model).unwrap().expected(model))
}

impl Stage {
    /// Each way to the provider and the name that the model has there.
    fn ways(&self, model: &str) -> [(SocketAddr, String); 3] {
        [(self.provider, model.to_owned()), (self.passthru, model.to_owned()), (self.mingate, format!("mk/{model}"))]
    }
}

#[tokio::test]
async fn every_way_carries_requests_and_answers_unchanged() {
    let stage = stage().await;
    for (model, prompt) in [("whole", SMALL_PROMPT), ("s16", SMALL_PROMPT), ("s3g1", 0), ("whole", LARGE_PROMPT)] {
        for (address, name) in stage.ways(model) {
            let question = question(address, &name, model, prompt);
            let mut connection = Connection::open(address).await.unwrap();
            for _ in 0..2 {
                let timing = connection.ask(&question).await.unwrap();
                assert!(timing.first <= timing.whole, "the first byte comes before the last");
            }
        }
    }
    let seen = stats(stage.provider).await;
    assert_eq!((seen.answered, seen.refused, seen.open), (24, 0, 0));
}

#[tokio::test]
async fn a_held_stream_counts_as_open_until_its_client_leaves() {
    let stage = stage().await;
    let mut held = Vec::new();
    for (address, name) in stage.ways("hold") {
        let mut connection = Connection::open(address).await.unwrap();
        connection.ask_and_hold(&question(address, &name, "hold", 0)).await.unwrap();
        held.push(connection);
    }
    assert_eq!(stats(stage.provider).await.open, 3);
    drop(held);
    while stats(stage.provider).await.open > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_request_that_was_altered_is_refused_and_counted() {
    let stage = stage().await;
    let mut body = ask_as("whole", "whole", SMALL_PROMPT).unwrap();
    let place = body.len() / 2;
    body[place] ^= 1;
    let question = Question::chat(stage.provider, "k", &body, Play::Whole.expected("whole"));
    let refused = Connection::open(stage.provider).await.unwrap().ask(&question).await.unwrap_err().to_string();
    assert!(refused.contains("422") && refused.contains("not what the client sent"), "{refused}");
    assert_eq!(stats(stage.provider).await.refused, 1);
}

#[tokio::test]
async fn the_minimal_gateway_checks_its_key() {
    let stage = stage().await;
    let body = ask_as("mk/whole", "whole", 0).unwrap();
    let question = Question::chat(stage.mingate, "another", &body, Play::Whole.expected("whole"));
    let refused = Connection::open(stage.mingate).await.unwrap().ask(&question).await.unwrap_err().to_string();
    assert!(refused.contains("401"), "{refused}");
}
