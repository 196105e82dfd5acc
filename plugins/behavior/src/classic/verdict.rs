//! What a template says of one batch.

use crate::classic::features::{FEATURES, Group};
use crate::classic::scaler::Scaled;

/// Largest evidence that one batch can give, in nats: odds of about 20 to 1. One batch never decides alone.
pub const MAX_LLR: f64 = 3.0;

/// A group of features is named as a reason from this many standard deviations on, even if the other one is further away.
const NOTABLE: f64 = 3.0;

/// The verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// How well the batch fits, 0..=1.
    pub fitness: f64,
    /// The template's threshold, 0..=1.
    pub threshold: f64,
    /// Distance to the centroid in units of D_max.
    pub relative_distance: f64,
    /// Standard deviations of each feature from the owner's mean; `None` where it is missing.
    pub z: Scaled,
}

impl Verdict {
    /// True if the batch fits less well than nearly all of the owner's. A fitness of 0 is always refused: everything that is
    /// far away is clipped there, so it may well be the threshold of a small or scattered template.
    pub fn refused(&self) -> bool {
        self.fitness < self.threshold || self.fitness == 0.0
    }

    /// The fitness as evidence, in nats: -[`MAX_LLR`] at fitness 0, 0 at the threshold, +[`MAX_LLR`] at 1, and straight lines
    /// between. Monotone and bounded; not calibrated, as the classic model has no density to calibrate.
    pub fn llr(&self) -> f64 {
        let (fitness, threshold) = (self.fitness, self.threshold);
        let share = if fitness == 0.0 {
            -1.0
        } else if fitness < threshold {
            (fitness - threshold) / threshold
        } else if threshold < 1.0 {
            (fitness - threshold) / (1.0 - threshold)
        } else {
            0.0
        };
        MAX_LLR * share
    }

    /// The groups that a refusal is due to, the worse one first: never none, as long as anything was measured.
    pub fn suspects(&self) -> Vec<Group> {
        let worst = |group: Group| {
            let z = FEATURES
                .iter()
                .zip(self.z)
                .filter(move |(feature, _)| feature.group == group)
                .filter_map(|(_, z)| z);
            z.map(f64::abs).reduce(f64::max)
        };
        let mut groups: Vec<_> = [Group::Typing, Group::Pointing]
            .into_iter()
            .filter_map(|group| Some((worst(group)?, group)))
            .collect();
        groups.sort_by(|a, b| b.0.total_cmp(&a.0));
        groups
            .into_iter()
            .enumerate()
            .filter(|(i, (z, _))| *i == 0 || *z >= NOTABLE)
            .map(|(_, (_, group))| group)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::features::DIMENSIONS;

    fn verdict(fitness: f64, threshold: f64) -> Verdict {
        Verdict {
            fitness,
            threshold,
            relative_distance: 1.0,
            z: [None; DIMENSIONS],
        }
    }

    #[test]
    fn evidence_grows_with_fitness_and_stays_in_bounds() {
        for threshold in [0.0, 0.05, 0.6, 1.0] {
            let llrs: Vec<_> = (0..=100).map(|i| verdict(f64::from(i) / 100.0, threshold).llr()).collect();
            assert!(llrs.windows(2).all(|pair| pair[0] <= pair[1]), "{threshold}");
            assert!(llrs.iter().all(|llr| llr.abs() <= MAX_LLR));
        }
        assert_eq!(verdict(0.05, 0.05).llr(), 0.0);
        assert_eq!(verdict(1.0, 0.05).llr(), MAX_LLR);
    }

    #[test]
    fn nothing_in_common_is_refused_even_where_the_threshold_is_zero() {
        assert!(verdict(0.0, 0.0).refused());
        assert!(!verdict(0.01, 0.0).refused());
        assert!(!verdict(0.3, 0.3).refused() && verdict(0.29, 0.3).refused());
    }

    #[test]
    fn the_worse_group_comes_first_and_an_ordinary_one_is_not_blamed() {
        let mut verdict = verdict(0.0, 0.1);
        verdict.z[0] = Some(-4.0);
        verdict.z[2] = Some(1.0);
        assert_eq!(verdict.suspects(), [Group::Typing]);
        verdict.z[7] = Some(9.0);
        assert_eq!(verdict.suspects(), [Group::Pointing, Group::Typing]);
    }
}
