//! Grants and OAuth consents.

use super::row::{Columns, all, json, one};
use super::statement::{delete_all, delete_some};
use super::{Connection, Database, change, journey, outbox, token, transact};
use async_trait::async_trait;
use gait_core::event::Event;
use gait_core::grant::{Grant, Scopes, Standing, Token};
use gait_core::ids::{AccountId, ClientId, GrantId, SessionId};
use gait_core::store::{GrantStore, Redeemed, Result, Rotated};
use gait_core::token::secret::Hash;
use gait_sdk::Timestamp;

/// What [`read`] reads, of `client_grant g`.
macro_rules! grant_columns {
    () => {
        "g.id, g.account, g.client, g.session, g.scopes, g.claims, g.nonce, g.acr, g.amr, g.auth_time, g.created_at, g.revoked_at"
    };
}
pub(super) use grant_columns;

pub(super) fn read(columns: &mut Columns<'_>) -> Result<Grant> {
    Ok(Grant {
        id: GrantId(columns.uuid()?),
        account: AccountId(columns.uuid()?),
        client: columns.word()?,
        session: columns.word()?,
        scopes: columns.json()?,
        claims: columns.json_opt()?,
        nonce: columns.get()?,
        acr: columns.get()?,
        amr: columns.json()?,
        auth_time: columns.time()?,
        created_at: columns.time()?,
        revoked_at: columns.time_opt()?,
    })
}

