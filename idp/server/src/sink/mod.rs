//! Sinks: where events go.

pub mod callbacks;
