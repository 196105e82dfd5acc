//! Sessions of this app, in memory.

use crate::api::Challenge;
use crate::clock;
use crate::set::{Event, Subject};
use openidconnect::{AccessToken, CsrfToken, RefreshToken};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const LIFE_S: i64 = 12 * 3600;
const MOST: usize = 10_000;

/// What the ID token and userinfo said.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Person {
    pub sub: String,
    pub sid: Option<String>,
    pub acr: Option<String>,
    pub amr: Vec<String>,
    pub auth_time: Option<i64>,
    pub name: Option<String>,
    pub email: Option<String>,
}

/// What was issued.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub access: AccessToken,
    pub refresh: Option<RefreshToken>,
    pub id: String,
    pub scopes: Vec<String>,
}

/// How the session stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Status {
    SignedIn,
    /// Gait, or the API, wants the person to prove anew who they are.
    StepUp,
    /// Gait ended it.
    Ended,
}

/// The result of a button, for the page to show.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    /// True if it went well.
    pub ok: bool,
    pub title: String,
    pub lines: Vec<String>,
}

/// What changes in a session.
pub(crate) struct Current {
    pub tokens: Tokens,
    pub status: Status,
    /// What the API asked for when it wanted a step-up.
    pub challenge: Option<Challenge>,
    /// The last button's result, for a page without JavaScript.
    pub outcome: Option<Outcome>,
    /// The newest event that had an effect, seconds since the epoch: older ones have none.
    changed_at: i64,
}

/// One browser, signed in.
pub(crate) struct Session {
    pub id: String,
    pub csrf: CsrfToken,
    pub person: Person,
    pub since: i64,
    /// Held while the refresh token is used: using one twice would end the whole family.
    pub refreshing: tokio::sync::Mutex<()>,
    current: Mutex<Current>,
}

impl Session {
    pub(crate) fn new(person: Person, tokens: Tokens) -> Self {
        // What was demanded before this sign-in has been answered by it, even if the callback comes late.
        let changed_at = person.auth_time.unwrap_or(0);
        let current = Current {
            tokens,
            status: Status::SignedIn,
            challenge: None,
            outcome: None,
            changed_at,
        };
        Self {
            id: CsrfToken::new_random_len(32).into_secret(),
            csrf: CsrfToken::new_random(),
            person,
            since: clock::now(),
            refreshing: tokio::sync::Mutex::new(()),
            current: Mutex::new(current),
        }
    }

    /// What changes; never held across an await.
    pub(crate) fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom Gait knows this session as.
    pub(crate) fn subject(&self) -> Subject {
        Subject {
            sub: Some(self.person.sub.clone()),
            sid: self.person.sid.clone(),
        }
    }

    /// Ends it. A real app would forget the access token too; this one keeps it to show that the API refuses it.
    pub(crate) fn end(&self) {
        let mut current = self.current();
        current.status = Status::Ended;
        current.tokens.refresh = None;
        current.challenge = None;
    }

    /// `named` says that the event names this session; one about all of a person's sessions means those that it found.
    fn apply(&self, event: &Event, iat: i64, named: bool) {
        let ended = self.current().status == Status::Ended;
        match event {
            Event::SessionRevoked { event_timestamp, .. } if named || self.since <= event_timestamp.unwrap_or(iat) => self.end(),
            Event::RiskLevelChange {
                current_level,
                event_timestamp,
                ..
            } if !ended => {
                let at = event_timestamp.unwrap_or(iat);
                let mut current = self.current();
                if at >= current.changed_at {
                    current.changed_at = at;
                    current.status = if current_level == "LOW" {
                        Status::SignedIn
                    } else {
                        Status::StepUp
                    };
                    current.challenge = current.challenge.take().filter(|_| current.status == Status::StepUp);
                }
            }
            _ => {}
        }
    }
}

impl Subject {
    /// True if it means this session: by its `sid`, or by the person if it names no session.
    pub(crate) fn covers(&self, sub: &str, sid: Option<&str>) -> bool {
        let person = self.sub.as_deref().is_none_or(|s| s == sub);
        let session = self.sid.as_deref().is_none_or(|s| Some(s) == sid);
        person && session && (self.sub.is_some() || self.sid.is_some())
    }
}

/// All sessions, by the value of their cookie.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session; the oldest gives way to the ten-thousand-and-first.
    pub(crate) fn begin(&self, session: Session) -> Arc<Session> {
        let mut map = self.lock();
        let now = clock::now();
        map.retain(|_, s| now - s.since < LIFE_S);
        if map.len() >= MOST {
            let oldest = map.values().min_by_key(|s| s.since).map(|s| s.id.clone());
            oldest.and_then(|id| map.remove(&id));
        }
        let session = Arc::new(session);
        map.insert(session.id.clone(), session.clone());
        session
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.lock().get(id).filter(|s| clock::now() - s.since < LIFE_S).cloned()
    }

    pub(crate) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    fn about(&self, subject: &Subject) -> Vec<Arc<Session>> {
        let covered = |s: &&Arc<Session>| subject.covers(&s.person.sub, s.person.sid.as_deref());
        self.lock().values().filter(covered).cloned().collect()
    }

    /// Lets a security event take effect.
    pub(crate) fn apply(&self, subject: &Subject, event: &Event, iat: i64) {
        self.about(subject)
            .iter()
            .for_each(|session| session.apply(event, iat, subject.sid.is_some()));
    }

    /// Ends what a back-channel logout is about.
    pub(crate) fn end(&self, subject: &Subject) {
        self.about(subject).iter().for_each(|session| session.end());
    }
}
