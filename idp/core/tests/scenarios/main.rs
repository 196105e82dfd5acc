//! Stories of the provider, in memory and with a stopped clock, without a wire.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod flow;
mod measures;
mod protocol;
mod purge;
mod watch;
mod watch_background;
mod watch_deliveries;
mod watch_learning;
mod watch_quarantine;
mod watch_scorer;
mod watch_signals;
mod watch_stage;
mod watch_tokens;
