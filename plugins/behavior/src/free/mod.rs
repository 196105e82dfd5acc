//! Whatever is typed in an app: how long keys are held, and how long it takes from one to the next.
//!
//! An [`Account`] counts timings in cells of a fixed logarithmic grid ([`grid`]): all holds together, all digraphs together, and,
//! where key identities were agreed to, each key and each digraph of its own. Counts are all that is kept: no order, no text.
//!
//! A [`Background`] is a handful of other accounts. Whether a timing speaks for the owner depends on who else would have made it,
//! so the question is never "is it likely for the owner?", but "is it likelier for the owner than for whoever of the crowd has
//! typed most alike so far?". [`Crowd`] is the background made ready for that, and [`Table`] the account against it.
//! [`Memory`] is what a session remembers: how much each of the crowd resembles whoever is typing.

mod account;
mod background;
mod counts;
mod crowd;
mod density;
pub mod grid;
mod table;
mod timing;

pub use account::Account;
pub use background::Background;
pub use crowd::Crowd;
pub use table::{Memory, Table};
pub use timing::{Kind, Timing};

use crate::sequential::Threshold;

/// The value of a [`crate::sequential::Cusum`] over keys (two timings each) at which an alarm is due, by the hours of activity per
/// false alarm.
pub fn threshold(identities: bool, hours: f64) -> f64 {
    let threshold = if identities { KEYED } else { PLAIN };
    threshold.at(hours)
}

/// Thresholds with key identities.
const KEYED: Threshold = Threshold {
    hourly: 8.0,
    doubling: 1.0,
};

/// Thresholds without.
const PLAIN: Threshold = Threshold {
    hourly: 8.0,
    doubling: 1.0,
};
