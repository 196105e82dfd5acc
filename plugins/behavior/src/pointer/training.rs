//! The arithmetic: an additive logistic model on bins, smooth from bin to bin.

use super::codebook::CODES;
use super::features::{Features, MEASURES};
use serde::{Deserialize, Serialize};

/// Most bins of a measurement.
const BINS: usize = 16;

/// How strongly a weight is drawn to nothing, in actions.
const RIDGE: f32 = 20.0;

/// How strongly a weight is drawn to its neighbours', in actions: what is true of a speed is nearly true of a slightly higher one.
const SMOOTH: f32 = 150.0;

/// Rounds of training: enough to come to rest for all practical purposes.
const ROUNDS: usize = 6;

/// Least curvature of an action: one that the model is sure of still counts a little.
const LEAST_CURVATURE: f32 = 1e-3;

/// Largest weight that can be believed.
const LARGEST: f32 = 50.0;

/// A value for each bin of a measurement.
type Row = [f32; BINS];

/// Where the bins of every measurement end: codes above which a new one begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bins(Vec<Vec<u8>>);

impl Bins {
    /// Bins that these actions fill about equally.
    pub(super) fn of(actions: &[&Features]) -> Self {
        let mut counts = [[0; CODES]; MEASURES];
        for action in actions {
            for (counts, code) in counts.iter_mut().zip(action.codes()) {
                counts[usize::from(code)] += 1;
            }
        }
        Self(counts.iter().map(edges).collect())
    }

    /// What is wrong with it, if it can't come from [`Bins::of`].
    pub(super) fn fault(&self) -> Option<&'static str> {
        let ordered = |edges: &Vec<u8>| edges.len() < BINS && edges.windows(2).all(|pair| pair[0] < pair[1]);
        let right = self.0.len() == MEASURES && self.0.iter().all(ordered);
        (!right).then_some("the bins are out of order")
    }

    /// The bin of a code.
    fn bin(&self, measure: usize, code: u8) -> usize {
        self.0[measure].partition_point(|edge| *edge < code)
    }
}

fn edges(counts: &[usize; CODES]) -> Vec<u8> {
    let total = counts.iter().sum::<usize>().max(1);
    let (mut edges, mut seen) = (Vec::new(), 0);
    for (code, count) in (0..).zip(counts) {
        let before = seen * BINS / total;
        seen += count;
        if seen < total && seen * BINS / total > before {
            edges.push(code);
        }
    }
    edges
}

/// A constant, and the weight of every bin of every measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Weights {
    constant: f32,
    rows: Vec<Row>,
}

impl Weights {
    /// The log-odds of an action.
    pub(super) fn logit(&self, bins: &Bins, action: &Features) -> f64 {
        let weights = self.rows.iter().zip(action.codes()).enumerate();
        let sum: f32 = weights.map(|(measure, (row, code))| row[bins.bin(measure, code)]).sum();
        f64::from(self.constant + sum)
    }

    /// What is wrong with it, if it can't come from [`train`].
    pub(super) fn fault(&self) -> Option<&'static str> {
        let small = |weight: &f32| weight.abs() <= LARGEST;
        let right = self.rows.len() == MEASURES && small(&self.constant) && self.rows.iter().flatten().all(small);
        (!right).then_some("a weight is out of range")
    }
}

/// Trains on actions of an account and on those of others; neither list is empty. In every round, one Newton step on each
/// measurement's weights in turn, with the curvature of the round's beginning. Both sides weigh the same, whatever their number.
pub(super) fn train(bins: &Bins, own: &[&Features], others: &[&Features]) -> Weights {
    let columns = columns(bins, own, others);
    let mut weights = Weights {
        constant: 0.0,
        rows: vec![[0.0; BINS]; MEASURES],
    };
    let mut slopes = Slopes::new(own.len(), others.len());
    for _ in 0..ROUNDS {
        slopes.refresh();
        weights.constant = (weights.constant + slopes.shift()).clamp(-LARGEST, LARGEST);
        for ((column, row), edges) in columns.iter().zip(&mut weights.rows).zip(&bins.0) {
            let step = slopes.step(column, row, edges.len() + 1);
            for (weight, step) in row.iter_mut().zip(&step) {
                *weight = (*weight + step).clamp(-LARGEST, LARGEST);
            }
        }
    }
    weights
}

/// The bins of all actions, the account's own first, one list a measurement.
fn columns(bins: &Bins, own: &[&Features], others: &[&Features]) -> Vec<Vec<u8>> {
    let tables: Vec<[u8; CODES]> = (0..MEASURES)
        .map(|measure| std::array::from_fn(|code| bins.bin(measure, code as u8) as u8))
        .collect();
    let mut columns = vec![Vec::new(); MEASURES];
    for action in own.iter().chain(others) {
        for ((column, table), code) in columns.iter_mut().zip(&tables).zip(action.codes()) {
            column.push(table[usize::from(code)]);
        }
    }
    columns
}

