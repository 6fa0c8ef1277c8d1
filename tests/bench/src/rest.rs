//! What a gateway costs when nothing is asked of it: its start, its memory, its sleep, and streams
//! that are open while nothing is said.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::Connection;
use crate::contestant::{Contestant, Kind, Place};
use crate::exchange::SMALL_PROMPT;
use crate::figure::{Figure, Must, Sides};
use crate::load::{Crowd, Until, pass};
use crate::machine::{Used, open_files, resident_kib};
use crate::pace::Pace;
use crate::rounds::{put, resident_mb};
use crate::upstream;

/// Streams that are opened at the same time.
const AT_A_TIME: usize = 50;
/// When a stream's first chunk is not there by then, the run has failed.
const OPENING: Duration = Duration::from_secs(60);
/// Calls to the provider whose client left must end in this time.
const LEAVING: Duration = Duration::from_secs(5);

/// Measures each, one after the other or side by side, on processes of their own.
pub(crate) async fn observe(kinds: &[Kind], place: Place, pace: Pace) -> Result<Vec<Figure>> {
    let (mut contestants, start) = starts(kinds, place, pace).await?;
    for contestant in &contestants {
        let crowd = Crowd::gather(contestant, "whole", SMALL_PROMPT, 1).await?;
        crowd.ask(contestant, Until::Count(1)).await?;
    }
    eprintln!("idling for {:?}", pace.idle);
    pass(Duration::from_secs(1)).await;
    let mut figures = vec![Figure::of("start to ready", "ms", &start, Must::AtMost(150.0))];
    figures.extend(idle(&contestants, pace).await?);
    let mut held = Held::default();
    for contestant in contestants.drain(..) {
        hold(&contestant, place, pace, &mut held).await?;
    }
    let name = format!("memory per held stream, of {}", streams_to_hold(pace));
    figures.push(Figure::of(name, "KiB", &held.memory, Must::AtMost(40.0)));
    figures.push(Figure::of("streams left behind by clients", "1", &held.left, Must::AtMost(0.0)));
    Ok(figures)
}

/// Starts each several times; ours has a data folder and three accounts from the first start on.
async fn starts(kinds: &[Kind], place: Place, pace: Pace) -> Result<(Vec<Contestant>, Sides)> {
    let (mut contestants, mut took) = (Vec::new(), Sides::new());
    for kind in kinds {
        eprintln!("starting {} {} times", kind.name(), pace.starts);
        let mut contestant = Contestant::start(*kind, place, 3).await?;
        for _ in 0..pace.starts {
            contestant = contestant.restart(place).await?;
            put(&mut took, *kind, contestant.start_took.as_secs_f64() * 1e3);
        }
        contestants.push(contestant);
    }
    Ok((contestants, took))
}

async fn idle(contestants: &[Contestant], pace: Pace) -> Result<Vec<Figure>> {
    let pids: Vec<(Kind, u32)> = contestants.iter().filter_map(|one| Some((one.kind, one.pid()?))).collect();
    let before = pids.iter().map(|(_, pid)| Used::of(*pid)).collect::<Result<Vec<_>>>()?;
    let begin = Instant::now();
    pass(pace.idle).await;
    let (mut cpu, mut wakeups, mut resident) = (Sides::new(), Sides::new(), Sides::new());
    for ((kind, pid), before) in pids.into_iter().zip(before) {
        let (now, seconds) = (Used::of(pid)?, begin.elapsed().as_secs_f64());
        put(&mut cpu, kind, now.cpu_since(&before).as_secs_f64() * 1e3 / seconds);
        put(&mut wakeups, kind, now.wakeups_since(&before) as f64 / seconds);
        resident.insert(kind, resident_mb(pid));
    }
    Ok(vec![
        Figure::of("resident, idle", "MB", &resident, Must::AtMost(20.0)),
        Figure::of("CPU, idle", "ms/s", &cpu, Must::Nothing),
        Figure::of("wake-ups, idle", "1/s", &wakeups, Must::Nothing),
    ])
}

#[derive(Default)]
struct Held {
    memory: Sides,
    left: Sides,
}

/// Opens streams that say one chunk and then nothing, and sees what they weigh and whether they go.
async fn hold(contestant: &Contestant, place: Place, pace: Pace, held: &mut Held) -> Result<()> {
    let pid = contestant.pid().context("the provider itself is not measured")?;
    let count = streams_to_hold(pace);
    eprintln!("holding {count} streams through {}", contestant.kind.name());
    let before = resident_kib(pid)?;
    let streams = timeout(OPENING, open(contestant, count)).await.context("the streams did not open in time")??;
    pass(Duration::from_millis(500)).await;
    let after = resident_kib(pid)?;
    put(&mut held.memory, contestant.kind, after.saturating_sub(before) as f64 / count as f64);
    drop(streams);
    put(&mut held.left, contestant.kind, left_open(place).await as f64);
    Ok(())
}

/// A gateway needs two files for each stream, and some for itself.
fn streams_to_hold(pace: Pace) -> usize {
    let room = usize::try_from(open_files().saturating_sub(200) / 2).unwrap_or(usize::MAX);
    pace.held.min(room)
}

async fn open(contestant: &Contestant, count: usize) -> Result<Vec<Connection>> {
    let question = std::sync::Arc::new(contestant.question("hold", SMALL_PROMPT));
    let mut streams = Vec::with_capacity(count);
    while streams.len() < count {
        let mut opening = JoinSet::new();
        for _ in 0..AT_A_TIME.min(count - streams.len()) {
            let (question, address) = (std::sync::Arc::clone(&question), contestant.address);
            opening.spawn(async move {
                let mut connection = Connection::open(address).await?;
                connection.ask_and_hold(&question).await.map(|()| connection)
            });
        }
        for stream in opening.join_all().await {
            streams.push(stream.with_context(|| format!("holding a stream through {}", contestant.kind.name()))?);
        }
    }
    contestant.count(count);
    Ok(streams)
}

/// How many streams the provider still has open once it had the time to notice that nobody listens.
async fn left_open(place: Place) -> u64 {
    let until = Instant::now() + LEAVING;
    loop {
        let open = upstream::stats(place.provider).await.open;
        if open == 0 || Instant::now() > until {
            return open;
        }
        pass(Duration::from_millis(50)).await;
    }
}
