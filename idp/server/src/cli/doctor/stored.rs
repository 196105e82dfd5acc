//! What is stored: the database, and what is in it. It is opened to read alone.

use super::{Finding, Patient};
use crate::master;
use crate::ports::SystemClock;
use crate::store::{Database, Schema, schema};
use anyhow::Context as _;
use gait_core::client::Alg;
use gait_core::ports::Clock as _;
use gait_core::store::{OperationStore as _, OutboxStore as _, StoredKey};
use gait_core::token::keys::{ALGS, check};

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

/// The database answers, with a schema that this Gait knows, and its keys open with this master key.
pub(super) async fn database(patient: &Patient) -> Vec<Finding> {
    let Schema { found, known } = match schema(&patient.config).await {
        Ok(schema) => schema,
        Err(error) => return vec![Finding::fail(format!("{error:#}"), "[database], data_dir, or a backup")],
    };
    vec![match found {
        None => Finding::warn("not made yet", "the first start makes it"),
        Some(found) if found < known => Finding::warn(
            format!("schema {found}, and this Gait knows {known}"),
            "the next start brings it up to date; take a backup before",
        ),
        Some(found) if found > known => Finding::fail(
            format!("schema {found} is newer than this Gait, which knows {known}"),
            "use the newer Gait, or a backup",
        ),
        Some(_) => match opens(patient).await {
            Ok(()) => Finding::ok(format!("schema {known}")),
            Err(error) => Finding::fail(format!("{error:#}"), "a master key of another database, or damage"),
        },
    }]
}

/// Whether what is sealed in it opens with this master key. Without one there is nothing to try, and that is told by itself.
async fn opens(patient: &Patient) -> anyhow::Result<()> {
    let database = Database::look(&patient.config).await?;
    if master::is_there(&patient.config) {
        let master = master::load(&patient.config)?;
        let opened = check(&database, &master, SystemClock.now()).await;
        opened.context("the signing keys can't be opened")?;
    }
    Ok(())
}

/// The database, if it needs no change.
async fn looked(patient: &Patient) -> Option<Database> {
    let schema = schema(&patient.config).await.ok()?;
    match schema.found == Some(schema.known) {
        true => Database::look(&patient.config).await.ok(),
        false => None,
    }
}

/// Every algorithm has a key that signs, and none is old.
pub(super) async fn keys(patient: &Patient) -> Vec<Finding> {
    let Some(store) = looked(patient).await else {
        return Vec::new();
    };
    let keys = match store.keys().await {
        Ok(keys) => keys,
        Err(error) => return vec![Finding::fail(error.to_string(), "the database")],
    };
    if keys.is_empty() {
        return vec![Finding::warn("not made yet", "the first start makes them")];
    }
    ALGS.map(|alg| of_alg(alg, &keys)).into()
}

fn of_alg(alg: Alg, keys: &[StoredKey]) -> Finding {
    let signing = keys.iter().filter(|key| key.alg == alg && key.retire_at.is_none());
    let newest = signing.map(|key| key.created_at.0).max();
    match newest.map(|made| (SystemClock.now().0 - made) / 86_400) {
        None => Finding::fail(format!("no {alg:?} key signs"), "gait keys rotate"),
        Some(days) if days > OLD_DAYS => Finding::warn(format!("{alg:?}: {days} days old"), "gait keys rotate"),
        Some(days) => Finding::ok(format!("{alg:?}: {days} days old")),
    }
}

/// Whether apps are told what they must know.
pub(super) async fn outbox(patient: &Patient) -> Vec<Finding> {
    let Some(store) = looked(patient).await else {
        return Vec::new();
    };
    vec![match store.backlog().await {
        Err(error) => Finding::fail(error.to_string(), "the database"),
        Ok(backlog) if backlog.dead_letters > 0 => Finding::warn(format!("{} dead letters", backlog.dead_letters), DEAD),
        Ok(_) => Finding::ok("no dead letters"),
    }]
}
