//! What the scorer remembers of one session: strikes, and batches in doubt that may turn out to be the owner's after all.

use crate::classic::config::Config;
use crate::failure::{corrupt, failed};
use crate::classic::features::{Features, Group};
use crate::classic::verdict::Verdict;
use gait_sdk::{Alarm, PluginError, State};
use serde::{Deserialize, Serialize};

/// Batches that are held back at most; further ones are not learned from.
const MAX_HELD: usize = 8;

/// A refused batch further away than this many D_max is never learned from, whatever follows it. Practically all of the owner's
/// batches are nearer, and one vector from far outside would widen the scale and the reach of the whole template.
const LEARN_REACH: f64 = 1.5;

/// The state between two batches. At most some 2 kB as JSON.
///
/// **What is learned from.** Only a session without strikes yields vectors: an impostor's rhythm must not become the owner's.
/// But to learn from accepted batches alone poisons the template in another way: each retraining would cut the outermost few
/// percent off, then the outermost few percent of what is left, until it refuses every other batch of the owner's. So the batches
/// since the first strike are held back, and handed over once the owner's rhythm has taken every strike off without an alarm
/// between.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    /// Refused batches less accepted ones.
    strikes: u32,
    /// Typing has struck since there were no strikes.
    typing: bool,
    /// Pointing has struck since there were no strikes.
    pointing: bool,
    /// Batches since the first strike, oldest first.
    held: Vec<Features>,
}

impl Session {
    pub(crate) fn read(state: &State) -> Result<Self, PluginError> {
        if state.0.is_empty() {
            return Ok(Self::default());
        }
        let session: Self = serde_json::from_slice(&state.0).map_err(|_| corrupt("the session's state is not in its format"))?;
        if session.held.len() > MAX_HELD || !session.held.iter().all(Features::is_plausible) {
            return Err(corrupt("the session's state is out of range"));
        }
        Ok(session)
    }

    pub(crate) fn write(&self) -> Result<State, PluginError> {
        if *self == Self::default() {
            return Ok(State::default());
        }
        let bytes = serde_json::to_vec(self).map_err(|error| failed(format!("the session can't be written: {error}")))?;
        Ok(State(bytes))
    }

    /// Counts a judged batch: the alarm that stands now, and what may be learned from, oldest first.
    pub(crate) fn observe(&mut self, features: Features, verdict: &Verdict, config: &Config) -> (Alarm, Vec<Features>) {
        if verdict.refused() {
            self.strike(verdict, config);
        } else {
            self.relent(&features);
        }
        let alarm = self.alarm(config);
        if alarm != Alarm::None {
            self.held.clear();
            return (alarm, Vec::new());
        }
        if self.strikes == 0 {
            let mut learnable = std::mem::take(&mut self.held);
            learnable.push(features);
            return (alarm, learnable);
        }
        if verdict.relative_distance <= LEARN_REACH && self.held.len() < MAX_HELD {
            self.held.push(features);
        }
        (alarm, Vec::new())
    }

    /// True if a batch of this session may be learned from, although no template can judge it.
    pub(crate) fn is_clean(&self) -> bool {
        self.strikes == 0
    }

    fn strike(&mut self, verdict: &Verdict, config: &Config) {
        self.strikes = (self.strikes + 1).min(config.hard_strikes);
        let suspects = verdict.suspects();
        self.typing |= suspects.contains(&Group::Typing);
        self.pointing |= suspects.contains(&Group::Pointing);
    }

    /// An accepted batch takes a strike off, but only if it measures what struck: nobody clicks away a strange way to type.
    fn relent(&mut self, features: &Features) {
        let answers = (self.typing && features.covers(Group::Typing)) || (self.pointing && features.covers(Group::Pointing));
        if answers {
            self.strikes = self.strikes.saturating_sub(1);
        }
        if self.strikes == 0 {
            (self.typing, self.pointing) = (false, false);
        }
    }

