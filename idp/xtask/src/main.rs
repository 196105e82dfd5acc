//! `cargo xtask`: the chores of this repository.

mod benches;
mod cluster;
mod step;
mod tests;
mod tools;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Chores of this repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Installs what the tests need, and runs all of them.
    Test {
        /// What `cargo test --workspace` should be given besides, for example `-- --nocapture`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Starts what docker-compose.yml describes as processes on this machine, until Ctrl-C.
    Cluster {
        /// Look whether it holds: sign-ins over both nodes, a revocation, a killed node, a rolling restart; then end.
        #[arg(long)]
        check: bool,
    },
    /// Lets nodes, servers, networks and disks fail while people use them, and looks whether what was acknowledged holds; prints counts.
    Soak {
        /// Options of the soak: `--minutes N`, `--seed N`, `--short`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Signs in over HTTP, is watched, and is thrown out: prints what happened, and fails if a bound is broken.
    Story,
    /// Measures what each thing costs in CPU time, beside a peer and beside the goals, and prints tables.
    Bench {
        /// Options of the bench; `--help` says which there are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Test { args } => tests::run(&args),
        Chore::Bench { args } => benches::run(&args),
        Chore::Cluster { check } => cluster::run(check),
        Chore::Soak { args } => cluster::soak(&args),
        Chore::Story => step::run("the story", &mut step::story()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
