//! Deliveries: events on their way to clients, as logout tokens and security event tokens.

use crate::Idp;
use crate::client::{Alg, Client};
use crate::error::Result;
use crate::event::{Channel, Delivery, Event, What};
use crate::grant::Grant;
use crate::ids::{AccountId, ClientId, DeliveryId, SessionId};
use crate::measure::{DeliveryOutcome, Measure};
use crate::session::{EndReason, RiskLevel};
use crate::token::jws::Typ;
use gait_sdk::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::Url;

/// Events that are expanded at a time.
const PAGE: u32 = 100;
/// Seconds for which claimed deliveries are ours: longer than a POST may take.
const LEASE_S: u32 = 60;
/// Life of a logout token in seconds (Back-Channel Logout 1.0 §2.4 recommends two minutes at most).
const LOGOUT_LIFE_S: i64 = 120;
/// First back-off in seconds; doubled with each try.
const BACK_OFF_S: i64 = 10;
/// Longest back-off in seconds.
const MAX_BACK_OFF_S: i64 = 3600;
/// An event that could not be told for so long, in seconds, is a dead letter.
const GIVE_UP_S: i64 = 24 * 3600;
/// Longest error that is kept, in characters.
const MAX_ERROR: usize = 500;

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// One HTTP POST to make for a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Where to.
    pub url: Url,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Body: `logout_token=…` (OIDC Back-Channel Logout 1.0 §2.5) or the SET (RFC 8935 §2.1).
    pub body: String,
}

/// What a receiver did with a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// 2xx.
    Accepted,
    /// A permanent refusal: never again.
    Refused(String),
    /// Anything else: later.
    Failed(String),
}

