//! Signals: SETs from configured senders (RFC 8935), which are treated like a scorer's alarm. A relying party's signal is no
//! behaviour, so the account's mode doesn't matter; the deployment's does.

use super::act::Raised;
use super::set::{self, Set, refused, verify};
use super::{Sender, SignalError};
use crate::Idp;
use crate::account::Mode;
use crate::error::{Error, Result};
use crate::event::What;
use crate::ids::{AccountId, ClientId, SessionId};
use crate::session::Session;
use crate::token::secret::Hash;
use gait_sdk::Alarm;
use serde_json::{Map, Value};
use uuid::Uuid;

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
/// Reason code of every signal: what a sender writes in its own words goes nowhere.
const REASON: &str = "reported_by_client";
/// How long a `jti` is remembered, in seconds: longer than a SET of that age is taken.
const REPLAY_S: u32 = 7 * 24 * 3600;
/// How much later than a proof a signal may seem to be only because the sender's clock is behind, in seconds.
const CLOCK_SKEW_S: i64 = 10;
/// Longest event URI that is written down.
const MAX_URI: usize = 256;

/// Whom a signal speaks of (RFC 9493).
#[derive(Debug, PartialEq, Eq)]
struct Subject {
    /// `sid`.
    session: Option<SessionId>,
    /// `iss` and `sub`.
    user: Option<(String, String)>,
}

/// A session that a sender may speak of, and the client by which it may.
struct Target {
    session: Session,
    client: ClientId,
}

impl Idp {
    /// Takes a signal: a SET from a configured sender, `bearer` being its secret. Returns once it is stored.
    ///
    /// Whether a session was found is not told: the answer is the same.
    ///
    /// # Errors
    /// See [`SignalError`].
    pub async fn signal(&self, bearer: Option<&str>, set: &str, request_id: &str) -> Result<(), SignalError> {
        let sender = self.sender_by_secret(bearer)?;
        self.count_signal(sender)?;
        let set = verify(set, sender, &self.issuer, self.ports.now())?;
        let key = format!(
            "set:{}",
            Hash::of(format!("{}\0{}", sender.issuer, set.jti).as_bytes()).to_text()
        );
        if self.ephemeral.get(&key).await.map_err(Error::from)?.is_some() {
            return Ok(());
        }
        self.take_signal(sender, &set, request_id).await?;
        // Remembered last: a signal that could not be carried out is sent again, and must not be taken for a replay then. Carried
        // out twice, it changes nothing the second time.
        self.ephemeral.put_new(&key, &[], REPLAY_S).await.map_err(Error::from)?;
        Ok(())
    }

    /// The sender whose secret this is; all are compared, so that time tells nothing.
    fn sender_by_secret(&self, bearer: Option<&str>) -> Result<&Sender, SignalError> {
        let unknown = || refused("authentication_failed", "the bearer secret is missing or unknown");
        let hash = Hash::of(bearer.ok_or_else(unknown)?.as_bytes());
        let found = self.senders.iter().fold(None, |found, sender| match sender.secret == hash {
            true => Some(sender),
            false => found,
        });
        found.ok_or_else(unknown)
    }

    async fn take_signal(&self, sender: &Sender, set: &Set, txn: &str) -> Result<()> {
        let alarm = alarm(set);
        let targets = match (&alarm, subject(&set.subject)) {
            (Some(_), Some(subject)) => self.signal_targets(&subject, sender).await?,
            _ => Vec::new(),
        };
        if targets.is_empty() {
            tracing::info!(
                sender = sender.issuer,
                uri = set.uri,
                "a signal of an unknown kind or about nobody known"
            );
            self.note_signal(sender, set, None, txn).await?;
        }
        for target in &targets {
            self.note_signal(sender, set, Some(target), txn).await?;
        }
        for target in targets.iter().filter(|target| is_current(set, &target.session)) {
            let raised = Raised {
                alarm: alarm.unwrap_or_default(),
                reasons: vec![REASON.to_owned()],
                mode: Mode::Auth,
                proven_at: target.session.auth_time(),
                is_news: true,
                client: Some(target.client.clone()),
                txn: txn.to_owned(),
            };
            self.act_on_alarm(&target.session, &raised).await?;
        }
        Ok(())
    }

    async fn note_signal(&self, sender: &Sender, set: &Set, target: Option<&Target>, txn: &str) -> Result<()> {
        let what = What::SignalReceived {
            sender: sender.issuer.clone(),
            uri: set.uri.chars().take(MAX_URI).collect(),
        };
        let account = target.map(|target| target.session.account);
        let session = target.map(|target| &target.session.id);
        let client = target.map(|target| &target.client);
        let event = self.event(what, account, session, client, None, txn);
        self.store.note(&event).await?;
        Ok(())
    }

