//! What is kept of an action.

use super::action::Action;
use super::measures::measure;
use serde::{Deserialize, Serialize};

pub use super::measures::MEASURES;

/// An action as it is kept: one byte a measurement, no place and no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Features([u8; MEASURES]);

impl Features {
    /// The codes, one a measurement.
    pub(super) fn codes(&self) -> &[u8; MEASURES] {
        &self.0
    }
}

impl From<Features> for Vec<u8> {
    fn from(features: Features) -> Self {
        features.0.to_vec()
    }
}

impl TryFrom<Vec<u8>> for Features {
    type Error = &'static str;

    fn try_from(codes: Vec<u8>) -> Result<Self, Self::Error> {
        codes
            .try_into()
            .map(Self)
            .map_err(|_| "an action has another number of measurements")
    }
}

impl Action {
    /// Measures the action.
    pub fn features(&self) -> Features {
        Features(measure(self))
    }
}
