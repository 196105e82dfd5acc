//! One account against the crowd.

use super::account::Account;
use super::crowd::Crowd;
use super::memory::Memory;
use super::timing::Timing;
use std::sync::Arc;

/// Largest evidence of one timing, in nats: what the lattice of a clock, or one strange key, may say at most.
pub const CLIP: f64 = 3.0;

/// What is added to the evidence of each timing, in nats: nobody types quite as on the days of the enrolment. With it, Page's
/// test at h nats has a false alarm in about e^h keys.
const ALLOWANCE: f64 = 0.05;

/// Share of the weight that is dealt out anew with each timing: among the crowd, and among the owner's contexts.
const CROWD_SHARE: f32 = 0.002;
const OWNER_SHARE: f32 = 0.005;

/// An account made ready to judge.
pub struct Table {
    /// For each slot of the crowd, the density in each context.
    own: Vec<f32>,
    contexts: usize,
    crowd: Arc<Crowd>,
    /// Voices of the crowd that are not asked.
    mute: Vec<usize>,
}

impl Table {
    /// Makes an account ready; `None` while there is too little of it. If it is in the crowd itself, neither its own voice is
    /// asked nor everybody's, in which it speaks too.
    pub fn new(account: &Account, crowd: &Arc<Crowd>) -> Option<Self> {
        let densities = crowd.densities(account.suffices().then_some(account)?);
        let slots = densities.first()?.len();
        let contexts = |slot: usize| densities.iter().map(move |density| density[slot]);
        Some(Self {
            own: (0..slots).flat_map(contexts).collect(),
            contexts: densities.len(),
            crowd: Arc::clone(crowd),
            mute: crowd.voice_of(account.tag()).map_or_else(Vec::new, |own| vec![0, own]),
        })
    }

    /// What a timing says, in nats: positive for the owner, negative for somebody else, at most [`CLIP`] either way, and 0 for
    /// what is no rhythm. The memory learns from it.
    pub fn llr(&self, memory: &mut Memory, timing: &Timing) -> f64 {
        let Some(slot) = self.crowd.slot(timing) else { return 0.0 };
        let crowd = memory.crowd.hear(self.crowd.voices(slot), &self.mute, CROWD_SHARE);
        let own = &self.own[slot * self.contexts..(slot + 1) * self.contexts];
        let owner = memory.owner.hear(own, &[], OWNER_SHARE);
        (f64::from(owner / crowd).ln() + ALLOWANCE).clamp(-CLIP, CLIP)
    }
}
