//! `cargo xtask cluster` (see [`cluster`]) and `cargo xtask story`: one scripted run of the whole loop over HTTP, with its numbers. The provider is the real one, on a real
//! listener and a real database; addresses come through a trusted proxy's header; mail is caught. Fails if a bound is broken.

mod app;
mod browser;
mod cluster;
mod collector;
mod cookies;
mod http;
mod mailbox;
mod person;
mod provider;
mod receiver;
mod script;
mod soak;

use clap::Parser as _;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // One TLS stack; nothing was installed before.
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _log = std::env::var_os("GAIT_LOG").map(|_| gait::log::start(&gait::config::LogConfig::default()));
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args[..] {
        ["cluster"] => cluster::run(false).await,
        ["cluster", "--check"] => cluster::run(true).await,
        ["soak", ..] => soak::run(soak::Options::parse_from(&args)).await,
        _ => script::run().await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("broken off: {error:#}");
            ExitCode::FAILURE
        }
    }
}
