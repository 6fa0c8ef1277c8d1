//! The driver: starts everything, goes through the parts of the run, and sums up.
//!
//! Invariant: a part that fails is named and the next one still runs, so that one fault does not cost
//! the other figures.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use futures_util::FutureExt as _;

use crate::contestant::{Contestant, Kind, Place};
use crate::exchange::SMALL_PROMPT;
use crate::figure::{Figure, Must};
use crate::load::{Crowd, Until, pass};
use crate::options::{RunOptions, Topic};
use crate::pace::Pace;
use crate::process::Part;
use crate::report::Report;
use crate::{growth, latency, log_row, machine, rest, rounds, upstream};

/// Makes a whole run.
pub(crate) async fn run(options: &RunOptions) -> Result<Report> {
    let kinds = options.kinds();
    if kinds.contains(&Kind::Ours) {
        check_binary()?;
    }
    let begin = Instant::now();
    let load_before = machine::load();
    let (provider, address, _) = Part::serve(&["upstream"], None).context("the provider")?;
    let mut session = Session {
        place: Place { core: options.gateway_core, provider: address },
        pace: options.pace(),
        kinds,
        figures: Vec::new(),
        failures: Vec::new(),
    };
    session.go_through(options).await;
    drop(provider);
    Ok(Report {
        processor: machine::processor(),
        mode: session.pace.name,
        pinned: options.gateway_core.is_some(),
        load_before,
        seconds: begin.elapsed().as_secs_f64(),
        figures: session.figures,
        failures: session.failures,
    })
}

struct Session {
    place: Place,
    pace: Pace,
    kinds: Vec<Kind>,
    figures: Vec<Figure>,
    failures: Vec<String>,
}

impl Session {
    async fn go_through(&mut self, options: &RunOptions) {
        let (place, pace, kinds) = (self.place, self.pace, self.kinds.clone());
        let ours = kinds.contains(&Kind::Ours);
        if options.wants(Topic::Load) {
            self.take("load", Box::pin(under_load(&kinds, place, pace))).await;
        }
        if options.wants(Topic::Rest) {
            self.take("rest", Box::pin(rest::observe(&kinds, place, pace))).await;
        }
        if options.wants(Topic::Accounts) && ours {
            self.take("accounts", Box::pin(growth::compare(place, pace))).await;
        }
        if options.wants(Topic::Log) && ours {
            self.take("log", async { log_row::measure(place, pace) }).await;
        }
    }

    async fn take(&mut self, name: &str, part: impl Future<Output = Result<Vec<Figure>>>) {
        // The test kit reports by panicking; its message is on standard error by then.
        match AssertUnwindSafe(part).catch_unwind().await {
            Ok(Ok(figures)) => self.figures.extend(figures),
            Ok(Err(why)) => self.failures.push(format!("{name}: {why:#}")),
            Err(_) => self.failures.push(format!("{name}: stopped by the panic above")),
        }
    }
}

/// All contestants side by side: the rounds, the latency, and whether everything was counted.
async fn under_load(kinds: &[Kind], place: Place, pace: Pace) -> Result<Vec<Figure>> {
    let mut contestants = Vec::new();
    for kind in kinds {
        let contestant = Contestant::start(*kind, place, 3).await?;
        warm_up(&contestant).await?;
        contestants.push(contestant);
    }
    let before = upstream::stats(place.provider).await;
    let direct = Contestant::start(Kind::Direct, place, 0).await?;
    let asked_before = asked(&contestants);
    let mut figures = rounds::compare(&contestants, pace).await?;
    figures.extend(latency::compare(&contestants, &direct, pace).await?);
    let after = upstream::stats(place.provider).await;
    let asked = asked(&contestants) - asked_before + direct.asked();
    ensure!(after.refused == 0, "the provider got {} requests that nobody sent", after.refused);
    let arrived = after.answered - before.answered;
    ensure!(arrived == asked, "{asked} requests were made and {arrived} arrived");
    for contestant in &contestants {
        figures.extend(unrecorded(contestant).await?);
    }
    Ok(figures)
}

fn asked(contestants: &[Contestant]) -> u64 {
    contestants.iter().map(Contestant::asked).sum()
}

async fn warm_up(contestant: &Contestant) -> Result<()> {
    for model in ["whole", "s16"] {
        let crowd = Crowd::gather(contestant, model, SMALL_PROMPT, 16).await?;
        crowd.ask(contestant, Until::Count(20)).await?;
    }
    Ok(())
}

/// The requests that ours answered and has no row of.
async fn unrecorded(contestant: &Contestant) -> Result<Option<Figure>> {
    let Some(ours) = contestant.ours() else { return Ok(None) };
    pass(contestant.kind.lag()).await;
    let recorded = ours.recorded().await?;
    let missing = contestant.asked() as f64 - recorded as f64;
    let series = [missing.abs()].into_iter().collect();
    let name = format!("requests without a row, of {}", contestant.asked());
    Ok(Some(Figure::of_ours(name, "1", series, Must::AtMost(0.0))))
}

/// A debug build would be measured without a word.
fn check_binary() -> Result<()> {
    let binary = omniroute_testkit::gateway::binary();
    let named = std::env::var_os("OMNIROUTE_BIN").is_some();
    let is_release = binary.parent().and_then(Path::file_name).is_some_and(|folder| folder == "release");
    ensure!(
        named || is_release,
        "there is no release build of `omniroute`; run `make build`, or `run --only passthru,mingate`"
    );
    Ok(())
}
