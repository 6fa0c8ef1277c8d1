//! TLS in front of a scripted provider, with a certificate authority of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use omniroute_testkit::Provider;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Takes TLS connections to `localhost` and hands what is in them to a provider. It ends when dropped.
#[derive(Debug)]
pub struct Front {
    port: u16,
    folder: TempDir,
    _serving: JoinSet<()>,
}

impl Front {
    /// Opens a port in front of a provider.
    pub async fn before(provider: &Provider) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (authority, config) = identity();
        std::fs::write(folder.path().join("ca.pem"), authority).expect("a file");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let behind: SocketAddr = provider.origin().trim_start_matches("http://").parse().expect("an address");
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    let Ok(mut secured) = acceptor.accept(tcp).await else { return };
                    let mut plain = TcpStream::connect(behind).await.expect("the provider listens");
                    // How either side ends is the other's business.
                    let _ended = copy_bidirectional(&mut secured, &mut plain).await;
                });
            }
        });
        Self { port, folder, _serving: serving }
    }

    /// The base address.
    pub fn base_url(&self) -> String {
        format!("https://localhost:{}/v1", self.port)
    }

    /// The certificate of the authority, as a file.
    pub fn authority(&self) -> PathBuf {
        Path::join(self.folder.path(), "ca.pem")
    }
}

/// An authority's certificate, and a server's settings with one that it signed.
fn identity() -> (String, ServerConfig) {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let server = server.signed_by(&key, &authority).expect("a certificate");
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a private key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], private)
        .expect("a server's settings");
    (authority.pem(), config)
}
