//! What every step of a request shares.

use arc_swap::ArcSwap;
use omniroute_store::log::{LogWriter, RequestIds};
use omniroute_upstream::Upstream;

use crate::drain::Drain;
use crate::limits::Limits;
use crate::snapshot::Snapshot;

/// The running gateway.
pub struct Gateway {
    /// The configuration requests read; replaced whole.
    pub live: ArcSwap<Snapshot>,
    /// The way to providers.
    pub upstream: Upstream,
    /// Where finished requests are recorded.
    pub log: LogWriter,
    /// Gives out the numbers they are recorded under.
    pub ids: RequestIds,
    /// The limits in force.
    pub limits: Limits,
    /// The state of stopping.
    pub drain: Drain,
}
