//! How long and how often each thing is measured.

use std::time::Duration;

/// The sizes of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) name: &'static str,
    /// Rounds of the comparison.
    pub(crate) rounds: usize,
    /// One measurement under load.
    pub(crate) window: Duration,
    /// Bursts and large prompts of one round.
    pub(crate) bursts: usize,
    pub(crate) prompts: usize,
    /// Starts of each contestant.
    pub(crate) starts: usize,
    /// How long they idle.
    pub(crate) idle: Duration,
    /// Streams held at a time.
    pub(crate) held: usize,
    /// Rounds of the comparison of many accounts with few, and one measurement of it.
    pub(crate) growth_rounds: usize,
    pub(crate) growth_window: Duration,
    /// Rounds of the latency comparison, and the requests of one.
    pub(crate) latency_rounds: usize,
    pub(crate) latency_requests: usize,
    /// Rows written to the log.
    pub(crate) rows: usize,
}

impl Pace {
    /// A little over a minute.
    pub(crate) fn quick() -> Self {
        Self {
            name: "quick",
            rounds: 5,
            window: Duration::from_millis(500),
            bursts: 200,
            prompts: 40,
            starts: 5,
            idle: Duration::from_secs(5),
            held: 2000,
            growth_rounds: 6,
            growth_window: Duration::from_millis(200),
            latency_rounds: 2,
            latency_requests: 80,
            rows: 8_000,
        }
    }

    /// About four minutes.
    pub(crate) fn full() -> Self {
        Self {
            name: "full",
            rounds: 9,
            window: Duration::from_secs(1),
            bursts: 600,
            prompts: 120,
            starts: 9,
            growth_rounds: 24,
            growth_window: Duration::from_millis(300),
            latency_rounds: 3,
            latency_requests: 200,
            rows: 40_000,
            ..Self::quick()
        }
    }

    /// A fraction of all of it, to try the program itself.
    pub(crate) fn scaled(self, part: f64) -> Self {
        let some = |count: usize, least: usize| ((count as f64 * part) as usize).max(least);
        let time = |time: Duration| time.mul_f64(part).max(Duration::from_millis(20));
        Self {
            rounds: some(self.rounds, 1),
            window: time(self.window),
            bursts: some(self.bursts, 2),
            prompts: some(self.prompts, 2),
            starts: some(self.starts, 1),
            idle: time(self.idle),
            held: some(self.held, 4),
            growth_rounds: some(self.growth_rounds, 1),
            growth_window: time(self.growth_window),
            latency_rounds: some(self.latency_rounds, 1),
            latency_requests: some(self.latency_requests, 4),
            rows: some(self.rows, 200),
            ..self
        }
    }
}
