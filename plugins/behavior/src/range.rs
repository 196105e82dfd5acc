//! Checking what an operator has set.

use crate::failure;
use gait_sdk::PluginError;
use std::fmt::Debug;

/// Refuses what is not between the two bounds; NaN too, which is in no range.
pub(crate) fn within<T: PartialOrd + Debug>(key: &str, value: T, low: T, high: T) -> Result<(), PluginError> {
    if value >= low && value <= high {
        return Ok(());
    }
    Err(failure::config(format!("{key} must be {low:?} to {high:?}, not {value:?}")))
}
