//! Running: listeners, the local socket, background work, and stopping in order.
//!
//! The order of stopping: no new connections and no new work → open answers go on, at most
//! `SHUTDOWN_TIMEOUT_MS` → what is still open is told and cut → the log is written and closed.

mod daily;
#[cfg(unix)]
mod socket;

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use omniroute_gateway::{Drain, Limits, ListenError, Listener};

use crate::error::StartError;
use crate::instance::{Instance, VaultChoice};
use crate::router;

/// How long what was cut may take to say so.
const AFTER_CUT: Duration = Duration::from_secs(5);

/// Where to listen; what is `None` comes from the environment, else from the defaults.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// `127.0.0.1`, `::1` or `localhost`.
    pub host: Option<String>,
    /// The port; 0 takes a free one.
    pub port: Option<u16>,
}

/// What there is to say once requests are answered.
pub struct Ready {
    /// The address of the gateway, e.g. `http://127.0.0.1:20128`.
    pub url: String,
    /// The address of the dashboard.
    pub dashboard: String,
    /// The first client key, on the one start that made it.
    pub client_key: Option<String>,
    /// The data folder.
    pub data_dir: PathBuf,
    /// Where the vault's key is kept.
    pub vault: VaultChoice,
    /// Things that do not stop the gateway, but that a person should know; whole sentences.
    pub notices: Vec<String>,
}

/// Answers requests until `shutdown` resolves, then drains. `on_ready` is called once, as soon as
/// requests are answered.
pub async fn serve(
    instance: Instance,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send,
    on_ready: impl FnOnce(Ready) + Send,
) -> Result<(), StartError> {
    let outcome = Box::pin(run(&instance, options, shutdown, on_ready)).await;
    // Whatever happened: what was recorded is written.
    let closed = tokio::task::spawn_blocking(move || instance.close()).await;
    if let Err(why) = closed {
        tracing::error!(cause = %why, "The log could not be closed.");
    }
    outcome
}

async fn run(
    instance: &Instance,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send,
    on_ready: impl FnOnce(Ready) + Send,
) -> Result<(), StartError> {
    let settings = instance.settings();
    let host = options.host.unwrap_or_else(|| settings.host.clone());
    let mut notices = instance.notices().to_vec();
    let listeners = listen(&host, options.port.unwrap_or(settings.port), &mut notices).await?;
    let here = instance.clone();
    let first_key = tokio::task::spawn_blocking(move || here.issue_first_key()).await;
    let client_key = first_key.map_err(|_| StartError::Defect("making the first key ended by a panic"))??;
    let drain = instance.gateway().drain.clone();
    let local = local_socket(instance, &drain, &mut notices);
    let url = format!("http://{}", listeners.address);
    on_ready(Ready {
        dashboard: format!("{url}/"),
        url,
        client_key,
        data_dir: instance.data_dir().to_owned(),
        vault: instance.vault_choice(),
        notices,
    });
    drain.spawn(daily::snapshots(instance.clone()));
    let serving = listeners.serve(router::everything(instance), instance.gateway().limits.clone(), &drain);
    let all = async { tokio::join!(serving, local) };
    tokio::select! {
        _ = all => {}
        () = stop(&drain, instance.gateway().limits.drain, shutdown) => {}
    }
    Ok(())
}

/// Waits for the wish to stop, then stops in order. Whoever serves ends by itself once it has nothing
/// open; this returns only where something stayed open beyond all patience.
async fn stop(drain: &Drain, limit: Duration, shutdown: impl Future<Output = ()> + Send) {
    shutdown.await;
    tracing::info!(limit_ms = limit.as_millis() as u64, "Stopping: open answers may end.");
    drain.begin();
    tokio::time::sleep(limit).await;
    drain.cut();
    tokio::time::sleep(AFTER_CUT).await;
    tracing::warn!("Some answers did not end in time and were dropped.");
}

/// Open ports of one gateway.
struct Listeners {
    address: SocketAddr,
    first: Listener,
    /// The same port on the other loopback address, where it could be had.
    second: Option<Listener>,
}

impl Listeners {
    async fn serve(self, router: Router, limits: Limits, drain: &Drain) {
        let first = self.first.serve(router.clone(), limits.clone(), drain.clone());
        match self.second {
            Some(second) => drop(tokio::join!(first, second.serve(router, limits, drain.clone()))),
            None => first.await,
        }
    }
}

/// Opens the port, on both loopback addresses where the first is the usual one: programs differ in
/// which of the two they take `localhost` for.
async fn listen(host: &str, port: u16, notices: &mut Vec<String>) -> Result<Listeners, StartError> {
    let ip = loopback(host)?;
    let first = Listener::open(SocketAddr::new(ip, port)).await?;
    let address = first.address();
    let second = match ip == IpAddr::V4(Ipv4Addr::LOCALHOST) {
        true => Listener::open(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), address.port())).await,
        false => return Ok(Listeners { address, first, second: None }),
    };
    if let Err(ListenError::Taken(port)) = &second {
        notices.push(format!(
            "another program has port {port} on [::1]: a tool that takes `localhost` for that reaches it instead; use 127.0.0.1 in addresses"
        ));
    }
    Ok(Listeners { address, first, second: second.ok() })
}

/// The address of a host's name; loopback only, until there is a password.
fn loopback(host: &str) -> Result<IpAddr, StartError> {
    let bare = host.trim().trim_start_matches('[').trim_end_matches(']');
    if bare.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let ip: IpAddr = bare.parse().map_err(|_| StartError::Host(host.to_owned()))?;
    if ip.is_loopback() { Ok(ip) } else { Err(StartError::OpenHost(ip)) }
}

#[cfg(unix)]
fn local_socket(
    instance: &Instance,
    drain: &Drain,
    notices: &mut Vec<String>,
) -> impl Future<Output = ()> + Send + use<> {
    let opened = socket::open(instance.data_dir());
    let router = router::for_local_ui(instance);
    let drain = drain.clone();
    if let Err(why) = &opened {
        notices
            .push(format!("commands can't reach this instance while it runs: its local socket can't be made ({why})"));
    }
    async move {
        if let Ok(open) = opened {
            open.serve(router, drain).await;
        }
    }
}

/// On Windows the place of the socket is to be taken by a named pipe, which is not written yet:
/// commands there need the instance to be stopped.
#[cfg(not(unix))]
fn local_socket(_: &Instance, _: &Drain, _: &mut Vec<String>) -> impl Future<Output = ()> + Send + use<> {
    std::future::ready(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
