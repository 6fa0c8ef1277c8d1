//! Whether a request costs more where there are more accounts.

use anyhow::Result;

use crate::contestant::{Contestant, Kind, Place};
use crate::exchange::SMALL_PROMPT;
use crate::figure::{Figure, Must};
use crate::load::Until;
use crate::pace::Pace;
use crate::rounds::{Load, measure};
use crate::series::Series;

/// Accounts of the instances that are compared; the first is what the others are held against.
const ACCOUNTS: [usize; 3] = [3, 100, 1000];

/// Compares instances of ours in many short rounds, so that noise does not decide.
pub(crate) async fn compare(place: Place, pace: Pace) -> Result<Vec<Figure>> {
    let mut instances = Vec::new();
    for accounts in ACCOUNTS {
        eprintln!("connecting {accounts} accounts");
        let instance = Contestant::start(Kind::Ours, place, accounts).await?;
        // After a restart all have the same past.
        instances.push(instance.restart(place).await?);
    }
    let most_took = instances.last().map(|instance| instance.start_took.as_secs_f64() * 1e3);
    let load = Load { model: "whole", prompt: SMALL_PROMPT, connections: 32 };
    let mut cpu = vec![Series::default(); instances.len()];
    for round in 0..pace.growth_rounds {
        eprintln!("accounts, round {} of {}", round + 1, pace.growth_rounds);
        for turn in 0..instances.len() {
            let place = (round + turn) % instances.len();
            let measured = measure(&instances[place], load, Until::Elapsed(pace.growth_window)).await?;
            cpu[place].push(measured.cpu_us());
        }
    }
    let compared = ACCOUNTS.iter().zip(&cpu).skip(1);
    let figures = compared.map(|(accounts, series)| {
        let name = format!("CPU per request, {accounts} accounts : {}", ACCOUNTS[0]);
        Figure::of_ours(name, "x", series.over(&cpu[0]), Must::AtMost(1.05))
    });
    let start = Figure::of_ours(
        format!("start to ready, {} accounts", ACCOUNTS[2]),
        "ms",
        most_took.into_iter().collect(),
        Must::Nothing,
    );
    Ok(figures.chain([start]).collect())
}
