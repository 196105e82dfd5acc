//! One measurement.

use gait_sdk::KeyTiming;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From a key's going down to its coming up.
    Hold,
    /// From a key's going down to the next one's going down.
    Digraph,
}

/// A timing, with or without the identity of its keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// What was measured.
    pub kind: Kind,
    /// The key, 1..=255; 0 where it is not known.
    pub key: u8,
    /// The key after it, where both are known and this is a digraph; 0 otherwise.
    pub next: u8,
    /// Milliseconds.
    pub ms: f64,
}

impl Timing {
    /// A hold of an unknown key.
    pub fn hold(ms: f64) -> Self {
        Self {
            kind: Kind::Hold,
            key: 0,
            next: 0,
            ms,
        }
    }

    /// A digraph of unknown keys.
    pub fn digraph(ms: f64) -> Self {
        Self {
            kind: Kind::Digraph,
            ..Self::hold(ms)
        }
    }

    /// The same timing without the identity of its keys.
    pub fn anonymous(self) -> Self {
        Self { key: 0, next: 0, ..self }
    }

    /// What is counted on its own: a number for each key and each digraph; `None` where the keys are not known.
    pub(crate) fn feature(&self) -> Option<u16> {
        let known = self.key != 0 && (self.kind == Kind::Hold) == (self.next == 0);
        known.then(|| u16::from_be_bytes([self.key, self.next]))
    }
}

impl From<&KeyTiming> for Timing {
    fn from(timing: &KeyTiming) -> Self {
        Self {
            kind: if timing.next == 0 { Kind::Hold } else { Kind::Digraph },
            key: timing.key,
            next: timing.next,
            ms: f64::from(timing.ms),
        }
    }
}

/// The kind of a feature; see [`Timing::feature`].
pub(crate) fn kind_of(feature: u16) -> Kind {
    if feature.to_be_bytes()[1] == 0 {
        Kind::Hold
    } else {
        Kind::Digraph
    }
}
