//! `gait keys`.

use super::ConfigArg;
use clap::Subcommand;

/// Signing keys.
#[derive(Subcommand)]
pub enum Keys {
    /// Makes new signing keys; the old ones stay published until their tokens are dead.
    Rotate {
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
    let (Keys::Rotate { config } | Keys::List { config }) = &command;
    let (app, _) = config.open().await?;
    if matches!(command, Keys::Rotate { .. }) {
        app.idp.rotate_keys().await?;
    }
    for key in app.idp.store().keys().await? {
        let state = match key.retire_at {
            None => "signs".to_owned(),
            Some(at) => format!("published until {}", at.0),
        };
        println!("{}\t{:?}\t{state}", key.kid, key.alg);
    }
    Ok(())
}
