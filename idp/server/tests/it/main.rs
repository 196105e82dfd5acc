//! Gait from outside: one binary, so that it links once. Stories over HTTP, and in a real browser.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod browser;
mod harness;
mod stories;
