//! `relying-party`: the example app, run alone.

use anyhow::Context;
use clap::Parser;
use relying_party::{Config, Secret};
use std::path::PathBuf;

/// A small app that signs people in with Gait and is watched by it.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    config: Config,
    /// File that holds the client secret.
    #[arg(long, env = "RP_CLIENT_SECRET_FILE")]
    client_secret_file: Option<PathBuf>,
    /// File that holds the API's client secret.
    #[arg(long, env = "RP_API_CLIENT_SECRET_FILE")]
    api_client_secret_file: Option<PathBuf>,
    /// File that holds the bearer secret of signals.
    #[arg(long, env = "RP_SIGNAL_SECRET_FILE")]
    signal_secret_file: Option<PathBuf>,
}

impl Cli {
    /// The settings, with the secrets that files hold.
    fn config(self) -> anyhow::Result<Config> {
        let mut config = self.config;
        for (file, secret) in [
            (self.client_secret_file, &mut config.client_secret),
            (self.api_client_secret_file, &mut config.api_client_secret),
            (self.signal_secret_file, &mut config.signal_secret),
        ] {
            if let Some(file) = file {
                let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
                *secret = Secret::from(text.trim_end());
            }
        }
        Ok(config)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter(log_filter()).init();
    let config = Cli::parse().config()?;
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
