//! What the processes of this program share as servers: a loopback port of their own, a line that
//! tells it, connections without Nagle's delay, and an end when the driver ends.

use std::convert::Infallible;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

/// A port that the system chose.
pub(crate) async fn bind() -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no loopback port is to be had")?;
    let address = listener.local_addr().context("a listener has an address")?;
    Ok((listener, address))
}

/// Tells the driver where to connect to.
pub(crate) fn tell_ready(address: SocketAddr) {
    println!("{{\"event\":\"ready\",\"url\":\"http://{address}\"}}");
}

/// Serves connections for as long as anybody asks.
pub(crate) async fn serve<S, B>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connections = TaskTracker::new();
    while let Ok((socket, _)) = listener.accept().await {
        if socket.set_nodelay(true).is_err() {
            continue;
        }
        let talk = http1::Builder::new().serve_connection(TokioIo::new(socket), service.clone());
        connections.spawn(async move {
            // A client that leaves in the middle of an answer is part of the measurement.
            let _left_early = talk.await;
        });
    }
}

/// Ends when standard input closes, which the system does for us when the driver dies.
pub(crate) async fn orphaned() {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut scrap = [0_u8; 64];
        while input.read(&mut scrap).is_ok_and(|read| read > 0) {}
        let _nobody_waits = tell.send(());
    });
    let _input_closed = told.await;
}
