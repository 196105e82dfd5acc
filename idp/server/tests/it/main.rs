//! The one integration binary: it links once. Gait from outside, over HTTP and in a real browser; the store's contract.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod browser;
mod contract;
mod harness;
mod stories;
