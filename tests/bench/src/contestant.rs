//! Those who are compared: where each listens, how it is asked, and the process behind it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::client::Question;
use crate::exchange::{self, PREFIX, Play};
use crate::ours::Ours;
use crate::process::Part;
use crate::{mingate, process};

/// Who.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// The product.
    Ours,
    /// Bytes in, bytes out.
    Passthru,
    /// The least gateway on axum and reqwest.
    Mingate,
    /// No gateway: the provider itself.
    #[value(skip)]
    Direct,
}

impl Kind {
    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Passthru => "passthru",
            Self::Mingate => "mingate",
            Self::Direct => "direct",
        }
    }

    /// When what it puts off is done: our log waits 250 ms for company before it writes.
    pub(crate) fn lag(self) -> Duration {
        match self {
            Self::Ours => Duration::from_millis(320),
            Self::Passthru | Self::Mingate | Self::Direct => Duration::from_millis(30),
        }
    }

    fn prefix(self) -> Option<&'static str> {
        match self {
            Self::Ours | Self::Mingate => Some(PREFIX),
            Self::Passthru | Self::Direct => None,
        }
    }
}

/// One of them, running.
pub(crate) struct Contestant {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    /// From its start to its ready line.
    pub(crate) start_took: Duration,
    key: String,
    asked: AtomicU64,
    process: Process,
}

enum Process {
    Ours(Box<Ours>),
    Part(Part),
    /// Somebody else's.
    None,
}

/// Where things run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The core of the gateways; the load and the provider have the other one.
    pub(crate) core: Option<usize>,
    /// The provider.
    pub(crate) provider: SocketAddr,
}

impl Contestant {
    /// Starts one. Ours gets so many accounts.
    pub(crate) async fn start(kind: Kind, place: Place, accounts: usize) -> Result<Self> {
        match kind {
            Kind::Ours => Self::of_ours(Ours::start(place, accounts).await?),
            Kind::Passthru | Kind::Mingate => {
                let provider = place.provider.to_string();
                let (part, address, took) = Part::serve(&[kind.name(), "--provider", &provider], place.core)?;
                Ok(Self::new(kind, address, took, Process::Part(part)))
            }
            Kind::Direct => Ok(Self::new(kind, place.provider, Duration::ZERO, Process::None)),
        }
    }

    /// Starts it anew: ours on the same data folder, the others from nothing.
    pub(crate) async fn restart(self, place: Place) -> Result<Self> {
        match self.process {
            Process::Ours(ours) => Self::of_ours(ours.restart().await),
            Process::Part(part) => {
                drop(part);
                Self::start(self.kind, place, 0).await
            }
            Process::None => bail!("the provider is not restarted"),
        }
    }

    fn of_ours(ours: Ours) -> Result<Self> {
        let mut made = Self::new(Kind::Ours, process::address(ours.url())?, ours.start_took(), Process::None);
        ours.key().clone_into(&mut made.key);
        made.process = Process::Ours(Box::new(ours));
        Ok(made)
    }

    fn new(kind: Kind, address: SocketAddr, start_took: Duration, process: Process) -> Self {
        let key = mingate::KEY.to_owned();
        Self { kind, address, start_took, key, asked: AtomicU64::new(0), process }
    }

    /// The process id; none where no process of its own is behind it.
    pub(crate) fn pid(&self) -> Option<u32> {
        match &self.process {
            Process::Ours(ours) => Some(ours.pid()),
            Process::Part(part) => Some(part.pid()),
            Process::None => None,
        }
    }

    /// The product, if that is what it is.
    pub(crate) fn ours(&self) -> Option<&Ours> {
        match &self.process {
            Process::Ours(ours) => Some(ours),
            Process::Part(_) | Process::None => None,
        }
    }

    /// A request to it for a model of the provider.
    pub(crate) fn question(&self, model: &str, prompt: usize) -> Question {
        let named = match self.kind.prefix() {
            Some(prefix) => format!("{prefix}/{model}"),
            None => model.to_owned(),
        };
        let (Some(play), Some(body)) = (Play::parse(model), exchange::ask_as(&named, model, prompt)) else {
            panic!("`{model}` is no model of the provider");
        };
        Question::chat(self.address, &self.key, &body, play.expected(model))
    }

    /// Notes that so many requests were made.
    pub(crate) fn count(&self, requests: usize) {
        self.asked.fetch_add(requests as u64, Ordering::Relaxed);
    }

    /// The requests made of it so far.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Contestant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Contestant").field("kind", &self.kind).field("address", &self.address).finish_non_exhaustive()
    }
}
