//! Whether a token lives: the one place that says so.

use crate::Idp;
use crate::error::Result;
use crate::grant::{Standing, TokenKind};
use crate::session::{Session, StepUp};
use crate::token::BearerError;
use crate::token::jws::Typ;
use crate::token::secret::{Hash, Secret, SecretKind};
use crate::visit::{log_account, log_client};
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
            Life::Alive => {
                log_client(&standing.token.client);
                standing.account.iter().for_each(|account| log_account(account.id));
                Ok(standing)
            }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::account::{Account, Identifier, Mode};
    use crate::grant::{Grant, Token};
    use crate::ids::{AccountId, ClientId, GrantId, SessionId};
    use crate::session::{EndReason, Ended, Place, RiskLevel};
    use gait_sdk::Alarm;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp(1000);

    fn session() -> Session {
        Session {
            id: SessionId::from("sid"),
            account: AccountId(Uuid::nil()),
            proofs: Vec::new(),
            created_at: Timestamp(500),
            last_seen_at: NOW,
            place: Place::default(),
            level: RiskLevel::Low,
            step_up: None,
            ended: None,
            sequence: 0,
        }
    }

    fn account() -> Account {
        Account {
            id: AccountId(Uuid::nil()),
            username: Identifier::parse("alice").unwrap(),
            email: None,
            email_verified: false,
            claims: serde_json::Map::new(),
            mode: Mode::Train,
            disabled_at: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            credential_changed_at: None,
            revoked_before: None,
        }
    }

    /// A living access token of an offline grant, all times apart: session 500, grant 600, token 900.
    fn standing() -> Standing {
        let grant = Grant {
            id: GrantId(Uuid::nil()),
            account: AccountId(Uuid::nil()),
            client: ClientId::from("app"),
            session: SessionId::from("sid"),
            scopes: ["openid".to_owned(), "offline_access".to_owned()].into(),
            claims: None,
            nonce: None,
            acr: None,
            amr: Vec::new(),
            auth_time: Timestamp(500),
            created_at: Timestamp(600),
            revoked_at: None,
        };
        Standing {
            token: Token {
                hash: Hash::of(b"token"),
                kind: TokenKind::Access,
                grant: Some(grant.id),
                client: grant.client.clone(),
                scopes: grant.scopes.clone(),
                audience: Vec::new(),
                issued_at: Timestamp(900),
                expires_at: Timestamp(1100),
                spent_at: None,
            },
            grant: Some(grant),
            session: Some(session()),
            account: Some(account()),
        }
    }

    fn after(change: impl FnOnce(&mut Standing)) -> Life {
        let mut standing = standing();
        change(&mut standing);
        life(&standing, NOW)
    }

    fn ended(reason: EndReason) -> Option<Ended> {
        Some(Ended { at: NOW, reason })
    }

    fn demand() -> StepUp {
        StepUp {
            since: NOW,
            alarm: Alarm::Soft,
            reasons: Vec::new(),
            failures: 0,
        }
    }

    #[test]
    fn it_lives_while_all_that_it_hangs_on_does() {
        assert_eq!(after(|_| {}), Life::Alive);
        assert_eq!(after(|it| it.token.expires_at = NOW.plus(1)), Life::Alive);
        assert_eq!(
            after(|it| it.account.as_mut().unwrap().revoked_before = Some(Timestamp(500))),
            Life::Alive
        );
    }

    #[test]
    fn any_one_thing_kills_it_by_itself() {
        assert_eq!(after(|it| it.token.expires_at = NOW), Life::Dead);
        assert_eq!(after(|it| it.token.spent_at = Some(NOW)), Life::Dead);
        assert_eq!(after(|it| it.grant.as_mut().unwrap().revoked_at = Some(NOW)), Life::Dead);
        assert_eq!(after(|it| it.account.as_mut().unwrap().disabled_at = Some(NOW)), Life::Dead);
        assert_eq!(
            after(|it| it.account.as_mut().unwrap().revoked_before = Some(Timestamp(501))),
            Life::Dead,
            "the session's begin"
        );
        assert_eq!(
            after(|it| it.account.as_mut().unwrap().revoked_before = Some(NOW)),
            Life::Dead,
            "all of it"
        );
    }

    #[test]
    fn what_is_missing_kills_it_too() {
        assert_eq!(after(|it| it.grant = None), Life::Dead);
        assert_eq!(after(|it| it.session = None), Life::Dead);
        assert_eq!(after(|it| it.account = None), Life::Dead);
    }

    #[test]
    fn only_an_offline_grant_outlives_its_session_and_only_a_peaceful_end() {
        let bound = |it: &mut Standing| it.grant.as_mut().unwrap().scopes.remove("offline_access");
        for (reason, survives) in [
            (EndReason::SignedOut, true),
            (EndReason::Replaced, true),
            (EndReason::EndedByOwner, false),
            (EndReason::Disowned, false),
            (EndReason::Anomaly, false),
            (EndReason::StepUpFailed, false),
            (EndReason::AccountChanged, false),
        ] {
            let life = after(|it| it.session.as_mut().unwrap().ended = ended(reason));
            assert_eq!(life == Life::Alive, survives, "{reason:?}");
            let life = after(|it| {
                bound(it);
                it.session.as_mut().unwrap().ended = ended(reason);
            });
            assert_eq!(life, Life::Dead, "{reason:?}");
        }
    }

    #[test]
    fn a_pending_step_up_suspends_it_and_ending_the_session_is_no_way_out() {
        let pending = after(|it| it.session.as_mut().unwrap().step_up = Some(demand()));
        assert_eq!(pending, Life::StepUpPending(demand()));
        let escaped = after(|it| {
            let session = it.session.as_mut().unwrap();
            session.step_up = Some(demand());
            session.ended = ended(EndReason::SignedOut);
        });
        assert_eq!(escaped, Life::Dead);
    }

    #[test]
    fn a_clients_own_token_hangs_on_nobody() {
        let own = after(|it| {
            it.token.grant = None;
            (it.grant, it.session, it.account) = (None, None, None);
        });
        assert_eq!(own, Life::Alive);
    }
}
