//! Requests, streams, bursts and large prompts, the contestants in turns.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::contestant::{Contestant, Kind};
use crate::exchange::{LARGE_PROMPT, SMALL_PROMPT};
use crate::figure::{Figure, Must, Sides};
use crate::load::{Crowd, Tally, Until, pass};
use crate::machine::{Used, resident_kib};
use crate::pace::Pace;
use crate::series::Series;

/// Connections of a load that is to keep a core busy.
const MANY: usize = 64;
/// Chunks of a long stream and the events that close it.
const LONG_STREAM: (&str, f64) = ("s500", 503.0);
/// What one measurement under load gave.
pub(crate) struct Measured {
    pub(crate) tally: Tally,
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

impl Measured {
    /// CPU microseconds per answer.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.tally.done().max(1) as f64
    }
}

/// What is asked, by how many at a time.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) model: &'static str,
    pub(crate) prompt: usize,
    pub(crate) connections: usize,
}

/// Puts a load on a contestant and measures the CPU time of all of its threads for it.
pub(crate) async fn measure(contestant: &Contestant, load: Load, until: Until) -> Result<Measured> {
    let pid = contestant.pid().context("the provider itself is not measured")?;
    let crowd = Crowd::gather(contestant, load.model, load.prompt, load.connections).await?;
    pass(contestant.kind.lag()).await;
    let before = Used::of(pid)?;
    let begin = std::time::Instant::now();
    let tally = crowd.ask(contestant, until).await?;
    let wall = begin.elapsed();
    pass(contestant.kind.lag()).await;
    Ok(Measured { tally, cpu: Used::of(pid)?.cpu_since(&before), wall })
}

#[derive(Default)]
struct Taken {
    request_cpu: Sides,
    request_rate: Sides,
    chunk_cpu: Sides,
    chunk_rate: Sides,
    burst_wall: Sides,
    prompt_cpu: Sides,
}

/// Runs all rounds.
pub(crate) async fn compare(contestants: &[Contestant], pace: Pace) -> Result<Vec<Figure>> {
    let mut taken = Taken::default();
    for round in 0..pace.rounds {
        eprintln!("round {} of {}", round + 1, pace.rounds);
        for turn in 0..contestants.len() {
            take_turn(&contestants[(round + turn) % contestants.len()], pace, &mut taken).await?;
        }
    }
    let mut figures = figures(&taken);
    let resident = contestants.iter().filter_map(|contestant| Some((contestant.kind, resident_mb(contestant.pid()?))));
    figures.push(Figure::of("resident after the load", "MB", &resident.collect(), Must::Nothing));
    Ok(figures)
}

async fn take_turn(contestant: &Contestant, pace: Pace, taken: &mut Taken) -> Result<()> {
    let kind = contestant.kind;
    let requests = Load { model: "whole", prompt: SMALL_PROMPT, connections: MANY };
    let request = measure(contestant, requests, Until::Elapsed(pace.window)).await?;
    put(&mut taken.request_cpu, kind, request.cpu_us());
    put(&mut taken.request_rate, kind, request.tally.done() as f64 / request.wall.as_secs_f64());

    let (model, events) = LONG_STREAM;
    let streams = Load { model, ..requests };
    let stream = measure(contestant, streams, Until::Elapsed(pace.window)).await?;
    put(&mut taken.chunk_cpu, kind, stream.cpu_us() / events);
    put(&mut taken.chunk_rate, kind, stream.tally.done() as f64 * events / stream.wall.as_secs_f64());

    let crowd = Crowd::gather(contestant, "s16", SMALL_PROMPT, 1).await?;
    let burst = crowd.ask(contestant, Until::Count(pace.bursts)).await?;
    let walls: Series = burst.timings.iter().map(|timing| timing.whole.as_secs_f64() * 1e3).collect();
    put(&mut taken.burst_wall, kind, walls.median().context("no burst was measured")?);

    let prompts = Load { model: "whole", prompt: LARGE_PROMPT, connections: 1 };
    let prompt = measure(contestant, prompts, Until::Count(pace.prompts)).await?;
    put(&mut taken.prompt_cpu, kind, prompt.cpu_us() / 1e3);
    Ok(())
}

fn figures(taken: &Taken) -> Vec<Figure> {
    vec![
        Figure::of("CPU per request", "us", &taken.request_cpu, Must::Times(2.5)),
        Figure::of("requests, 64 connections", "1/s", &taken.request_rate, Must::Nothing),
        Figure::of("CPU per streamed chunk", "us", &taken.chunk_cpu, Must::Times(1.5)),
        Figure::of("chunks, 64 streams", "1/s", &taken.chunk_rate, Must::Nothing),
        Figure::of("burst of 16 chunks, wall", "ms", &taken.burst_wall, Must::Times(3.0)),
        Figure::of("CPU for a 1 MB prompt", "ms", &taken.prompt_cpu, Must::Above(0.5)),
    ]
}

/// Notes a measurement of a contestant.
pub(crate) fn put(sides: &mut Sides, kind: Kind, value: f64) {
    sides.entry(kind).or_default().push(value);
}

/// Resident memory as a series of one, in MB.
pub(crate) fn resident_mb(pid: u32) -> Series {
    resident_kib(pid).into_iter().map(|kib| kib as f64 * 1024.0 / 1e6).collect()
}
