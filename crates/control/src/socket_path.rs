//! The local socket's path in a form the system takes: a socket's name may have about a hundred bytes,
//! which a deep data folder alone can exceed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use omniroute_store::socket_in;

/// The least that systems allow is 104 bytes, with a zero at the end.
const LONGEST: usize = 103;

/// A path that reaches the socket as long as this lives.
pub(crate) struct Reachable {
    path: PathBuf,
    /// The data folder, where the path goes through it.
    _folder: Option<File>,
}

impl Reachable {
    /// The way to the socket of a data folder.
    pub(crate) fn of(data_dir: &Path) -> io::Result<Self> {
        let path = socket_in(data_dir);
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self { path, _folder: None });
        }
        through_folder(data_dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// By way of the open folder, which Linux gives a short name.
#[cfg(target_os = "linux")]
fn through_folder(data_dir: &Path) -> io::Result<Reachable> {
    use std::os::fd::AsRawFd as _;
    let folder = File::open(data_dir)?;
    let path = socket_in(Path::new(&format!("/proc/self/fd/{}", folder.as_raw_fd())));
    Ok(Reachable { path, _folder: Some(folder) })
}

#[cfg(not(target_os = "linux"))]
fn through_folder(_: &Path) -> io::Result<Reachable> {
    Err(io::Error::new(io::ErrorKind::InvalidInput, "the data folder's path is too long for a socket"))
}
