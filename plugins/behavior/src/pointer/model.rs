//! Judging actions.

use super::account::Account;
use super::background::Background;
use super::features::Features;
use super::memory::Memory;
use super::training::{Bins, Weights};
use serde::{Deserialize, Serialize};

/// Log-odds that say nothing: impostors whom no background knows look a little like the owner.
const INDIFFERENT: f64 = 0.2;

/// Largest log-odds of an action that are believed.
const LARGEST: f64 = 3.0;

/// Nats per unit of log-odds: the actions of a session are alike, so each says less than it would alone.
const TEMPER: f64 = 0.5;

/// The same where nobody real is in the background.
const NEUTRAL_TEMPER: f64 = 0.2;

/// A model of an account: how its actions differ from those of others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    tag: u64,
    bins: Bins,
    weights: Weights,
    neutral: bool,
}

impl Model {
    /// Trains a model of the account against everybody else in the background: the same every time. `None` if either has fewer
    /// than 30 actions. Against the neutral background, a model knows its owner's ways from an idea of pointing only, and says
    /// less.
    pub fn train(account: &Account, background: &Background) -> Option<Self> {
        Some(Self {
            tag: account.tag(),
            bins: background.bins().clone(),
            weights: background.weights(account)?,
            neutral: background.is_neutral(),
        })
    }

    /// The evidence of an action in nats; positive speaks for the owner, negative for everybody in the background or whomever in
    /// it the session resembles so far, which the memory learns. The account's own share of the background is not asked. Finite,
    /// and no more than 3.1 either way.
    pub fn llr(&self, background: &Background, memory: &mut Memory, action: &Features) -> f64 {
        let believed = |logit: f64| logit.clamp(-LARGEST, LARGEST);
        let own = believed(self.weights.logit(&self.bins, action));
        if self.neutral {
            // The members' log-odds are against real people: they can't be compared.
            return NEUTRAL_TEMPER * (own - INDIFFERENT);
        }
        let members: Vec<f64> = background.logits(action).into_iter().map(believed).collect();
        let crowd = memory.hear(&members, background.member_of(self.tag));
        TEMPER * (own - crowd - INDIFFERENT)
    }

    /// What is wrong with it, if it can't come from [`Model::train`].
    pub fn fault(&self) -> Option<&'static str> {
        self.bins.fault().or_else(|| self.weights.fault())
    }
}
