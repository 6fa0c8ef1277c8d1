//! The floor: bytes in, bytes out, on the same HTTP library as ours and with nothing looked at.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;

use crate::listen;

/// Runs it as a process in front of a provider.
pub(crate) async fn run(provider: SocketAddr) -> Result<()> {
    let (listener, address) = listen::bind().await?;
    listen::tell_ready(address);
    tokio::select! {
        () = serve(listener, provider) => {}
        () = listen::orphaned() => {}
    }
    Ok(())
}

/// Serves it on a listener.
pub(crate) async fn serve(listener: TcpListener, provider: SocketAddr) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let service = service_fn(move |request| {
        let client = client.clone();
        async move { Ok::<_, Infallible>(relay(&client, provider, request).await) }
    });
    listen::serve(listener, service).await;
}

type Answer = Response<Either<Incoming, Full<Bytes>>>;

async fn relay(client: &Client<HttpConnector, Incoming>, provider: SocketAddr, request: Request<Incoming>) -> Answer {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = Uri::builder().scheme("http").authority(provider.to_string()).path_and_query(path).build() else {
        return gone("no address can be made of the request's path");
    };
    parts.uri = uri;
    parts.headers.remove(HOST);
    match client.request(Request::from_parts(parts, body)).await {
        Ok(answer) => answer.map(Either::Left),
        Err(why) => gone(&why.to_string()),
    }
}

fn gone(why: &str) -> Answer {
    let mut answer = Response::new(Either::Right(Full::from(why.to_owned())));
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}
