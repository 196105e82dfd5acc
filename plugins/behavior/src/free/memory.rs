//! What a session remembers.

use super::background::MAX_MEMBERS;
use serde::{Deserialize, Serialize};

/// Weights that a vote may have, at most: everybody's voice, and each member's.
const MAX_VOICES: usize = MAX_MEMBERS + 1;

/// How much each voice of the crowd, and each context of the owner's, resembles whoever is typing. Empty at the start of a
/// session, and to be emptied after a passed step-up. About 400 bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    pub(super) crowd: Votes,
    pub(super) owner: Votes,
}

impl Memory {
    /// What is wrong with these numbers, if they can't come from [`super::Table::llr`].
    pub fn fault(&self) -> Option<&'static str> {
        let sound = |votes: &Votes| votes.0.len() <= MAX_VOICES && votes.0.iter().all(|weight| (0.0..=1.0).contains(weight));
        (!sound(&self.crowd) || !sound(&self.owner)).then_some("a weight is out of range")
    }
}

/// Weights that sum to 1: a mixture that learns which of its voices to listen to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Votes(Vec<f32>);

impl Votes {
    /// What the voices say together; then the weights move to those that said it loudest. They move by the square root only, as
    /// timings of one session are alike and less sure than they are many, and `share` of the weight is dealt out anew, as whoever
    /// types may have changed. Voices that are `mute` are not asked.
    pub fn hear(&mut self, voices: &[f32], mute: impl Fn(usize) -> bool, share: f32) -> f32 {
        let asked = (0..voices.len()).filter(|i| !mute(*i)).count().max(1) as f32;
        if self.0.len() != voices.len() || !(0.5..=1.5).contains(&self.0.iter().sum::<f32>()) {
            self.0 = (0..voices.len()).map(|i| if mute(i) { 0.0 } else { 1.0 / asked }).collect();
        }
        let together: f32 = self.0.iter().zip(voices).map(|(weight, voice)| weight * voice).sum();
        self.0
            .iter_mut()
            .zip(voices)
            .for_each(|(weight, voice)| *weight *= voice.sqrt());
        let kept = (1.0 - share) / self.0.iter().sum::<f32>();
        for (i, weight) in self.0.iter_mut().enumerate() {
            *weight = if mute(i) {
                0.0
            } else {
                (*weight * kept + share / asked).min(1.0)
            };
        }
        together
    }
}
