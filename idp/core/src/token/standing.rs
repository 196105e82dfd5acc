//! Whether a token lives: the one place that says so.

use crate::Idp;
use crate::error::Result;
use crate::grant::Standing;
use crate::session::{Session, StepUp};
use crate::token::BearerError;
use gait_sdk::Timestamp;

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
        let _ = token;
        todo!()
    }

    /// What a living access token stands for.
    ///
    /// # Errors
    /// [`BearerError::InvalidToken`] if it is no living access token, [`BearerError::StepUp`] while a step-up is pending.
    pub(crate) async fn bearer(&self, token: &str) -> Result<Standing, BearerError> {
        let _ = token;
        todo!()
    }
}