/// Revokes a living grant and its tokens within a transaction; false if there is none.
pub(super) async fn revoke(db: &mut Connection<'_>, id: GrantId, at: Timestamp) -> Result<bool> {
    let done = db
        .sql("UPDATE client_grant SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
        .bind(id.0.as_bytes().as_slice())
        .bind(at.0)
        .execute()
        .await?;
    if done == 0 {
        return Ok(false);
    }
    db.sql("UPDATE token SET spent_at = $2 WHERE grant_id = $1 AND spent_at IS NULL")
        .bind(id.0.as_bytes().as_slice())
        .bind(at.0)
        .execute()
        .await?;
    Ok(true)
}

/// Forgets the OAuth consent within a transaction; false if there is none.
async fn forget_consent(db: &mut Connection<'_>, account: AccountId, client: &ClientId) -> Result<bool> {
    let done = db
        .sql("DELETE FROM oauth_consent WHERE account = $1 AND client = $2")
        .bind(account.0.as_bytes().as_slice())
        .bind(client.as_str())
        .execute()
        .await?;
    Ok(done > 0)
}

/// What died before `$1`.
const DEAD: [&str; 7] = [
    delete_some!("token", "hash", "kind IN ('access', 'refresh') AND expires_at < $1"),
    // Of those grants alone that the next one may come to: who looks further passes over the same ones each time.
    "DELETE FROM token WHERE hash IN (SELECT t.hash FROM token t WHERE t.grant_id IN (SELECT id FROM client_grant \
     WHERE revoked_at < $1 ORDER BY revoked_at, id LIMIT $2) LIMIT $2)",
    "DELETE FROM client_grant WHERE id IN (SELECT id FROM client_grant WHERE revoked_at < $1 ORDER BY revoked_at, id LIMIT $2)",
    delete_some!("spent_code", "hash", "spent_at < $1"),
    delete_some!("attempt", "name", "closes_at < $1"),
    delete_some!("approval", "hash", "expires_at < $1"),
    delete_some!("delivery", "id", "closed_at < $1"),
];

/// What nothing refers to any more and nobody has used since `$1`. A session stays as long as a grant names it.
const UNUSED: [&str; 3] = [
    delete_some!(
        "client_grant",
        "id",
        "created_at < $1 AND NOT EXISTS (SELECT 1 FROM token t WHERE t.grant_id = client_grant.id)"
    ),
    delete_some!(
        "session",
        "id",
        "ended_at < $1 AND NOT EXISTS (SELECT 1 FROM client_grant g WHERE g.session = session.id)"
    ),
    // It was made before it was last used: there is an index for that.
    delete_some!(
        "session",
        "id",
        "ended_at IS NULL AND created_at < $1 AND last_seen_at < $1 \
         AND NOT EXISTS (SELECT 1 FROM client_grant g WHERE g.session = session.id)"
    ),
];

#[async_trait]
impl GrantStore for Database {
    async fn redeem_code(&self, code: &Hash, grant: &Grant, tokens: &[Token], event: Option<&Event>) -> Result<Redeemed> {
        journey!(self, Adds, |db| token::redeem(db, code, grant, tokens, event).await)
    }

    async fn spent_code(&self, code: &Hash) -> Result<Option<GrantId>> {
        token::spent_code(&mut self.read().await?.connection(), code).await
    }

    async fn rotate_refresh(&self, old: &Hash, at: Timestamp, tokens: &[Token]) -> Result<Rotated> {
        // It spends a refresh token, which is never cached.
        journey!(self, Adds, |db| token::rotate(db, old, at, tokens).await)
    }

    async fn add_tokens(&self, tokens: &[Token]) -> Result<()> {
        self.issuing.add(self, tokens).await
    }

    async fn standing(&self, token: &Hash) -> Result<Option<Standing>> {
        let read = || async { token::standing(&mut self.read().await?.connection(), token).await };
        self.recent(|cache| &cache.standings, token, read).await
    }

    async fn grant(&self, id: GrantId) -> Result<Option<Grant>> {
        let row = self
            .read()
            .await?
            .sql(concat!("SELECT ", grant_columns!(), " FROM client_grant g WHERE g.id = $1"))
            .bind(id.0.as_bytes().as_slice())
            .fetch_optional()
            .await?;
        one(row, read)
    }

    async fn grants_of_session(&self, id: &SessionId) -> Result<Vec<Grant>> {
        let rows = self
            .read()
            .await?
            .sql(concat!(
                "SELECT ",
                grant_columns!(),
                " FROM client_grant g WHERE g.session = $1 ORDER BY g.created_at, g.id"
            ))
            .bind(id.as_str())
            .fetch_all()
            .await?;
        all(rows, read)
    }

    async fn grants_of(&self, account: AccountId) -> Result<Vec<Grant>> {
        let rows = self
            .read()
            .await?
            .sql(concat!(
                "SELECT ",
                grant_columns!(),
                " FROM client_grant g WHERE g.account = $1 AND g.revoked_at IS NULL ORDER BY g.created_at DESC, g.id"
            ))
            .bind(account.0.as_bytes().as_slice())
            .fetch_all()
            .await?;
        all(rows, read)
    }

    async fn revoke_grant(&self, id: GrantId, at: Timestamp, events: &[Event]) -> Result<()> {
        transact!(self, |db| {
            if revoke(db, id, at).await? {
                outbox::note(db, events).await?;
            }
            Ok(())
        })
    }

    async fn disconnect(&self, account: AccountId, client: &ClientId, at: Timestamp, events: &[Event]) -> Result<()> {
        transact!(self, |db| {
            let mut changed = forget_consent(db, account, client).await?;
            let rows = db
                .sql("SELECT id FROM client_grant WHERE account = $1 AND client = $2 AND revoked_at IS NULL ORDER BY id")
                .bind(account.0.as_bytes().as_slice())
                .bind(client.as_str())
                .fetch_all()
                .await?;
            for id in all(rows, |columns| Ok(GrantId(columns.uuid()?)))? {
                changed |= revoke(db, id, at).await?;
            }
            if changed {
                outbox::note(db, events).await?;
            }
            Ok(())
        })
    }

    async fn revoke_token(&self, token: &Hash, at: Timestamp) -> Result<()> {
        change!(self, |db| db
            .sql("UPDATE token SET spent_at = $2 WHERE hash = $1 AND spent_at IS NULL")
            .bind(token.0.as_slice())
            .bind(at.0)
            .execute()
            .await)?;
        Ok(())
    }

    async fn consent(&self, account: AccountId, client: &ClientId) -> Result<Option<Scopes>> {
        let row = self
            .read()
            .await?
            .sql("SELECT scopes FROM oauth_consent WHERE account = $1 AND client = $2")
            .bind(account.0.as_bytes().as_slice())
            .bind(client.as_str())
            .fetch_optional()
            .await?;
        one(row, |columns| columns.json())
    }

    async fn put_consent(&self, account: AccountId, client: &ClientId, scopes: &Scopes, at: Timestamp) -> Result<()> {
        change!(self, Adds, |db| db
            .sql(
                "INSERT INTO oauth_consent (account, client, scopes, given_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (account, client) DO UPDATE SET scopes = excluded.scopes, given_at = excluded.given_at",
            )
            .bind(account.0.as_bytes().as_slice())
            .bind(client.as_str())
            .bind(json(scopes)?)
            .bind(at.0)
            .execute()
            .await)?;
        Ok(())
    }

    async fn purge(&self, before: Timestamp, most: u32) -> Result<u64> {
        transact!(self, |db| delete_all(db, &DEAD, before.0, most).await)
    }

    async fn purge_access(&self, before: Timestamp, most: u32) -> Result<u64> {
        const ACCESS: [&str; 1] = [delete_some!("token", "hash", "kind = 'access' AND expires_at < $1")];
        change!(self, Adds, |db| delete_all(db, &ACCESS, before.0, most).await)
    }

    async fn purge_sessions(&self, before: Timestamp, most: u32) -> Result<u64> {
        transact!(self, |db| delete_all(db, &UNUSED, before.0, most).await)
    }
}
