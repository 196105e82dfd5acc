//! Stories of the provider, in memory, with a stopped clock and without a wire.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod flow;
mod protocol;
mod watch;
mod watch_deliveries;
mod watch_learning;
mod watch_scorer;
mod watch_signals;
mod watch_stage;
mod watch_tokens;
