//! `cargo xtask soak`: people sign in, work and sign out at two nodes on Postgres and Redis, and attackers try to spend everything twice,
//! while nodes, servers, networks and disks fail. Whatever was acknowledged must hold, then and afterwards; what was refused or not
//! answered may have happened or not. The same on one node with a database of its own, whose disk is full.

mod closing;
mod deployment;
mod fault;
mod guest;
mod ledger;
mod operator;
mod race;
mod wire;

use anyhow::ensure;
use clap::Parser;
use deployment::Deployment;
use fault::Fault;
use guest::Guest;
use ledger::Ledger;
use operator::Operator;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// People at two nodes, and at one.
const PEOPLE: usize = 8;
const FEW: usize = 3;

/// What is wanted.
#[derive(Parser)]
pub struct Options {
    /// Minutes that faults are inflicted for.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Each fault once, and briefly.
    #[arg(long)]
    short: bool,
    /// Decides the order of the faults, and what people do.
    #[arg(long)]
    seed: Option<u64>,
}

/// How long things last.
struct Pace {
    /// Between two faults.
    calm: Duration,
    /// A fault, in milliseconds.
    fault_ms: std::ops::RangeInclusive<u64>,
    /// The receiver of callbacks is down.
    receiver: Duration,
    /// The whole: no new round of faults is begun afterwards.
    whole: Duration,
}

impl Options {
    fn pace(&self) -> Pace {
        match self.short {
            true => Pace {
                calm: Duration::from_secs(1),
                fault_ms: 1000..=2000,
                receiver: Duration::from_secs(4),
                whole: Duration::ZERO,
            },
            false => Pace {
                calm: Duration::from_secs(5),
                fault_ms: 500..=8000,
                receiver: Duration::from_secs(60),
                whole: Duration::from_secs(60 * self.minutes),
            },
        }
    }
}

/// Runs it, and prints the counts.
///
/// # Errors
/// Something can't be started, or something went otherwise than it must.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let seed = options
        .seed
        .unwrap_or(if options.short { 1 } else { std::process::id().into() });
    println!("soak: seed {seed}");
    let pace = options.pace();
    println!("Two nodes on Postgres and Redis, {PEOPLE} people");
    let two = Deployment::of_two_nodes(PEOPLE).await?;
    let mut violations = soak(two, &Fault::OF_TWO_NODES, &pace, PEOPLE, seed).await?;
    println!("One node on SQLite, {FEW} people");
    match Deployment::on_small_disk(FEW).await? {
        // It has less to suffer.
        Some(one) => {
            let whole = pace.whole / 10;
            violations += soak(one, &Fault::OF_ONE_NODE, &Pace { whole, ..pace }, FEW, seed).await?;
        }
        None => println!("  skipped: no small disk can be mounted here (that takes root)"),
    }
    ensure!(violations == 0, "{violations} violations");
    Ok(())
}

/// Runs one deployment through its faults; returns the number of violations.
async fn soak(mut deployment: Deployment, faults: &[Fault], pace: &Pace, people: usize, seed: u64) -> anyhow::Result<usize> {
    let (ledger, over) = (Ledger::default(), Arc::new(AtomicBool::new(false)));
    closing::note_keys(&deployment, &ledger).await?;
    let mut lives = JoinSet::new();
    for number in 0..people {
        let (mut guest, over) = (Guest::new(&deployment, &ledger, number, seed)?, over.clone());
        lives.spawn(async move {
            guest.live(&over).await;
            guest
        });
    }
    let mut operator = Operator::new(&ledger, people);
    inflict(&mut deployment, faults, pace, &mut operator, &ledger, seed).await;
    over.store(true, Ordering::Relaxed);
    let mut guests = lives.join_all().await;
    for &number in &operator.added {
        guests.push(Guest::new(&deployment, &ledger, number, seed)?);
    }
    closing::look(&deployment, &mut guests, &ledger).await;
    println!("{ledger}");
    let violations = ledger.violations();
    if violations > 0 {
        let folder = deployment.folder.path().to_owned();
        std::fs::write(folder.join("refusals.log"), ledger.refusals())?;
        deployment.folder.disable_cleanup(true);
        println!("Logs are kept in {}", folder.display());
    }
    Ok(violations)
}

/// Inflicts fault after fault, in rounds of all of them, each in another order.
async fn inflict(
    deployment: &mut Deployment,
    faults: &[Fault],
    pace: &Pace,
    operator: &mut Operator,
    ledger: &Ledger,
    seed: u64,
) {
    let mut rng = StdRng::seed_from_u64(seed);
    let end = Instant::now() + pace.whole;
    loop {
        let mut round = faults.to_vec();
        round.shuffle(&mut rng);
        for (number, fault) in round.into_iter().enumerate() {
            if number.is_multiple_of(2) {
                operator.work(deployment).await;
            }
            tokio::time::sleep(pace.calm).await;
            let lasts = match fault {
                Fault::ReceiverDown => pace.receiver,
                _ => Duration::from_millis(rng.gen_range(pace.fault_ms.clone())),
            };
            if !deployment.can_suffer(fault) {
                println!(
                    "  skipped: {} (no small disk can be mounted here: that takes root)",
                    fault.title()
                );
                continue;
            }
            println!("  {:>3} {} for {lasts:.1?}", ledger.fault(fault.title()), fault.title());
            if let Err(why) = deployment.suffer(fault, lasts, &mut rng).await {
                return ledger.violation(why);
            }
            if pace.whole > Duration::ZERO && Instant::now() >= end {
                return;
            }
        }
        if Instant::now() >= end {
            return;
        }
    }
}
