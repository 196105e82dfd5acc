//! The short soak: each fault once. It needs `gait` beside it, which `cargo test --workspace` builds.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn what_was_acknowledged_holds_through_every_fault_and_nothing_is_spent_twice() {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_story"));
    assert!(soak.args(["soak", "--short"]).status().unwrap().success());
}
