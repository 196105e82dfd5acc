//! The evaluator: published protocols on public data, run through the very code that judges sessions.

mod balabit;
mod cmu;
mod figures;
mod ikdd;
mod mouse;
mod plot;
mod report;
mod sapimouse;
mod table;

pub use figures::{auc, eer, frr_at_far};
pub use plot::plot;
pub use report::{Report, Shipped, Subject, Trial};

use crate::Model;
use clap::builder::RangedU64ValueParser;
use std::fmt;
use std::path::PathBuf;

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq, clap::Subcommand)]
pub enum Protocol {
    /// CMU: enrol on the first repetitions, judge the last 200 and the first five of everybody else; no update.
    CmuStatic {
        /// Repetitions to enrol on, 5..=200.
        #[arg(long, value_name = "N", default_value_t = 200, value_parser = count(5, 200))]
        train: usize,
    },
    /// CMU: a stream in time with impostors in between; what is accepted, or passes a step-up, is learned.
    CmuUpdate {
        /// Repetitions to enrol on, 5..=200.
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = count(5, 200))]
        enrol: usize,
    },
    /// CMU: enrol on the first repetitions, judge the next 50; no update.
    CmuNear {
        /// Repetitions to enrol on, 5..=200.
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = count(5, 200))]
        enrol: usize,
    },
    /// CMU: as `cmu-update`, with the last five repetitions of everybody else, who have practised.
    CmuPractised {
        /// Repetitions to enrol on, 5..=200.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = count(5, 200))]
        enrol: usize,
    },
    /// CMU: replays and average-human timings against the whole pipeline.
    CmuAttacks,
    /// IIIT-BH: enrol on the first repetitions, judge the rest and the first five of everybody else.
    Iiitbh {
        /// Repetitions to enrol on, 5..=100.
        #[arg(long, value_name = "N", default_value_t = 75, value_parser = count(5, 100))]
        train: usize,
    },
    /// Balabit: the official test sessions.
    Balabit,
    /// Balabit: when is an impostor caught, and how often is the owner disturbed?
    BalabitSequential,
    /// SapiMouse: enrol on three minutes, judge parts of the other minute.
    Sapimouse {
        /// Actions in a part, 1..=1000.
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = count(1, 1000), conflicts_with = "minute")]
        actions: usize,
        /// The whole minute is one part.
        #[arg(long)]
        minute: bool,
    },
    /// IKDD: enrol on two logs, judge windows of the later ones.
    Ikdd {
        /// Keys in a window, 5..=10000.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = count(5, 10_000))]
        keys: usize,
        /// Without key identities: the default mode of the product.
        #[arg(long)]
        no_key_identity: bool,
    },
    /// IKDD: when is an impostor caught, and how often is the owner disturbed?
    IkddSequential {
        /// Without key identities: the default mode of the product.
        #[arg(long)]
        no_key_identity: bool,
    },
}

/// A number from `least` to `most`.
fn count(least: u64, most: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(least..=most)
}

impl Protocol {
    /// Its name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CmuStatic { .. } => "cmu-static",
            Self::CmuUpdate { .. } => "cmu-update",
            Self::CmuNear { .. } => "cmu-near",
            Self::CmuPractised { .. } => "cmu-practised",
            Self::CmuAttacks => "cmu-attacks",
            Self::Iiitbh { .. } => "iiitbh",
            Self::Balabit => "balabit",
            Self::BalabitSequential => "balabit-sequential",
            Self::Sapimouse { .. } => "sapimouse",
            Self::Ikdd { .. } => "ikdd",
            Self::IkddSequential { .. } => "ikdd-sequential",
        }
    }

    /// True if it counts the events until an impostor is caught.
    pub fn is_sequential(&self) -> bool {
        matches!(self, Self::BalabitSequential | Self::IkddSequential { .. })
    }
}

/// As on the command line, with every option that it takes.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::CmuStatic { train } | Self::Iiitbh { train } => write!(f, " --train {train}"),
            Self::CmuUpdate { enrol } | Self::CmuNear { enrol } | Self::CmuPractised { enrol } => write!(f, " --enrol {enrol}"),
            Self::Sapimouse { minute: true, .. } => f.write_str(" --minute"),
            Self::Sapimouse { actions, .. } => write!(f, " --actions {actions}"),
            Self::Ikdd { keys, no_key_identity } => write!(f, " --keys {keys}{}", identities(*no_key_identity)),
            Self::IkddSequential { no_key_identity } => f.write_str(identities(*no_key_identity)),
            Self::CmuAttacks | Self::Balabit | Self::BalabitSequential => Ok(()),
        }
    }
}

fn identities(without: bool) -> &'static str {
    if without { " --no-key-identity" } else { "" }
}

/// What to run it on.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files whose accounts are judged; their rows are put together.
    pub data: Vec<PathBuf>,
    /// A file whose accounts are the background.
    pub background: Option<PathBuf>,
    /// The model.
    pub model: Model,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// A file can't be read or written.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The data can't be judged by this protocol.
    #[error("{0}")]
    Data(String),
}

/// Runs a protocol: its figures, and every trial that they come from.
///
/// # Errors
/// [`EvaluateError`] for a file that can't be read, a missing column, or too few rows.
pub fn run(protocol: &Protocol, options: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    let (mut report, trials) = judge(protocol, options)?;
    report.protocol = protocol.name().to_owned();
    report.model = options.model.name().to_owned();
    match report.figures().into_iter().find(|figure| figure.value.is_nan()) {
        Some(figure) => {
            let why = format!("there are too few rows or accounts for {}: {}", protocol.name(), figure.name);
            Err(EvaluateError::Data(why + " can't be computed"))
        }
        None => Ok((report, trials)),
    }
}

fn judge(protocol: &Protocol, options: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    match *protocol {
        Protocol::CmuStatic { train } => cmu::fixed(options, train),
        Protocol::CmuUpdate { enrol } => cmu::update(options, enrol),
        Protocol::CmuNear { enrol } => cmu::near(options, enrol),
        Protocol::CmuPractised { enrol } => cmu::practised(options, enrol),
        Protocol::CmuAttacks => cmu::attacks(options),
        Protocol::Iiitbh { train } => cmu::iiitbh(options, train),
        Protocol::Balabit => balabit::official(options),
        Protocol::BalabitSequential => balabit::sequential(options),
        Protocol::Sapimouse { actions, minute } => sapimouse::run(options, (!minute).then_some(actions)),
        Protocol::Ikdd { keys, no_key_identity } => ikdd::windows(options, keys, !no_key_identity),
        Protocol::IkddSequential { no_key_identity } => ikdd::sequential(options, !no_key_identity),
    }
}
