//! Gait: the wires.

pub mod store;
