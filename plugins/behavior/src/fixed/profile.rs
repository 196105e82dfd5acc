//! Centre, scale and neighbours.

const NEAR: usize = 30;
const NEIGHBOURS: usize = 5;
const HALF_LIFE: f64 = 15.0;
const PRIOR: f64 = 10.0;
const HOLD_SCALE: f64 = 0.20;
const DOWN_SCALE: f64 = 0.35;
const CLIP: f64 = 4.0;
const CENTRE_WEIGHT: f64 = 0.5;

pub(super) struct Profile {
    centre: Vec<f64>,
    scale: Vec<f64>,
    near: Vec<Vec<f64>>,
}

impl Profile {
    pub(super) fn of(keys: usize, kept: &[Vec<f32>]) -> Self {
        let n = kept.len();
        let weights: Vec<f64> = (0..n).map(|i| 0.5f64.powf((n - 1 - i) as f64 / HALF_LIFE)).collect();
        let sum: f64 = weights.iter().sum();
        let effective = sum * sum / weights.iter().map(|w| w * w).sum::<f64>();
        let columns = 2 * keys - 1;
        let (mut centre, mut scale) = (Vec::new(), Vec::new());
        for column in 0..columns {
            let values = kept.iter().map(|row| f64::from(row[column]));
            let c = weighted_median(values.clone().zip(weights.iter().copied()).collect());
            let mad = values.zip(&weights).map(|(v, w)| w * (v - c).abs()).sum::<f64>() / sum * 1.2533;
            let prior = if column < keys { HOLD_SCALE } else { DOWN_SCALE };
            centre.push(c);
            scale.push(((effective * mad * mad + PRIOR * prior * prior) / (effective + PRIOR)).sqrt() + 1e-3);
        }
        let mut profile = Self {
            centre,
            scale,
            near: Vec::new(),
        };
        let newest = &kept[n.saturating_sub(NEAR)..];
        profile.near = newest
            .iter()
            .map(|row| profile.standard(row.iter().map(|v| f64::from(*v))))
            .collect();
        profile
    }

    fn standard(&self, row: impl Iterator<Item = f64>) -> Vec<f64> {
        row.zip(self.centre.iter().zip(&self.scale))
            .map(|(v, (c, s))| (v - c) / s)
            .collect()
    }

    fn compare(&self, z: &[f64], skip: Option<usize>) -> f64 {
        let mut distances: Vec<f64> = self
            .near
            .iter()
            .enumerate()
            .filter(|(i, _)| Some(*i) != skip)
            .map(|(_, other)| mean(z.iter().zip(other).map(|(a, b)| (a - b).abs().min(CLIP))))
            .collect();
        distances.sort_by(f64::total_cmp);
        let k = NEIGHBOURS.min(distances.len());
        mean(distances[..k].iter().copied()) + CENTRE_WEIGHT * mean(z.iter().map(|z| z.abs().min(CLIP)))
    }

    pub(super) fn score(&self, logs: &[f64]) -> f64 {
        self.compare(&self.standard(logs.iter().copied()), None)
    }

    pub(super) fn own_scores(&self) -> Vec<f64> {
        self.near.iter().enumerate().map(|(i, z)| self.compare(z, Some(i))).collect()
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0), |(sum, n), v| (sum + v, n + 1));
    sum / f64::from(n)
}

fn weighted_median(mut pairs: Vec<(f64, f64)>) -> f64 {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = pairs.iter().map(|p| p.1).sum();
    let mut sum = 0.0;
    for (value, weight) in &pairs {
        sum += weight;
        if sum >= total / 2.0 {
            return *value;
        }
    }
    pairs.last().map_or(0.0, |p| p.0)
}
