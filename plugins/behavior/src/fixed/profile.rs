//! What the kept samples say about the owner: centre, scale, and the samples themselves on that scale.

use super::sample::Sample;

/// Newest samples among which neighbours are sought.
const NEAR: usize = 30;

/// Neighbours that count.
pub(super) const NEIGHBOURS: usize = 5;

/// Newest samples that are the present.
const PRESENT: usize = 5;

/// A sample counts half as much as one that is so many samples newer.
const HALF_LIFE: f64 = 15.0;

/// The scales that everybody has count as much as so many samples.
const PRIOR: f64 = 10.0;

/// Scale of the logarithm of a hold, before anything is known of the owner.
const HOLD_SCALE: f64 = 0.20;

/// Scale of the logarithm of the time between two keydowns.
const DOWN_SCALE: f64 = 0.35;

/// Scale of the time from a key's release to the next keydown, in milliseconds.
const GAP_SCALE: f64 = 60.0;

/// Deviations of such a time count up to here when its scale is measured, in milliseconds.
const GAP_CLIP: f64 = 400.0;

/// Standard deviation of a normal distribution, in mean deviations.
const MEAN_DEVIATION: f64 = 1.2533;

/// Deviations count up to so many scales: beyond, they only say "a pause".
pub(super) const CLIP: f64 = 4.0;

/// Weight of the distance to the centre beside that to the neighbours.
const CENTRE_WEIGHT: f64 = 0.5;

/// The owner's profile. All lists but `gaps` hold the holds first and then the times between keys, as logarithms.
pub(super) struct Profile {
    pub(super) keys: usize,
    /// How many samples it is made of.
    pub(super) count: usize,
    pub(super) centre: Vec<f64>,
    pub(super) scale: Vec<f64>,
    /// Medians of the newest samples of all.
    pub(super) present: Vec<f64>,
    /// Centre and scale of the times from release to keydown, in milliseconds.
    pub(super) gaps: Vec<(f64, f64)>,
    /// The newest samples, standardised.
    near: Vec<Vec<f64>>,
}

/// Distance to the neighbours.
pub(super) struct Nearest {
    /// Mean over the holds.
    pub(super) hold: f64,
    /// Mean over the times between keys.
    pub(super) down: f64,
    /// Mean over all.
    pub(super) all: f64,
}

impl Profile {
    /// The profile of samples of one length, oldest first, of which there is at least one.
    pub(super) fn of(keys: usize, samples: &[Sample]) -> Self {
        let count = samples.len();
        let weights: Vec<f64> = (0..count).map(|i| 0.5f64.powf((count - 1 - i) as f64 / HALF_LIFE)).collect();
        let logs: Vec<Vec<f64>> = samples.iter().map(Sample::logs).collect();
        let gaps: Vec<Vec<f64>> = samples.iter().map(|sample| sample.gaps_ms().collect()).collect();
        let column = |i: usize| {
            let prior = if i < keys { HOLD_SCALE } else { DOWN_SCALE };
            moments(&values(&logs, i), &weights, prior, f64::INFINITY)
        };
        let (centre, scale) = (0..2 * keys - 1).map(column).unzip();
        let present = &logs[count.saturating_sub(PRESENT)..];
        let mut profile = Self {
            keys,
            count,
            centre,
            scale,
            present: (0..2 * keys - 1).map(|i| median(values(present, i))).collect(),
            gaps: (0..keys - 1)
                .map(|i| moments(&values(&gaps, i), &weights, GAP_SCALE, GAP_CLIP))
                .collect(),
            near: Vec::new(),
        };
        let newest = &logs[count.saturating_sub(NEAR)..];
        profile.near = newest.iter().map(|logs| profile.standard(logs)).collect();
        profile
    }

    /// Deviations from the centre, in scales.
    pub(super) fn standard(&self, logs: &[f64]) -> Vec<f64> {
        let own = self.centre.iter().zip(&self.scale);
        logs.iter()
            .zip(own)
            .map(|(log, (centre, scale))| (log - centre) / scale)
            .collect()
    }

    /// Mean distance of a standardised sample to its so many nearest neighbours, without sample `skip` itself.
    pub(super) fn nearest(&self, z: &[f64], skip: Option<usize>, neighbours: usize) -> Nearest {
        let others = self.near.iter().enumerate().filter(|(i, _)| Some(*i) != skip);
        let mut sums: Vec<(f64, f64)> = others
            .map(|(_, other)| {
                let (hold, down) = z.split_at(self.keys);
                let (other_hold, other_down) = other.split_at(self.keys);
                (apart(hold, other_hold), apart(down, other_down))
            })
            .collect();
        sums.sort_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)));
        sums.truncate(neighbours);
        let count = sums.len().max(1) as f64;
        let (hold, down) = sums
            .iter()
            .fold((0.0, 0.0), |so_far, sum| (so_far.0 + sum.0, so_far.1 + sum.1));
        Nearest {
            all: (hold + down) / count / z.len() as f64,
            hold: hold / count / self.keys as f64,
            down: down / count / (self.keys - 1) as f64,
        }
    }

    /// The plain distance: to the neighbours, and half as much to the centre.
    pub(super) fn distance(&self, z: &[f64], nearest: &Nearest) -> f64 {
        nearest.all + CENTRE_WEIGHT * clipped(z)
    }

    /// The plain distance of each newest sample to the others, sorted.
    pub(super) fn own_distances(&self) -> Vec<f64> {
        let own = self.near.iter().enumerate();
        let mut distances: Vec<f64> = own
            .map(|(i, z)| self.distance(z, &self.nearest(z, Some(i), NEIGHBOURS)))
            .collect();
        distances.sort_by(f64::total_cmp);
        distances
    }
}

/// Weighted median; and the scale: a weighted mean deviation, drawn towards `prior` while samples are few.
fn moments(values: &[f64], weights: &[f64], prior: f64, clip: f64) -> (f64, f64) {
    let sum: f64 = weights.iter().sum();
    let effective = sum * sum / weights.iter().map(|weight| weight * weight).sum::<f64>();
    let centre = weighted_median(values, weights, sum);
    let deviation = values
        .iter()
        .zip(weights)
        .map(|(value, weight)| weight * (value - centre).abs().min(clip));
    let scale = deviation.sum::<f64>() / sum * MEAN_DEVIATION;
    let variance = (effective * scale * scale + PRIOR * prior * prior) / (effective + PRIOR);
    (centre, variance.sqrt())
}

/// Sum of the deviations between two lists, each counting up to [`CLIP`].
fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs().min(CLIP)).sum()
}

fn values(rows: &[Vec<f64>], column: usize) -> Vec<f64> {
    rows.iter().map(|row| row[column]).collect()
}

fn weighted_median(values: &[f64], weights: &[f64], sum: f64) -> f64 {
    let mut pairs: Vec<(f64, f64)> = values.iter().copied().zip(weights.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut so_far = 0.0;
    let at = pairs.iter().position(|(_, weight)| {
        so_far += weight;
        so_far >= sum / 2.0
    });
    pairs.get(at.unwrap_or(0)).map_or(0.0, |pair| pair.0)
}

/// The median; 0 of nothing.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

/// The mean; 0 of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Mean deviation, each counting up to [`CLIP`].
pub(super) fn clipped(z: &[f64]) -> f64 {
    z.iter().map(|z| z.abs().min(CLIP)).sum::<f64>() / z.len().max(1) as f64
}