    fn alarm(&self, config: &Config) -> Alarm {
        if self.strikes >= config.hard_strikes {
            Alarm::Hard
        } else if self.strikes >= config.soft_strikes {
            Alarm::Soft
        } else {
            Alarm::None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::classic::features::DIMENSIONS;

    const TYPED: Features = Features([Some(90.0), Some(100.0), None, None, None, None, Some(5.0), None]);
    const CLICKED: Features = Features([None, None, None, Some(1.0), Some(90.0), None, None, None]);

    fn verdict(fitness: f64, relative_distance: f64) -> Verdict {
        let mut z = [None; DIMENSIONS];
        z[0] = Some(4.0);
        Verdict {
            fitness,
            threshold: 0.1,
            relative_distance,
            z,
        }
    }

    #[test]
    fn strikes_climb_to_soft_and_hard_and_no_further() {
        let (mut session, config) = (Session::default(), Config::default());
        let alarms: Vec<_> = (0..9)
            .map(|_| session.observe(TYPED, &verdict(0.0, 3.0), &config).0)
            .collect();
        use Alarm::{Hard, None, Soft};
        assert_eq!(alarms, [None, None, Soft, Soft, Soft, Hard, Hard, Hard, Hard]);
        assert_eq!(session.strikes, 6);
    }

    #[test]
    fn a_strange_way_to_type_is_not_clicked_away() {
        let (mut session, config) = (Session::default(), Config::default());
        for _ in 0..2 {
            session.observe(TYPED, &verdict(0.0, 3.0), &config);
        }
        for _ in 0..5 {
            assert_eq!(session.observe(CLICKED, &verdict(0.9, 0.2), &config), (Alarm::None, vec![]));
        }
        assert_eq!(session.observe(TYPED, &verdict(0.0, 3.0), &config).0, Alarm::Soft);
    }

    #[test]
    fn batches_in_doubt_are_learned_once_the_owner_is_back() {
        let (mut session, config) = (Session::default(), Config::default());
        for _ in 0..2 {
            assert_eq!(session.observe(CLICKED, &verdict(0.05, 1.1), &config), (Alarm::None, vec![]));
        }
        assert_eq!(session.observe(TYPED, &verdict(0.7, 0.5), &config), (Alarm::None, vec![]));
        assert_eq!(
            session.observe(TYPED, &verdict(0.7, 0.5), &config),
            (Alarm::None, vec![CLICKED, CLICKED, TYPED, TYPED])
        );
        assert_eq!(session, Session::default());
    }

    #[test]
    fn a_batch_from_far_away_or_before_an_alarm_is_never_learned() {
        let (mut session, config) = (Session::default(), Config::default());
        session.observe(CLICKED, &verdict(0.0, 1.6), &config);
        assert_eq!(session.observe(TYPED, &verdict(0.7, 0.5), &config).1, [TYPED]);
        let alarms: Vec<_> = (0..3)
            .map(|_| session.observe(CLICKED, &verdict(0.05, 1.1), &config).0)
            .collect();
        assert_eq!(alarms[2], Alarm::Soft);
        let after: Vec<_> = (0..3)
            .flat_map(|_| session.observe(TYPED, &verdict(0.7, 0.5), &config).1)
            .collect();
        assert!(!after.contains(&CLICKED) && after.contains(&TYPED));
    }

    #[test]
    fn a_state_that_is_not_ours_is_refused() {
        for bytes in [
            &b"x"[..],
            b"{}",
            br#"{"strikes":-1,"typing":false,"pointing":false,"held":[]}"#,
        ] {
            assert!(matches!(
                Session::read(&State(bytes.to_vec())),
                Err(PluginError::Corrupt { .. })
            ));
        }
    }

    #[test]
    fn the_largest_state_fits() {
        let long = Features([Some(1.234_567_890_123_456_7e-300); DIMENSIONS]);
        let session = Session {
            strikes: 50,
            typing: true,
            pointing: true,
            held: vec![long; MAX_HELD],
        };
        let state = session.write().unwrap();
        assert!(state.0.len() <= gait_sdk::MAX_STATE_BYTES, "{}", state.0.len());
        assert_eq!(Session::read(&state).unwrap(), session);
    }
}
