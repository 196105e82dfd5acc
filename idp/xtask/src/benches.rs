//! `cargo xtask bench`.

use crate::step;
use anyhow::Context as _;
use std::process::Command;

/// Builds Gait as it is run in production (and not for the dev mode) and the load generator, and measures.
///
/// # Errors
/// The build fails, or a server answers otherwise than it must.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    println!("Building in release");
    // Both at once: what they share is compiled once.
    let packages = ["--package", "gait", "--package", "xtask"];
    let binaries = ["--bin", "gait", "--bin", "bench"];
    let mut build = step::cargo();
    build.args([
        "build",
        "--quiet",
        "--release",
        "--no-default-features",
        "--features",
        "xtask/bench",
    ]);
    step::run("the build", build.args(packages).args(binaries))?;
    let us = std::env::current_exe()?;
    let built = us.ancestors().nth(2).context("no folder above")?.join("release");
    step::run("the bench", Command::new(built.join("bench")).args(args))
}