impl Idp {
    /// Expands new events into deliveries to the clients that they concern; returns how many deliveries were made.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn expand_events(&self) -> Result<usize> {
        let mut made = 0;
        loop {
            let events = self.store.unexpanded_events(PAGE).await?;
            for event in &events {
                let deliveries = self.deliveries_of(event).await?;
                if self.store.expand_event(event.id, &deliveries).await? {
                    log(event);
                    made += deliveries.len();
                }
            }
            if events.len() < PAGE as usize {
                return Ok(made);
            }
        }
    }

    async fn deliveries_of(&self, event: &Event) -> Result<Vec<Delivery>> {
        let channels = channels(&event.what);
        let Some(session) = event.session.as_ref().filter(|_| !channels.is_empty()) else {
            return Ok(Vec::new());
        };
        let grants = self.store.grants_of_session(session).await?;
        let mut deliveries = Vec::new();
        for (id, is_connected) in receivers(&grants, event) {
            let Some(client) = self.store.client(&id).await? else {
                continue;
            };
            // An app that the person has disconnected still learns that its own session is over, and nothing more.
            let wanted = channels.iter().filter(|channel| {
                let may_know = is_connected || **channel == Channel::BackchannelLogout;
                may_know && address(&client, **channel).is_some()
            });
            deliveries.extend(wanted.map(|channel| self.new_delivery(&client, *channel, event)));
        }
        Ok(deliveries)
    }

    fn new_delivery(&self, client: &Client, channel: Channel, event: &Event) -> Delivery {
        Delivery {
            id: DeliveryId(self.ports.uuid()),
            client: client.id.clone(),
            channel,
            event: event.clone(),
            attempts: 0,
            next_at: self.ports.now(),
        }
    }

    /// Claims deliveries that are due, with what to post; a delivery whose client no longer wants it is settled here.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn due_posts(&self, limit: u32) -> Result<Vec<(Delivery, Post)>> {
        let now = self.ports.now();
        let mut posts = Vec::new();
        for delivery in self.store.claim_deliveries(now, LEASE_S, limit).await? {
            match self.post_for(&delivery, now).await? {
                Some(post) => posts.push((delivery, post)),
                None => {
                    let unwanted = self.store.delivery_failed(delivery.id, None, "the client no longer wants it");
                    unwanted.await?;
                }
            }
        }
        Ok(posts)
    }

    async fn post_for(&self, delivery: &Delivery, now: Timestamp) -> Result<Option<Post>> {
        let Some(client) = self.store.client(&delivery.client).await? else {
            return Ok(None);
        };
        let (Some(url), Some(account), Some(session)) = (
            address(&client, delivery.channel),
            delivery.event.account,
            &delivery.event.session,
        ) else {
            return Ok(None);
        };
        let (content_type, body) = match delivery.channel {
            Channel::BackchannelLogout => {
                let token = self.logout_token(delivery, &client, account, session, now)?;
                // A JWS is of base64url characters and dots: nothing to encode.
                ("application/x-www-form-urlencoded", format!("logout_token={token}"))
            }
            Channel::Callback => match self.event_token(delivery, &client, account, session, now)? {
                Some(token) => ("application/secevent+jwt", token),
                None => return Ok(None),
            },
        };
        Ok(Some(Post {
            url: url.clone(),
            content_type,
            body,
        }))
    }

    /// A logout token (OIDC Back-Channel Logout 1.0 §2.4).
    fn logout_token(
        &self,
        delivery: &Delivery,
        client: &Client,
        account: AccountId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<String> {
        let claims = json!({
            "iss": self.issuer,
            "aud": client.id,
            "iat": now,
            "exp": now.plus(LOGOUT_LIFE_S),
            "jti": delivery.id,
            "sub": self.subject(client, account),
            "sid": session,
            "events": { LOGOUT: {} },
        });
        self.keys.sign(client.id_token_alg, Typ::LogoutToken, &claims)
    }

    /// A security event token (RFC 8417, CAEP 1.0): neither `exp` nor `sub`, exactly one event, always RS256. The `jti` is the
    /// delivery's, so a receiver knows a second try by it. `None` if the event tells clients nothing.
    fn event_token(
        &self,
        delivery: &Delivery,
        client: &Client,
        account: AccountId,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<Option<String>> {
        let Some((uri, event)) = caep(&delivery.event) else {
            return Ok(None);
        };
        let claims = json!({
            "iss": self.issuer,
            "aud": client.id,
            "iat": now,
            "jti": delivery.id,
            "txn": delivery.event.txn,
            "sub_id": {
                "format": "complex",
                "user": {"format": "iss_sub", "iss": self.issuer, "sub": self.subject(client, account)},
                "session": {"format": "opaque", "id": session},
            },
            "events": { uri: event },
        });
        self.keys.sign(Alg::RS256, Typ::EventToken, &claims).map(Some)
    }

    /// Notes what became of one: done, dead, or again after an exponential back-off with jitter.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn settle_delivery(&self, delivery: &Delivery, arrival: &Arrival) -> Result<()> {
        let now = self.ports.now();
        match arrival {
            Arrival::Accepted => {
                self.store.delivered(delivery.id, now).await?;
                self.measure_delivery(delivery, DeliveryOutcome::Accepted);
            }
            Arrival::Refused(error) => self.delivery_lost(delivery, None, error).await?,
            Arrival::Failed(error) => {
                let jitter = u32::from_be_bytes(self.ports.random());
                let next_at = now.plus(back_off_s(delivery.attempts, jitter));
                let give_up_at = Timestamp(delivery.event.at_ms.div_euclid(1000)).plus(GIVE_UP_S);
                self.delivery_lost(delivery, Some(next_at).filter(|at| *at < give_up_at), error)
                    .await?;
            }
        }
        Ok(())
    }

    async fn delivery_lost(&self, delivery: &Delivery, next_at: Option<Timestamp>, error: &str) -> Result<()> {
        let error: String = error.chars().take(MAX_ERROR).collect();
        if next_at.is_none() {
            tracing::warn!(delivery = %delivery.id, client = %delivery.client, error, "a delivery is given up");
        }
        self.store.delivery_failed(delivery.id, next_at, &error).await?;
        let outcome = match next_at {
            Some(_) => DeliveryOutcome::Failed,
            None => DeliveryOutcome::GivenUp,
        };
        self.measure_delivery(delivery, outcome);
        Ok(())
    }

    fn measure_delivery(&self, delivery: &Delivery, outcome: DeliveryOutcome) {
        let ms = self.ports.clock.now_ms().saturating_sub(delivery.event.at_ms);
        self.ports.meter.measured(Measure::Delivery {
            channel: delivery.channel,
            of_end: matches!(delivery.event.what, What::SessionEnded { .. }),
            outcome,
            ms: u64::try_from(ms).unwrap_or(0),
        });
    }
}

/// How clients are told of an event, if at all.
fn channels(what: &What) -> &'static [Channel] {
    match what {
        What::SessionEnded { reason, .. } if reason.is_security() => &[Channel::BackchannelLogout, Channel::Callback],
        What::SessionEnded { .. } => &[Channel::BackchannelLogout],
        What::StepUpDemanded { .. } => &[Channel::Callback],
        What::SessionStrengthened { previous_level, .. } if *previous_level != RiskLevel::Low => &[Channel::Callback],
        _ => &[],
    }
}

