//! `cargo xtask cluster` and `cargo xtask soak`.

use crate::{step, tools};
use std::ffi::OsStr;

/// Builds the server, and runs two of it with all that belongs to them.
///
/// # Errors
/// A program is missing and can't be installed, something doesn't build, or the check finds something.
pub fn run(check: bool) -> anyhow::Result<()> {
    run_on_nodes("cluster", check.then(|| "--check".to_owned()))
}

/// The same while everything fails.
///
/// # Errors
/// As above.
pub fn soak(args: &[String]) -> anyhow::Result<()> {
    run_on_nodes("soak", args)
}

fn run_on_nodes(name: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> anyhow::Result<()> {
    tools::for_cluster()?;
    step::run(
        "the build",
        step::cargo().args(["build", "--package", "gait", "--bin", "gait"]),
    )?;
    step::run(&format!("the {name}"), step::story().arg(name).args(args))
}
