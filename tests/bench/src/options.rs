//! The command line.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::contestant::Kind;
use crate::pace::Pace;

/// The load run behind `make bench`.
#[derive(Debug, Parser)]
#[command(name = "omniroute-bench")]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compares the product with two references and prints the figures.
    Run(RunOptions),
    /// The scripted provider.
    Upstream,
    /// The reference that looks at nothing.
    Passthru {
        /// Where the provider listens.
        #[arg(long)]
        provider: SocketAddr,
    },
    /// The reference on axum and reqwest.
    Mingate {
        /// Where the provider listens.
        #[arg(long)]
        provider: SocketAddr,
    },
    /// Writes rows into a request log and tells what one cost.
    LogRow {
        /// How many.
        #[arg(long)]
        rows: usize,
        /// How many share a transaction.
        #[arg(long)]
        at_a_time: usize,
    },
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Topic {
    /// Requests, chunks, bursts, prompts, latency.
    Load,
    /// Start, idle, held streams.
    Rest,
    /// Many accounts against few.
    Accounts,
    /// Rows of the log.
    Log,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct RunOptions {
    /// A little over a minute instead of four.
    #[arg(long)]
    quick: bool,
    /// Ends with status 1 when a figure is missed.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Who takes part.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Kind>,
    /// Which parts are run.
    #[arg(long, value_enum, value_delimiter = ',')]
    part: Vec<Topic>,
    /// Makes everything shorter by this factor, to try the program itself.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// The core of the gateways; set by the program when it starts itself on the other one.
    #[arg(long, hide = true)]
    pub(crate) gateway_core: Option<usize>,
    /// Says that cores and limits are set.
    #[arg(long, hide = true)]
    pub(crate) placed: bool,
}

impl RunOptions {
    /// Who takes part.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let all = [Kind::Ours, Kind::Passthru, Kind::Mingate];
        all.into_iter().filter(|kind| self.only.is_empty() || self.only.contains(kind)).collect()
    }

    /// Whether a part is to be run.
    pub(crate) fn wants(&self, topic: Topic) -> bool {
        self.part.is_empty() || self.part.contains(&topic)
    }

    /// How long everything takes.
    pub(crate) fn pace(&self) -> Pace {
        let pace = if self.quick { Pace::quick() } else { Pace::full() };
        if self.scale == 1.0 { pace } else { pace.scaled(self.scale) }
    }
}
