//! Load: connections that ask again and again, for a time or a number of times.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::client::{Connection, Question, Timing};
use crate::contestant::Contestant;

/// A load that is not done so long after it should be hangs.
const GRACE: Duration = Duration::from_secs(30);

/// Open connections to one gateway, each of which has carried a request.
#[derive(Debug)]
pub(crate) struct Crowd {
    connections: Vec<Connection>,
    question: Arc<Question>,
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After so many requests on each connection.
    Count(usize),
}

/// What a load got done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Answers, all of them checked.
    pub(crate) timings: Vec<Timing>,
}

impl Tally {
    /// How many answers there were.
    pub(crate) fn done(&self) -> usize {
        self.timings.len()
    }
}

impl Crowd {
    /// Opens the connections and asks on each once.
    pub(crate) async fn gather(contestant: &Contestant, model: &str, prompt: usize, size: usize) -> Result<Self> {
        let question = Arc::new(contestant.question(model, prompt));
        let mut connections = Vec::with_capacity(size);
        for _ in 0..size {
            let mut connection = Connection::open(contestant.address).await?;
            timeout(GRACE, connection.ask(&question)).await.context("no answer came")??;
            connections.push(connection);
        }
        contestant.count(size);
        Ok(Self { connections, question })
    }

    /// All connections ask, each as soon as it has its answer.
    pub(crate) async fn ask(self, contestant: &Contestant, until: Until) -> Result<Tally> {
        let begin = Instant::now();
        let mut working = JoinSet::new();
        for connection in self.connections {
            working.spawn(ask_on(connection, Arc::clone(&self.question), begin, until));
        }
        let limit = match until {
            Until::Elapsed(time) => time + GRACE,
            Until::Count(_) => GRACE,
        };
        collect(contestant, working, limit).await
    }

    /// The connections take turns, so that one request starts per `gap`, whether others are done or not.
    pub(crate) async fn ask_evenly(self, contestant: &Contestant, gap: Duration, count: usize) -> Result<Tally> {
        let size = self.connections.len().max(1);
        let mut working = JoinSet::new();
        for (place, mut connection) in self.connections.into_iter().enumerate() {
            let question = Arc::clone(&self.question);
            let period = gap * u32::try_from(size).unwrap_or(u32::MAX);
            let start = tokio::time::Instant::now() + gap * u32::try_from(place).unwrap_or(0);
            working.spawn(async move {
                let mut clock = tokio::time::interval_at(start, period);
                let mut timings = Vec::new();
                for _ in 0..count / size {
                    clock.tick().await;
                    timings.push(connection.ask(&question).await?);
                }
                Ok(timings)
            });
        }
        collect(contestant, working, gap * u32::try_from(count).unwrap_or(u32::MAX) + GRACE).await
    }
}

async fn ask_on(
    mut connection: Connection,
    question: Arc<Question>,
    begin: Instant,
    until: Until,
) -> Result<Vec<Timing>> {
    let mut timings = Vec::new();
    let goes_on = |done: usize| match until {
        Until::Elapsed(time) => begin.elapsed() < time,
        Until::Count(count) => done < count,
    };
    while goes_on(timings.len()) {
        timings.push(connection.ask(&question).await?);
    }
    Ok(timings)
}

async fn collect(contestant: &Contestant, mut working: JoinSet<Result<Vec<Timing>>>, limit: Duration) -> Result<Tally> {
    let work = async {
        let mut tally = Tally::default();
        while let Some(done) = working.join_next().await {
            tally.timings.extend(done.context("a connection's work was stopped")??);
        }
        anyhow::Ok(tally)
    };
    let tally = timeout(limit, work).await.context("the answers did not come in time")?;
    let tally = tally.with_context(|| format!("asking {}", contestant.kind.name()))?;
    contestant.count(tally.done());
    Ok(tally)
}

/// Lets time pass while processes settle or idle.
pub(crate) async fn pass(time: Duration) {
    let mut clock = interval(time.max(Duration::from_millis(1)));
    clock.tick().await;
    clock.tick().await;
}
