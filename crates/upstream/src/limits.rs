//! Every limit of the way to a provider, in one place.

use std::time::Duration;

/// Waits and sizes. `docs/limits.md` shows them; the environment can change the waits.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Resolving, connecting and the TLS handshake.
    pub connect: Duration,
    /// From the request's last byte to the answer's head, streamed.
    pub first_byte: Duration,
    /// The same where the whole answer is asked for at once, so the provider works before it answers.
    pub whole_answer: Duration,
    /// Silence between two chunks of an answer.
    pub idle: Duration,
    /// From the answer's head to its first useful event, however lively the keep-alives.
    pub first_event: Duration,
    /// An answer's head, in bytes.
    pub head_bytes: usize,
    /// Header lines of an answer's head.
    pub head_lines: usize,
    /// One event of a stream, in bytes.
    pub event_bytes: usize,
    /// A whole answer that is not streamed, in bytes.
    pub reply_bytes: usize,
    /// As much of an error's body as is read, in bytes.
    pub error_bytes: usize,
    /// How long an idle connection is kept.
    pub pool_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(120),
            whole_answer: Duration::from_secs(600),
            idle: Duration::from_secs(300),
            first_event: Duration::from_secs(600),
            head_bytes: 64 * 1024,
            head_lines: 100,
            event_bytes: 16 * 1024 * 1024,
            reply_bytes: 64 * 1024 * 1024,
            error_bytes: 256 * 1024,
            pool_idle: Duration::from_secs(90),
        }
    }
}
