//! The payload of a record: one or a few feature vectors, and never a raw measurement.

use crate::classic::blob::MAX_VECTORS;
use crate::failure::failed;
use crate::classic::features::Features;
use gait_sdk::{PluginError, Record, Timestamp};
use serde::{Deserialize, Serialize};

const VERSION: u32 = 1;

/// What is kept of a batch for learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sample {
    v: u32,
    /// Oldest first.
    vectors: Vec<Features>,
}

impl Sample {
    pub(crate) fn record(vectors: Vec<Features>, at: Timestamp) -> Result<Record, PluginError> {
        let sample = Self { v: VERSION, vectors };
        let payload = serde_json::to_value(sample).map_err(|error| failed(format!("a sample can't be written: {error}")))?;
        Ok(Record { id: None, at, payload })
    }

    /// The vectors of a record; none if the payload is not one of ours. A single record that can't be read must not keep the
    /// account's whole training from going on.
    pub(crate) fn vectors(record: &Record) -> Vec<Features> {
        match Self::deserialize(&record.payload) {
            Ok(sample) if sample.v == VERSION && sample.vectors.len() <= MAX_VECTORS => sample
                .vectors
                .into_iter()
                .filter(|vector| vector.count() > 0 && vector.is_plausible())
                .collect(),
            _ => Vec::new(),
        }
    }
}
