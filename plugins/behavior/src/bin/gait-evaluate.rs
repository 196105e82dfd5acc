//! Published protocols on public data, run through the very code that judges sessions.
//!
//! `gait-evaluate PROTOCOL --data FILE.csv.gz [--data MORE] [--background FILE.csv.gz] [--model classic|default] [--json]
//! [--scores FILE] [--plot DIR]`
//!
//! Ends with 0 after a result, and with 2 and one line on standard error if there is none.

use clap::error::{ContextKind, ErrorKind};
use clap::{Args, Command, FromArgMatches, Subcommand};
use gait_behavior::Model;
use gait_behavior::evaluate::{EvaluateError, Options, Protocol, Report, Trial, plot, run};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// What every protocol takes.
#[derive(Args)]
struct Common {
    /// A gzipped CSV file whose accounts are judged; may be given again
    #[arg(long, value_name = "FILE", required = true)]
    data: Vec<PathBuf>,
    /// A gzipped CSV file whose accounts are the background
    #[arg(long, value_name = "FILE")]
    background: Option<PathBuf>,
    /// The model that judges
    #[arg(long, default_value = "default")]
    model: Model,
    /// Print one JSON object, rates as fractions
    #[arg(long)]
    json: bool,
    /// Write every trial to this CSV file
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    /// Write curves as SVG files into this folder
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
}

fn main() -> ExitCode {
    let (protocol, common) = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    match evaluate(&protocol, common) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

/// The command line: a protocol, then its own options and the common ones.
fn command() -> Command {
    Protocol::augment_subcommands(Command::new("gait-evaluate"))
        .about("Evaluates the behavioural scorer on public data")
        .override_usage(
            "gait-evaluate PROTOCOL --data FILE.csv.gz [--data MORE] [--background FILE.csv.gz]\n       \
             [--model classic|default] [--json] [--scores FILE] [--plot DIR]",
        )
        .subcommand_value_name("PROTOCOL")
        .subcommand_help_heading("Protocols")
        .subcommand_required(true)
        .mut_subcommands(Common::augment_args)
}

fn arguments() -> Result<(Protocol, Common), clap::Error> {
    let matches = command().try_get_matches()?;
    let own = matches.subcommand().map(|(_, own)| Common::from_arg_matches(own));
    let common = own.unwrap_or_else(|| Err(clap::Error::new(ErrorKind::MissingSubcommand)))?;
    Ok((Protocol::from_arg_matches(&matches)?, common))
}

/// Help goes to standard output as it is; a fault is the first paragraph of what clap says, on one line.
fn refuse(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.to_string()),
        };
    }
    let known = || {
        let names: Vec<_> = command()
            .get_subcommands()
            .map(|protocol| protocol.get_name().to_owned())
            .collect();
        format!("the protocols are {}", names.join(", "))
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = error.get(ContextKind::InvalidSubcommand).map(ToString::to_string);
            fail(&format!("there is no protocol {}; {}", name.unwrap_or_default(), known()))
        }
        ErrorKind::MissingSubcommand => fail(&format!("a protocol is needed; {}", known())),
        _ => {
            let text = error.to_string();
            let said = text.split("\n\n").next().unwrap_or_default();
            let words: Vec<_> = said.split_whitespace().collect();
            fail(words.join(" ").trim_start_matches("error: "))
        }
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(2)
}

fn evaluate(protocol: &Protocol, common: Common) -> Result<(), EvaluateError> {
    let options = Options {
        data: common.data,
        background: common.background,
        model: common.model,
    };
    #[allow(clippy::disallowed_methods, reason = "a stopwatch")]
    let began = Instant::now();
    let (mut report, trials) = run(protocol, &options)?;
    report.wall_s = began.elapsed().as_secs_f64();
    if let Some(path) = &common.scores {
        write(path, &trials)?;
    }
    if let Some(folder) = &common.plot {
        plot(folder, protocol, &report, &trials)?;
    }
    print(protocol, &report, common.json)
}

fn write(path: &Path, trials: &[Trial]) -> Result<(), EvaluateError> {
    let fault = |error: csv::Error| EvaluateError::File {
        path: path.display().to_string(),
        why: error.to_string(),
    };
    let mut writer = csv::Writer::from_path(path).map_err(fault)?;
    for trial in trials {
        writer.serialize(trial).map_err(fault)?;
    }
    writer.flush().map_err(|error| fault(error.into()))
}

fn print(protocol: &Protocol, report: &Report, json: bool) -> Result<(), EvaluateError> {
    let fault = |why: String| EvaluateError::File {
        path: "standard output".to_owned(),
        why,
    };
    let text = if json {
        serde_json::to_string(report).map_err(|error| fault(error.to_string()))? + "\n"
    } else {
        format!("{protocol}: {report}")
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| fault(error.to_string()))
}
