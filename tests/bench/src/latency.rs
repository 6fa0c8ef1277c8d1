//! What a gateway adds to the time of a request when it is not busy: about 100 requests a second.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::contestant::{Contestant, Kind};
use crate::exchange::SMALL_PROMPT;
use crate::figure::{Figure, Must, Sides};
use crate::load::Crowd;
use crate::pace::Pace;
use crate::rounds::put;
use crate::series::Series;

/// From one request to the next.
const GAP: Duration = Duration::from_millis(10);
/// Connections that take turns.
const CONNECTIONS: usize = 4;

/// Asks the contestants and the provider itself in turns.
pub(crate) async fn compare(contestants: &[Contestant], direct: &Contestant, pace: Pace) -> Result<Vec<Figure>> {
    let mut all: BTreeMap<Kind, Series> = BTreeMap::new();
    let mut typical = Sides::new();
    let mut first = Sides::new();
    for round in 0..pace.latency_rounds {
        eprintln!("latency, round {} of {}", round + 1, pace.latency_rounds);
        for contestant in std::iter::once(direct).chain(contestants) {
            let times = ask(contestant, "whole", pace, |timing| timing.whole).await?;
            put(&mut typical, contestant.kind, times.median().context("no request was timed")?);
            all.entry(contestant.kind).or_default().extend(&times);
            let times = ask(contestant, "s16", pace, |timing| timing.first).await?;
            put(&mut first, contestant.kind, times.median().context("no stream was timed")?);
        }
    }
    let rare: Sides =
        all.iter().map(|(kind, times)| (*kind, times.quantile(0.99).into_iter().collect::<Series>())).collect();
    Ok(vec![
        Figure::of("added latency p50, 100 requests/s", "ms", &added(&typical), Must::Nothing),
        Figure::of("added latency p99, 100 requests/s", "ms", &added(&rare), Must::Nothing),
        Figure::of("added time to first byte p50", "ms", &added(&first), Must::Nothing),
    ])
}

async fn ask(
    contestant: &Contestant,
    model: &str,
    pace: Pace,
    which: impl Fn(crate::client::Timing) -> Duration,
) -> Result<Series> {
    let crowd = Crowd::gather(contestant, model, SMALL_PROMPT, CONNECTIONS).await?;
    let tally = crowd.ask_evenly(contestant, GAP, pace.latency_requests).await?;
    Ok(tally.timings.into_iter().map(|timing| which(timing).as_secs_f64() * 1e3).collect())
}

/// What each has more than the way without a gateway.
fn added(sides: &Sides) -> Sides {
    let Some(direct) = sides.get(&Kind::Direct) else { return Sides::new() };
    let gateways = sides.iter().filter(|(kind, _)| **kind != Kind::Direct);
    gateways.map(|(kind, series)| (*kind, series.above(direct))).collect()
}
