//! The composite fitness of a sign-in: behaviour and the address together, as originally designed. Pure.
//!
//! composite = (w_behaviour · fitness + w_ip · ip score) / (w_behaviour + w_ip), all between 0.0 and 1.0.

use crate::policy::WatchPolicy;

/// What a sign-in's risk signals say of its waivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInTrust {
    /// Nothing: no model, no sample, not enough data, mode `train`, or in between.
    Neutral,
    /// High: the behaviour may waive a row.
    Waives,
    /// Low: no waiver counts in this sign-in.
    RemovesWaivers,
}

/// Weighs the scorer's fitness (0.0–1.0) with the IP trust score (0.0–1.0, absent = 0.0). `None` without a fitness, and for
/// numbers that mean nothing: a fitness that is no number, weights that are negative or sum to zero.
pub fn composite(fitness: Option<f64>, ip_score: Option<f64>, policy: &WatchPolicy) -> Option<f64> {
    let fitness = fitness.filter(|fitness| fitness.is_finite())?.clamp(0.0, 1.0);
    let ip = ip_score.filter(|score| score.is_finite()).unwrap_or(0.0).clamp(0.0, 1.0);
    let (behaviour, address) = (policy.weight_behaviour, policy.weight_ip);
    let sum = behaviour + address;
    let makes_sense = behaviour >= 0.0 && address >= 0.0 && sum > 0.0 && sum.is_finite();
    makes_sense.then(|| (behaviour * fitness + address * ip) / sum)
}

/// Nearest to certainty that one measurement may come when it is put together with another: nothing outweighs all the rest.
const DOUBT: f64 = 1e-6;

/// Puts two independent measurements of one sign-in together: as odds (p / (1 − p)), which multiply. 0.5 says nothing, two that say
/// the same say it louder. One that is missing, or no number, leaves the other as it is.
pub fn together(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    let sound = |fitness: Option<f64>| {
        fitness
            .filter(|fitness| fitness.is_finite())
            .map(|fitness| fitness.clamp(0.0, 1.0))
    };
    match (sound(one), sound(other)) {
        (Some(one), Some(other)) => {
            let odds = |fitness: f64| {
                let fitness = fitness.clamp(DOUBT, 1.0 - DOUBT);
                fitness / (1.0 - fitness)
            };
            let both = odds(one) * odds(other);
            Some(both / (1.0 + both))
        }
        (one, other) => one.or(other),
    }
}

/// What a composite says. Where the two thresholds contradict each other, distrust wins.
pub fn judge(composite: Option<f64>, policy: &WatchPolicy) -> SignInTrust {
    match composite {
        None => SignInTrust::Neutral,
        Some(value) if value < policy.distrust_below => SignInTrust::RemovesWaivers,
        Some(value) if policy.waive_from.is_some_and(|from| value >= from) => SignInTrust::Waives,
        Some(_) => SignInTrust::Neutral,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    fn policy() -> WatchPolicy {
        WatchPolicy {
            weight_behaviour: 0.7,
            weight_ip: 0.3,
            waive_from: Some(0.8),
            distrust_below: 0.3,
            ..WatchPolicy::default()
        }
    }

    #[test]
    fn behaviour_and_address_are_weighed() {
        let value = composite(Some(0.9), Some(0.5), &policy()).unwrap();
        assert!((value - (0.7 * 0.9 + 0.3 * 0.5)).abs() < 1e-12);
        let unseen = composite(Some(1.0), None, &policy()).unwrap();
        assert!((unseen - 0.7).abs() < 1e-12, "an address that nobody vouches for counts as 0");
    }

    #[test]
    fn a_missing_fitness_changes_nothing() {
        assert_eq!(composite(None, Some(1.0), &policy()), None);
        assert_eq!(composite(Some(f64::NAN), Some(1.0), &policy()), None);
        assert_eq!(judge(None, &policy()), SignInTrust::Neutral);
    }

    #[test]
    fn weights_that_mean_nothing_give_nothing() {
        for (weight_behaviour, weight_ip) in [(0.0, 0.0), (-1.0, 2.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0)] {
            let policy = WatchPolicy {
                weight_behaviour,
                weight_ip,
                ..policy()
            };
            assert_eq!(composite(Some(1.0), Some(1.0), &policy), None);
        }
    }

    #[test]
    fn thresholds_are_inclusive_above_and_exclusive_below() {
        assert_eq!(judge(Some(0.8), &policy()), SignInTrust::Waives);
        assert_eq!(judge(Some(0.799), &policy()), SignInTrust::Neutral);
        assert_eq!(judge(Some(0.3), &policy()), SignInTrust::Neutral);
        assert_eq!(judge(Some(0.299), &policy()), SignInTrust::RemovesWaivers);
        let never = WatchPolicy {
            waive_from: None,
            ..policy()
        };
        assert_eq!(judge(Some(1.0), &never), SignInTrust::Neutral);
    }

    #[test]
    fn what_is_missing_leaves_the_other_as_it_is() {
        assert_eq!(together(None, None), None);
        for alone in [0.0, 0.3, 1.0] {
            for nothing in [None, Some(f64::NAN), Some(f64::INFINITY)] {
                assert_eq!(together(Some(alone), nothing), Some(alone));
                assert_eq!(together(nothing, Some(alone)), Some(alone));
            }
        }
    }

    #[test]
    fn certainties_that_contradict_each_other_say_nothing() {
        let value = together(Some(1.0), Some(0.0)).unwrap();
        assert!((value - 0.5).abs() < 1e-9, "{value}");
    }

    proptest! {
        #[test]
        fn odds_multiply(a in 0.01..=0.99f64, b in 0.01..=0.99f64) {
            let value = together(Some(a), Some(b)).unwrap();
            let expected = a * b / (a * b + (1.0 - a) * (1.0 - b));
            prop_assert!((value - expected).abs() < 1e-9);
            prop_assert!((together(Some(b), Some(a)).unwrap() - value).abs() < 1e-12, "the order says nothing");
            prop_assert!((together(Some(a), Some(0.5)).unwrap() - a).abs() < 1e-9, "a half says nothing");
        }

        #[test]
        fn together_is_a_probability_and_grows_with_both(a in 0.0..=1.0f64, b in 0.0..=1.0f64, more in 0.0..=1.0f64) {
            let value = together(Some(a), Some(b)).unwrap();
            prop_assert!((0.0..=1.0).contains(&value));
            prop_assert!(together(Some(a.max(more)), Some(b)).unwrap() >= value - 1e-12);
            if a >= 0.5 && b >= 0.5 {
                prop_assert!(value >= a.max(b) - 1e-5, "two that agree say it louder");
            }
        }

        #[test]
        fn more_fitness_never_means_less_trust(a in 0.0..=1.0f64, b in 0.0..=1.0f64, ip in 0.0..=1.0f64) {
            let value = |fitness| composite(Some(fitness), Some(ip), &policy()).unwrap();
            prop_assert!(value(a.min(b)) <= value(a.max(b)) + 1e-12);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&value(a)));
        }
    }
}
