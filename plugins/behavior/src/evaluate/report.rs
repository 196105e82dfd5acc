//! What an evaluation prints and writes.

use serde::Serialize;
use std::fmt;

/// One judgement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Whose model judged.
    pub account: String,
    /// Which of its trials, from 0; the events of one session share a number in sequential protocols.
    pub trial: u64,
    /// `genuine`, `impostor`, or the name of an attack.
    pub label: &'static str,
    /// The higher, the less like the owner.
    pub score: f64,
    /// `accept`, `step_up` or `flag`, at the threshold that the protocol names.
    pub decision: &'static str,
    /// When, in the unit that the protocol counts in: repetitions, actions, keys. In sequential protocols those of the session
    /// so far.
    pub time: f64,
}

/// Figures of one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Subject {
    /// The account.
    pub account: String,
    /// Equal error rate, as a fraction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eer: Option<f64>,
    /// Area under the ROC curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Share of impostor sessions that were caught.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caught: Option<f64>,
    /// False alarms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_alarms: Option<u64>,
}

/// Figures of a sequential protocol at the thresholds that the product ships.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Shipped {
    /// Share of impostor sessions that were caught.
    pub caught: f64,
    /// Events until the alarm, on average; an impostor who is not caught counts with all events.
    pub mean_events: f64,
    /// Their median.
    pub median_events: f64,
    /// Genuine events per false alarm; `None` if there was no false alarm.
    pub events_per_false_alarm: Option<f64>,
    /// Hours of genuine activity per false alarm.
    pub hours_per_false_alarm: Option<f64>,
}

/// The figures of a run; those that the protocol has. Rates are fractions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The protocol's name on the command line.
    pub protocol: String,
    /// The model.
    pub model: String,
    /// How many accounts were judged.
    pub subjects: usize,
    /// Mean of the accounts' equal error rates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_eer: Option<f64>,
    /// Their standard deviation (n - 1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_eer: Option<f64>,
    /// Equal error rate with one threshold for all accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_eer: Option<f64>,
    /// Area under the ROC curve of all trials together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Share of genuine trials refused at the one threshold that accepts 1 % of the impostors'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frr_at_far_1pct: Option<f64>,
    /// Share of impostors' samples among those that were learned after enrolment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impostor_update_share: Option<f64>,
    /// Share of replays, up to 5 ms off, that were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_caught: Option<f64>,
    /// Share of genuine trials that any attack detector flagged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub genuine_flagged: Option<f64>,
    /// Share of average-human timings that were accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthetic_accepted: Option<f64>,
    /// Share of impostor sessions that were caught.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caught: Option<f64>,
    /// Events until an impostor is caught, on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_events: Option<f64>,
    /// Their median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_events: Option<f64>,
    /// Genuine events per false alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_per_false_alarm: Option<f64>,
    /// Hours of genuine activity per false alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours_per_false_alarm: Option<f64>,
    /// A sequential protocol at the shipped thresholds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipped: Option<Shipped>,
    /// Seconds that the run took.
    pub wall_s: f64,
    /// Figures of each account.
    pub per_subject: Vec<Subject>,
}

/// One figure that a run has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    /// Its name, as in the JSON object.
    pub(super) name: &'static str,
    pub(super) value: f64,
    /// It is a share of something, not a count.
    is_rate: bool,
}

impl Figure {
    fn rate(name: &'static str, value: Option<f64>) -> Option<Self> {
        let is_rate = true;
        value.map(|value| Self { name, value, is_rate })
    }

    fn count(name: &'static str, value: Option<f64>) -> Option<Self> {
        let is_rate = false;
        value.map(|value| Self { name, value, is_rate })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, is_rate } = *self;
        if is_rate {
            writeln!(f, "  {name:<24}{:>12.2} %", value * 100.0)
        } else {
            writeln!(f, "  {name:<24}{value:>12.1}")
        }
    }
}

impl Shipped {
    fn figures(&self) -> Vec<Figure> {
        let figures = [
            Figure::rate("caught", Some(self.caught)),
            Figure::count("mean_events", Some(self.mean_events)),
            Figure::count("median_events", Some(self.median_events)),
            Figure::count("events_per_false_alarm", self.events_per_false_alarm),
            Figure::count("hours_per_false_alarm", self.hours_per_false_alarm),
        ];
        figures.into_iter().flatten().collect()
    }
}

impl Report {
    /// The figures that it has, without those at the shipped thresholds.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let figures = [
            Figure::rate("mean_eer", self.mean_eer),
            Figure::rate("std_eer", self.std_eer),
            Figure::rate("global_eer", self.global_eer),
            Figure::rate("auc", self.auc),
            Figure::rate("frr_at_far_1pct", self.frr_at_far_1pct),
            Figure::rate("impostor_update_share", self.impostor_update_share),
            Figure::rate("replay_caught", self.replay_caught),
            Figure::rate("genuine_flagged", self.genuine_flagged),
            Figure::rate("synthetic_accepted", self.synthetic_accepted),
            Figure::rate("caught", self.caught),
            Figure::count("mean_events", self.mean_events),
            Figure::count("median_events", self.median_events),
            Figure::count("events_per_false_alarm", self.events_per_false_alarm),
            Figure::count("hours_per_false_alarm", self.hours_per_false_alarm),
        ];
        figures.into_iter().flatten().collect()
    }
}

/// A small table for people; figures of single accounts are left to the JSON object.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} model, {} accounts, {:.1} s", self.model, self.subjects, self.wall_s)?;
        for figure in self.figures() {
            figure.fmt(f)?;
        }
        if let Some(shipped) = &self.shipped {
            writeln!(f, "at the shipped thresholds")?;
            for figure in shipped.figures() {
                figure.fmt(f)?;
            }
        }
        Ok(())
    }
}
