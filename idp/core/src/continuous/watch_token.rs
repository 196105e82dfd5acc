//! Watch tokens: opaque, at most ten minutes, bound to session, client and origin, good for nothing but samples.

use super::{WatchError, WatchToken};
use crate::Idp;
use crate::error::{Error, Result};
use crate::grant::{Standing, TokenKind};
use crate::ids::{AccountId, ClientId, GrantId, SessionId};
use crate::token::BearerError;
use crate::token::secret::{Secret, SecretKind};
use crate::token::standing::{Life, life};
use gait_sdk::Timestamp;
use serde::{Deserialize, Serialize};

/// The scope that lets a client have its sessions watched.
const SCOPE: &str = "continuous_auth";
/// Longest life in seconds, whatever the policy says.
const MAX_LIFE_S: u32 = 600;

/// What a watch token stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Watched {
    /// Whose behaviour.
    pub account: AccountId,
    /// In which session.
    pub session: SessionId,
    /// In which client's app.
    pub client: ClientId,
    /// Under which grant.
    pub grant: GrantId,
    /// On pages of which origin.
    pub origin: String,
    /// When the token was issued.
    pub issued_at: Timestamp,
}

impl Idp {
    /// Issues a watch token for the session of an access token with scope `continuous_auth`; `origin` is where the collector will run,
    /// `browser_origin` the request's `Origin` header if a browser sent it. A pending step-up is no hindrance: alarms stand while
    /// it is unanswered.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub async fn watch_token(&self, bearer: &str, origin: &str, browser_origin: Option<&str>) -> Result<WatchToken, WatchError> {
        let standing = self.standing_of(bearer).await?.ok_or(BearerError::InvalidToken)?;
        let watched = self.watchable(&standing, origin)?;
        if self
            .store
            .behaviour_consent(watched.account)
            .await
            .map_err(Error::from)?
            .is_none()
        {
            return Err(WatchError::NoConsent);
        }
        self.count_account(watched.account)?;
        let client = self.store.client(&watched.client).await.map_err(Error::from)?;
        let registered = client.is_some_and(|client| client.origins.iter().any(|known| known == origin));
        if !registered || browser_origin.is_some_and(|browser| browser != origin) {
            return Err(WatchError::Origin);
        }
        Ok(WatchToken {
            token: self.issue_watch_token(&watched).await?,
            expires_in: self.watch_life_s(),
        })
    }

    /// Checks the access token, in the order of the errors: the token, its scope, its session, its grant.
    fn watchable(&self, standing: &Standing, origin: &str) -> Result<Watched, WatchError> {
        let now = self.ports.now();
        let token = &standing.token;
        let (Some(grant), Some(session)) = (&standing.grant, &standing.session) else {
            return Err(BearerError::InvalidToken.into());
        };
        if token.kind != TokenKind::Access || token.expires_at <= now {
            return Err(BearerError::InvalidToken.into());
        }
        if !token.scopes.contains(SCOPE) {
            return Err(BearerError::InsufficientScope(SCOPE).into());
        }
        if session.ended.is_some() {
            return Err(WatchError::SessionEnded);
        }
        if life(standing, now) == Life::Dead {
            return Err(BearerError::InvalidToken.into());
        }
        Ok(Watched {
            account: grant.account,
            session: session.id.clone(),
            client: grant.client.clone(),
            grant: grant.id,
            origin: origin.to_owned(),
            issued_at: now,
        })
    }

    async fn issue_watch_token(&self, watched: &Watched) -> Result<Secret> {
        let token = Secret::new(SecretKind::Watch, &self.ports);
        let value = serde_json::to_vec(watched).map_err(|error| Error::Inconsistent(error.to_string()))?;
        self.ephemeral.put(&key(&token), &value, self.watch_life_s()).await?;
        Ok(token)
    }

    /// What a presented watch token stands for.
    pub(super) async fn watched(&self, token: &str) -> Result<Watched, WatchError> {
        let token = Secret::parse(SecretKind::Watch, token).ok_or(WatchError::WatchToken)?;
        let stored = self.ephemeral.get(&key(&token)).await.map_err(Error::from)?;
        let stored = stored.ok_or(WatchError::WatchToken)?;
        let watched: Watched = serde_json::from_slice(&stored).map_err(|_| WatchError::WatchToken)?;
        let dies_at = watched.issued_at.plus(i64::from(self.watch_life_s()));
        if dies_at <= self.ports.now() {
            return Err(WatchError::WatchToken);
        }
        Ok(watched)
    }

    /// A successor, once less than half of a token's life is left. The old one stays good to its end, so that an answer which got
    /// lost costs nothing.
    pub(super) async fn renewed_watch_token(&self, watched: &Watched) -> Result<Option<Secret>> {
        let now = self.ports.now();
        if now.since(watched.issued_at) * 2 <= i64::from(self.watch_life_s()) {
            return Ok(None);
        }
        let renewed = Watched {
            issued_at: now,
            ..watched.clone()
        };
        self.issue_watch_token(&renewed).await.map(Some)
    }

    fn watch_life_s(&self) -> u32 {
        self.policy.lifetimes.watch.min(MAX_LIFE_S)
    }
}

fn key(token: &Secret) -> String {
    format!("watch-token:{}", token.hash().to_text())
}
