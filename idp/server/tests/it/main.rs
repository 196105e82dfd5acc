//! Gait from outside: one binary, so that it links once. The contract of the stores, stories over HTTP, and a real browser.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![allow(
    clippy::disallowed_methods,
    reason = "outside of Gait there is a real clock, and real randomness"
)]
#![allow(
    clippy::cloned_ref_to_slice_refs,
    reason = "a list of one reads like the lists of two beside it"
)]

mod browser;
mod contract;
mod harness;
mod operate;
mod stories;
mod tidy;
