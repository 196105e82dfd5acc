//! What is stored: the database, and what is in it. Nothing is written, and an older schema isn't brought up to date.

use super::{Finding, Patient};
use crate::mail::{Catcher, Outlet};
use crate::ports::SystemClock;
use crate::store::{Schema, schema};
use crate::{App, master};
use gait_core::client::Alg;
use gait_core::ports::Clock as _;

/// Days after which a signing key is old.
const OLD_DAYS: i64 = 180;
/// A dead letter's hint.
const DEAD: &str =
    "an app may not know of a revocation: `gait outbox list --dead` says which; mend its endpoint, then `gait outbox replay`";

/// There is a master key, and nobody else can read it.
pub(super) async fn master_key(patient: &Patient) -> Vec<Finding> {
    let config = &patient.config;
    if !master::is_there(config) {
        return vec![match config.database_file().exists() {
            true => Finding::fail(
                format!(
                    "{}: missing, but there is a database that was begun with one",
                    master::place(config)
                ),
                "put it back from where you keep its copy",
            ),
            false => Finding::warn(
                format!("{}: not made yet", master::place(config)),
                "the first start makes it; keep a copy",
            ),
        }];
    }
    vec![match master::load(config) {
        Ok(_) => Finding::ok(format!("{}; keep a copy", master::place(config))),
        Err(error) => Finding::fail(format!("{error:#}"), "32 bytes as base64, readable by its owner alone"),
    }]
}

/// The database answers, with a schema that this Gait knows, and was begun with this master key.
pub(super) async fn database(patient: &Patient) -> Vec<Finding> {
    vec![match schema(&patient.config).await {
        Err(error) => Finding::fail(format!("{error:#}"), "[database], data_dir, or a backup"),
        Ok(Schema { found: None, .. }) => Finding::warn("not made yet", "the first start makes it"),
        Ok(Schema {
            found: Some(found),
            known,
        }) if found < known => Finding::warn(
            format!("schema {found}, and this Gait knows {known}"),
            "the next start brings it up to date; take a backup before",
        ),
        Ok(Schema {
            found: Some(found),
            known,
        }) if found > known => Finding::fail(
            format!("schema {found} is newer than this Gait, which knows {known}"),
            "use the newer Gait, or a backup",
        ),
        Ok(Schema { known, .. }) => match open(patient).await {
            Ok(_) => Finding::ok(format!("schema {known}")),
            Err(error) => Finding::fail(format!("{error:#}"), "a master key of another database, or damage"),
        },
    }]
}

/// The provider on a database that needs no change; `None` if there is none.
async fn opened(patient: &Patient) -> Option<App> {
    let schema = schema(&patient.config).await.ok()?;
    match schema.found == Some(schema.known) && master::is_there(&patient.config) {
        true => open(patient).await.ok(),
        false => None,
    }
}

async fn open(patient: &Patient) -> anyhow::Result<App> {
    let builder = App::builder(patient.config.clone()).outlet(Outlet::Catch(Catcher::default()));
    builder.without_declaring().build().await
}

/// Every algorithm has a key that signs, and none is old.
pub(super) async fn keys(patient: &Patient) -> Vec<Finding> {
    let Some(app) = opened(patient).await else { return Vec::new() };
    let keys = match app.idp.store().keys().await {
        Ok(keys) => keys,
        Err(error) => return vec![Finding::fail(error.to_string(), "the database")],
    };
    let today = SystemClock.now().0;
    let mut findings = Vec::new();
    for alg in [Alg::RS256, Alg::ES256, Alg::EdDSA] {
        let signing = keys.iter().filter(|key| key.alg == alg && key.retire_at.is_none());
        let newest = signing.map(|key| key.created_at.0).max();
        findings.push(match newest.map(|made| (today - made) / 86_400) {
            None => Finding::fail(format!("no {alg:?} key signs"), "gait keys rotate"),
            Some(days) if days > OLD_DAYS => Finding::warn(format!("{alg:?}: {days} days old"), "gait keys rotate"),
            Some(days) => Finding::ok(format!("{alg:?}: {days} days old")),
        });
    }
    findings
}

/// Whether apps are told what they must know.
pub(super) async fn outbox(patient: &Patient) -> Vec<Finding> {
    let Some(app) = opened(patient).await else { return Vec::new() };
    vec![match app.idp.store().backlog().await {
        Err(error) => Finding::fail(error.to_string(), "the database"),
        Ok(backlog) if backlog.dead_letters > 0 => Finding::warn(format!("{} dead letters", backlog.dead_letters), DEAD),
        Ok(_) => Finding::ok("no dead letters"),
    }]
}
