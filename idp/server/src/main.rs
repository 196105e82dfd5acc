//! The `gait` binary.

use clap::Parser;

fn main() -> std::process::ExitCode {
    gait::cli::run(gait::cli::Cli::parse())
}
