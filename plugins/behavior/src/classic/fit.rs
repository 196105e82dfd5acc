//! The classic model: distance to a centroid, and the vote of a one-class SVM.

use crate::classic::features::{DIMENSIONS, Features};
use crate::classic::scaler::{MIN_SEEN, Scaled, Scaler};
use crate::classic::template::Training;
use linfa::dataset::{Dataset, DatasetBase, Pr};
use linfa::traits::Fit;
use linfa_clustering::KMeans;
use linfa_svm::Svm;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// Stop of the SVM's solver: a gradient this small. Decision values are then within 1e-5 of the optimum's.
const SOLVER_TOLERANCE: f64 = 1e-7;

/// Stop of the clustering: a step of the centroid this small. linfa approaches the mean by steps, and by default stops early.
const CENTRE_TOLERANCE: f64 = 1e-12;

/// Why a model could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Fewer vectors than [`MIN_SEEN`].
    #[error("{0} vectors are too few for a model")]
    TooFew(usize),
    /// A solver failed or returned something that is not a number.
    #[error("{0}")]
    Solver(String),
}

/// A fitted model, as plain numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classic {
    /// Standardisation, before anything else.
    pub scaler: Scaler,
    /// Centre of the standardised training vectors.
    pub centroid: [f64; DIMENSIONS],
    /// Mean plus two (population) standard deviations of the training vectors' distances to the centroid.
    pub d_max: f64,
    /// Width of the Gaussian kernel exp(-gamma d²).
    pub gamma: f64,
    /// The SVM's support vectors, standardised.
    pub support: Vec<[f64; DIMENSIONS]>,
    /// Their weights, 0..=1, one each.
    pub alpha: Vec<f64>,
    /// The SVM's offset.
    pub rho: f64,
    /// Weight of the vote in the fitness.
    pub svm_weight: f64,
    /// Weight of the closeness in the fitness.
    pub distance_weight: f64,
}

impl Classic {
    /// Fits a model to the vectors, in which a missing feature stands at its mean. Deterministic.
    ///
    /// # Errors
    /// [`FitError`] if there are too few vectors or a solver gives up.
    pub fn fit(vectors: &[Features], training: &Training) -> Result<Self, FitError> {
        if vectors.len() < MIN_SEEN {
            return Err(FitError::TooFew(vectors.len()));
        }
        let scaler = Scaler::fit(vectors);
        let z: Vec<Scaled> = vectors.iter().map(|vector| scaler.scale(vector)).collect();
        let imputed: Vec<_> = z.iter().map(impute).collect();
        let centroid = centroid(&imputed)?;
        let d_max = reach(&z, &centroid);
        let (support, alpha, rho) = one_class(imputed, training)?;
        Ok(Self {
            scaler,
            centroid,
            d_max,
            gamma: training.gamma,
            support,
            alpha,
            rho,
            svm_weight: training.svm_weight,
            distance_weight: training.distance_weight,
        })
    }

    /// Distance of a standardised vector to the centroid; see [`distance`].
    pub fn distance(&self, z: &Scaled) -> f64 {
        distance(z, &self.centroid)
    }

    /// Decision value of the one-class SVM at a standardised vector, in which a missing feature stands at its mean; positive
    /// inside. Its size grows with the training set.
    pub fn decision(&self, z: &Scaled) -> f64 {
        let point = impute(z);
        let kernel = |support| (-self.gamma * squared_distance(&point, support)).exp();
        self.support
            .iter()
            .zip(&self.alpha)
            .map(|(support, alpha)| alpha * kernel(support))
            .sum::<f64>()
            - self.rho
    }

    /// Fitness of a standardised vector, 0..=1: the weighted sum of the SVM's vote and of 1 - d/D_max, clipped at 0.
    pub fn fitness(&self, z: &Scaled) -> f64 {
        let vote = if self.decision(z) > 0.0 { 1.0 } else { 0.0 };
        let closeness = (1.0 - self.relative_distance(z)).max(0.0);
        (self.svm_weight * vote + self.distance_weight * closeness).clamp(0.0, 1.0)
    }

    /// Distance to the centroid in units of D_max.
    pub fn relative_distance(&self, z: &Scaled) -> f64 {
        let distance = self.distance(z);
        // All training vectors alike: only the very same one is near.
        if self.d_max > 0.0 {
            distance / self.d_max
        } else if distance > 0.0 {
            f64::MAX
        } else {
            0.0
        }
    }

