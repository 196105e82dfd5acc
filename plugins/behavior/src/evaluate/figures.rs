//! Error rates. Scores are distances: the higher, the less like the owner.

/// Equal error rate: where the shares of refused genuine and accepted impostor scores cross as the threshold moves, linearly
/// interpolated, ties counted (Killourhy and Maxion, DSN 2009). NaN if either list is empty.
pub fn eer(genuine: &[f64], impostor: &[f64]) -> f64 {
    if genuine.is_empty() || impostor.is_empty() {
        return f64::NAN;
    }
    let (genuine, impostor) = (sorted(genuine), sorted(impostor));
    let mut thresholds: Vec<f64> = genuine.iter().chain(&impostor).copied().collect();
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    let (mut before_frr, mut before_far) = (1.0, 0.0);
    for threshold in thresholds {
        let frr = 1.0 - share_up_to(&genuine, threshold);
        let far = share_up_to(&impostor, threshold);
        let (before, now) = (before_frr - before_far, frr - far);
        if now <= 0.0 {
            return before_far + before / (before - now) * (far - before_far);
        }
        (before_frr, before_far) = (frr, far);
    }
    before_far
}

/// The smallest score of either list at which, with everything up to it accepted, no larger share of genuine than of impostor
/// scores is mistaken: the threshold that goes with [`eer`]. NaN if either list is empty.
pub(crate) fn eer_threshold(genuine: &[f64], impostor: &[f64]) -> f64 {
    let (genuine, impostor) = (sorted(genuine), sorted(impostor));
    let mut thresholds: Vec<f64> = genuine.iter().chain(&impostor).copied().collect();
    thresholds.sort_by(f64::total_cmp);
    let crossed = |threshold: &f64| 1.0 - share_up_to(&genuine, *threshold) <= share_up_to(&impostor, *threshold);
    thresholds.into_iter().find(crossed).unwrap_or(f64::NAN)
}

/// Area under the ROC curve: the share of pairs in which the impostor's score is higher, ties counting half. NaN if either list
/// is empty.
pub fn auc(genuine: &[f64], impostor: &[f64]) -> f64 {
    let genuine = sorted(genuine);
    let wins: f64 = impostor
        .iter()
        .map(|score| {
            let below = genuine.partition_point(|other| other < score);
            let up_to = genuine.partition_point(|other| other <= score);
            (below + up_to) as f64 / 2.0
        })
        .sum();
    wins / (genuine.len() as f64 * impostor.len() as f64)
}

/// Share of genuine scores at or above the `far` quantile of the impostors' (linearly interpolated): the false rejections where
/// that share of impostors is accepted. NaN if either list is empty.
pub fn frr_at_far(genuine: &[f64], impostor: &[f64], far: f64) -> f64 {
    if genuine.is_empty() || impostor.is_empty() {
        return f64::NAN;
    }
    let threshold = quantile(&sorted(impostor), far);
    genuine.iter().filter(|score| **score >= threshold).count() as f64 / genuine.len() as f64
}

/// The `share` quantile of a sorted list that is not empty, linearly interpolated.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (at - low as f64) * (sorted[high] - sorted[low])
}

/// The median; NaN of nothing.
pub(super) fn median(values: &[f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    quantile(&sorted(values), 0.5)
}

/// Mean and standard deviation (n - 1).
pub fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, variance.sqrt())
}

pub(super) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

pub(super) fn share_up_to(sorted: &[f64], threshold: f64) -> f64 {
    sorted.partition_point(|value| *value <= threshold) as f64 / sorted.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_lists_that_can_be_counted_by_hand() {
        assert_eq!(eer(&[1.0, 2.0], &[3.0, 4.0]), 0.0);
        assert_eq!(eer(&[3.0, 4.0], &[1.0, 2.0]), 1.0);
        assert!((eer(&[1.0, 2.0, 3.0, 4.0], &[2.5, 3.5, 4.5, 5.5]) - 0.25).abs() < 1e-12);
        assert_eq!(auc(&[1.0, 2.0], &[1.0, 3.0]), 0.625);
        assert_eq!(frr_at_far(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0], 0.01), 2.0 / 3.0);
        assert!(eer(&[], &[1.0]).is_nan());
        assert_eq!(eer_threshold(&[1.0, 2.0], &[3.0, 4.0]), 2.0);
        assert_eq!(eer_threshold(&[1.0, 2.0, 3.0, 4.0], &[2.5, 3.5, 4.5, 5.5]), 3.0);
        assert_eq!(moments(&[1.0, 3.0]), (2.0, 2f64.sqrt()));
    }
}
