//! A text that is typed again and again: CMU's password by 51 people, and IIIT-BH's by 12.

mod attacks;
mod data;
mod examiner;
mod outcome;
mod stream;

use super::{EvaluateError, Options, Report, Trial};
use data::{Typed, Typist};
use examiner::{Examiner, examiner};
use outcome::Judged;
use stream::{Impostors, Stream};

pub(in crate::evaluate) use attacks::attacks;

/// Seed of everything random.
const SEED: u64 = 20_261_122;

/// Repetitions that every typist of CMU has.
const REPETITIONS: usize = 400;

/// CMU: the genuine repetitions from here on are judged.
const JUDGED_FROM: usize = 200;

/// Repetitions of every other typist that are impostors.
const OF_EACH: usize = 5;

/// Killourhy and Maxion's: enrol on the first repetitions, judge the last 200.
pub(super) fn fixed(options: &Options, train: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    within("train", train, JUDGED_FROM)?;
    let typists = data::typists(options, REPETITIONS)?;
    still(options, &typists, train, JUDGED_FROM..REPETITIONS, "cmu-static")
}

/// Enrol on the first repetitions and judge the next 50.
pub(super) fn near(options: &Options, enrol: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    within("enrol", enrol, JUDGED_FROM)?;
    let typists = data::typists(options, REPETITIONS)?;
    still(options, &typists, enrol, enrol..enrol + 50, "cmu-near")
}

/// IIIT-BH: enrol on the first repetitions and judge all others.
pub(super) fn iiitbh(options: &Options, train: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    within("train", train, 100)?;
    let typists = data::typists(options, 150)?;
    still(options, &typists, train, train..150, "iiitbh")
}

/// A stream in time in which accepted and stepped-up repetitions are learned.
pub(super) fn update(options: &Options, enrol: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    learning(options, enrol, Impostors::First, "cmu-update")
}

/// The same with impostors who have practised.
pub(super) fn practised(options: &Options, enrol: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    learning(options, enrol, Impostors::Last, "cmu-practised")
}

/// A protocol without an update: whatever is judged leaves no trace.
fn still(
    options: &Options,
    typists: &[Typist],
    enrol: usize,
    genuine: std::ops::Range<usize>,
    protocol: &str,
) -> Result<(Report, Vec<Trial>), EvaluateError> {
    let judged = typists.iter().map(|owner| {
        let mut judged = Judged::of(&owner.name);
        let mut model = enrolled(options, &owner.typed[..enrol]);
        for (at, typed) in genuine.clone().zip(&owner.typed[genuine.clone()]) {
            judged.add("genuine", model.judge(typed), at as f64);
        }
        for typed in others(typists, owner).flat_map(|other| &other.typed[..OF_EACH]) {
            judged.add("impostor", model.judge(typed), genuine.end as f64);
        }
        judged
    });
    let judged: Vec<_> = judged.collect();
    Ok(outcome::report(protocol, options.model, &judged))
}

fn learning(
    options: &Options,
    enrol: usize,
    impostors: Impostors,
    protocol: &str,
) -> Result<(Report, Vec<Trial>), EvaluateError> {
    within("enrol", enrol, JUDGED_FROM)?;
    let typists = data::typists(options, REPETITIONS)?;
    let judged = (0..typists.len()).map(|owner| {
        let mut stream = Stream::new(&typists, owner, enrol, impostors);
        let mut model = enrolled(options, &typists[owner].typed[..enrol]);
        stream.run(model.as_mut())
    });
    let judged: Vec<_> = judged.collect();
    Ok(outcome::report(protocol, options.model, &judged))
}

/// A model that has learned these repetitions, all proven: who enrols has just signed in with a second factor.
fn enrolled(options: &Options, typed: &[Typed]) -> Box<dyn Examiner> {
    let keys = typed.first().map_or(0, |typed| typed.hold_ms.len());
    let mut model = examiner(options.model, keys);
    for typed in typed {
        model.learn(typed, true);
    }
    model
}

fn others<'a>(typists: &'a [Typist], owner: &'a Typist) -> impl Iterator<Item = &'a Typist> {
    typists.iter().filter(|other| other.name != owner.name)
}

fn within(option: &str, value: usize, most: usize) -> Result<(), EvaluateError> {
    if (5..=most).contains(&value) {
        return Ok(());
    }
    Err(EvaluateError::Data(format!("--{option} must be 5 to {most}, not {value}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Model;
    use crate::evaluate::figures::eer;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    /// People who differ, and each of whom varies.
    fn people(count: u64) -> Vec<Typist> {
        let person = |number: u64| {
            let mut random = StdRng::seed_from_u64(number);
            let mut usual =
                |low: f64, high: f64, keys: usize| -> Vec<f64> { (0..keys).map(|_| random.gen_range(low..high)).collect() };
            let (hold, down) = (usual(60.0, 160.0, 11), usual(90.0, 400.0, 10));
            let mut vary = |times: &[f64]| -> Vec<f64> { times.iter().map(|time| time * random.gen_range(0.8..1.25)).collect() };
            let typed = (0..REPETITIONS).map(|_| Typed {
                hold_ms: vary(&hold),
                down_ms: vary(&down),
            });
            Typist {
                name: format!("s{number:03}"),
                typed: typed.collect(),
            }
        };
        (0..count).map(person).collect()
    }

    fn options(model: Model) -> Options {
        Options {
            data: Vec::new(),
            background: None,
            model,
        }
    }

    #[test]
    fn every_figure_follows_from_the_trials() {
        for model in [Model::Default, Model::Classic] {
            let typists = people(4);
            let (report, trials) = still(&options(model), &typists, 200, JUDGED_FROM..REPETITIONS, "cmu-static").unwrap();
            assert_eq!((report.subjects, trials.len()), (4, 4 * (200 + 3 * OF_EACH)));
            let scores = |account: &str, label: &str| -> Vec<f64> {
                let of = trials.iter().filter(|trial| trial.account == account && trial.label == label);
                of.map(|trial| trial.score).collect()
            };
            for subject in &report.per_subject {
                let again = eer(&scores(&subject.account, "genuine"), &scores(&subject.account, "impostor"));
                assert_eq!(subject.eer, Some(again));
            }
            assert!(report.mean_eer.unwrap() < 0.2, "{:?}", report.mean_eer);
        }
    }

    #[test]
    fn a_stream_learns_the_owner_and_comes_out_the_same_every_time() {
        let typists = people(3);
        let run = || {
            let mut model = enrolled(&options(Model::Default), &typists[0].typed[..5]);
            Stream::new(&typists, 0, 5, Impostors::First).run(model.as_mut())
        };
        let judged = run();
        assert_eq!(judged.scores("genuine").len(), 200);
        assert_eq!(judged.scores("impostor").len(), 2 * OF_EACH);
        assert_eq!((judged.learned, judged.poisoned), (REPETITIONS - 5, 0));
        assert_eq!(judged.scores("genuine"), run().scores("genuine"));
    }

    #[test]
    fn an_enrolment_out_of_range_is_named() {
        let error = within("enrol", 4, JUDGED_FROM).unwrap_err().to_string();
        assert!(error.contains("--enrol must be 5 to 200, not 4"), "{error}");
    }
}
