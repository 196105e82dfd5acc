//! Is a window of so many keys the owner's?

use super::classic;
use super::logs::{Logs, Volunteer};
use super::summary;
use super::{crowd, enrolled, pairs};
use crate::Model;
use crate::evaluate::{EvaluateError, Options, Report, Trial};
use crate::free::{Memory, Table, Timing};

/// Windows that one impostor types, at most.
const WINDOWS: usize = 3;

/// Gives each window a distance; `None` for an account that can't be judged.
type Judge = Box<dyn Fn(&[Timing]) -> f64>;

/// The protocol with windows of `keys` keys: as many holds and digraphs as two per key.
pub(in crate::evaluate) fn windows(
    options: &Options,
    keys: usize,
    identities: bool,
) -> Result<(Report, Vec<Trial>), EvaluateError> {
    if keys == 0 {
        return Err(EvaluateError::Data("a window needs at least one key".to_owned()));
    }
    let logs = Logs::read(options, identities)?;
    let events = 2 * keys;
    let trials = match options.model {
        Model::Default => {
            let crowd = crowd(&logs.background);
            trials(&logs, events, &|owner| {
                let table = enrolled(owner, &crowd)?;
                Some(Box::new(move |window: &[Timing]| distance(&table, window)))
            })
        }
        Model::Classic => trials(&logs, events, &|owner| {
            let template = classic::enrolled(owner, events)?;
            Some(Box::new(move |window: &[Timing]| {
                -template.judge(&classic::features(window)).fitness
            }))
        }),
    };
    let mut report = summary::windows(&trials, options.model)?;
    report.protocol = format!("ikdd --keys {keys}{}", if identities { "" } else { " --no-key-identity" });
    Ok((report, trials))
}

/// Evidence against the owner, in nats per timing.
fn distance(table: &Table, window: &[Timing]) -> f64 {
    let mut memory = Memory::default();
    -window.iter().map(|timing| table.llr(&mut memory, timing)).sum::<f64>() / window.len() as f64
}

fn trials(logs: &Logs, events: usize, enrol: &dyn Fn(&Volunteer) -> Option<Judge>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (owner, others) in pairs(logs) {
        let Some(judge) = enrol(owner) else { continue };
        let genuine = owner.later().iter().flat_map(|log| log.chunks_exact(events));
        let impostor = others
            .iter()
            .flat_map(|other| other.last().chunks_exact(events).take(WINDOWS));
        let labelled = genuine
            .map(|window| ("genuine", window))
            .chain(impostor.map(|window| ("impostor", window)));
        trials.extend(
            labelled
                .enumerate()
                .map(|(i, (label, window))| trial(owner, i, label, judge(window))),
        );
    }
    trials
}

fn trial(owner: &Volunteer, i: usize, label: &'static str, score: f64) -> Trial {
    Trial {
        account: owner.name.clone(),
        trial: i as u64,
        label,
        score,
        decision: if score <= 0.0 { "accept" } else { "step_up" },
        time: i as f64,
    }
}
