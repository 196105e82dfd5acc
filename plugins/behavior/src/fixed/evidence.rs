//! From a sample and a profile to evidence: whose hand was it, the owner's, somebody else's, or nobody's?
//!
//! Two log-odds, each a weighted sum of a few plain measurements. The weights are rounded constants of a logistic regression
//! over many people; they know of keys, holds and gaps in general, and of no text and no person. The measurements come in
//! three kinds: how far the sample is from the owner (near samples, the newest ones, the centre), how far it is from what
//! anybody else would have typed there, and how sure the profile can be.

use super::profile::{CLIP, NEIGHBOURS, Nearest, Profile, clipped, mean, median};
use super::sample::Sample;

/// Logarithm of the hold that people have on average: 90 ms.
const PEOPLES_HOLD: f64 = 4.5;

/// Logarithm of the time between two keydowns that people have on average: 220 ms.
const PEOPLES_DOWN: f64 = 5.4;

/// Spread of people's holds, as logarithms.
const HOLD_SPREAD: f64 = 0.35;

/// Spread of people's times between two keydowns, as logarithms.
const DOWN_SPREAD: f64 = 0.6;

/// A stranger's timing lies so far on the way from people's average to the owner's: some keys are far apart for everybody.
const SHARED: f64 = 0.4;

/// Evidence of one sample is no stronger than this, in nats.
const MAX_LLR: f64 = 5.0;

/// Keys of the texts that the weights were found on. Means over fewer keys are less sure, and longer texts are not trusted more.
const USUAL_KEYS: f64 = 11.0;

/// Log-odds that nobody's hand typed it, from which on it is called an attack.
const SYNTHETIC: f64 = 4.0;

/// Plain distance from which on a sample is not the owner's whatever else is measured, and nats for each unit more. With all
/// timings at the far end of their scales it is 6.
const FAR: f64 = 3.0;
const FAR_WEIGHT: f64 = 2.0;

/// Samples under which nothing is called synthetic: the owner's own hand is not known well enough.
const MATURE: usize = 30;

/// What was measured. `hold` and `down` stand for the two kinds of timings; distances are mean deviations in the owner's scales.
pub(super) struct Evidence {
    /// The plain distance to neighbours and centre.
    pub(super) distance: f64,
    stranger: f64,
    nobody: f64,
    /// How far the log-odds can be trusted: the root of the text's length, at most 1.
    sure: f64,
}

impl Evidence {
    /// Measures a sample of the profile's length.
    pub(super) fn of(profile: &Profile, sample: &Sample) -> Self {
        let logs = sample.logs();
        let z = profile.standard(&logs);
        let near = profile.nearest(&z, None, NEIGHBOURS);
        let measured = Measured::of(profile, sample, &logs, &z);
        Self {
            distance: profile.distance(&z, &near),
            stranger: measured.stranger(&near),
            sure: (profile.keys as f64 / USUAL_KEYS).min(1.0).sqrt(),
            nobody: measured.nobody(&profile.nearest(&z, None, 1)),
        }
    }

    /// The higher, the less like the owner: log-odds of the two other hypotheses together against the owner. What is far from
    /// everything that the owner ever typed is never the owner's, however unusual it is among people.
    pub(super) fn score(&self) -> f64 {
        let (more, less) = (self.stranger.max(self.nobody), self.stranger.min(self.nobody));
        let odds = self.sure * (more + (less - more).exp().ln_1p());
        odds.max(FAR_WEIGHT * (self.distance - FAR))
    }

    /// Evidence for the owner in nats, clipped. The regression weighed owners and others alike, so its odds are the ratio.
    pub(super) fn llr(&self) -> f64 {
        (-self.score()).clamp(-MAX_LLR, MAX_LLR)
    }

    /// True if it is too like an average of people.
    pub(super) fn synthetic(&self, profile: &Profile) -> bool {
        profile.count >= MATURE && self.nobody > SYNTHETIC
    }
}

/// What both regressions read.
struct Measured {
    /// Distance of the holds to the newest samples.
    present: f64,
    /// Distance of the times from release to keydown.
    gap: f64,
    /// Mean deviation of the times between keys with its sign: slower is positive.
    slower: f64,
    /// Distance of the times between keys to the centre, and its root mean square.
    down: f64,
    down_square: f64,
    /// How unusual the holds are among people; and once their own level is taken away.
    odd_hold: f64,
    odd_pattern: f64,
    /// The same, where a stranger would share part of the owner's pattern.
    odd_hold_shared: f64,
    odd_down_shared: f64,
    /// How unusual the owner's own times between keys are.
    owner_odd_down: f64,
    /// Level of the sample's and of the owner's holds above people's average.
    level: f64,
    owner_level: f64,
    /// Correlation of the pattern of the holds with the owner's.
    pattern: f64,
    /// Do long holds go with long times to the next key?
    together: f64,
    /// Logarithms of the owner's scales.
    hold_scale: f64,
    down_scale: f64,
    /// 1 with the fewest samples that are judged, and towards 0 with many.
    fresh: f64,
    /// 0 for a text of the usual length or more, and about 1 for half of it.
    short: f64,
}

