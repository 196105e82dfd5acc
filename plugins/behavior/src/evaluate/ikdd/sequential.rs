//! How soon is an impostor caught, and how often is the owner disturbed?

use super::logs::{Logs, Volunteer};
use super::summary;
use super::{account, classic, crowd, pairs};
use crate::Model;
use crate::classic::features::Features;
use crate::classic::template::Template;
use crate::evaluate::{EvaluateError, Options, Report, Trial};
use crate::free::{Account, Crowd, Memory, Table, Timing, threshold};
use crate::sequential::Cusum;
use std::sync::Arc;

/// Keys that one impostor types, at most.
const KEYS: usize = 1000;

/// Keys before a passed step-up that are learned.
const ABSORBED: usize = 300;

/// Hours per false alarm that the main figures aim at, and those that the product ships with.
const AIM_HOURS: f64 = 4.0;
const SHIPPED_HOURS: f64 = 8.0;

/// Keys in a window of the classic model, and strikes until its alarm.
const CLASSIC_KEYS: usize = 50;

/// Something that watches a session and can be taught.
trait Watch {
    /// The key, counted from 1, at which the alarm comes, and the evidence then; with no alarm, `None` and the evidence at the end.
    fn alarm(&self, timings: &[Timing]) -> (Option<usize>, f64);

    /// Learns the timings before a passed step-up.
    fn absorb(&mut self, timings: &[Timing]);

    /// Learns a session that has ended.
    fn learn(&mut self, timings: &[Timing]);
}

/// The protocol. Trials at the shipped thresholds come after the main ones, with labels of their own.
pub(in crate::evaluate) fn sequential(options: &Options, identities: bool) -> Result<(Report, Vec<Trial>), EvaluateError> {
    let logs = Logs::read(options, identities)?;
    let (mut all, at_shipped) = match options.model {
        Model::Default => {
            let crowd = crowd(&logs.background);
            let at = |hours: f64| trials(&logs, &|owner| Cautious::enrol(owner, &crowd, threshold(identities, hours)));
            (at(AIM_HOURS), at(SHIPPED_HOURS))
        }
        Model::Classic => {
            let trials = trials(&logs, &Striking::enrol);
            (trials.clone(), trials)
        }
    };
    let mut report = summary::sequential(&all, &at_shipped, options.model)?;
    report.protocol = format!("ikdd-sequential{}", if identities { "" } else { " --no-key-identity" });
    all.extend(at_shipped.into_iter().map(|trial| Trial {
        label: if trial.label == "genuine" {
            "genuine_shipped"
        } else {
            "impostor_shipped"
        },
        ..trial
    }));
    Ok((report, all))
}

fn trials<W: Watch>(logs: &Logs, enrol: &dyn Fn(&Volunteer) -> Option<W>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (owner, others) in pairs(logs) {
        let Some(mut watch) = enrol(owner) else { continue };
        for (i, other) in others.iter().enumerate() {
            let typed = &other.last()[..other.last().len().min(2 * KEYS)];
            let (alarm, score) = watch.alarm(typed);
            trials.push(trial(
                owner,
                (owner.later().len() + i) as u64,
                "impostor",
                alarm,
                score,
                alarm.unwrap_or(KEYS),
            ));
        }
        for (i, log) in owner.later().iter().enumerate() {
            trials.extend(session(owner, i as u64, &mut watch, log));
        }
    }
    trials
}

/// A session of the owner's: one trial up to each alarm, which is followed by a passed step-up, and one for the rest.
fn session<W: Watch>(owner: &Volunteer, i: u64, watch: &mut W, log: &[Timing]) -> Vec<Trial> {
    let log = &log[..log.len() / 2 * 2];
    let (mut trials, mut from) = (Vec::new(), 0);
    while from < log.len() {
        let (alarm, score) = watch.alarm(&log[from..]);
        let keys = alarm.unwrap_or((log.len() - from) / 2);
        trials.push(trial(owner, i, "genuine", alarm, score, keys));
        from += 2 * keys;
        if alarm.is_some() {
            watch.absorb(&log[from.saturating_sub(2 * ABSORBED)..from]);
        }
    }
    watch.learn(log);
    trials
}

fn trial(owner: &Volunteer, trial: u64, label: &'static str, alarm: Option<usize>, score: f64, keys: usize) -> Trial {
    Trial {
        account: owner.name.clone(),
        trial,
        label,
        score,
        decision: if alarm.is_some() { "step_up" } else { "accept" },
        time: keys as f64,
    }
}

/// The default model, with its evidence added up by Page's test.
struct Cautious {
    account: Account,
    crowd: Arc<Crowd>,
    table: Table,
    threshold: f64,
}

impl Cautious {
    fn enrol(owner: &Volunteer, crowd: &Arc<Crowd>, threshold: f64) -> Option<Self> {
        let account = account(owner, owner.enrolment());
        Some(Self {
            table: Table::new(&account, crowd)?,
            account,
            crowd: Arc::clone(crowd),
            threshold,
        })
    }

    fn prepare(&mut self) {
        if let Some(table) = Table::new(&self.account, &self.crowd) {
            self.table = table;
        }
    }
}

impl Watch for Cautious {
    fn alarm(&self, timings: &[Timing]) -> (Option<usize>, f64) {
        let (mut memory, mut cusum) = (Memory::default(), Cusum::default());
        for (i, key) in timings.chunks_exact(2).enumerate() {
            let llr = key.iter().map(|timing| self.table.llr(&mut memory, timing)).sum();
            cusum.step(llr, self.threshold);
            if cusum.is_due() {
                return (Some(i + 1), cusum.value);
            }
        }
        (None, cusum.value)
    }

    fn absorb(&mut self, timings: &[Timing]) {
        self.account.absorb(timings);
        self.prepare();
    }

    fn learn(&mut self, timings: &[Timing]) {
        self.account.learn(timings);
        self.prepare();
    }
}

/// The classic model, with its strikes.
struct Striking {
    vectors: Vec<Features>,
    template: Template,
}

impl Striking {
    fn enrol(owner: &Volunteer) -> Option<Self> {
        let vectors = classic::vectors(owner, 2 * CLASSIC_KEYS);
        Some(Self {
            template: classic::train(&vectors)?,
            vectors,
        })
    }
}

impl Watch for Striking {
    fn alarm(&self, timings: &[Timing]) -> (Option<usize>, f64) {
        let soft = crate::classic::Config::default().soft_strikes;
        let mut strikes = 0_u32;
        for (i, window) in timings.chunks_exact(2 * CLASSIC_KEYS).enumerate() {
            let refused = self.template.judge(&classic::features(window)).refused();
            strikes = if refused { strikes + 1 } else { strikes.saturating_sub(1) };
            if strikes >= soft {
                return (Some((i + 1) * CLASSIC_KEYS), f64::from(strikes));
            }
        }
        (None, f64::from(strikes))
    }

    fn absorb(&mut self, timings: &[Timing]) {
        // Twice, as it was proven.
        self.learn(timings);
        self.learn(timings);
    }

    fn learn(&mut self, timings: &[Timing]) {
        self.vectors
            .extend(timings.chunks_exact(2 * CLASSIC_KEYS).map(classic::features));
        if let Some(template) = classic::train(&self.vectors) {
            self.template = template;
        }
    }
}