/// Clients with a grant in the session, and whether any of their grants was still alive just before the event.
fn receivers(grants: &[Grant], event: &Event) -> BTreeMap<ClientId, bool> {
    let at = Timestamp(event.at_ms.div_euclid(1000));
    let mut receivers = BTreeMap::new();
    for grant in grants {
        let lived = grant.revoked_at.is_none_or(|revoked| revoked >= at);
        *receivers.entry(grant.client.clone()).or_insert(false) |= lived;
    }
    receivers
}

fn address(client: &Client, channel: Channel) -> Option<&Url> {
    match channel {
        Channel::BackchannelLogout => client.backchannel_logout_uri.as_ref(),
        Channel::Callback => client.continuous_auth_callback_uri.as_ref(),
    }
}

/// An event as CAEP says it: its URI and its members. No score and no measurement, reason codes only.
fn caep(event: &Event) -> Option<(String, Value)> {
    let at = event.at_ms.div_euclid(1000);
    let (name, members) = match &event.what {
        What::SessionEnded { reason, reasons } => {
            let members = json!({
                "event_timestamp": at,
                "initiating_entity": initiator(*reason),
                "reason_admin": {"en": words(&name_of(reason), reasons)},
            });
            ("session-revoked", members)
        }
        What::StepUpDemanded {
            level,
            previous_level,
            reasons,
        } => {
            let reason = words("step_up_demanded", reasons);
            (
                "risk-level-change",
                risk(at, *level, *previous_level, "policy", "BEHAVIOR_ANOMALY", &reason),
            )
        }
        What::SessionStrengthened { previous_level, .. } => {
            let (level, reason) = (RiskLevel::Low, "step_up_passed");
            (
                "risk-level-change",
                risk(at, level, *previous_level, "user", "REAUTHENTICATED", reason),
            )
        }
        _ => return None,
    };
    Some((format!("{CAEP}{name}"), members))
}

fn risk(at: i64, level: RiskLevel, previous: RiskLevel, by: &str, risk_reason: &str, reason: &str) -> Value {
    json!({
        "event_timestamp": at,
        "initiating_entity": by,
        "reason_admin": {"en": reason},
        "principal": "SESSION",
        "current_level": level,
        "previous_level": previous,
        "risk_reason": risk_reason,
    })
}

/// One line for the operator's log. The address stays in the event.
fn log(event: &Event) {
    let what = serde_json::to_string(&event.what).unwrap_or_default();
    let id = |id: Option<String>| id.unwrap_or_default();
    tracing::info!(
        target: "gait::event",
        id = %event.id,
        what,
        account = id(event.account.map(|account| account.to_string())),
        session = id(event.session.as_ref().map(ToString::to_string)),
        client = id(event.client.as_ref().map(ToString::to_string)),
        txn = event.txn,
        "event"
    );
}

/// Who began it (CAEP 1.0 §2).
fn initiator(reason: EndReason) -> &'static str {
    match reason {
        EndReason::SignedOut | EndReason::EndedByOwner | EndReason::Disowned | EndReason::Replaced => "user",
        EndReason::Anomaly | EndReason::StepUpFailed => "policy",
        EndReason::AccountChanged => "system",
    }
}

fn name_of(reason: &EndReason) -> String {
    let name = serde_json::to_value(reason).ok();
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What happened, and the codes that say why, in one line that is never empty.
fn words(what: &str, reasons: &[String]) -> String {
    if reasons.is_empty() {
        return what.to_owned();
    }
    format!("{what}: {}", reasons.join(", "))
}

/// Seconds until the next try: doubled with each, capped, and spread from half to one and a half of that, so that receivers which
/// fell together are not asked together.
fn back_off_s(attempts: u32, jitter: u32) -> i64 {
    let doubled = BACK_OFF_S.saturating_mul(1 << attempts.min(20));
    let delay = doubled.min(MAX_BACK_OFF_S);
    delay / 2 + i64::from(jitter) % (delay + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_back_off_grows_is_capped_and_spread(attempts in 0..200u32, jitter: u32) {
            let delay = (10i64 << attempts.min(20)).min(3600);
            let waited = back_off_s(attempts, jitter);
            prop_assert!(waited >= 5 && (delay / 2..=delay + delay / 2).contains(&waited));
        }
    }

    #[test]
    fn a_reason_is_never_empty() {
        for reason in [EndReason::Anomaly, EndReason::Disowned, EndReason::AccountChanged] {
            assert!(!words(&name_of(&reason), &[]).is_empty());
        }
        assert_eq!(
            words("anomaly", &["typing_rhythm_differs".to_owned()]),
            "anomaly: typing_rhythm_differs"
        );
    }
}
