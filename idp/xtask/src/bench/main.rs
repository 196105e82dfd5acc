//! `cargo xtask bench`: how much of the CPU each thing costs that a provider does, beside a peer and beside the goals. Everything
//! is on this machine; every answer is checked, and a wrong one ends the run.

mod argon2;
mod connection;
mod cores;
mod cpu;
mod figures;
mod load;
mod people;
mod report;
mod server;
mod site;
mod stopwatch;
mod table;
mod targets;
mod user;
mod workload;

use anyhow::{Context as _, ensure};
use clap::Parser;
use cores::Cores;
use cpu::Meter;
use figures::{Figures, Round, median};
use load::{Crew, Lengths};
use report::{Report, TargetReport};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use targets::{Kind, Setting, Target};
use workload::Workload;

/// Measures Gait, and a peer beside it.
#[derive(Parser)]
#[command(bin_name = "cargo xtask bench")]
struct Args {
    /// Measured seconds of a round.
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,
    /// Seconds of a round before anything counts.
    #[arg(long, default_value_t = 0.5, value_parser = seconds)]
    warm_up: f64,
    /// Rounds of each workload at each target.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only these workloads.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Workload>,
    /// Only these targets, and all of them: one that can't be had is an error then.
    #[arg(long, value_delimiter = ',')]
    targets: Vec<Kind>,
    /// Write everything that was found to this file, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Another program than the one that was just built.
    #[arg(long)]
    gait: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    match (0.05..=3600.0).contains(&seconds) {
        true => Ok(seconds),
        false => Err("0.05 to 3600 seconds".to_owned()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the bench broke off: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let (cores, meter) = (Cores::available()?, Meter::new()?);
    let setting = Setting {
        cores: cores.clone(),
        gait: args.gait.clone().map_or_else(xtask::gait_beside_us, Ok)?,
        peer_folder: targets::peer_folder()?,
    };
    let targets = start_targets(&args.targets, &setting).await?;
    ensure!(!targets.is_empty(), "there is nothing to measure");
    let mut bench = Bench {
        lengths: Lengths {
            warm_up: Duration::from_secs_f64(args.warm_up),
            measured: Duration::from_secs_f64(args.seconds),
        },
        figures: targets.iter().map(|_| BTreeMap::new()).collect(),
        argon2_us: Vec::new(),
        cores,
        meter,
        targets,
    };
    let all = Workload::all().iter().copied();
    for workload in all.filter(|workload| args.only.is_empty() || args.only.contains(workload)) {
        bench.measure(workload, args.rounds).await?;
    }
    let report = bench.report()?;
    println!("{}", table::render(&report));
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Starts those that are wanted; if nobody said which, those that can be had.
async fn start_targets(wanted: &[Kind], setting: &Setting) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for kind in Kind::all()
        .iter()
        .copied()
        .filter(|kind| wanted.is_empty() || wanted.contains(kind))
    {
        eprintln!("Starting {}", kind.title());
        match Target::start(kind, setting).await.context(kind.title()) {
            Ok(target) => targets.push(target),
            Err(error) if wanted.is_empty() && kind != Kind::Sqlite => eprintln!("Going on without: {error:#}"),
            Err(error) => return Err(error),
        }
    }
    Ok(targets)
}

/// A run.
struct Bench {
    lengths: Lengths,
    cores: Cores,
    meter: Meter,
    targets: Vec<Target>,
    /// Of each target.
    figures: Vec<BTreeMap<Workload, Figures>>,
    argon2_us: Vec<f64>,
}

impl Bench {
    /// Measures a workload at every target, by turns: whatever happens on this machine meanwhile happens to all.
    async fn measure(&mut self, workload: Workload, rounds: u32) -> anyhow::Result<()> {
        let mut crews = Vec::new();
        for target in &self.targets {
            let takes_part = target.kind != Kind::Peer || !workload.is_ours_alone();
            crews.push(match takes_part {
                true => Some(Crew::gather(workload, &target.site).await.context(target.kind.title())?),
                false => None,
            });
        }
        let mut done: Vec<Vec<Round>> = self.targets.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            if self.argon2_us.is_empty() || workload == Workload::SignIn {
                self.argon2_us.push(argon2::cpu_us(&self.meter)?);
            }
            for (i, target) in self.targets.iter().enumerate() {
                let Some(crew) = &mut crews[i] else { continue };
                self.cores.move_beside(target.kind.nodes(), std::process::id())?;
                let round = crew.round(self.lengths, &self.meter, &target.watched).await;
                done[i].push(round.context(target.kind.title())?);
            }
        }
        for (i, target) in self.targets.iter().enumerate().filter(|(i, _)| crews[*i].is_some()) {
            let Some(figures) = Figures::of(&done[i], &target.own) else {
                eprintln!(
                    "{}, {}: no flow ended in the measured time; give it more --seconds",
                    workload.title(),
                    target.kind.title()
                );
                continue;
            };
            eprintln!(
                "{:<32} {:<38} {:>9.1} µs  {:>9.1}/s  {:>8.2} ms  {:>8.2} ms  others {:.2}",
                workload.title(),
                target.kind.title(),
                figures.cpu_us,
                figures.per_s,
                figures.p50_ms,
                figures.p99_ms,
                figures.others_cores
            );
            self.figures[i].insert(workload, figures);
        }
        Ok(())
    }

    fn report(self) -> anyhow::Result<Report> {
        let of_target = |(target, figures): (&Target, BTreeMap<Workload, Figures>)| {
            Ok(TargetReport {
                kind: target.kind,
                cold_ms: target.cold_ms,
                idle_mib: target.idle_mib,
                peak_mib: target.peak_mib()?,
                figures,
            })
        };
        Ok(Report {
            cores: self.cores.count(),
            argon2_us: median(self.argon2_us).unwrap_or_default(),
            targets: self
                .targets
                .iter()
                .zip(self.figures)
                .map(of_target)
                .collect::<anyhow::Result<_>>()?,
        })
    }
}
