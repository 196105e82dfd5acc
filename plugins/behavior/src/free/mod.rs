//! Whatever is typed in an app: how long keys are held, and how long it takes from one to the next.
//!
//! An [`Account`] counts timings in cells of a fixed logarithmic grid ([`grid`]): all holds together, all digraphs together, and,
//! where key identities were agreed to, each key and each digraph of its own. Counts are all that is kept: no order, no text. What
//! a passed step-up has proven to be the owner's, although it looked strange, is counted apart, as another context (another
//! keyboard, a tired evening), so that the same strangeness is known the next time.
//!
//! A [`Background`] is some dozens of other accounts. Whether a timing speaks for the owner depends on who else would have made
//! it, so the question is never "is it likely for the owner?", but "is it likelier for the owner than for whoever of the crowd has
//! typed most alike so far?". [`Crowd`] is the background made ready for that, and [`Table`] the account against it.
//! [`Memory`] is what a session remembers: how much each of the crowd, and each of the owner's contexts, resembles whoever is
//! typing.

mod account;
mod background;
mod context;
mod counts;
mod crowd;
mod density;
pub mod grid;
mod memory;
mod neutral;
mod table;
#[cfg(test)]
mod tests;
mod timing;

pub use account::Account;
pub use background::Background;
pub use crowd::Crowd;
pub use memory::Memory;
pub use table::{CLIP, Table};
pub use timing::{Kind, Timing};

use crate::sequential::Threshold;

/// With key identities; fitted on the development half of IKDD at 3,000 keys per hour, with some margin.
const KEYED: Threshold = Threshold { hourly: 6.6, power: 0.4 };

/// Without; as above.
const PLAIN: Threshold = Threshold { hourly: 5.3, power: 0.6 };

/// The value of a [`crate::sequential::Cusum`] over what [`Table::llr`] says, key by key (a hold and a digraph), at which an alarm
/// is due, by the hours of typing per false alarm.
pub fn threshold(identities: bool, hours: f64) -> f64 {
    if identities { KEYED } else { PLAIN }.at(hours)
}
