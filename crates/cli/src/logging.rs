//! The log on stderr: life-cycle at `info`, one line a request at `debug`.
//!
//! Invariant: whatever level is asked for, crates that are not ours stay at `warn`: some of them show
//! headers or bodies below that, and those hold keys and prompts.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Layer as _, fmt};

use crate::output::Colors;

/// Our crates' names begin with it.
const OURS: &str = "omniroute";

/// Starts the log of this process.
pub(crate) fn start(level: LevelFilter, colors: Colors) -> Result<(), TryInitError> {
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(colors == Colors::Some);
    tracing_subscriber::registry().with(lines.with_filter(targets(level))).try_init()
}

fn targets(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_target(OURS, level)
}

#[cfg(test)]
mod tests {
    use tracing::Level;
    use tracing::level_filters::LevelFilter;

    use super::targets;

    #[test]
    fn other_crates_stay_at_warn_however_much_is_asked_for() {
        let all = targets(LevelFilter::TRACE);
        assert!(all.would_enable("omniroute_gateway::relay", &Level::TRACE));
        assert!(all.would_enable("hyper::proto", &Level::WARN));
        assert!(!all.would_enable("hyper::proto", &Level::INFO));
        let quiet = targets(LevelFilter::ERROR);
        assert!(!quiet.would_enable("hyper::proto", &Level::WARN), "and follow when less is asked for");
        assert!(!quiet.would_enable("omniroute_gateway", &Level::WARN));
    }
}
