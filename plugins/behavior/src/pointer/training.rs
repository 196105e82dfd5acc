//! The arithmetic: an additive logistic model on bins.

use super::features::{Features, MEASURES};
use serde::{Deserialize, Serialize};

/// Bins of a measurement.
pub(super) const BINS: usize = 16;

/// Where the bins of every measurement end: codes above which a new one begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Bins(Vec<Vec<u8>>);

impl Bins {
    /// Equally full bins.
    pub(super) fn of<'a>(actions: impl Iterator<Item = &'a Features> + Clone) -> Self {
        let edges = (0..MEASURES).map(|measure| {
            let mut counts = [0usize; 256];
            for action in actions.clone() {
                counts[usize::from(action.codes()[measure])] += 1;
            }
            edges(&counts)
        });
        Self(edges.collect())
    }

    /// The bin of every code.
    pub(super) fn table(&self, measure: usize) -> [u8; 256] {
        let edges = &self.0[measure];
        std::array::from_fn(|code| edges.iter().filter(|edge| usize::from(**edge) < code).count() as u8)
    }
}

fn edges(counts: &[usize; 256]) -> Vec<u8> {
    let total: usize = counts.iter().sum();
    let (mut edges, mut seen) = (Vec::new(), 0);
    for code in 0..255u8 {
        let before = seen * BINS / total.max(1);
        seen += counts[usize::from(code)];
        if seen < total && seen * BINS / total.max(1) > before {
            edges.push(code);
        }
    }
    edges.truncate(BINS - 1);
    edges
}

/// The weights of every bin of every measurement, and the constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Weights {
    pub(super) constant: f32,
    pub(super) bins: Vec<f32>,
}

pub fn knob(name: &str, default: f64) -> f64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

static MASK: std::sync::LazyLock<Vec<bool>> = std::sync::LazyLock::new(|| {
    let mut m = vec![false; 400];
    for part in std::env::var("MASK").unwrap_or_default().split(',').filter(|p| !p.is_empty()) {
        let (a, b) = part.split_once('-').unwrap_or((part, part));
        for i in a.parse::<usize>().unwrap()..=b.parse::<usize>().unwrap() { m[i] = true; }
    }
    m
});
fn masked(i: usize) -> bool { MASK[i] }

/// Additive logistic regression by blocks: in every round one Newton step on each measurement's bins, with the curvature of the
/// round. Both sides weigh the same.
pub(super) fn train(bins: &Bins, own: &[&Features], others: &[&Features]) -> Weights {
    let ridge = knob("RIDGE", 100.0);
    let rounds = knob("ROUNDS", 10.0) as usize;
    let n = own.len() + others.len();
    let columns: Vec<Vec<u8>> = (0..MEASURES)
        .map(|measure| {
            let table = bins.table(measure);
            own.iter().chain(others).map(|action| table[usize::from(action.codes()[measure])]).collect()
        })
        .collect();
    let scale = n as f32;
    let weight = |i: usize| if i < own.len() { 0.5 * scale / own.len() as f32 } else { 0.5 * scale / others.len() as f32 };
    let ridge = (ridge * knob("REF",0.0).max(0.0) + if knob("REF",0.0)==0.0 { ridge } else {0.0}) as f32;
    let mut margins = vec![0f32; n];
    let mut weights = vec![0f32; MEASURES * BINS];
    let mut constant = 0f32;
    let (mut gradient, mut curvature) = (vec![0f32; n], vec![0f32; n]);
    for _ in 0..rounds {
        for i in 0..n {
            let p = 1.0 / (1.0 + (-margins[i]).exp());
            let y = if i < own.len() { 1.0 } else { 0.0 };
            gradient[i] = weight(i) * (y - p);
            curvature[i] = weight(i) * (p * (1.0 - p)).max(1e-3);
        }
        let shift = gradient.iter().sum::<f32>() / curvature.iter().sum::<f32>();
        constant += shift;
        for i in 0..n { margins[i] += shift; gradient[i] -= curvature[i] * shift; }
        for measure in 0..MEASURES {
            if masked(measure) { continue; }
            let column = &columns[measure];
            let mut g = [0f32; BINS];
            let mut h = [0f32; BINS];
            for i in 0..n {
                g[usize::from(column[i]) & 15] += gradient[i];
                h[usize::from(column[i]) & 15] += curvature[i];
            }
            let w = &mut weights[measure * BINS..(measure + 1) * BINS];
            let mut step = [0f32; BINS];
            for b in 0..BINS {
                step[b] = (g[b] - ridge * w[b]) / (h[b] + ridge);
                w[b] += step[b];
            }
            for i in 0..n {
                let s = step[usize::from(column[i]) & 15];
                margins[i] += s;
                gradient[i] -= curvature[i] * s;
            }
        }
    }
    Weights { constant, bins: weights }
}
