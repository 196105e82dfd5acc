//! The pointer channel: actions of a mouse, or of a finger, against those of other people.

mod account;
mod action;
mod background;
mod codebook;
mod features;
mod kinematics;
mod model;
mod training;

pub use account::Account;
pub use action::{Action, Kind, LONGEST, REST, REST_MS, actions};
pub use background::Background;
pub use features::{Features, MEASURES};
pub use model::Model;
pub use training::knob;
