//! Judging actions.

use super::account::Account;
use super::background::Background;
use super::features::Features;
use super::training::{Bins, Weights, train};
use serde::{Deserialize, Serialize};

/// Fewest actions that a model is made of.
const FEWEST: usize = 30;

/// Log-odds that say nothing: impostors whom no background knows look a little like the owner.
const INDIFFERENT: f64 = 0.25;

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
    bins: Bins,
    weights: Weights,
    neutral: bool,
}

impl Model {
    /// Trains a model of the account against everybody else in the background: the same every time. `None` if either has fewer
    /// than 30 actions. Against the neutral background, a model knows its owner's ways from an idea of pointing only, and says
    /// less.
    pub fn train(account: &Account, background: &Background) -> Option<Self> {
        let own: Vec<&Features> = account.actions().collect();
        let others = background.others(account.tag());
        if own.len() < FEWEST || others.len() < FEWEST {
            return None;
        }
        Some(Self {
            bins: background.bins().clone(),
            weights: train(background.bins(), &own, &others),
            neutral: background.is_neutral(),
        })
    }

    /// The evidence of an action in nats; positive speaks for the owner. Finite, and no more than 1.625 either way.
    pub fn llr(&self, action: &Features) -> f64 {
        let logit = self.weights.logit(&self.bins, action).clamp(-LARGEST, LARGEST);
        let temper = if self.neutral { NEUTRAL_TEMPER } else { TEMPER };
        temper * (logit - INDIFFERENT)
    }

    /// What is wrong with it, if it can't come from [`Model::train`].
    pub fn fault(&self) -> Option<&'static str> {
        self.bins.fault().or_else(|| self.weights.fault())
    }
}
