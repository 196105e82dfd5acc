//! `relying-party`: the example app, run alone.

use anyhow::Context;
use clap::Parser;
use relying_party::Config;

/// A small app that signs people in with Gait and is watched by it.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter(log_filter()).init();
    let config = Cli::parse().config;
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("can't listen on {}", config.listen))?;
    tracing::info!(url = %config.public_url, issuer = %config.issuer, "the example app is up");
    tokio::select! {
        served = relying_party::serve(listener, config) => served?,
        _ = tokio::signal::ctrl_c() => tracing::info!("stopped"),
    }
    Ok(())
}

fn log_filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into())
}