    /// What is wrong with these numbers, if they can't come from [`Classic::fit`]. The bounds are wide; they keep every
    /// calculation of a doctored model finite.
    pub fn fault(&self) -> Option<&'static str> {
        let small = |value: &f64| value.abs() <= 1e3;
        let columns = self.scaler.columns.iter().flatten();
        let checks = [
            (columns.clone().all(|c| c.mean.abs() <= 1e6), "a mean is out of range"),
            (
                columns.clone().all(|c| c.scale >= 1e-12 && c.scale <= 1e6),
                "a scale is out of range",
            ),
            (self.centroid.iter().all(small), "the centroid is out of range"),
            (self.d_max >= 0.0 && small(&self.d_max), "the reach is out of range"),
            (self.gamma > 0.0 && self.gamma <= 10.0, "gamma is out of range"),
            (self.support.iter().flatten().all(small), "a support vector is out of range"),
            (
                self.alpha.iter().all(|a| *a > 0.0 && *a <= 1.0),
                "a weight of a support vector is out of range",
            ),
            (
                self.support.len() == self.alpha.len(),
                "support vectors and weights differ in number",
            ),
            (small(&self.rho), "the offset is out of range"),
            (
                [self.svm_weight, self.distance_weight]
                    .iter()
                    .all(|w| (0.0..=1.0).contains(w)),
                "a weight is out of range",
            ),
        ];
        checks.into_iter().find_map(|(right, fault)| (!right).then_some(fault))
    }
}

/// Euclidean distance over the features that are there, extrapolated to all of them. A missing feature is taken to be as far away
/// as the others are on average: were it taken to be at its mean, an account that types and points by turns would get a D_max
/// that its owner's full batches exceed, and an impostor who only types would seem near.
pub fn distance(z: &Scaled, centroid: &[f64; DIMENSIONS]) -> f64 {
    let present = z.iter().flatten().count();
    if present == 0 {
        return 0.0;
    }
    let squares: f64 = z.iter().zip(centroid).filter_map(|(z, c)| Some(((*z)? - c).powi(2))).sum();
    (squares * DIMENSIONS as f64 / present as f64).sqrt()
}

/// A missing feature stands at its mean, which is 0 after standardisation: to the SVM it says nothing.
fn impute(z: &Scaled) -> [f64; DIMENSIONS] {
    z.map(|value| value.unwrap_or(0.0))
}

fn squared_distance(a: &[f64; DIMENSIONS], b: &[f64; DIMENSIONS]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

fn matrix(rows: Vec<[f64; DIMENSIONS]>) -> Array2<f64> {
    Array2::from(rows)
}

/// The centre of the one cluster.
fn centroid(scaled: &[[f64; DIMENSIONS]]) -> Result<[f64; DIMENSIONS], FitError> {
    let rows = DatasetBase::from(matrix(scaled.to_vec()));
    let means = KMeans::params(1)
        .n_runs(1)
        .tolerance(CENTRE_TOLERANCE)
        .fit(&rows)
        .map_err(|error| FitError::Solver(error.to_string()))?;
    Ok(std::array::from_fn(|i| means.centroids()[[0, i]]))
}

/// D_max: the mean of the distances plus two of their standard deviations.
fn reach(z: &[Scaled], centroid: &[f64; DIMENSIONS]) -> f64 {
    let n = z.len() as f64;
    let distances: Vec<_> = z.iter().map(|z| distance(z, centroid)).collect();
    let mean = distances.iter().sum::<f64>() / n;
    let variance = distances.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n;
    mean + 2.0 * variance.sqrt()
}

type Support = (Vec<[f64; DIMENSIONS]>, Vec<f64>, f64);

/// Support vectors, their weights, and rho.
fn one_class(scaled: Vec<[f64; DIMENSIONS]>, training: &Training) -> Result<Support, FitError> {
    let rows = Dataset::new(matrix(scaled.clone()), Array1::from_elem(scaled.len(), ()));
    let svm: Svm<f64, bool> = Svm::<f64, Pr>::params()
        .gaussian_kernel(1.0 / training.gamma) // linfa's kernel is exp(-d²/eps)
        .nu_weight(training.nu)
        .eps(SOLVER_TOLERANCE)
        .fit(&rows)
        .map_err(|error| FitError::Solver(error.to_string()))?;
    // linfa accepts NaN without a word, so its result is checked.
    if !svm.rho.is_finite() || svm.alpha.iter().any(|alpha| !alpha.is_finite()) {
        return Err(FitError::Solver("the one-class SVM did not converge".to_owned()));
    }
    let weighty = |alpha: &f64| *alpha > 100.0 * f64::EPSILON;
    let (support, alpha) = scaled.into_iter().zip(svm.alpha).filter(|(_, alpha)| weighty(alpha)).unzip();
    Ok((support, alpha, svm.rho))
}
