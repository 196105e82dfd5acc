//! `gait keys`.

use super::ConfigArg;
use clap::Subcommand;
use gait_core::token::keys::Rotation;

/// Signing keys.
#[derive(Subcommand)]
pub enum Keys {
    /// Makes and publishes new signing keys, which sign from two minutes later on, when every node has them; the old ones stay
    /// published until their tokens are dead.
    Rotate {
        /// Sign with them at once, because the old ones are no longer to be trusted.
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Lists the published keys.
    List {
        #[command(flatten)]
        config: ConfigArg,
    },
}

pub(super) async fn run(command: Keys) -> anyhow::Result<()> {
    let (Keys::Rotate { config, .. } | Keys::List { config }) = &command;
    let (app, _) = config.open().await?;
    if let Keys::Rotate { now, .. } = command {
        let rotation = if now { Rotation::AtOnce } else { Rotation::Announced };
        app.idp.rotate_keys(rotation).await?;
    }
    for key in app.idp.store().keys().await? {
        let state = match key.retire_at {
            None => format!("signs from {}", key.signs_from.0),
            Some(at) => format!("published until {}", at.0),
        };
        println!("{}\t{:?}\t{state}", key.kid, key.alg);
    }
    Ok(())
}
