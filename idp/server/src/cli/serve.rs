//! `gait serve` and `gait healthcheck`.

use super::{ConfigArg, shutdown};
use crate::config::Config;
use crate::reload::Reload;
use crate::{App, log};
use anyhow::{Context as _, bail};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Deadline of a health check.
const DEADLINE: Duration = Duration::from_secs(3);

pub(super) async fn run(arg: &ConfigArg) -> anyhow::Result<()> {
    // Before anything that takes time: without it, the signal would end us.
    let hangup = signal(SignalKind::hangup())?;
    let (config, text) = Config::load_with_text(&arg.config)?;
    let log = log::start(&config.log)?;
    let listen = config.listen;
    let issuer = config.issuer.clone();
    let app = App::builder(config).build().await?;
    let reload = Reload::new(&app, arg.config.clone(), &text, log.controls())?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("can't listen on {listen}"))?;
    tracing::info!(issuer, %listen, "serving");
    let reloading = tokio::spawn(reload.at_each(hangup));
    let served = app.serve(listener, axum::Router::new(), shutdown()).await;
    reloading.abort();
    served
}

/// `gait healthcheck`. For containers: their image has no other program that could ask.
pub(super) async fn healthcheck(arg: &ConfigArg) -> anyhow::Result<()> {
    is_ready(&arg.load()?).await
}

/// Asks the server of a configuration, on this machine, whether it is ready.
///
/// # Errors
/// It doesn't answer, or says why it isn't.
pub(super) async fn is_ready(config: &Config) -> anyhow::Result<()> {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    let client = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build()?;
    let answer = client.get(format!("http://{address}/readyz")).send().await?;
    if !answer.status().is_success() {
        bail!("not ready: {}", answer.text().await?);
    }
    Ok(())
}
