//! The arithmetic: percentiles of a round, medians of rounds.

use crate::cpu::Spent;
use serde::Serialize;
use std::collections::BTreeMap;

/// What one round of one workload brought.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// Length of the measured time in seconds.
    pub seconds: f64,
    /// How long each flow took, of those that ended within it, in milliseconds.
    pub latencies_ms: Vec<f64>,
    /// What was spent within it.
    pub spent: Spent,
}

/// Medians of the rounds of one workload against one target.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// CPU time of the provider's own processes for one flow, in microseconds.
    pub cpu_us: f64,
    /// Flows in a second.
    pub per_s: f64,
    /// Median of a flow's latency in milliseconds.
    pub p50_ms: f64,
    /// Its 99th percentile.
    pub p99_ms: f64,
    /// Cores in use by each process that was watched, by name: 1.0 is one core all the time.
    pub cores: BTreeMap<String, f64>,
    /// Cores in use by the load generator.
    pub generator_cores: f64,
    /// Cores in use by everybody else on this machine. From a tenth on, do not trust latencies and flows in a second.
    pub others_cores: f64,
    /// Flows that were measured in all rounds.
    pub flows: usize,
}

impl Figures {
    /// Of rounds; `own` are the names of the provider's processes. `None` without a round that measured a flow.
    pub fn of(rounds: &[Round], own: &[String]) -> Option<Self> {
        let rounds: Vec<_> = rounds.iter().filter(|round| !round.latencies_ms.is_empty()).collect();
        let of_rounds = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(|round| figure(round)).collect());
        let flows = |round: &Round| round.latencies_ms.len() as f64;
        let own_s = |round: &Round| own.iter().filter_map(|name| round.spent.watched_s.get(name)).sum::<f64>();
        let names = rounds.first()?.spent.watched_s.keys();
        let cores = |name: &String| {
            let used = of_rounds(&|round| round.spent.watched_s.get(name).copied().unwrap_or_default() / round.seconds);
            Some((name.clone(), used?))
        };
        Some(Self {
            cpu_us: of_rounds(&|round| own_s(round) * 1e6 / flows(round))?,
            per_s: of_rounds(&|round| flows(round) / round.seconds)?,
            p50_ms: of_rounds(&|round| percentile(&round.latencies_ms, 0.5))?,
            p99_ms: of_rounds(&|round| percentile(&round.latencies_ms, 0.99))?,
            cores: names.filter_map(cores).collect(),
            generator_cores: of_rounds(&|round| round.spent.generator_s / round.seconds)?,
            others_cores: of_rounds(&|round| round.spent.others_s / round.seconds)?,
            flows: rounds.iter().map(|round| round.latencies_ms.len()).sum(),
        })
    }
}

/// The smallest value that `share` of them don't exceed (nearest rank); 0 of none.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank is between 1 and the number of values"
)]
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted
        .get(rank.min(sorted.len()).saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

/// The value in the middle, or the mean of the two there; `None` of none.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(match values.len() % 2 {
        0 => f64::midpoint(values[middle - 1], upper),
        _ => upper,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(
            [0.0, 0.5, 0.99, 1.0].map(|share| percentile(&values, share)),
            [1.0, 50.0, 99.0, 100.0]
        );
        assert_eq!(percentile(&[3.0, 1.0], 0.99), 3.0);
        assert_eq!(percentile(&[7.0], 0.5), 7.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }

    #[test]
    fn a_median_is_in_the_middle_of_any_number_of_values() {
        assert_eq!(median(vec![9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(vec![9.0, 1.0, 5.0, 3.0]), Some(4.0));
        assert_eq!(median(vec![]), None);
    }

    fn round(flows: usize, seconds: f64, gait_s: f64, postgres_s: f64) -> Round {
        Round {
            seconds,
            latencies_ms: (0..flows).map(|i| i as f64 / 10.0).collect(),
            spent: Spent {
                watched_s: [("gait".to_owned(), gait_s), ("postgres".to_owned(), postgres_s)].into(),
                generator_s: 0.2,
                others_s: 0.5,
            },
        }
    }

    #[test]
    fn the_provider_pays_for_its_own_processes_and_rounds_are_taken_by_their_medians() {
        let rounds = [
            round(100, 2.0, 0.1, 1.0),
            round(400, 2.0, 0.2, 1.0),
            round(200, 2.0, 0.16, 0.4),
        ];
        let figures = Figures::of(&rounds, &["gait".to_owned()]).unwrap();
        // 1000, 500 and 800 microseconds a flow; 50, 200 and 100 flows a second.
        assert!(
            (figures.cpu_us - 800.0).abs() < 1e-6 && (figures.per_s - 100.0).abs() < 1e-9,
            "{figures:?}"
        );
        assert_eq!((figures.p50_ms, figures.p99_ms), (9.9, 19.7));
        assert!((figures.cores["gait"] - 0.08).abs() < 1e-9 && (figures.cores["postgres"] - 0.5).abs() < 1e-9);
        assert!((figures.others_cores - 0.25).abs() < 1e-9 && figures.flows == 700);
    }

    #[test]
    fn a_round_without_a_flow_spoils_no_figure() {
        let own = ["gait".to_owned()];
        let with_empty = [round(0, 2.0, 1.0, 0.0), round(100, 1.0, 0.1, 0.0)];
        assert!((Figures::of(&with_empty, &own).unwrap().cpu_us - 1000.0).abs() < 1e-6);
        assert!(Figures::of(&[round(0, 2.0, 1.0, 0.0)], &own).is_none());
        assert!(Figures::of(&[], &own).is_none());
    }
}
