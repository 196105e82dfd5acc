//! Security events: from the store, at least once, under their own id, so twice changes nothing.

use super::bulk::Document;
use super::{Shipper, document};
use gait_core::Idp;
use gait_core::error::Result;
use gait_core::ids::EventId;
use gait_core::store::StoreError;
use gait_sdk::PluginId;
use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::OnceCell;

/// Events of a request.
const PAGE: u32 = 500;
/// Tries of a round; the next round tries again.
const TRIES: usize = 4;
/// Milliseconds that one document about the models stands for.
const MODELS_EVERY_MS: i64 = 300_000;
/// Ages of models: younger than so many days.
const AGES: [(i64, &str); 4] = [(1, "day"), (7, "week"), (30, "month"), (90, "quarter")];

/// Ships events.
pub struct Events {
    shipper: Shipper,
    /// Installs what the streams need, before the first document.
    setup: bool,
    is_set_up: OnceCell<()>,
    /// The five minutes of which the models' state was told last.
    told_slot: AtomicI64,
}

impl Events {
    /// Over this shipper; `setup` says whether to install templates first.
    pub fn new(shipper: Shipper, setup: bool) -> Self {
        Self {
            shipper,
            setup,
            is_set_up: OnceCell::new(),
            told_slot: AtomicI64::new(i64::MIN),
        }
    }

    /// Ships all that isn't there yet. A leased job calls it.
    ///
    /// # Errors
    /// A store is away; what has not arrived is tried again by the next round.
    pub async fn round(&self, idp: &Idp) -> Result<()> {
        if self.setup {
            let install = super::install(&self.shipper.client, &self.shipper.name);
            let done = self.is_set_up.get_or_try_init(|| install).await;
            done.map_err(|error| away(&error.to_string()))?;
        }
        loop {
            let events = idp.store().unshipped_events(PAGE).await?;
            if events.is_empty() {
                return self.ship_models(idp).await;
            }
            let documents = events.iter().map(|event| Document {
                id: event.id.to_string(),
                source: document::of_event(event),
            });
            let left = self.shipper.send(documents.collect(), Some(TRIES)).await;
            let waiting: HashSet<&str> = left.iter().map(|document| document.id.as_str()).collect();
            let is_settled = |id: &EventId| !waiting.contains(id.to_string().as_str());
            let settled: Vec<EventId> = events.iter().map(|event| event.id).filter(is_settled).collect();
            idp.store().events_shipped(&settled).await?;
            if !left.is_empty() {
                return Err(away(&format!("{} events wait for Elasticsearch", left.len())).into());
            }
        }
    }

    /// How many models there are and how old they are, once in five minutes: two nodes that tell of the same five minutes write one
    /// document.
    async fn ship_models(&self, idp: &Idp) -> Result<()> {
        let Some(scorer) = idp.registry().scorer() else {
            return Ok(());
        };
        let slot = idp.ports().clock.now_ms().div_euclid(MODELS_EVERY_MS);
        if self.told_slot.swap(slot, Ordering::Relaxed) != slot {
            let document = of_models(idp, &scorer.manifest().id, slot).await?;
            // The next one tells the same: what doesn't arrive in some tries is not missed.
            self.shipper.send(vec![document], Some(TRIES)).await;
        }
        Ok(())
    }
}

async fn of_models(idp: &Idp, scorer: &PluginId, slot: i64) -> Result<Document> {
    const DAY_MS: i64 = 86_400_000;
    let now_ms = idp.ports().clock.now_ms();
    let mut younger = serde_json::Map::new();
    for (days, name) in AGES {
        let count = idp.store().count_models(scorer, now_ms - days * DAY_MS).await?;
        younger.insert(name.to_owned(), count.into());
    }
    let enrolled = idp.store().count_models(scorer, i64::MIN).await?;
    Ok(Document {
        id: format!("models-{scorer}-{slot}"),
        source: document::of_models(slot * MODELS_EVERY_MS, scorer, enrolled, &younger.into()),
    })
}

fn away(why: &str) -> StoreError {
    StoreError::Away(why.to_owned())
}
