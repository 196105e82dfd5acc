//! Whether a token lives: the one place that says so.

use crate::Idp;
use crate::error::Result;
use crate::grant::{Standing, TokenKind};
use crate::session::{Session, StepUp};
use crate::token::BearerError;
use crate::token::jws::Typ;
use crate::token::secret::{Hash, Secret, SecretKind};
use gait_sdk::Timestamp;

/// Smallest `max_age` in a challenge, in seconds: the time that a redirect and a proof may take.
const MIN_MAX_AGE: u32 = 60;

/// What a token is worth at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It counts.
    Alive,
    /// It will count again once the person has proven themselves anew.
    StepUpPending(StepUp),
    /// It never counts again.
    Dead,
}

/// Judges a token by all that it hangs on. Pure.
pub(crate) fn life(standing: &Standing, now: Timestamp) -> Life {
    let token = &standing.token;
    if token.spent_at.is_some() || token.expires_at <= now {
        return Life::Dead;
    }
    if token.grant.is_none() {
        return Life::Alive; // client credentials: no person behind it
    }
    let (Some(grant), Some(session), Some(account)) = (&standing.grant, &standing.session, &standing.account) else {
        return Life::Dead;
    };
    let begun = token.issued_at.min(grant.created_at).min(session.created_at);
    let overtaken = account.revoked_before.is_some_and(|limit| begun < limit);
    if grant.revoked_at.is_some() || account.disabled_at.is_some() || overtaken {
        return Life::Dead;
    }
    session_life(session, grant.is_offline())
}

fn session_life(session: &Session, offline: bool) -> Life {
    match (&session.ended, &session.step_up) {
        (None, None) => Life::Alive,
        (None, Some(step_up)) => Life::StepUpPending(step_up.clone()),
        // Signing out must be no way around a step-up: what was in doubt then stays in doubt, and nobody can clear it any more.
        (Some(ended), None) if offline && !ended.reason.is_security() => Life::Alive,
        (Some(_), _) => Life::Dead,
    }
}

impl Idp {
    /// Finds an access token, opaque or JWT, or a refresh token, alive or not. `None` if there is no such token.
    ///
    /// # Errors
    /// A backend is away.
    pub(crate) async fn standing_of(&self, token: &str) -> Result<Option<Standing>> {
        match self.stored_hash(token) {
            Some(hash) => Ok(self.store.standing(&hash).await?),
            None => Ok(None),
        }
    }

    /// What is stored of a token: the hash of an opaque one, or of the `jti` of a JWT that we signed as an access token.
    fn stored_hash(&self, token: &str) -> Option<Hash> {
        let opaque = Secret::parse(SecretKind::Access, token).or_else(|| Secret::parse(SecretKind::Refresh, token));
        if let Some(secret) = opaque {
            return Some(secret.hash());
        }
        let claims = self.keys.verify(&self.issuer, Typ::AccessToken, token)?;
        claims["jti"].as_str().map(|jti| Hash::of(jti.as_bytes()))
    }

    /// What a living access token stands for.
    ///
    /// # Errors
    /// [`BearerError::InvalidToken`] if it is no living access token, [`BearerError::StepUp`] while a step-up is pending.
    pub(crate) async fn bearer(&self, token: &str) -> Result<Standing, BearerError> {
        if token.is_empty() {
            return Err(BearerError::Missing);
        }
        let standing = self.standing_of(token).await?.ok_or(BearerError::InvalidToken)?;
        if standing.token.kind != TokenKind::Access {
            return Err(BearerError::InvalidToken);
        }
        let now = self.ports.now();
        match life(&standing, now) {
            Life::Alive => Ok(standing),
            Life::StepUpPending(step_up) => Err(challenge(&standing, &step_up, now)),
            Life::Dead => Err(BearerError::InvalidToken),
        }
    }
}

/// RFC 9470 §3: the level that the token was issued at, proven since the demand. Never `max_age="0"`: by the time it is shown,
/// every new proof would be older, and the client would go round in circles.
fn challenge(standing: &Standing, step_up: &StepUp, now: Timestamp) -> BearerError {
    let grant = standing.grant.as_ref();
    BearerError::StepUp {
        acr_values: grant.and_then(|grant| grant.acr.clone()).unwrap_or_default(),
        max_age: u32::try_from(now.since(step_up.since)).unwrap_or(0).max(MIN_MAX_AGE),
    }
}
