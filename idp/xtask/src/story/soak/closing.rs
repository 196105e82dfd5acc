//! Once all is well again: whatever was acknowledged is looked for.

use super::deployment::Deployment;
use super::guest::Guest;
use super::ledger::Ledger;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the nodes have to see that all is well.
const CALM: Duration = Duration::from_secs(3);
/// How much is looked at at once.
const AT_ONCE: usize = 16;
/// Looks whether all callbacks have come, and the pause between two of them: three minutes in all.
const LOOKS: u32 = 180;
const BREATH: Duration = Duration::from_secs(1);

/// Looks at everything. `guests` are all who have an account.
pub async fn look(deployment: &Deployment, guests: &mut [Guest], ledger: &Ledger) {
    tokio::time::sleep(CALM).await;
    ledger.all_is_well();
    join_all(guests.iter_mut().map(Guest::settle)).await;
    let Some(anybody) = guests.first() else { return };
    for dead in ledger.all_dead().chunks(AT_ONCE) {
        join_all(dead.iter().map(|dead| anybody.use_dead(dead))).await;
    }
    for idle in ledger.all_idle().chunks(AT_ONCE) {
        join_all(idle.iter().map(|once| anybody.spend_again(once))).await;
    }
    for guest in guests.iter() {
        guest.submit_all_again().await;
    }
    if let Err(why) = look_at_keys(deployment, ledger).await {
        ledger.violation(why.context("keys"));
    }
    if let Err(why) = look_at_callbacks(deployment, ledger).await {
        ledger.violation(why.context("callbacks"));
    }
}

/// Notes the keys that a deployment publishes.
///
/// # Errors
/// They can't be read.
pub async fn note_keys(deployment: &Deployment, ledger: &Ledger) -> anyhow::Result<()> {
    for node in &deployment.nodes {
        ledger.published(published(deployment, &node.url).await?);
    }
    Ok(())
}

async fn published(deployment: &Deployment, node: &str) -> anyhow::Result<BTreeSet<String>> {
    let keys = deployment.app()?.at(node).keys().await?.keys;
    Ok(keys.into_iter().filter_map(|key| key.common.key_id).collect())
}

/// No key that was published is lost, on any node.
async fn look_at_keys(deployment: &Deployment, ledger: &Ledger) -> anyhow::Result<()> {
    let ever = ledger.all_published();
    for node in &deployment.nodes {
        let now = published(deployment, &node.url).await?;
        for lost in ever.difference(&now) {
            ledger.violation(format_args!("{} doesn't publish the key {lost} any more", node.name));
        }
        ledger.done("look at published keys");
    }
    Ok(())
}

/// Each app was told of each sign-out, at least once.
async fn look_at_callbacks(deployment: &Deployment, ledger: &Ledger) -> anyhow::Result<()> {
    let app = deployment.app()?;
    let keys = app.keys().await?;
    let mut missing = ledger.all_signed_out();
    for _ in 0..LOOKS {
        let told = deployment.receiver.told(&app, &keys)?;
        let logouts = told.into_iter().filter(|(_, what)| what.starts_with("backchannel-logout"));
        for sid in logouts.filter_map(|(sid, _)| sid) {
            if missing.remove(&sid) {
                ledger.done("back-channel logout received");
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(BREATH).await;
    }
    for sid in missing {
        ledger.violation(format_args!("the app was never told of the sign-out of session {sid}"));
    }
    Ok(())
}
