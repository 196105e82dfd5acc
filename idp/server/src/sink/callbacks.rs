//! Calls relying parties back: logout tokens and security event tokens, from the outbox.
//!
//! Every node does this at once. A receiver is claimed by one worker, which tells it what is due, one thing after the other; workers
//! don't wait for each other, so a receiver that is slow or dead delays nobody else's.

use crate::jobs::{Bell, Closing, report};
use crate::metrics::Metrics;
use crate::outbound::{CallError, Outbound, read_some};
use gait_core::Idp;
use gait_core::delivery::{Arrival, Claim, Post};
use gait_core::error::Result;
use gait_core::event::Receiver;
use gait_core::ids::SessionId;
use reqwest::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a node may not know of what another has written to the outbox.
const EVERY: Duration = Duration::from_secs(1);
/// How soon is noticed that another node has told an app what somebody waits for.
const LOOK: Duration = Duration::from_millis(200);
/// Receivers that are told something at once.
const AT_ONCE: usize = 64;
/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 4096;
/// Longest description of a refusal that is kept, in characters.
const MAX_DESCRIPTION: usize = 200;

/// Delivers the outbox.
#[derive(Clone)]
pub struct Callbacks {
    outbound: Outbound,
    /// Ticks whenever a delivery was tried.
    tried: Arc<watch::Sender<()>>,
}

impl Callbacks {
    /// Delivers by `outbound`.
    pub fn new(outbound: Outbound) -> Self {
        Self {
            outbound,
            tried: Arc::new(watch::Sender::new(())),
        }
    }

    /// Delivers what there is, whenever the bell rings, and every second.
    pub async fn run(self, idp: Arc<Idp>, bell: Bell, metrics: Arc<Metrics>, mut closing: Closing) {
        let mut workers = JoinSet::new();
        while !closing.is_near() {
            report(&metrics, "outbox", self.start_due(&idp, &mut workers, &closing).await);
            tokio::select! {
                // There is room for another, and what came for its receiver at the last moment is waiting.
                Some(ended) = workers.join_next() => {
                    if !is_well(ended) {
                        tokio::time::sleep(EVERY).await;
                    }
                }
                _rung = tokio::time::timeout(EVERY, bell.rung()) => {}
                () = closing.near() => {}
            }
        }
        while let Some(ended) = workers.join_next().await {
            is_well(ended);
        }
    }

    async fn start_due(&self, idp: &Arc<Idp>, workers: &mut JoinSet<Result<()>>, closing: &Closing) -> Result<()> {
        idp.expand_events().await?;
        let room = AT_ONCE - workers.len();
        if room > 0 {
            for receiver in idp.due_receivers(u32::try_from(room).unwrap_or(u32::MAX)).await? {
                let (callbacks, idp, closing) = (self.clone(), idp.clone(), closing.clone());
                workers.spawn(async move { callbacks.serve(&idp, &receiver, &closing).await });
            }
        }
        Ok(())
    }

    /// Tells a receiver everything that is due, in order, if nobody else does, until the server ends.
    async fn serve(&self, idp: &Idp, receiver: &Receiver, closing: &Closing) -> Result<()> {
        let Some(mut claim) = idp.claim_receiver(receiver).await? else {
            return Ok(());
        };
        let told = self.tell(idp, &mut claim, closing).await;
        // Also where the store has failed: it may have been for a moment, and the claim lasts longer.
        told.and(idp.release_receiver(&claim).await)
    }

    async fn tell(&self, idp: &Idp, claim: &mut Claim, closing: &Closing) -> Result<()> {
        while !closing.is_near()
            && let Some((delivery, post)) = idp.next_post(claim).await?
        {
            let arrival = self.post(&post).await;
            if let Some(why) = arrival.trouble() {
                tracing::warn!(client = %delivery.client, delivery = %delivery.id, why, "a callback did not arrive");
            }
            idp.settle_delivery(claim, &delivery, &arrival).await?;
            self.tried.send_replace(());
        }
        Ok(())
    }

    /// Waits until every app has been told once what there is to tell about a session, for at most `wait`.
    pub async fn told(&self, idp: &Idp, session: &SessionId, wait: Duration) {
        let mut tried = self.tried.subscribe();
        let mut all = async || -> Result<()> {
            idp.expand_events().await?;
            idp.ports().wake.wake();
            while idp.store().is_untold(session).await? {
                // Another node may be the one that tells.
                let _changed = tokio::time::timeout(LOOK, tried.changed()).await;
            }
            Ok(())
        };
        match tokio::time::timeout(wait, all()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "deliveries failed; they will run again"),
            Err(_) => tracing::debug!("deliveries take longer than their caller waits"),
        }
    }

    async fn post(&self, post: &Post) -> Arrival {
        let answer = match self.outbound.post(&post.url, post.content_type, post.body.clone()).await {
            Ok(answer) => answer,
            Err(CallError::Away(why)) => return Arrival::Away(why),
            Err(CallError::Broken(why)) => return Arrival::Busy(why),
        };
        let status = answer.status();
        // Whatever it says: a short answer is read to its end, so that its connection can be used again.
        let body = read_some(answer, MAX_ANSWER).await;
        let told = format!("status {}", status.as_u16());
        match status {
            _ if status.is_success() => Arrival::Accepted,
            StatusCode::BAD_REQUEST => Arrival::Refused(refusal(&body).unwrap_or(told)),
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Arrival::Busy(told),
            _ => Arrival::Failed(told),
        }
    }
}

fn is_well(ended: std::result::Result<Result<()>, tokio::task::JoinError>) -> bool {
    match ended {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::warn!(%error, "a delivery failed; it will run again"),
        Err(error) => tracing::error!(%error, "a delivery broke off; it will run again"),
    }
    false
}

/// What a receiver says of a token that it doesn't take (RFC 8935 §2.3; OIDC Back-Channel Logout 1.0 §2.8 has other names for the
/// same). It is shown to operators, so nothing of the token may come back in it, and nothing that moves a cursor.
fn refusal(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(alias = "error")]
        err: String,
        #[serde(default, alias = "error_description")]
        description: String,
    }
    let said: Said = serde_json::from_slice(body).ok()?;
    let words = format!("{} {}", said.err, said.description);
    let words = words.split_whitespace().map(|word| match word.len() {
        0..=40 => word,
        _ => "…",
    });
    let words = words.collect::<Vec<_>>().join(" ");
    let printable = words.chars().filter(|char| !char.is_control());
    Some(format!("status 400: {}", printable.take(MAX_DESCRIPTION).collect::<String>()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::refusal;

    #[test]
    fn a_refusal_is_told_without_what_was_refused() {
        let told = refusal(br#"{"err": "invalid_key", "description": "no such key"}"#);
        assert_eq!(told.unwrap(), "status 400: invalid_key no such key");
        let told = refusal(br#"{"error": "invalid_request", "error_description": "bad"}"#);
        assert_eq!(told.unwrap(), "status 400: invalid_request bad");
        let echoed = format!(
            r#"{{"err": "x", "description": "got {} \u001b[2J"}}"#,
            "eyJhbGciOiJFUzI1NiJ9".repeat(5)
        );
        assert_eq!(refusal(echoed.as_bytes()).unwrap(), "status 400: x got … [2J");
        assert_eq!(refusal(b"<html>"), None);
        assert_eq!(refusal(b"{}"), None);
    }
}
