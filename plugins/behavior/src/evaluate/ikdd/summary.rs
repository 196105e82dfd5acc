//! From trials to figures.

use crate::Model;
use crate::evaluate::figures::{auc, eer, frr_at_far, median, moments};
use crate::evaluate::report::Shipped;
use crate::evaluate::{EvaluateError, Report, Subject, Trial};

/// Keys in an hour of activity.
const KEYS_PER_HOUR: f64 = 3000.0;

/// Figures of trials that are judged each on its own.
pub(super) fn windows(trials: &[Trial], model: Model) -> Result<Report, EvaluateError> {
    let mut per_subject = Vec::new();
    let (mut all_genuine, mut all_impostor) = (Vec::new(), Vec::new());
    for own in trials.chunk_by(|a, b| a.account == b.account) {
        let (genuine, impostor) = (scores(own, "genuine"), scores(own, "impostor"));
        if genuine.len() < 2 || impostor.is_empty() {
            continue;
        }
        per_subject.push(Subject {
            account: own[0].account.clone(),
            eer: Some(eer(&genuine, &impostor)),
            auc: Some(auc(&genuine, &impostor)),
            ..Subject::default()
        });
        all_genuine.extend(genuine);
        all_impostor.extend(impostor);
    }
    if per_subject.is_empty() {
        return Err(EvaluateError::Data(
            "too few rows: no account has windows to be enrolled and judged on".to_owned(),
        ));
    }
    let (mean, std) = moments(&per_subject.iter().filter_map(|subject| subject.eer).collect::<Vec<_>>());
    Ok(Report {
        model: name(model),
        subjects: per_subject.len(),
        mean_eer: Some(mean),
        std_eer: Some(std),
        global_eer: Some(eer(&all_genuine, &all_impostor)),
        auc: Some(auc(&all_genuine, &all_impostor)),
        frr_at_far_1pct: Some(frr_at_far(&all_genuine, &all_impostor, 0.01)),
        per_subject,
        ..Report::default()
    })
}

/// Figures of watched sessions, at two thresholds.
pub(super) fn sequential(trials: &[Trial], shipped: &[Trial], model: Model) -> Result<Report, EvaluateError> {
    if trials.is_empty() {
        return Err(EvaluateError::Data("too few rows: no account can be enrolled".to_owned()));
    }
    let main = figures(trials);
    let subject = |own: &[Trial]| Subject {
        account: own[0].account.clone(),
        caught: Some(figures(own).caught),
        false_alarms: Some(alarms(own, "genuine").count() as u64),
        ..Subject::default()
    };
    let per_subject: Vec<_> = trials.chunk_by(|a, b| a.account == b.account).map(subject).collect();
    Ok(Report {
        model: name(model),
        subjects: per_subject.len(),
        caught: Some(main.caught),
        mean_events: Some(main.mean_events),
        median_events: Some(main.median_events),
        events_per_false_alarm: main.events_per_false_alarm,
        hours_per_false_alarm: main.hours_per_false_alarm,
        shipped: Some(figures(shipped)),
        per_subject,
        ..Report::default()
    })
}

/// An impostor who is not caught counts with all keys.
fn figures(trials: &[Trial]) -> Shipped {
    let delays: Vec<f64> = of(trials, "impostor").map(|trial| trial.time).collect();
    let keys: f64 = of(trials, "genuine").map(|trial| trial.time).sum();
    let false_alarms = alarms(trials, "genuine").count();
    let per_false_alarm = (false_alarms > 0).then(|| keys / false_alarms as f64);
    Shipped {
        caught: alarms(trials, "impostor").count() as f64 / delays.len() as f64,
        mean_events: moments(&delays).0,
        median_events: median(&delays),
        events_per_false_alarm: per_false_alarm,
        hours_per_false_alarm: per_false_alarm.map(|keys| keys / KEYS_PER_HOUR),
    }
}

fn name(model: Model) -> String {
    match model {
        Model::Default => "default",
        Model::Classic => "classic",
    }
    .to_owned()
}

fn of<'a>(trials: &'a [Trial], label: &'static str) -> impl Iterator<Item = &'a Trial> {
    trials.iter().filter(move |trial| trial.label == label)
}

fn alarms<'a>(trials: &'a [Trial], label: &'static str) -> impl Iterator<Item = &'a Trial> {
    of(trials, label).filter(|trial| trial.decision == "step_up")
}

fn scores(trials: &[Trial], label: &'static str) -> Vec<f64> {
    of(trials, label).map(|trial| trial.score).collect()
}
