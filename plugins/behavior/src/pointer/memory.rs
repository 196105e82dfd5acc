//! What a session remembers of the pointer.

use super::background::MEMBERS;
use serde::{Deserialize, Serialize};

/// Weight of everybody at the start; the members share the rest.
const EVERYBODY: f32 = 0.5;

/// Share of the weight that is dealt out anew with each action, as whoever points may have changed.
const FRESH: f32 = 0.05;

/// The power of what a voice said by which its weight moves: the actions of a session are alike, and less sure than they are many.
const VOTE: f32 = 0.25;

/// How much everybody, and each member of the background, resembles whoever is pointing. Empty at the start of a session, and to
/// be emptied after a passed step-up. About 100 bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory(Vec<f32>);

impl Memory {
    /// What everybody, whose log-odds are 0, and the members say together, as log-odds; then the weights move to those that said
    /// it loudest. The member that is `mute` is not asked.
    pub(super) fn hear(&mut self, logits: &[f64], mute: Option<usize>) -> f64 {
        let start = start(logits.len(), mute);
        if self.0.len() != start.len() || !(0.5..=1.5).contains(&self.0.iter().sum::<f32>()) {
            self.0.clone_from(&start);
        }
        if let Some(weight) = mute.and_then(|member| self.0.get_mut(member + 1)) {
            *weight = 0.0;
        }
        let voices = || std::iter::once(1.0).chain(logits.iter().map(|logit| logit.exp() as f32));
        let together: f32 = self.0.iter().zip(voices()).map(|(weight, voice)| weight * voice).sum();
        self.0
            .iter_mut()
            .zip(voices())
            .for_each(|(weight, voice)| *weight *= voice.powf(VOTE));
        let kept = (1.0 - FRESH) / self.0.iter().sum::<f32>();
        for (weight, start) in self.0.iter_mut().zip(start) {
            *weight = (*weight * kept + FRESH * start).min(1.0);
        }
        f64::from(together).ln()
    }

    /// What is wrong with these numbers, if they can't come from [`super::Model::llr`].
    pub fn fault(&self) -> Option<&'static str> {
        let sound = self.0.len() <= MEMBERS + 1 && self.0.iter().all(|weight| (0.0..=1.0).contains(weight));
        (!sound).then_some("a weight is out of range")
    }
}

/// The weights at the start: everybody's, then the members'.
fn start(members: usize, mute: Option<usize>) -> Vec<f32> {
    let asked = members - usize::from(mute.is_some_and(|member| member < members));
    if asked == 0 {
        let everybody = std::iter::once(1.0);
        return everybody.chain(std::iter::repeat_n(0.0, members)).collect();
    }
    let share = (1.0 - EVERYBODY) / asked as f32;
    let voice = |member| if Some(member) == mute { 0.0 } else { share };
    std::iter::once(EVERYBODY).chain((0..members).map(voice)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_resembles_a_member_is_recognised() {
        let mut memory = Memory::default();
        let first = memory.hear(&[2.0, -2.0], None);
        let later = (0..20).map(|_| memory.hear(&[2.0, -2.0], None)).last().unwrap();
        assert!(later > first + 0.3 && later <= 2.0, "{first} {later}");
        let changed = (0..40).map(|_| memory.hear(&[-2.0, 2.0], None)).last().unwrap();
        assert!((changed - later).abs() < 0.05, "{changed}");
        assert_eq!(memory.fault(), None);
    }

    #[test]
    fn a_mute_member_has_no_voice() {
        let (mut with, mut without) = (Memory::default(), Memory::default());
        for _ in 0..10 {
            assert_eq!(with.hear(&[1.0, 3.0], Some(1)), without.hear(&[1.0], None));
        }
        assert_eq!(Memory::default().hear(&[3.0], Some(0)), 0.0);
        assert_eq!(Memory::default().hear(&[], None), 0.0);
    }

    #[test]
    fn another_crowd_is_met_without_prejudice() {
        let mut memory = Memory::default();
        (0..20).for_each(|_| {
            memory.hear(&[3.0, -3.0], None);
        });
        assert_eq!(memory.hear(&[1.0], None), Memory::default().hear(&[1.0], None));
    }

    #[test]
    fn it_is_small_and_a_doctored_one_is_refused() {
        let mut memory = Memory::default();
        memory.hear(&[0.5; MEMBERS], None);
        assert!(postcard::to_allocvec(&memory).unwrap().len() <= 300);
        assert!(Memory(vec![0.0; MEMBERS + 2]).fault().is_some());
        assert!(Memory(vec![f32::NAN]).fault().is_some() && Memory(vec![-0.1]).fault().is_some());
    }
}
