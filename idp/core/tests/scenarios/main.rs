//! Stories in memory, with a stopped clock and without a wire.

mod watch;
mod watch_deliveries;
mod watch_learning;
mod watch_signals;
mod watch_stage;
