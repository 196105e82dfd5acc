//! The composite fitness of a sign-in: behaviour and the address together, as originally designed. Pure.

use crate::policy::WatchPolicy;

/// What a sign-in's risk signals say of its waivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInTrust {
    /// Nothing: no model, no sample, not enough data, mode `train`, or in between.
    Neutral,
    /// High: the behaviour may waive a row.
    Waives,
    /// Low: no waiver counts in this sign-in.
    RemovesWaivers,
}

/// Weighs the scorer's fitness (0.0–1.0) with the IP trust score (0.0–1.0, absent = 0.0). `None` without a fitness.
pub fn composite(fitness: Option<f64>, ip_score: Option<f64>, policy: &WatchPolicy) -> Option<f64> {
    todo!()
}

/// What a composite says.
pub fn judge(composite: Option<f64>, policy: &WatchPolicy) -> SignInTrust {
    todo!()
}