/// Where every action stands: its log-odds, and how the loss changes with them.
struct Slopes {
    own: usize,
    margins: Vec<f32>,
    gradients: Vec<f32>,
    curvatures: Vec<f32>,
}

impl Slopes {
    fn new(own: usize, others: usize) -> Self {
        let zeros = vec![0.0; own + others];
        Self {
            own,
            margins: zeros.clone(),
            gradients: zeros.clone(),
            curvatures: zeros,
        }
    }

    fn refresh(&mut self) {
        let all = self.margins.len();
        let share = |count: usize| 0.5 * all as f32 / count as f32;
        let weights = [share(self.own), share(all - self.own)];
        for (i, margin) in self.margins.iter().enumerate() {
            let p = 1.0 / (1.0 + (-margin).exp());
            let (weight, truth) = if i < self.own { (weights[0], 1.0) } else { (weights[1], 0.0) };
            self.gradients[i] = weight * (truth - p);
            self.curvatures[i] = weight * (p * (1.0 - p)).max(LEAST_CURVATURE);
        }
    }

    /// Moves all actions by the best constant.
    fn shift(&mut self) -> f32 {
        let shift = self.gradients.iter().sum::<f32>() / self.curvatures.iter().sum::<f32>();
        for i in 0..self.margins.len() {
            self.margins[i] += shift;
            self.gradients[i] -= self.curvatures[i] * shift;
        }
        shift
    }

    /// The step of one measurement's weights; moves all actions by it.
    fn step(&mut self, column: &[u8], row: &Row, used: usize) -> Row {
        let (mut gradient, mut curvature) = ([0.0; BINS], [0.0; BINS]);
        let slopes = self.gradients.iter().zip(&self.curvatures);
        for (bin, (g, h)) in column.iter().zip(slopes) {
            let bin = usize::from(*bin) % BINS;
            gradient[bin] += g;
            curvature[bin] += h;
        }
        let step = newton(&gradient, &curvature, row, used.min(BINS));
        let places = self.margins.iter_mut().zip(&mut self.gradients).zip(&self.curvatures);
        for (bin, ((margin, gradient), curvature)) in column.iter().zip(places) {
            let step = step[usize::from(*bin) % BINS];
            *margin += step;
            *gradient -= curvature * step;
        }
        step
    }
}

/// Solves the tridiagonal system of the first `used` bins, of which each is tied to its neighbours. The others stay.
fn newton(gradient: &Row, curvature: &Row, row: &Row, used: usize) -> Row {
    let (mut diagonal, mut right) = ([0.0; BINS], [0.0; BINS]);
    for b in 0..used {
        diagonal[b] = curvature[b] + RIDGE;
        right[b] = gradient[b] - RIDGE * row[b];
        let before = b.checked_sub(1);
        let after = Some(b + 1).filter(|next| *next < used);
        for neighbour in [before, after].into_iter().flatten() {
            diagonal[b] += SMOOTH;
            right[b] -= SMOOTH * (row[b] - row[neighbour]);
        }
    }
    for b in 1..used {
        let factor = SMOOTH / diagonal[b - 1];
        diagonal[b] -= factor * SMOOTH;
        right[b] += factor * right[b - 1];
    }
    let mut step = [0.0; BINS];
    let mut next = 0.0;
    for b in (0..used).rev() {
        step[b] = (right[b] + SMOOTH * next) / diagonal[b];
        next = step[b];
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_bins_hold_about_equally_many() {
        let mut counts = [10; CODES];
        counts[3] = 1000;
        let edges = edges(&counts);
        assert!(edges.len() < BINS && edges.contains(&3) && edges.is_sorted(), "{edges:?}");
        assert!(super::edges(&[0; CODES]).is_empty());
    }

    #[test]
    fn a_step_solves_its_system() {
        let row: Row = std::array::from_fn(|b| b as f32 / 7.0);
        let gradient: Row = std::array::from_fn(|b| (b as f32 - 4.0) * 30.0);
        let curvature: Row = std::array::from_fn(|b| 10.0 + b as f32);
        let used = 9;
        let step = newton(&gradient, &curvature, &row, used);
        let at = |b: usize| row[b] + step[b];
        for b in 0..used {
            let before = if b > 0 { at(b) - at(b - 1) } else { 0.0 };
            let after = if b + 1 < used { at(b) - at(b + 1) } else { 0.0 };
            let rest = gradient[b] - curvature[b] * step[b] - RIDGE * at(b) - SMOOTH * (before + after);
            assert!(rest.abs() < 0.05, "{b}: {rest}");
        }
        assert_eq!(step[used..], [0.0; BINS][used..]);
    }
}
