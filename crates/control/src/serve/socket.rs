//! The local socket: the control plane for the person whose data folder it is, without a key.
//!
//! It lies in the data folder (0700) with mode 0600, so who can open it could read the folder too.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use axum::Router;
use omniroute_gateway::Drain;
use omniroute_store::socket_in;
use tokio::net::UnixListener;

use crate::socket_path::Reachable;

/// An open socket; its file goes with it.
pub(super) struct Open {
    listener: UnixListener,
    file: SocketFile,
}

/// Opens the socket of a data folder. The caller holds the folder's lock, so a socket that is there
/// was left by an instance that died.
pub(super) fn open(data_dir: &Path) -> io::Result<Open> {
    let path = socket_in(data_dir);
    match fs::symlink_metadata(&path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(&path)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something else has its name")),
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => return Err(why),
    }
    let listener = UnixListener::bind(Reachable::of(data_dir)?.path())?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(Open { listener, file: SocketFile(path) })
}

impl Open {
    /// Serves a router until the drain begins, then waits for open requests.
    pub(super) async fn serve(self, router: Router, drain: Drain) {
        let Self { listener, file } = self;
        let begun = async move { drain.begun().await };
        if let Err(why) = axum::serve(listener, router).with_graceful_shutdown(begun).await {
            tracing::warn!(cause = %why, "The local socket was closed early.");
        }
        drop(file);
    }
}

/// The socket's file, removed when it is dropped, also where serving was cut short.
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Where that does not work, the next start removes it.
        let _gone_or_not = fs::remove_file(&self.0);
    }
}
