//! What is remembered of one session between two batches: how far the evidence has piled up, and what was seen.

use super::Settings;
use super::replay::Sketches;
use crate::failure::{corrupt, failed};
use crate::sequential::Cusum;
use crate::{free, pointer};
use gait_sdk::{Alarm, PluginError, State};
use serde::{Deserialize, Serialize};

/// Passages and strokes that a session remembers.
const TIMINGS: usize = 40;
const STROKES: usize = 96;

/// The state of a session.
///
/// Each event's log-likelihood ratio, in units of its channel's threshold, is taken off the sum. From 1 on a step-up is asked for,
/// from [`Settings::hard_alarm`] on the session should end. A passed step-up begins a new state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The evidence of the address has been counted.
    begun: bool,
    /// Up to [`Settings::hard_alarm`].
    sum: Cusum,
    /// Whom the typing resembles.
    pub(crate) crowd: free::Memory,
    /// Whom the pointing resembles.
    pub(crate) pointing: pointer::Memory,
    /// What was seen in this session.
    pub(crate) seen: Sketches,
}

impl Session {
    /// Reads a state.
    ///
    /// # Errors
    /// [`PluginError::Corrupt`] for one that [`Session::write`] has not written.
    pub(crate) fn read(state: &State, settings: &Settings) -> Result<Self, PluginError> {
        if state.0.is_empty() {
            return Ok(Self::default());
        }
        let session: Self = postcard::from_bytes(&state.0).map_err(|_| corrupt("the session's state is not in its format"))?;
        let sane = (0.0..=settings.hard_alarm).contains(&session.sum.value)
            && session.seen.fits(TIMINGS, STROKES)
            && session.crowd.fault().is_none()
            && session.pointing.fault().is_none();
        if sane {
            Ok(session)
        } else {
            Err(corrupt("the session's state is out of range"))
        }
    }

    /// Writes it down.
    ///
    /// # Errors
    /// [`PluginError::Failed`] if that is impossible.
    pub(crate) fn write(&self) -> Result<State, PluginError> {
        let bytes = postcard::to_allocvec(self).map_err(|error| failed(format!("the session can't be written: {error}")))?;
        Ok(State(bytes))
    }

    /// Counts what the address says, once: a strange one brings the alarm nearer, a known one can't put it off. True if this is a
    /// session from an address that is not trusted.
    pub(crate) fn begin(&mut self, ip_score: Option<f64>, settings: &Settings) -> bool {
        let trust = ip_score.filter(|score| score.is_finite()).unwrap_or(1.0).clamp(0.0, 1.0);
        if !self.begun {
            self.begun = true;
            self.sum.value += settings.strange_address * (1.0 - trust);
        }
        trust < 0.5
    }

    /// Counts one event: its log-likelihood ratio in nats, and its channel's threshold in nats.
    pub(crate) fn count(&mut self, llr: f64, threshold: f64, settings: &Settings) {
        self.sum.step(llr, threshold);
        self.sum.value = self.sum.value.min(settings.hard_alarm);
    }

    /// Ends a batch that began in this state: nobody is thrown out who has not been asked before.
    pub(crate) fn ask_first(&mut self, before: &Cusum, settings: &Settings) {
        if !before.is_due() {
            self.sum.value = self.sum.value.min(f64::midpoint(1.0, settings.hard_alarm));
        }
    }

    /// The sum.
    pub(crate) fn sum(&self) -> Cusum {
        self.sum
    }

    /// What was recognised as forged is a step-up at once, and the end if it goes on.
    pub(crate) fn condemn(&mut self, settings: &Settings) {
        self.sum.value = (self.sum.value + 1.0).min(settings.hard_alarm);
    }

    /// Remembers what was seen.
    pub(crate) fn remember(&mut self, sketches: Sketches) {
        self.seen.add(sketches, TIMINGS, STROKES);
    }

    /// True if there is no reason for doubt: far below the alarm.
    pub(crate) fn is_calm(&self) -> bool {
        self.sum.value < 0.5
    }

    /// The alarm that stands.
    pub(crate) fn alarm(&self, settings: &Settings) -> Alarm {
        if self.sum.value >= settings.hard_alarm {
            Alarm::Hard
        } else if self.sum.is_due() {
            Alarm::Soft
        } else {
            Alarm::None
        }
    }
}
