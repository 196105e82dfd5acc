//! What an operator may set of the default model.

use crate::range::within;
use gait_sdk::PluginError;
use serde::{Deserialize, Serialize};

/// Settings of the default model. There is no threshold in them: it follows from how often the owner may be disturbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Hours of activity (typing or pointing all the while) in which the owner is asked for a step-up without need once at most,
    /// 0.5..=200. The longer, the later an impostor is caught.
    pub hours_per_false_step_up: f64,
    /// Evidence at which the session should end, in multiples of what a step-up needs, 1.2..=10.
    pub hard_alarm: f64,
    /// What an address that nobody trusts brings a session nearer to a step-up, as a share of the way, 0..=0.5.
    pub strange_address: f64,
    /// Key presses and pointer actions until an account counts as enrolled, 100..=100000.
    pub enrol_events: u32,
    /// From this clock resolution on, in milliseconds (5..=1000), keystrokes count as missing.
    pub coarse_clock_ms: f64,
    /// Timings of known keys are read where the collector sends them. See the deployment's `watch.key_identity`.
    pub key_identity: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hours_per_false_step_up: 8.0,
            hard_alarm: 2.0,
            strange_address: 0.2,
            enrol_events: 600,
            coarse_clock_ms: 40.0,
            key_identity: true,
        }
    }
}

impl Settings {
    /// Checks every range.
    ///
    /// # Errors
    /// [`PluginError::Config`] that names the key, what it may be and what it is.
    pub fn validate(&self) -> Result<(), PluginError> {
        within("hours_per_false_step_up", self.hours_per_false_step_up, 0.5, 200.0)?;
        within("hard_alarm", self.hard_alarm, 1.2, 10.0)?;
        within("strange_address", self.strange_address, 0.0, 0.5)?;
        within("enrol_events", self.enrol_events, 100, 100_000)?;
        within("coarse_clock_ms", self.coarse_clock_ms, 5.0, 1000.0)
    }
}
