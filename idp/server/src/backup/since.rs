//! What a database tells of that a restored one doesn't know: withdrawals and erasures since the backup was taken.

use crate::App;
use futures_util::TryStreamExt as _;
use gait_core::event::{Event, What};
use gait_core::ids::EventId;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use std::collections::BTreeSet;
use std::path::Path;

/// The events of a database that are withdrawals of consent, erasures, or the disabling of an account, oldest first.
pub(super) async fn takings_back(database: &Path) -> anyhow::Result<Vec<Event>> {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .create_if_missing(false)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    let mut events = Vec::new();
    let mut rows = sqlx::query("SELECT body FROM event ORDER BY seq").fetch(&mut connection);
    while let Some(row) = rows.try_next().await? {
        // Events of a newer Gait may be unreadable, and are none of those that we look for.
        if let Ok(event) = serde_json::from_str::<Event>(row.try_get(0)?)
            && takes_back(&event.what)
        {
            events.push(event);
        }
    }
    drop(rows);
    connection.close().await?;
    Ok(events)
}

fn takes_back(what: &What) -> bool {
    matches!(
        what,
        What::BehaviourErased | What::ConsentChanged { given: false, .. } | What::AccountDisabled { .. }
    )
}

/// Carries out those of `events` that `known` doesn't hold. Returns how many.
pub(super) async fn repeat(app: &App, events: &[Event], known: &[Event]) -> anyhow::Result<usize> {
    let known: BTreeSet<EventId> = known.iter().map(|event| event.id).collect();
    let store = app.idp.store();
    let mut repeated = 0;
    for event in events.iter().filter(|event| !known.contains(&event.id)) {
        let Some(account) = event.account else { continue };
        if store.account(account).await?.is_none() {
            continue;
        }
        let (at, noted) = (event.at(), std::slice::from_ref(event));
        match &event.what {
            What::BehaviourErased => store.erase_behaviour(account, noted).await?,
            What::ConsentChanged { purpose, .. } if purpose == gait_core::account::PASSWORD_PURPOSE => {
                store.withdraw_password_consent(account, at, noted).await?;
            }
            What::ConsentChanged { .. } => store.withdraw_consent(account, at, noted).await?,
            What::AccountDisabled { disabled } => store.set_disabled(account, disabled.then_some(at), noted).await?,
            _ => continue,
        }
        repeated += 1;
    }
    Ok(repeated)
}
