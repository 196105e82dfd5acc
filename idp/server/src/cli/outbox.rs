//! `gait outbox`: what clients have not been told yet, and what was given up.

use super::ConfigArg;
use anyhow::{anyhow, bail};
use clap::{Args, Subcommand};
use gait_core::event::{Delivery, DeliveryState, What};
use gait_core::ids::{ClientId, DeliveryId};
use gait_core::store::DeliveryFilter;
use gait_sdk::Timestamp;
use uuid::Uuid;

/// Most deliveries that are listed.
const MOST: u32 = 1000;

/// Deliveries to clients.
#[derive(Subcommand)]
pub enum Outbox {
    /// Lists deliveries that have not arrived: id, state, client, channel, event, age, attempts, last error.
    List {
        #[command(flatten)]
        config: ConfigArg,
        /// Only those that were given up.
        #[arg(long)]
        dead: bool,
        /// Only those to this client.
        #[arg(long)]
        client: Option<String>,
    },
    /// Tries again what was given up or set aside, now and for another day. Receivers see the same `jti`.
    Replay {
        #[command(flatten)]
        config: ConfigArg,
        #[command(flatten)]
        which: Which,
    },
    /// Deletes a delivery that has not arrived.
    Drop {
        #[command(flatten)]
        config: ConfigArg,
        /// Its id.
        id: Uuid,
    },
}

/// Which deliveries.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// This one.
    id: Option<Uuid>,
    /// All to this client.
    #[arg(long)]
    client: Option<String>,
    /// All.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(command: Outbox) -> anyhow::Result<()> {
    match command {
        Outbox::List { config, dead, client } => list(&config, dead, client).await,
        Outbox::Replay { config, which } => replay(&config, which).await,
        Outbox::Drop { config, id } => {
            let (app, _) = config.open().await?;
            match app.idp.store().drop_delivery(DeliveryId(id)).await? {
                true => Ok(()),
                false => Err(anyhow!("there is no open delivery {id}")),
            }
        }
    }
}

async fn list(config: &ConfigArg, dead: bool, client: Option<String>) -> anyhow::Result<()> {
    let (app, _) = config.open().await?;
    let which = DeliveryFilter {
        id: None,
        client: client.map(ClientId),
        dead,
    };
    let deliveries = app.idp.store().deliveries(&which, MOST).await?;
    let now = app.idp.ports().now();
    for delivery in &deliveries {
        println!("{}", line(delivery, now)?);
    }
    if deliveries.len() == MOST as usize {
        eprintln!("only the oldest {MOST} are shown");
    }
    Ok(())
}

fn line(delivery: &Delivery, now: Timestamp) -> anyhow::Result<String> {
    let state = match delivery.state {
        DeliveryState::Queued => "waits",
        DeliveryState::Aside(_) => "aside",
        DeliveryState::Arrived(_) => "arrived",
        DeliveryState::Dead(_) => "dead",
    };
    let channel = serde_json::to_value(delivery.channel)?;
    let age_s = now.since(delivery.event.at());
    Ok(format!(
        "{}\t{state}\t{}\t{}\t{}\t{}\t{}\t{}",
        delivery.id,
        delivery.client,
        channel.as_str().unwrap_or_default(),
        kind(&delivery.event.what)?,
        age(age_s),
        delivery.attempts,
        delivery.last_error.as_deref().unwrap_or("-"),
    ))
}

/// What happened, in the word that events have for it.
fn kind(what: &What) -> anyhow::Result<String> {
    let what = serde_json::to_value(what)?;
    Ok(what["event"].as_str().unwrap_or_default().to_owned())
}

fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..=119 => format!("{seconds}s"),
        seconds @ 120..=7199 => format!("{}min", seconds / 60),
        seconds @ 7200..=172_799 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

async fn replay(config: &ConfigArg, which: Which) -> anyhow::Result<()> {
    let (app, _) = config.open().await?;
    let filter = DeliveryFilter {
        id: which.id.map(DeliveryId),
        client: which.client.map(ClientId),
        dead: false,
    };
    let replayed = app.idp.replay(&filter).await?;
    if let (0, Some(id)) = (replayed, which.id) {
        bail!("{id} was neither given up nor set aside");
    }
    println!("{replayed} to be tried again");
    Ok(())
}
