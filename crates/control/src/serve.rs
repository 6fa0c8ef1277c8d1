//! (being written: the signatures below are final)
//! Running: listeners, the local socket, background work, and stopping in order.

use std::future::Future;
use std::path::PathBuf;

use crate::error::StartError;
use crate::instance::{Instance, VaultChoice};

/// Where to listen; what is `None` comes from the environment, else from the defaults.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// `127.0.0.1`, `::1` or `localhost`.
    pub host: Option<String>,
    /// The port; 0 takes a free one.
    pub port: Option<u16>,
}

/// What there is to say once requests are answered.
#[derive(Debug)]
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
    let _ = (instance, options, shutdown, on_ready);
    Err(StartError::Defect("not written yet"))
}
