//! What an evaluation prints and writes.

use serde::Serialize;

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
    /// When, in the unit that the protocol counts in: repetitions, actions, keys.
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
    /// The protocol, as on the command line.
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
