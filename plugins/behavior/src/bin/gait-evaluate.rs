//! Published protocols on public data, run through the very code that judges sessions.
//!
//! `gait-evaluate PROTOCOL --data FILE.csv.gz [--data MORE] [--background FILE.csv.gz] [--model classic|default] [--json]
//! [--scores FILE]`

use clap::Parser;
use gait_behavior::Model;
use gait_behavior::evaluate::{Options, Protocol, Report, Trial, run};
use std::path::PathBuf;
use std::time::Instant;

/// Evaluates the behavioural scorer on public data.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    protocol: Protocol,
    /// A gzipped CSV file of the data set; may be given again.
    #[arg(long, global = true)]
    data: Vec<PathBuf>,
    /// A file whose accounts are the background.
    #[arg(long, global = true)]
    background: Option<PathBuf>,
    /// The model.
    #[arg(long, global = true, default_value = "default", value_parser = model)]
    model: Model,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    /// Write every trial to this CSV file.
    #[arg(long, global = true)]
    scores: Option<PathBuf>,
}

fn model(name: &str) -> Result<Model, String> {
    match name {
        "default" => Ok(Model::Default),
        "classic" => Ok(Model::Classic),
        _ => Err("the models are default and classic".to_owned()),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    if arguments.data.is_empty() {
        return Err("--data FILE.csv.gz is needed".into());
    }
    let options = Options {
        data: arguments.data,
        background: arguments.background,
        model: arguments.model,
    };
    let began = Instant::now();
    let (mut report, trials) = run(&arguments.protocol, &options)?;
    report.wall_s = began.elapsed().as_secs_f64();
    if let Some(path) = &arguments.scores {
        write(path, &trials)?;
    }
    print(&report, arguments.json)
}

fn write(path: &PathBuf, trials: &[Trial]) -> Result<(), Box<dyn std::error::Error>> {
    let mut writer = csv::Writer::from_path(path)?;
    for trial in trials {
        writer.serialize(trial)?;
    }
    Ok(writer.flush()?)
}

fn print(report: &Report, json: bool) -> Result<(), Box<dyn std::error::Error>> {
    let text = if json { serde_json::to_string(report)? } else { serde_json::to_string_pretty(report)? };
    println!("{text}");
    Ok(())
}
