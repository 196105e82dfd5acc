//! What a template says of a sample.

/// The judgement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// The higher, the less like the owner.
    pub score: f64,
    /// Evidence in nats, positive for the owner, clipped.
    pub llr: f64,
    /// The sample lies well inside the account's own range: it may be learned without a proof.
    pub inside: bool,
    /// An attack that was recognised.
    pub attack: Option<Attack>,
}

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Too like one earlier sample.
    Replay,
    /// Too even for a hand.
    Regular,
    /// Like people on average rather than like the owner.
    Synthetic,
}