    /// Living sessions that are meant, as far as the sender may speak of them: a client of its own has a living grant there, and
    /// knows the person by that `sub`.
    async fn signal_targets(&self, subject: &Subject, sender: &Sender) -> Result<Vec<Target>> {
        let sessions = match (&subject.session, &subject.user) {
            (Some(sid), _) => self.store.session(sid).await?.into_iter().collect(),
            // A user alone means all of their sessions. A pairwise `sub` can't be read back, and finds nobody.
            (None, Some((_, sub))) => match Uuid::parse_str(sub) {
                Ok(id) => self.store.sessions_of(AccountId(id)).await?,
                Err(_) => Vec::new(),
            },
            (None, None) => Vec::new(),
        };
        let mut targets = Vec::new();
        for session in sessions.into_iter().filter(|session| session.ended.is_none()) {
            if let Some(client) = self.client_that_may_speak(&session, subject, sender).await? {
                targets.push(Target { session, client });
            }
        }
        Ok(targets)
    }

    async fn client_that_may_speak(&self, session: &Session, subject: &Subject, sender: &Sender) -> Result<Option<ClientId>> {
        for grant in self.store.grants_of_session(&session.id).await? {
            if grant.revoked_at.is_some() || !sender.clients.contains(&grant.client) {
                continue;
            }
            let Some(client) = self.store.client(&grant.client).await? else {
                continue;
            };
            let is_known = subject
                .user
                .as_ref()
                .is_none_or(|(iss, sub)| *iss == self.issuer && *sub == self.subject(&client, session.account));
            if is_known {
                return Ok(Some(client.id));
            }
        }
        Ok(None)
    }
}

/// What a signal advises; `None` if its event is not known here. A level is an opinion, so it asks for a step-up and no more;
/// that a session was revoked is a fact, at the sender's.
fn alarm(set: &Set) -> Option<Alarm> {
    let text = |name: &str| set.event.get(name).and_then(Value::as_str);
    match set.uri.strip_prefix(CAEP)? {
        "session-revoked" => Some(Alarm::Hard),
        "risk-level-change" if text("principal") == Some("SESSION") => match text("current_level") {
            Some("MEDIUM" | "HIGH") => Some(Alarm::Soft),
            Some("LOW") => Some(Alarm::None),
            _ => None,
        },
        _ => None,
    }
}

/// False if the person has proven themselves since: what was true before is not true any more.
fn is_current(set: &Set, session: &Session) -> bool {
    let at = set.event.get("event_timestamp").and_then(set::seconds).unwrap_or(set.iat);
    session.auth_time().since(at) <= CLOCK_SKEW_S
}

/// Reads `sub_id`: an opaque session id, or a complex subject of a session and a user, at least one of them. Other formats are
/// nobody's.
fn subject(sub_id: &Value) -> Option<Subject> {
    let subject = match text(sub_id.as_object()?, "format")? {
        "opaque" => Subject {
            session: Some(opaque(sub_id)?),
            user: None,
        },
        "complex" => Subject {
            session: member(sub_id, "session", opaque)?,
            user: member(sub_id, "user", iss_sub)?,
        },
        _ => return None,
    };
    (subject.session.is_some() || subject.user.is_some()).then_some(subject)
}

/// A member that may be absent, but not of another format than is understood.
#[allow(clippy::option_option)]
fn member<T>(complex: &Value, name: &str, read: fn(&Value) -> Option<T>) -> Option<Option<T>> {
    match complex.get(name) {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}

fn opaque(value: &Value) -> Option<SessionId> {
    let value = value.as_object()?;
    (text(value, "format")? == "opaque").then_some(())?;
    text(value, "id").map(SessionId::from)
}

fn iss_sub(value: &Value) -> Option<(String, String)> {
    let value = value.as_object()?;
    (text(value, "format")? == "iss_sub").then_some(())?;
    Some((text(value, "iss")?.to_owned(), text(value, "sub")?.to_owned()))
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use serde_json::json;

    #[test]
    fn a_session_is_named_alone_or_with_its_user() {
        let sid = Some(SessionId::from("s1"));
        let user = Some(("https://op.example".to_owned(), "u1".to_owned()));
        let session = json!({"format": "opaque", "id": "s1"});
        let person = json!({"format": "iss_sub", "iss": "https://op.example", "sub": "u1"});
        let read = |value: Value| subject(&value);
        assert_eq!(
            read(session.clone()),
            Some(Subject {
                session: sid.clone(),
                user: None
            })
        );
        let both = json!({"format": "complex", "session": session, "user": person, "tenant": {"format": "opaque", "id": "t"}});
        assert_eq!(
            read(both),
            Some(Subject {
                session: sid,
                user: user.clone()
            })
        );
        assert_eq!(
            read(json!({"format": "complex", "user": person})),
            Some(Subject { session: None, user })
        );
    }

    #[test]
    fn a_subject_that_is_not_understood_is_nobody() {
        let corpus = [
            json!("s1"),
            json!({}),
            json!({"format": "opaque"}),
            json!({"format": "email", "email": "a@example.com"}),
            json!({"format": "complex"}),
            json!({"format": "complex", "session": {"format": "jwt_id", "iss": "x", "jti": "y"}}),
            // Narrower than we can read: must not widen to all of the user's sessions.
            json!({"format": "complex", "session": {"format": "uri", "uri": "urn:s"},
                   "user": {"format": "iss_sub", "iss": "https://op.example", "sub": "u1"}}),
        ];
        for value in corpus {
            assert_eq!(subject(&value), None, "{value}");
        }
    }
}
