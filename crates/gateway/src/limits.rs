//! Every limit on the way from a client, in one place. `docs/limits.md` shows them.

use std::time::Duration;

/// Waits and sizes towards clients.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A request's head, from its first byte to its last.
    pub head: Duration,
    /// A connection on which nothing is asked.
    pub keep_alive: Duration,
    /// Silence within a request's body.
    pub body_idle: Duration,
    /// A client that takes none of the bytes we have for it.
    pub write_stall: Duration,
    /// A request's head, in bytes.
    pub head_bytes: usize,
    /// Header lines of a request's head.
    pub head_lines: usize,
    /// A request's body, in bytes.
    pub body_bytes: usize,
    /// Objects and arrays within one another in a request's body.
    pub depth: usize,
    /// Open connections.
    pub connections: usize,
    /// Targets tried for one request.
    pub attempts: usize,
    /// Silence of a stream after which the client gets a comment to keep the line open.
    pub pulse: Duration,
    /// How long open streams may go on after the gateway was told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            body_idle: Duration::from_secs(30),
            write_stall: Duration::from_secs(300),
            head_bytes: 64 * 1024,
            head_lines: 100,
            body_bytes: 32 * 1024 * 1024,
            depth: 256,
            connections: 8192,
            attempts: 16,
            pulse: Duration::from_secs(15),
            drain: Duration::from_secs(30),
        }
    }
}
