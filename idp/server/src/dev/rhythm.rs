//! The demo rhythms: a generator with its parameters, no recording of anybody.

use anyhow::Context as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, StandardNormal};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct File {
    rhythms: BTreeMap<String, Rhythm>,
}

/// How one metric of a rhythm is drawn.
#[derive(Clone, Debug, Deserialize)]
struct Metric {
    n: usize,
    mean: f64,
    sd: f64,
    batch_sd: f64,
    min: f64,
}

/// One rhythm of `examples/relying-party/rhythms.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Rhythm(BTreeMap<String, Metric>);

impl Rhythm {
    /// The rhythm of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        let mut file: File = serde_json::from_str(relying_party::RHYTHMS)?;
        file.rhythms
            .remove(name)
            .with_context(|| format!("there is no rhythm {name}"))
    }

    /// The metrics of one batch: per metric one draw for the batch, and one for each of its values.
    pub fn metrics(&self, normal: &mut impl FnMut() -> f64) -> Value {
        let mut metrics = Map::new();
        for (name, metric) in &self.0 {
            let centre = metric.mean + metric.batch_sd * normal();
            let values = (0..metric.n).map(|_| (centre + metric.sd * normal()).max(metric.min));
            metrics.insert(name.clone(), values.collect());
        }
        Value::Object(metrics)
    }
}

/// Standard normal numbers, always the same for a seed.
pub fn normals(seed: u64) -> impl FnMut() -> f64 {
    let mut rng = StdRng::seed_from_u64(seed);
    move || StandardNormal.sample(&mut rng)
}
