//! Making connections: resolve, check, connect, and TLS where the address asks for it.
//!
//! Names are resolved here and the addresses filtered by the account's reach; what passed is what is
//! connected. A proxy from the environment resolves names itself, so there only literal addresses can
//! be checked; local accounts never go through a proxy.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::address::{self, Reach};
use crate::io::Io;

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the name `{0}` does not resolve")]
    Resolve(String, #[source] io::Error),
    #[error("`{0}` resolves only to addresses that may not be reached")]
    Blocked(String),
    #[error("`{0}` refused the connection")]
    Connect(String, #[source] io::Error),
    #[error("no connection to `{0}` within {1:?}")]
    Slow(String, Duration),
    #[error("the TLS handshake with `{0}` did not succeed")]
    Tls(String, #[source] io::Error),
    #[error("the system's certificates can't be read; install the `ca-certificates` package")]
    Roots(#[source] rustls::Error),
    #[error("the proxy did not open a connection to `{0}`")]
    Proxy(String, #[source] Box<dyn std::error::Error + Send + Sync>),
}

/// TLS settings, made at the first https connection: reading the system's certificates takes
/// milliseconds and memory that a gateway with only local providers need not spend.
#[derive(Default)]
pub(crate) struct Tls(std::sync::OnceLock<Arc<ClientConfig>>);

impl Tls {
    fn config(&self) -> Result<Arc<ClientConfig>, Trouble> {
        if let Some(config) = self.0.get() {
            return Ok(Arc::clone(config));
        }
        let mut config = ClientConfig::with_platform_verifier().map_err(Trouble::Roots)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::clone(self.0.get_or_init(|| Arc::new(config))))
    }
}

/// Makes connections for one reach.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) reach: Reach,
    pub(crate) limit: Duration,
    pub(crate) tls: Arc<Tls>,
    pub(crate) proxies: Arc<Matcher>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Io>;
    type Error = Trouble;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Trouble>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let limit = connector.limit;
            let host = uri.host().unwrap_or_default().to_owned();
            match tokio::time::timeout(limit, connector.connect(&uri, &host)).await {
                Ok(outcome) => outcome.map(TokioIo::new),
                Err(_) => Err(Trouble::Slow(host, limit)),
            }
        })
    }
}

impl Connector {
    async fn connect(self, uri: &Uri, host: &str) -> Result<Io, Trouble> {
        let tcp = match self.proxy(uri) {
            Some(proxy) => through(&proxy, uri, host).await?,
            None => {
                // Unencrypted only within the user's own network, whatever the name resolves to.
                let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
                let reach = self.reach;
                dial(host, address::port(uri), |ip| reach.allows(ip) && (encrypted || address::is_private(ip))).await?
            }
        };
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Ok(Io::plain(tcp));
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|why| Trouble::Tls(host.into(), io::Error::other(why)))?;
        let secured = TlsConnector::from(self.tls.config()?).connect(name, tcp).await;
        secured.map(Io::tls).map_err(|why| Trouble::Tls(host.into(), why))
    }

    fn proxy(&self, uri: &Uri) -> Option<Intercept> {
        match self.reach {
            Reach::Local => None,
            Reach::Public => self.proxies.intercept(uri),
        }
    }
}

/// The scheme of a SOCKS proxy.
const SOCKS: &str = "socks5";

/// Opens a TCP connection to one of the resolved addresses that are allowed.
async fn dial(host: &str, port: u16, allowed: impl Fn(IpAddr) -> bool) -> Result<TcpStream, Trouble> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((bare, port)).await.map_err(|why| Trouble::Resolve(host.into(), why))?;
    let allowed: Vec<SocketAddr> = found.filter(|address| allowed(address.ip())).collect();
    if allowed.is_empty() {
        return Err(Trouble::Blocked(host.into()));
    }
    let tcp = first_open(&allowed).await.map_err(|why| Trouble::Connect(host.into(), why))?;
    // Without this a small write waits for the peer's delayed acknowledgement: 40 ms a chunk.
    tcp.set_nodelay(true).map_err(|why| Trouble::Connect(host.into(), why))?;
    Ok(tcp)
}

/// Tries the addresses in order; one that does not answer gives way to the next after three seconds.
async fn first_open(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    const PATIENCE: Duration = Duration::from_secs(3);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (n, address) in addresses.iter().enumerate() {
        let attempt = TcpStream::connect(address);
        let outcome = if n + 1 == addresses.len() {
            attempt.await
        } else {
            tokio::time::timeout(PATIENCE, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match outcome {
            Ok(tcp) => return Ok(tcp),
            Err(why) => last = why,
        }
    }
    Err(last)
}

/// Opens a connection through a proxy of the environment.
async fn through(proxy: &Intercept, uri: &Uri, host: &str) -> Result<TcpStream, Trouble> {
    let refused = |why: Box<dyn std::error::Error + Send + Sync>| Trouble::Proxy(host.into(), why);
    let to_proxy = ToProxy;
    let opened = match proxy.uri().scheme_str() {
        Some(SOCKS | "socks5h") => {
            let mut socks = SocksV5::new(proxy.uri().clone(), to_proxy);
            if let Some((user, pass)) = proxy.raw_auth() {
                socks = socks.with_auth(user.into(), pass.into());
            }
            socks.call(uri.clone()).await.map_err(|why| refused(why.into()))?
        }
        Some("http") => {
            let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
            if let Some(auth) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(auth.clone());
            }
            tunnel.call(uri.clone()).await.map_err(|why| refused(why.into()))?
        }
        other => {
            let kind = other.unwrap_or("nameless");
            return Err(refused(format!("{kind} proxies are not supported; use http or socks5").into()));
        }
    };
    Ok(opened.into_inner())
}

/// Connects to the proxy itself, wherever the environment says it is.
#[derive(Clone, Copy)]
struct ToProxy;

impl Service<Uri> for ToProxy {
    type Response = TokioIo<TcpStream>;
    type Error = Trouble;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Trouble>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(async move {
            let host = uri.host().unwrap_or_default().to_owned();
            let is_socks = uri.scheme_str().is_some_and(|scheme| scheme.starts_with(SOCKS));
            let implied = if is_socks { 1080 } else { 80 };
            dial(&host, uri.port_u16().unwrap_or(implied), |_| true).await.map(TokioIo::new)
        })
    }
}
