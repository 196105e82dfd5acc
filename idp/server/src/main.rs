//! The `gait` binary.

use clap::Parser;

/// Less CPU than the system's, and what an argon2 of 19 MiB took goes back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    gait::cli::run(gait::cli::Cli::parse())
}
