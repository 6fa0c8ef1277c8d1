//! Acting a script out on a connection, with one eye on the other side: the moment it goes, the
//! play ends and counts as aborted.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::task::yield_now;
use tokio::time::interval;

use crate::http::Inbound;
use crate::script::{Ending, Framing, Opening, Pace, Piece, Script};

/// How a play ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Played {
    /// As the script says.
    Out(Ending),
    /// The other side left before the end.
    Aborted,
}

/// Plays `script`; `answered` is called once the first byte is on its way.
pub(crate) async fn play<R, W>(
    script: &Script,
    inbound: &mut Inbound<R>,
    outbound: W,
    answered: impl FnOnce(),
) -> Played
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut stage = Stage { out: outbound, left: script.cut.map(|(bytes, _)| bytes), pace: script.pace.clone() };
    let act = perform(script, &mut stage, answered);
    tokio::select! {
        biased;
        done = act => match done {
            Ok(ending) => Played::Out(ending),
            Err(_) => Played::Aborted,
        },
        () = inbound.gone() => Played::Aborted,
    }
}

/// The sending side: counts down to the cut and keeps the pace.
struct Stage<W> {
    out: W,
    left: Option<usize>,
    pace: Pace,
}

impl<W: AsyncWrite + Unpin> Stage<W> {
    /// Sends; `false` once the cut is reached.
    async fn send(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let take = self.left.map_or(bytes.len(), |left| left.min(bytes.len()));
        let whole = &bytes[..take];
        match self.pace.clone() {
            Pace::Pieces => self.out.write_all(whole).await?,
            Pace::Bytes => {
                for byte in whole {
                    yield_now().await;
                    self.out.write_all(&[*byte]).await?;
                }
            }
            Pace::Slow(gap) => {
                let mut tick = interval(gap);
                for byte in whole {
                    tick.tick().await;
                    self.out.write_all(&[*byte]).await?;
                }
            }
            Pace::Gated(gate) => {
                for byte in whole {
                    gate.pass().await;
                    self.out.write_all(&[*byte]).await?;
                }
            }
        }
        self.out.flush().await?;
        self.left = self.left.map(|left| left - take);
        Ok(self.left != Some(0))
    }
}

async fn perform<W>(script: &Script, stage: &mut Stage<W>, answered: impl FnOnce()) -> io::Result<Ending>
where
    W: AsyncWrite + Unpin,
{
    match &script.opening {
        Opening::AtOnce => {}
        Opening::Gate(gate) => gate.pass().await,
        Opening::Never(ending) => return end(*ending, stage).await,
    }
    let cut = script.cut.map_or(Ending::Reset, |(_, ending)| ending);
    if stage.left == Some(0) {
        return end(cut, stage).await;
    }
    answered();
    if !stage.send(&head(script)).await? {
        return end(cut, stage).await;
    }
    for piece in &script.pieces {
        if !send_piece(script, piece, stage).await? {
            return end(cut, stage).await;
        }
    }
    let is_chunked = matches!(script.framing, Framing::Chunked);
    if is_chunked && script.ending == Ending::KeepAlive && !stage.send(b"0\r\n\r\n").await? {
        return end(cut, stage).await;
    }
    end(script.ending, stage).await
}

async fn send_piece<W: AsyncWrite + Unpin>(script: &Script, piece: &Piece, stage: &mut Stage<W>) -> io::Result<bool> {
    match piece {
        Piece::Gate(gate) => {
            gate.pass().await;
            Ok(true)
        }
        Piece::HalfChunk(bytes) => stage.send(&half_chunk(bytes)).await,
        Piece::Bytes(bytes) => stage.send(&framed(script, bytes)).await,
        Piece::Repeated(bytes, times) => {
            let framed = framed(script, bytes);
            for _ in 0..*times {
                if !stage.send(&framed).await? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    }
}

/// Says whatever is left to be said about the end; the connection itself is ended by its owner.
async fn end<W: AsyncWrite + Unpin>(ending: Ending, stage: &mut Stage<W>) -> io::Result<Ending> {
    match ending {
        Ending::Stall => std::future::pending().await,
        Ending::Close => stage.out.shutdown().await.map(|()| ending),
        Ending::KeepAlive | Ending::Reset => Ok(ending),
    }
}

fn head(script: &Script) -> Bytes {
    if matches!(script.framing, Framing::Verbatim) {
        return Bytes::new();
    }
    let mut head = format!("HTTP/1.1 {} {}\r\n", script.status, reason(script.status));
    for (name, value) in &script.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match &script.framing {
        Framing::Length => head.push_str(&format!("content-length: {}\r\n", body_length(&script.pieces))),
        Framing::Lying(length) => head.push_str(&format!("content-length: {length}\r\n")),
        Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n"),
        Framing::UntilClose => head.push_str("connection: close\r\n"),
        Framing::Verbatim => {}
    }
    head.push_str("\r\n");
    head.into()
}

fn framed(script: &Script, bytes: &Bytes) -> Bytes {
    if !matches!(script.framing, Framing::Chunked) || bytes.is_empty() {
        return bytes.clone();
    }
    let mut framed = BytesMut::from(format!("{:x}\r\n", bytes.len()).as_bytes());
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    framed.freeze()
}

fn half_chunk(bytes: &Bytes) -> Bytes {
    let mut half = BytesMut::from(format!("{:x}\r\n", bytes.len() + 1000).as_bytes());
    half.extend_from_slice(bytes);
    half.freeze()
}

fn body_length(pieces: &[Piece]) -> usize {
    let length = |piece: &Piece| match piece {
        Piece::Bytes(bytes) | Piece::HalfChunk(bytes) => bytes.len(),
        Piece::Repeated(bytes, times) => bytes.len() * times,
        Piece::Gate(_) => 0,
    };
    pieces.iter().map(length).sum()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        302 => "Found",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Payload Too Large",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        529 => "Site Overloaded",
        _ => "Unnamed",
    }
}
