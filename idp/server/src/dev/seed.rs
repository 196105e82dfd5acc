//! Enrols `alice` at the first start: consent, 300 batches of her rhythm through the real scorer, mode `auth`.

use super::rhythm::{Rhythm, normals};
use anyhow::Context as _;
use gait_core::Idp;
use gait_core::account::{BehaviourConsent, Identifier, Mode};
use gait_core::flow::BEHAVIOUR_TEXT_VERSION;

/// Batches that alice is enrolled from; enough for steady thresholds.
const BATCHES: u64 = 300;
const SEED: u64 = 1;

/// Does nothing if she is enrolled already, or has withdrawn her consent meanwhile.
///
/// # Errors
/// The store is away.
pub async fn enrol_alice(idp: &Idp) -> anyhow::Result<()> {
    let name = Identifier::parse("alice").context("alice")?;
    let alice = idp.store().account_by(&name).await?.context("the demo declares alice")?;
    if !idp.store().behaviour_consents(alice.id).await?.is_empty() {
        return Ok(());
    }
    let consent = BehaviourConsent {
        account: alice.id,
        purpose: "continuous_auth".to_owned(),
        text_version: BEHAVIOUR_TEXT_VERSION.to_owned(),
        at: idp.ports().now(),
        withdrawn_at: None,
    };
    idp.store().give_consent(&consent, &[]).await?;
    let rhythm = Rhythm::named("alice")?;
    let mut normal = normals(SEED);
    let batches: Vec<_> = (1..=BATCHES).map(|seq| rhythm.sample(&mut normal).batch(seq)).collect();
    idp.enrol_from(&alice, &batches).await?;
    idp.store().set_mode(alice.id, Mode::Auth, &[]).await?;
    Ok(())
}
