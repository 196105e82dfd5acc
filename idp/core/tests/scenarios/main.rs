//! Stories of the provider, in memory and with a stopped clock.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod flow;
mod protocol;