impl Measured {
    fn of(profile: &Profile, sample: &Sample, logs: &[f64], z: &[f64]) -> Self {
        let keys = profile.keys;
        let (hold, down) = logs.split_at(keys);
        let (own_hold, own_down) = profile.centre.split_at(keys);
        let (z_hold, z_down) = z.split_at(keys);
        let present = deviations(hold, &profile.present, &profile.scale);
        let gaps = sample
            .gaps_ms()
            .zip(&profile.gaps)
            .map(|(gap, (centre, scale))| (gap - centre) / scale);
        let scales: Vec<f64> = profile.scale.iter().map(|scale| scale.ln()).collect();
        let bounded: Vec<f64> = z_down.iter().map(|z| z.clamp(-CLIP, CLIP)).collect();
        Self {
            present: clipped(&present),
            gap: clipped(&gaps.collect::<Vec<_>>()),
            slower: mean(&bounded),
            down: clipped(z_down),
            down_square: mean(&bounded.iter().map(|z| z * z).collect::<Vec<_>>()).sqrt(),
            odd_hold: odd(hold, |_| PEOPLES_HOLD, HOLD_SPREAD),
            odd_pattern: odd_pattern(hold),
            odd_hold_shared: odd(hold, |i| shared(PEOPLES_HOLD, own_hold[i]), HOLD_SPREAD),
            odd_down_shared: odd(down, |i| shared(PEOPLES_DOWN, own_down[i]), DOWN_SPREAD),
            owner_odd_down: odd(own_down, |i| shared(PEOPLES_DOWN, own_down[i]), DOWN_SPREAD),
            level: mean(hold) - PEOPLES_HOLD,
            owner_level: mean(own_hold) - PEOPLES_HOLD,
            pattern: correlation(hold, own_hold),
            together: mean(
                &z_hold
                    .iter()
                    .zip(z_down)
                    .map(|(a, b)| a.clamp(-3.0, 3.0) * b.clamp(-3.0, 3.0))
                    .collect::<Vec<_>>(),
            ),
            hold_scale: mean(&scales[..keys]),
            down_scale: mean(&scales[keys..]),
            fresh: 5.0 / profile.count as f64,
            short: (USUAL_KEYS / keys as f64 - 1.0).max(0.0),
        }
    }

    /// Log-odds of somebody else against the owner.
    fn stranger(&self, near: &Nearest) -> f64 {
        let far = 3.5 * near.hold + 4.9 * near.down + 1.9 * self.present + 1.7 * self.gap - 0.46 * self.down_square;
        let common = 4.0 * self.odd_hold + 4.3 * self.odd_pattern + 7.1 * self.odd_down_shared + 6.8 * self.owner_odd_down;
        let agreeing = 2.9 * self.pattern + 0.26 * self.together + 0.73 * self.slower + 2.9 * self.owner_level;
        let sure = 2.7 * self.hold_scale + 2.1 * self.down_scale;
        let fresh = self.fresh * (6.7 * self.odd_hold_shared + 2.4 * self.slower - 3.7);
        0.1 + far - common - agreeing + sure + fresh
    }

    /// Log-odds of timings made up around people's average against the owner.
    fn nobody(&self, nearest: &Nearest) -> f64 {
        let far = 5.0 * nearest.hold + 4.7 * nearest.down + 3.6 * self.present + 2.3 * self.down;
        let common = 46.0 * self.odd_hold + 44.0 * self.odd_down_shared + 19.0 * self.level;
        let agreeing = 0.92 * self.together + 1.1 * self.slower;
        2.7 + far - common - agreeing + 5.8 * self.down_scale - 20.0 * self.fresh - 6.0 * self.short
    }
}

/// Where a stranger's timing is expected.
fn shared(people: f64, own: f64) -> f64 {
    people + SHARED * (own - people)
}

/// Mean of a heavy-tailed distance to what is expected of people.
fn odd(logs: &[f64], expected: impl Fn(usize) -> f64, spread: f64) -> f64 {
    let far = logs.iter().enumerate().map(|(i, log)| {
        let z = ((log - expected(i)) / spread).clamp(-CLIP, CLIP);
        (z * z / 3.0).ln_1p()
    });
    far.sum::<f64>() / logs.len().max(1) as f64
}

/// Mean deviation of holds from their own median.
fn odd_pattern(hold: &[f64]) -> f64 {
    let level = median(hold.to_vec());
    clipped(&hold.iter().map(|log| (log - level) / HOLD_SPREAD).collect::<Vec<_>>())
}

fn deviations(logs: &[f64], centre: &[f64], scale: &[f64]) -> Vec<f64> {
    let own = centre.iter().zip(scale);
    logs.iter()
        .zip(own)
        .map(|(log, (centre, scale))| (log - centre) / scale)
        .collect()
}

/// Correlation, drawn towards 0 where there is hardly a pattern.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        both += (a - mean_a) * (b - mean_b);
        of_a += (a - mean_a).powi(2);
        of_b += (b - mean_b).powi(2);
    }
    let n = a.len().max(1) as f64;
    both / n / ((of_a * of_b).sqrt() / n + 0.02)
}
