//! Requests over the local socket: HTTP/1.0, one per connection, which needs no client library. An
//! answer ends with its connection, and its length is checked where it is named.

use std::io;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::local::{Method, Reply};
use crate::socket_path::Reachable;

/// More than any answer has.
const LONGEST: u64 = 256 << 20;

/// A data folder whose instance answers.
pub(super) struct Address {
    data_dir: PathBuf,
}

/// The running instance of a data folder, where there is one.
pub(super) async fn find(data_dir: &Path) -> Option<Address> {
    let address = Address { data_dir: data_dir.to_owned() };
    address.connect().await.ok().map(|_| address)
}

impl Address {
    /// Connects, to a process of the same user only: keys go over this line.
    async fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(Reachable::of(&self.data_dir)?.path()).await?;
        if is_trusted(stream.peer_cred()?.uid()) { Ok(stream) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> io::Result<Reply> {
        let mut stream = self.connect().await?;
        let mut head = format!("{} {path} HTTP/1.0\r\n", method.as_str());
        if let Some(body) = &body {
            head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body.unwrap_or_default()).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        read(answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is broken off"))
    }
}

/// Whether a user may answer for an instance of ours: ourselves, or the administrator.
fn is_trusted(user: u32) -> bool {
    user == 0 || user == rustix::process::geteuid().as_raw()
}

/// Takes an answer apart; `None` where it is not whole.
fn read(mut answer: Vec<u8>) -> Option<Reply> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let body = answer.split_off(end + 4);
    let head = std::str::from_utf8(&answer).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let named =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let is_whole = match named {
        Some((_, length)) => length.trim().parse() == Ok(body.len()),
        None => true,
    };
    is_whole.then_some(Reply { status, body })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn an_answer_is_taken_apart_and_a_broken_one_refused() {
        let reply = read(b"HTTP/1.0 404 Not Found\r\nContent-Length: 2\r\nx: y\r\n\r\n{}".to_vec()).unwrap();
        assert_eq!((reply.status, reply.body.as_slice()), (404, &b"{}"[..]));
        assert_eq!(read(b"HTTP/1.0 200 OK\r\n\r\n".to_vec()).map(|reply| reply.status), Some(200));
        for broken in ["", "HTTP/1.0 200 OK\r\n", "HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\n{}", "HTTP/1.0\r\n\r\n"]
        {
            assert!(read(broken.into()).is_none(), "{broken:?}");
        }
    }

    #[test]
    fn another_user_is_not_trusted_with_keys() {
        let me = rustix::process::geteuid().as_raw();
        assert!(super::is_trusted(me) && super::is_trusted(0));
        assert!(!super::is_trusted(me + 1));
    }
}
