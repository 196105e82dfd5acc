//! Sinks: where events go.

pub mod callbacks;
pub mod elasticsearch;
