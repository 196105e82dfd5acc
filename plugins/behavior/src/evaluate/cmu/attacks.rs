//! Replays and average-human timings against the whole pipeline.

use super::data::{Typed, Typist};
use super::examiner::Examiner;
use super::outcome::{self, Judged};
use super::stream::{Impostors, Stream};
use super::{REPETITIONS, SEED, data, enrolled, others};
use crate::evaluate::figures::median;
use crate::evaluate::{EvaluateError, Options, Report, Trial};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Normal};

/// Repetitions to enrol on before the stream.
const ENROL: usize = 5;

/// Trials of each attack on an account.
const TRIALS: usize = 50;

/// The oldest repetition that is replayed.
const REPLAYED_FROM: usize = 200;

/// Replays are off by up to so many milliseconds, either way.
const JITTER_MS: f64 = 5.0;

/// Spread of the average human's timings, as a share of each.
const SPREAD: f64 = 0.15;

/// After the stream of `cmu-update`: timings of an average human, and replays of what the owner typed before. Thresholds are
/// each account's equal-error threshold over the stream; what a detector flags is refused in the stream, too.
pub(in crate::evaluate) fn attacks(options: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    let typists = data::typists(options, REPETITIONS)?;
    let average = Normal::new(1.0, SPREAD).map_err(|error| EvaluateError::Data(error.to_string()))?;
    let judged = (0..typists.len()).map(|i| {
        let mut stream = Stream::new(&typists, i, ENROL, Impostors::First);
        let mut model = enrolled(options, &typists[i].typed[..ENROL]);
        let mut judged = stream.run(model.as_mut());
        let mut random = StdRng::seed_from_u64(SEED + i as u64);
        forge(&typists, &typists[i], average, model.as_mut(), &mut judged, &mut random);
        replay(&typists[i], model.as_mut(), &mut judged, &mut random);
        judged
    });
    let judged: Vec<_> = judged.collect();
    let (mut report, trials) = outcome::report("cmu-attacks", options.model, &judged);
    report.replay_caught = Some(1.0 - accepted(&judged, "replay_5ms"));
    report.synthetic_accepted = Some(accepted(&judged, "average_human"));
    let genuine = || judged.iter().flat_map(|judged| judged.labelled("genuine"));
    let flagged = genuine().filter(|judgement| judgement.outcome.flagged).count();
    report.genuine_flagged = Some(flagged as f64 / genuine().count() as f64);
    Ok((report, trials))
}

/// Share of the trials with a label that were accepted.
fn accepted(judged: &[Judged], label: &str) -> f64 {
    let (mut accepted, mut all) = (0, 0);
    for judged in judged {
        let (threshold, scores) = (judged.threshold(), judged.scores(label));
        accepted += scores.iter().filter(|score| **score <= threshold).count();
        all += scores.len();
    }
    accepted as f64 / all as f64
}

/// The median of every timing over all repetitions of all other typists, each times a factor of its own.
fn forge(
    typists: &[Typist],
    owner: &Typist,
    factor: Normal<f64>,
    model: &mut dyn Examiner,
    judged: &mut Judged,
    random: &mut StdRng,
) {
    let all: Vec<&Typed> = others(typists, owner).flat_map(|other| &other.typed).collect();
    let medians = |of: fn(&Typed) -> &[f64]| -> Vec<f64> {
        let columns = all.first().map_or(0, |typed| of(typed).len());
        (0..columns)
            .map(|column| median(&all.iter().map(|typed| of(typed)[column]).collect::<Vec<_>>()))
            .collect()
    };
    let hold_ms = medians(|typed| &typed.hold_ms);
    let down_ms = medians(|typed| &typed.down_ms);
    for _ in 0..TRIALS {
        let mut vary = |times: &[f64]| -> Vec<f64> { times.iter().map(|time| (time * factor.sample(random)).max(1.0)).collect() };
        let typed = Typed {
            hold_ms: vary(&hold_ms),
            down_ms: vary(&down_ms),
        };
        judged.add("average_human", model.judge(&typed), REPETITIONS as f64);
    }
}

/// What the owner typed, as it was and off by a few milliseconds.
fn replay(owner: &Typist, model: &mut dyn Examiner, judged: &mut Judged, random: &mut StdRng) {
    for _ in 0..TRIALS {
        let typed = &owner.typed[random.gen_range(REPLAYED_FROM..REPETITIONS)];
        judged.add("replay_exact", model.judge(typed), REPETITIONS as f64);
        let mut shake = |times: &[f64]| -> Vec<f64> {
            let shaken = times.iter().map(|time| time + random.gen_range(-JITTER_MS..=JITTER_MS));
            shaken.map(|time| time.max(1.0)).collect()
        };
        let shaken = Typed {
            hold_ms: shake(&typed.hold_ms),
            down_ms: shake(&typed.down_ms),
        };
        judged.add("replay_5ms", model.judge(&shaken), REPETITIONS as f64);
    }
}
