//! The classic model computes what scikit-learn computes. `fixture.py` writes the numbers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use gait_behavior::classic::fit::Classic;
use gait_behavior::classic::features::{DIMENSIONS, Features};
use gait_behavior::classic::template::Training;
use serde::Deserialize;

/// Relative tolerance.
const RELATIVE: f64 = 1e-3;

type Row = [f64; DIMENSIONS];

#[derive(Deserialize)]
struct Document {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    nu: f64,
    gamma: f64,
    svm_weight: f64,
    distance_weight: f64,
    train: Vec<Row>,
    scaled: Vec<Row>,
    centroid: Row,
    d_max: f64,
    test: Vec<Row>,
    decision: Vec<f64>,
    vote: Vec<bool>,
    distance: Vec<f64>,
    fitness: Vec<f64>,
}

impl Case {
    fn fit(&self) -> Classic {
        let Self {
            nu,
            gamma,
            svm_weight,
            distance_weight,
            ..
        } = *self;
        let training = Training {
            nu,
            gamma,
            svm_weight,
            distance_weight,
            quantile: 0.05,
        };
        Classic::fit(&self.train.iter().map(vector).collect::<Vec<_>>(), &training).unwrap()
    }
}

fn vector(row: &Row) -> Features {
    Features(row.map(Some))
}

fn cases() -> Vec<Case> {
    let document: Document = serde_json::from_str(include_str!("fixture.json")).unwrap();
    assert_eq!(
        document.cases.iter().map(|case| case.train.len()).collect::<Vec<_>>(),
        [20, 100, 300]
    );
    document.cases
}

/// `floor` is absolute, for quantities whose true value may be 0.
fn agree(what: &str, ours: f64, theirs: f64, floor: f64) {
    let allowed = (RELATIVE * theirs.abs()).max(floor);
    assert!((ours - theirs).abs() <= allowed, "{what}: {ours} is not {theirs}");
}

#[test]
fn standardised_data_agree() {
    for case in cases() {
        let classic = case.fit();
        for (i, (row, scaled)) in case.train.iter().zip(&case.scaled).enumerate() {
            let ours = classic.scaler.scale(&vector(row));
            for j in 0..DIMENSIONS {
                // A value at the mean is 0 but for the rounding of a subtraction.
                agree(
                    &format!("{}: row {i}, column {j}", case.name),
                    ours[j].unwrap(),
                    scaled[j],
                    1e-9,
                );
            }
        }
    }
}

#[test]
fn centroid_and_reach_agree() {
    for case in cases() {
        let classic = case.fit();
        for j in 0..DIMENSIONS {
            // The centroid of standardised data is 0 but for rounding.
            agree(
                &format!("{}: centroid {j}", case.name),
                classic.centroid[j],
                case.centroid[j],
                1e-9,
            );
        }
        agree(&format!("{}: D_max", case.name), classic.d_max, case.d_max, 0.0);
    }
}

#[test]
fn decisions_votes_distances_and_fitness_agree() {
    for case in cases() {
        let classic = case.fit();
        assert!(case.test.len() >= 30);
        for (i, row) in case.test.iter().enumerate() {
            let scaled = classic.scaler.scale(&vector(row));
            let what = |name: &str| format!("{}: point {i}, {name}", case.name);
            // A decision value crosses 0 at the region's border; rho, which is subtracted, is of size 1 to 20.
            let decision = classic.decision(&scaled);
            agree(&what("decision"), decision, case.decision[i], 1e-6);
            assert_eq!(decision > 0.0, case.vote[i], "{}", what("vote"));
            agree(&what("distance"), classic.distance(&scaled), case.distance[i], 0.0);
            // The closeness crosses 0 at D_max.
            agree(&what("fitness"), classic.fitness(&scaled), case.fitness[i], 1e-9);
        }
    }
}
