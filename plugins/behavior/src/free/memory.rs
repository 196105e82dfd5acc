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
    pub fn hear(&mut self, voices: &[f32], mute: &[usize], share: f32) -> f32 {
        let asked = voices.len().saturating_sub(mute.len()).max(1) as f32;
        if self.0.len() != voices.len() || !(0.5..=1.5).contains(&sum(&self.0)) {
            self.0 = vec![1.0 / asked; voices.len()];
            self.silence(mute);
        }
        let together = product(&self.0, voices);
        self.0
            .iter_mut()
            .zip(voices)
            .for_each(|(weight, voice)| *weight *= voice.sqrt());
        let (kept, fresh) = ((1.0 - share) / sum(&self.0), share / asked);
        self.0
            .iter_mut()
            .for_each(|weight| *weight = (*weight * kept + fresh).min(1.0));
        self.silence(mute);
        together
    }

    fn silence(&mut self, mute: &[usize]) {
        for voice in mute {
            if let Some(weight) = self.0.get_mut(*voice) {
                *weight = 0.0;
            }
        }
    }
}

/// Numbers that are added side by side: a single sum would have to wait for each addition.
const LANES: usize = 8;

fn sum(weights: &[f32]) -> f32 {
    let (lanes, rest) = weights.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for lane in lanes {
        sums.iter_mut().zip(lane).for_each(|(sum, weight)| *sum += weight);
    }
    sums.iter().chain(rest).sum()
}

fn product(weights: &[f32], voices: &[f32]) -> f32 {
    let ((weights, weights_left), (voices, voices_left)) = (weights.as_chunks::<LANES>(), voices.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (weight, voice) in weights.iter().zip(voices) {
        for i in 0..LANES {
            sums[i] += weight[i] * voice[i];
        }
    }
    let left: f32 = weights_left
        .iter()
        .zip(voices_left)
        .map(|(weight, voice)| weight * voice)
        .sum();
    left + sums.iter().sum::<f32>()
}
