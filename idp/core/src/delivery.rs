//! Deliveries: events on their way to clients, as logout tokens and security event tokens.

use crate::Idp;
use crate::client::{Alg, Client};
use crate::error::Result;
use crate::event::{Channel, Delivery, DeliveryState, Event, Receiver, What};
use crate::grant::Grant;
use crate::ids::{AccountId, ClientId, DeliveryId, SessionId};
use crate::measure::{DeliveryOutcome, Measure};
use crate::purge::in_batches;
use crate::session::{EndReason, RiskLevel};
use crate::store::{EXPANDED, Pause};
use crate::token::jws::Typ;
use gait_sdk::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::Url;
use uuid::Uuid;

/// Seconds for which a claimed receiver is ours: longer than a POST may take, so that a claim ends only with its holder.
const CLAIM_S: i64 = 30;
/// Life of a logout token in seconds (Back-Channel Logout 1.0 §2.4 recommends two minutes at most).
const LOGOUT_LIFE_S: i64 = 120;
/// First back-off in seconds; doubled with each failure.
const BACK_OFF_S: i64 = 10;
/// Longest back-off of a receiver that is away, in seconds: so long after its return it may still be waiting.
const MAX_PAUSE_S: i64 = 300;
/// Longest back-off of what was set aside, in seconds.
const MAX_BACK_OFF_S: i64 = 3600;
/// How often a receiver may refuse a delivery before the others get past it.
const MAX_REFUSALS: u32 = 3;
/// The same where it was too busy to answer, which may be the delivery's fault, and is more likely its own.
const MAX_BUSY: u32 = 6;
/// What could not be delivered for so long, in seconds, is a dead letter.
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
    /// Any other answer of its own: it is up, and doesn't take this one.
    Failed(String),
    /// It was reached, and was too busy to answer, or said so.
    Busy(String),
    /// It could not be reached.
    Away(String),
}

impl Arrival {
    /// Why it did not arrive.
    pub fn trouble(&self) -> Option<&str> {
        match self {
            Self::Accepted => None,
            Self::Refused(why) | Self::Failed(why) | Self::Busy(why) | Self::Away(why) => Some(why),
        }
    }
}

/// A receiver that is ours for a while.
#[derive(Clone, Debug)]
pub struct Claim {
    receiver: Receiver,
    holder: Uuid,
    failures: u32,
    /// Nothing was asked for since it was claimed.
    is_fresh: bool,
}

impl Idp {
    /// Expands new events into deliveries to the clients that they concern; returns how many deliveries were made. Whom an unknown
    /// event concerns only a newer node can tell, so it is left to one, and holds none behind it back.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn expand_events(&self) -> Result<usize> {
        let (mut made, mut after) = (0, None);
        loop {
            let mut events = self.store.unexpanded_events(after, EXPANDED).await?;
            let is_all = events.len() < EXPANDED as usize;
            after = events.last().map(|event| event.id);
            events.retain(|event| !matches!(event.what, What::Unknown(_)));
            let mut expanded = Vec::new();
            for event in &events {
                expanded.push((event.id, self.deliveries_of(event).await?));
            }
            let ours = self.store.expand_events(&expanded).await?;
            for (event, (id, deliveries)) in events.iter().zip(&expanded) {
                if ours.contains(id) {
                    log(event);
                    made += deliveries.len();
                }
            }
            if is_all {
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
            state: DeliveryState::Queued,
            since: self.ports.now(),
            attempts: 0,
            refusals: 0,
            last_error: None,
        }
    }

