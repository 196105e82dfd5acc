//! Closed loops: each user does the next flow when the one before is done.

use crate::cpu::{Meter, Watched};
use crate::figures::Round;
use crate::site::Site;
use crate::stopwatch;
use crate::user::User;
use crate::workload::Workload;
use anyhow::Context as _;
use futures_util::future::{try_join, try_join_all};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long rounds are.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    /// Before anything counts.
    pub warm_up: Duration,
    /// What counts.
    pub measured: Duration,
}

/// The users of one workload at one target. They stay who they are from round to round.
pub struct Crew {
    workload: Workload,
    users: Vec<User>,
}

impl Crew {
    /// Brings the users to where their flows begin.
    ///
    /// # Errors
    /// The provider does otherwise than it must.
    pub async fn gather(workload: Workload, site: &Rc<Site>) -> anyhow::Result<Self> {
        let mut users: Vec<_> = (0..workload.users()).map(|number| User::new(site, number)).collect();
        let prepared = try_join_all(users.iter_mut().map(|user| workload.prepare(user))).await;
        prepared.with_context(|| format!("{}: before the first round", workload.title()))?;
        Ok(Self { workload, users })
    }

    /// Runs a round.
    ///
    /// # Errors
    /// A flow goes otherwise than it must: what is wrong has no speed.
    pub async fn round(&mut self, lengths: Lengths, meter: &Meter, watched: &[Watched]) -> anyhow::Result<Round> {
        self.users.iter_mut().for_each(User::hang_up);
        let from = stopwatch::now() + lengths.warm_up;
        let until = from + lengths.measured;
        let workload = self.workload;
        let users = self.users.iter_mut().map(|user| work(workload, user, from, until));
        let measured = try_join(measure(meter, watched, from, until), try_join_all(users)).await;
        let (mut round, latencies) = measured.with_context(|| workload.title().to_owned())?;
        round.latencies_ms = latencies.concat();
        Ok(round)
    }
}

/// Does flow after flow; returns how long those took that ended within the measured time.
async fn work(workload: Workload, user: &mut User, from: Instant, until: Instant) -> anyhow::Result<Vec<f64>> {
    let mut latencies_ms = Vec::new();
    loop {
        let begun = stopwatch::now();
        if begun >= until {
            return Ok(latencies_ms);
        }
        let own_ms = workload.flow(user).await?;
        let ended = stopwatch::now();
        if ended >= from && ended <= until {
            latencies_ms.push(own_ms.unwrap_or((ended - begun).as_secs_f64() * 1000.0));
        }
    }
}

async fn measure(meter: &Meter, watched: &[Watched], from: Instant, until: Instant) -> anyhow::Result<Round> {
    tokio::time::sleep_until(from.into()).await;
    let (before, begun) = (meter.read(watched)?, stopwatch::now());
    tokio::time::sleep_until(until.into()).await;
    let (after, ended) = (meter.read(watched)?, stopwatch::now());
    Ok(Round {
        seconds: (ended - begun).as_secs_f64(),
        latencies_ms: Vec::new(),
        spent: meter.between(&before, &after),
    })
}
