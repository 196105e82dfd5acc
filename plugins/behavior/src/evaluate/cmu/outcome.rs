//! What came out: trials of each account, and the figures that follow from them.

use super::examiner::Outcome;
use crate::Model;
use crate::evaluate::figures::{auc, eer, eer_threshold, frr_at_far, moments};
use crate::evaluate::{Report, Subject, Trial};

/// One judged repetition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judgement {
    pub(super) label: &'static str,
    pub(super) outcome: Outcome,
    pub(super) at: f64,
}

/// What happened to an account.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    account: String,
    judgements: Vec<Judgement>,
    /// Samples learned after enrolment.
    pub(super) learned: usize,
    /// Those of them that were an impostor's.
    pub(super) poisoned: usize,
}

impl Judged {
    /// Nothing yet.
    pub(super) fn of(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            judgements: Vec::new(),
            learned: 0,
            poisoned: 0,
        }
    }

    pub(super) fn add(&mut self, label: &'static str, outcome: Outcome, at: f64) {
        self.judgements.push(Judgement { label, outcome, at });
    }

    /// Scores of the trials with a label.
    pub(super) fn scores(&self, label: &str) -> Vec<f64> {
        self.labelled(label).map(|judgement| judgement.outcome.score).collect()
    }

    pub(super) fn labelled(&self, label: &str) -> impl Iterator<Item = &Judgement> {
        self.judgements.iter().filter(move |judgement| judgement.label == label)
    }

    /// The zero-effort equal-error threshold: scores up to it are accepted.
    pub(super) fn threshold(&self) -> f64 {
        eer_threshold(&self.scores("genuine"), &self.scores("impostor"))
    }

    fn subject(&self) -> Subject {
        let (genuine, impostor) = (self.scores("genuine"), self.scores("impostor"));
        Subject {
            account: self.account.clone(),
            eer: Some(eer(&genuine, &impostor)),
            auc: Some(auc(&genuine, &impostor)),
            ..Subject::default()
        }
    }

    fn trials(&self) -> impl Iterator<Item = Trial> {
        let threshold = self.threshold();
        self.judgements.iter().zip(0..).map(move |(judgement, trial)| Trial {
            account: self.account.clone(),
            trial,
            label: judgement.label,
            score: judgement.outcome.score,
            decision: match judgement.outcome {
                Outcome { flagged: true, .. } => "flag",
                Outcome { score, .. } if score > threshold => "step_up",
                Outcome { .. } => "accept",
            },
            time: judgement.at,
        })
    }
}

/// Figures of all accounts and every trial. Decisions are those at each account's own equal-error threshold.
pub(super) fn report(protocol: &str, model: Model, judged: &[Judged]) -> (Report, Vec<Trial>) {
    let per_subject: Vec<_> = judged.iter().map(Judged::subject).collect();
    let rates: Vec<_> = per_subject.iter().filter_map(|subject| subject.eer).collect();
    let (mean, std) = moments(&rates);
    let all = |label: &str| -> Vec<f64> { judged.iter().flat_map(|judged| judged.scores(label)).collect() };
    let (genuine, impostor) = (all("genuine"), all("impostor"));
    let learned: usize = judged.iter().map(|judged| judged.learned).sum();
    let poisoned: usize = judged.iter().map(|judged| judged.poisoned).sum();
    let report = Report {
        protocol: protocol.to_owned(),
        model: match model {
            Model::Default => "default".to_owned(),
            Model::Classic => "classic".to_owned(),
        },
        subjects: judged.len(),
        mean_eer: Some(mean),
        std_eer: Some(std),
        global_eer: Some(eer(&genuine, &impostor)),
        auc: Some(auc(&genuine, &impostor)),
        frr_at_far_1pct: Some(frr_at_far(&genuine, &impostor, 0.01)),
        impostor_update_share: (learned > 0).then(|| poisoned as f64 / learned as f64),
        per_subject,
        ..Report::default()
    };
    (report, judged.iter().flat_map(Judged::trials).collect())
}