    /// Receivers to which something is due.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn due_receivers(&self, limit: u32) -> Result<Vec<Receiver>> {
        Ok(self.store.due_receivers(self.ports.now(), limit).await?)
    }

    /// Claims a receiver; `None` if another has it.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn claim_receiver(&self, receiver: &Receiver) -> Result<Option<Claim>> {
        let mut claim = Claim {
            receiver: receiver.clone(),
            holder: self.ports.uuid(),
            failures: 0,
            is_fresh: true,
        };
        Ok(self.hold(&mut claim).await?.then_some(claim))
    }

    async fn hold(&self, claim: &mut Claim) -> Result<bool> {
        let now = self.ports.now();
        let held = self
            .store
            .claim_receiver(&claim.receiver, claim.holder, now, now.plus(CLAIM_S));
        let failures = held.await?;
        claim.failures = failures.unwrap_or_default();
        Ok(failures.is_some())
    }

    /// Gives a claim up.
    ///
    /// # Errors
    /// A backend is away; the claim then ends by itself.
    pub async fn release_receiver(&self, claim: &Claim) -> Result<()> {
        Ok(self.store.release_receiver(&claim.receiver, claim.holder).await?)
    }

    /// What a claimed receiver is to be told now, with what to post; prolongs the claim. What the client no longer wants is settled
    /// here. `None` if nothing is due, if the receiver is paused, or if the claim was lost.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn next_post(&self, claim: &mut Claim) -> Result<Option<(Delivery, Post)>> {
        while std::mem::take(&mut claim.is_fresh) || self.hold(claim).await? {
            let now = self.ports.now();
            let Some(delivery) = self.store.next_delivery(&claim.receiver, now).await? else {
                return Ok(None);
            };
            match self.post_for(&delivery, now).await? {
                Some(post) => return Ok(Some((delivery, post))),
                None => {
                    self.settle_delivery(claim, &delivery, &untellable(&delivery.event.what))
                        .await?;
                }
            }
        }
        Ok(None)
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

    /// Notes what became of a try: done, dead, again after a pause, or set aside so that others get past it.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn settle_delivery(&self, claim: &Claim, delivery: &Delivery, arrival: &Arrival) -> Result<()> {
        let now = self.ports.now();
        let jitter = u32::from_be_bytes(self.ports.random());
        let (after, pause) = after(delivery, claim.failures, arrival, now, jitter);
        let is_dead = matches!(after.state, DeliveryState::Dead(_));
        if is_dead {
            let error = after.last_error.as_deref();
            tracing::warn!(delivery = %delivery.id, client = %delivery.client, error, "a delivery is given up");
        }
        let is_change = pause.failures > 0 || pause.until > now || claim.failures > 0;
        self.store.put_try(&after, claim.holder, is_change.then_some(pause)).await?;
        self.measure_delivery(delivery, &after.state);
        if is_dead && matches!(arrival, Arrival::Busy(_) | Arrival::Away(_)) {
            let (error, before) = (after.last_error.as_deref().unwrap_or_default(), now.plus(-GIVE_UP_S));
            let give_up = |most| self.store.give_up(&claim.receiver, before, now, error, most);
            let lost = in_batches(give_up).await?;
            if lost > 0 {
                tracing::warn!(lost, client = %delivery.client, "deliveries to a receiver that stays away are given up");
            }
        }
        Ok(())
    }

    fn measure_delivery(&self, delivery: &Delivery, after: &DeliveryState) {
        let ms = self.ports.clock.now_ms().saturating_sub(delivery.event.at_ms);
        self.ports.meter.measured(Measure::Delivery {
            channel: delivery.channel,
            of_end: matches!(delivery.event.what, What::SessionEnded { .. }),
            outcome: match after {
                DeliveryState::Arrived(_) => DeliveryOutcome::Accepted,
                DeliveryState::Dead(_) => DeliveryOutcome::GivenUp,
                DeliveryState::Queued | DeliveryState::Aside(_) => DeliveryOutcome::Failed,
            },
            ms: u64::try_from(ms).unwrap_or(0),
        });
    }
}

/// A delivery after a try, and how patient to be with its receiver.
///
/// While the receiver is away, everything waits in line, and the line's head is what it is probed with. An answer shows that it is up:
/// what it keeps refusing is set aside.
fn after(delivery: &Delivery, failures: u32, arrival: &Arrival, now: Timestamp, jitter: u32) -> (Delivery, Pause) {
    let mut after = delivery.clone();
    after.attempts += 1;
    let pause_s = |failures| back_off_s(BACK_OFF_S, failures, MAX_PAUSE_S, jitter);
    let (failures, mut wait_s) = match arrival {
        Arrival::Accepted | Arrival::Refused(_) => (0, 0),
        Arrival::Failed(_) => (0, pause_s(delivery.refusals)),
        Arrival::Busy(_) | Arrival::Away(_) => (failures + 1, pause_s(failures)),
    };
    after.last_error = arrival.trouble().map(printable);
    after.refusals += u32::from(matches!(arrival, Arrival::Failed(_) | Arrival::Busy(_)));
    let is_aside = matches!(delivery.state, DeliveryState::Aside(_));
    let gives_way = match arrival {
        Arrival::Failed(_) => is_aside || after.refusals >= MAX_REFUSALS,
        Arrival::Busy(_) => is_aside || after.refusals >= MAX_BUSY,
        _ => false,
    };
    let mut next_at = now.plus(wait_s);
    if gives_way {
        next_at = now.plus(back_off_s(BACK_OFF_S, after.refusals, MAX_BACK_OFF_S, jitter));
        wait_s = 0;
    }
    after.state = match arrival {
        Arrival::Accepted => DeliveryState::Arrived(now),
        Arrival::Refused(_) => DeliveryState::Dead(now),
        _ if next_at >= delivery.since.plus(GIVE_UP_S) => DeliveryState::Dead(now),
        _ if gives_way => DeliveryState::Aside(next_at),
        _ => delivery.state,
    };
    let until = now.plus(wait_s);
    (after, Pause { failures, until })
}

/// An error as it is kept and shown: not too long, and nothing in it that moves a cursor.
fn printable(error: &str) -> String {
    let printable = error.chars().filter(|char| !char.is_control());
    printable.take(MAX_ERROR).collect()
}

/// Why there is nothing to post. What a newer node made is for it to tell: it is tried again.
fn untellable(what: &What) -> Arrival {
    match what {
        What::Unknown(_) => Arrival::Failed("its event is of a newer Gait".to_owned()),
        _ => Arrival::Refused("the client no longer wants it".to_owned()),
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
    let at = event.at();
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
    let at = event.at().0;
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

/// Seconds until the next try: `first_s`, doubled with each failure, at most `max_s`, and spread from half to one and a half of that, so
/// that what fell together is not asked together.
pub fn back_off_s(first_s: i64, failures: u32, max_s: i64, jitter: u32) -> i64 {
    let delay = first_s.saturating_mul(1 << failures.min(20)).min(max_s);
    delay / 2 + i64::from(jitter) % (delay + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_back_off_grows_is_capped_and_spread(failures in 0..200u32, jitter: u32) {
            let delay = (10i64 << failures.min(20)).min(3600);
            let waited = back_off_s(10, failures, 3600, jitter);
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
