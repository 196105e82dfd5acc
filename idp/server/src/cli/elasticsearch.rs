//! `gait elasticsearch`.

use super::ConfigArg;
use crate::sink::elasticsearch::{client, install};
use anyhow::Context as _;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum Elasticsearch {
    /// Installs what the data streams need: lifecycle policies, fields, templates. May be run again.
    Setup(ConfigArg),
}

pub(super) async fn run(command: Elasticsearch) -> anyhow::Result<()> {
    let Elasticsearch::Setup(arg) = command;
    let config = arg
        .load()?
        .elasticsearch
        .context("[elasticsearch] is missing in the configuration")?;
    let events = format!("logs-gait.events-{}", config.namespace);
    install(&client(&config)?, &events).await?;
    println!("installed: {events} and its like are ready");
    Ok(())
}
