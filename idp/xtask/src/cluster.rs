//! `cargo xtask cluster`.

use crate::{step, tools};

/// Builds the server, and runs two of it with all that belongs to them.
///
/// # Errors
/// A program is missing and can't be installed, something doesn't build, or the check finds something.
pub fn run(check: bool) -> anyhow::Result<()> {
    tools::for_cluster()?;
    step::run(
        "the build",
        step::cargo().args(["build", "--package", "gait", "--bin", "gait"]),
    )?;
    let mut cluster = step::story();
    cluster.arg("cluster").args(check.then_some("--check"));
    step::run("the cluster", &mut cluster)
}
