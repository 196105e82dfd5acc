//! Steps of a chore: programs that must succeed.

use anyhow::{Context as _, ensure};
use std::process::Command;
use xtask::root;

/// The cargo that runs us.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The program behind the chores that drive the whole server; further arguments are its own.
pub fn story() -> Command {
    let mut command = cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--features",
        "story",
        "--bin",
        "story",
        "--",
    ]);
    command
}

/// Runs a program in the top folder, its output being ours.
///
/// # Errors
/// It can't be started, or it fails.
pub fn run(name: &str, command: &mut Command) -> anyhow::Result<()> {
    let status = command.current_dir(root()).status();
    let status = status.with_context(|| format!("{name}: {} can't be started", command.get_program().display()))?;
    ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}
