//! One account against the crowd.

use super::account::Account;
use super::crowd::Crowd;
use super::timing::Timing;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Largest evidence of one timing, in nats.
pub const CLIP: f64 = 3.0;

/// Share of the crowd's weight that is dealt out anew with each timing: whoever types may have changed.
const SHARE: f32 = 0.002;

/// An account made ready to judge.
pub struct Table {
    own: Vec<f32>,
    crowd: Arc<Crowd>,
    /// The account's own voice in the crowd, which is not asked.
    masked: Option<usize>,
}

/// How much each voice of the crowd resembles whoever is typing: what a session remembers. Empty at its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(Vec<f32>);

impl Table {
    /// Makes an account ready; `None` while there is too little of it.
    pub fn new(account: &Account, crowd: &Arc<Crowd>) -> Option<Self> {
        account.suffices().then(|| Self {
            own: crowd.density(account),
            crowd: Arc::clone(crowd),
            masked: crowd.voice_of(account.tag()),
        })
    }

    /// What a timing says, in nats: positive for the owner, negative for somebody else, at most [`CLIP`] either way, and 0 for
    /// what is no rhythm. The memory learns from it.
    pub fn llr(&self, memory: &mut Memory, timing: &Timing) -> f64 {
        let Some(slot) = self.crowd.slot(timing) else { return 0.0 };
        let voices = self.crowd.voices(slot);
        let weights = memory.ready(voices.len(), self.masked);
        let expected: f32 = weights.iter().zip(voices).map(|(weight, voice)| weight * voice).sum();
        let fresh = SHARE / weights.len() as f32;
        for (weight, voice) in weights.iter_mut().zip(voices) {
            *weight = (1.0 - SHARE) * *weight * voice / expected + fresh;
        }
        if let Some(own) = self.masked {
            weights[own] = 0.0;
        }
        f64::from((self.own[slot] / expected).ln()).clamp(-CLIP, CLIP)
    }
}

impl Memory {
    /// What is wrong with these numbers, if they can't come from [`Table::llr`].
    pub fn fault(&self) -> Option<&'static str> {
        let sound =
            self.0.len() <= super::background::MAX_MEMBERS + 1 && self.0.iter().all(|weight| (0.0..=1.5).contains(weight));
        (!sound).then_some("a weight is out of range")
    }

    /// The weights; all alike at the start, and when the crowd has changed.
    fn ready(&mut self, voices: usize, masked: Option<usize>) -> &mut [f32] {
        let sum: f32 = self.0.iter().sum();
        if self.0.len() != voices || !(0.1..=2.0).contains(&sum) {
            self.0 = vec![1.0 / voices as f32; voices];
            if let Some(own) = masked {
                self.0[own] = 0.0;
            }
        }
        &mut self.0
    }
}
