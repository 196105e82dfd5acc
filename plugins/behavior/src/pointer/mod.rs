//! The pointer channel: how a mouse, or a finger, is moved, against how other people move theirs.
//!
//! The strokes that a browser sends are split into [`Action`]s; an action is kept as [`Features`], five bits a measurement. An
//! [`Account`] keeps some of its actions, a [`Background`] some of many accounts', and a [`Model`] is an additive logistic
//! regression of the one against the other, on bins that the background fills equally, with weights that are smooth from bin to
//! bin. The background's members have such weights as well: a session is compared with those of them that it resembles, which its
//! [`Memory`] learns. The evidence of a session is the sum of its actions'.

mod account;
mod action;
mod alarm;
mod background;
mod codebook;
mod features;
mod kinematics;
mod measures;
mod memory;
mod model;
mod neutral;
mod training;

pub use account::Account;
pub use action::{Action, Kind, LONGEST, REST_MS, actions};
pub use alarm::threshold;
pub use background::Background;
pub use features::{Features, MEASURES};
pub use memory::Memory;
pub use model::Model;

#[cfg(test)]
mod tests;
