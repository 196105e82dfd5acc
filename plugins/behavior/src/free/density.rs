//! From counts to densities.

/// Steps of the quantile space in which what is one person's own is carried over from all keys to a single one.
const STEPS: usize = 32;

/// Timings that speak for "like everybody" where all of a person's keys are pooled.
const POOLED_PRIOR: f64 = 60.0;

/// Each cell's count spread over itself and its neighbours (1, 4, 6, 4, 1 in 16): a time near the edge of a cell might as well
/// have fallen into the next. What would leave the grid stays in its first or last cell.
pub(super) fn smooth(counts: &[f64]) -> Vec<f64> {
    let once = |counts: &[f64]| -> Vec<f64> {
        let last = counts.len() - 1;
        let spread = |i: usize| 0.25 * counts[i.saturating_sub(1)] + 0.5 * counts[i] + 0.25 * counts[(i + 1).min(last)];
        (0..=last).map(spread).collect()
    };
    once(&once(counts))
}

/// Counts adapted from a prior density: the fewer there are, the nearer the prior. Sums to 1 if the prior does.
pub(super) fn adapt(counts: &[f64], prior: &[f64], strength: f64) -> Vec<f64> {
    let total: f64 = counts.iter().sum();
    let mixed = |(count, prior): (&f64, &f64)| (count + strength * prior) / (total + strength);
    counts.iter().zip(prior).map(mixed).collect()
}

/// How a person's timings differ from everybody's, at the same rank: the factor for the fastest 32nd, for the next, and so on.
/// Measured on all features of a kind together, it tells of a feature of which nothing is known yet.
pub(super) struct Tilt {
    own: [f64; STEPS],
    everybody: [f64; STEPS],
}

impl Default for Tilt {
    /// No difference yet.
    fn default() -> Self {
        Self {
            own: [POOLED_PRIOR / STEPS as f64; STEPS],
            everybody: [POOLED_PRIOR / STEPS as f64; STEPS],
        }
    }
}

impl Tilt {
    /// Compares the counts of one feature with everybody's density of it.
    pub fn compare(&mut self, counts: &[f64], everybody: &[f64]) {
        let total: f64 = counts.iter().sum();
        for ((step, count), share) in ranks(everybody).zip(counts).zip(everybody) {
            self.own[step] += count;
            self.everybody[step] += total * share;
        }
    }

    /// Everybody's density of a feature, as it would be if this person differed in it as in the others.
    pub fn apply(&self, everybody: &[f64]) -> Vec<f64> {
        let tilted = |(step, share): (usize, &f64)| share * self.own[step] / self.everybody[step];
        let density: Vec<_> = ranks(everybody).zip(everybody).map(tilted).collect();
        let total: f64 = density.iter().sum();
        density.into_iter().map(|share| share / total).collect()
    }
}

/// The step of each cell's rank in a density.
fn ranks(density: &[f64]) -> impl Iterator<Item = usize> + '_ {
    density.iter().scan(0.0, |below, share| {
        let rank = *below + share / 2.0;
        *below += share;
        Some(((rank * STEPS as f64) as usize).min(STEPS - 1))
    })
}
