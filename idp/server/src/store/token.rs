//! Codes and tokens: how they are spent, and what their life hangs on.

use super::Connection;
use super::account::{self, account_columns};
use super::grant::{self, grant_columns};
use super::outbox;
use super::row::{Columns, json, one, or_taken, word};
use super::session::{self, session_columns};
use super::statement::{Text, locking};
use gait_core::event::Event;
use gait_core::grant::{Grant, Standing, Token};
use gait_core::ids::GrantId;
use gait_core::store::{Redeemed, Result, Rotated};
use gait_core::token::secret::Hash;
use gait_sdk::Timestamp;
use std::sync::LazyLock;

/// What [`read`] reads, of `token t`.
macro_rules! token_columns {
    () => {
        "t.hash, t.kind, t.grant_id, t.client, t.scopes, t.audience, t.issued_at, t.expires_at, t.spent_at"
    };
}

/// True of a `token t` whose grant stands: it isn't revoked, its account may be used, and its session lives unless it is offline. The
/// client is there, for token and grant go with it.
macro_rules! grant_stands {
    ($lock:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM client_grant g JOIN account a ON a.id = g.account \
             LEFT JOIN session s ON s.id = g.session WHERE g.id = t.grant_id AND g.revoked_at IS NULL \
             AND a.disabled_at IS NULL AND (a.revoked_before IS NULL OR a.revoked_before <= g.created_at) \
             AND (g.offline = TRUE OR (s.account = g.account AND s.ended_at IS NULL))",
            $lock,
            ")"
        )
    };
}

fn read(columns: &mut Columns<'_>) -> Result<Token> {
    Ok(Token {
        hash: columns.hash()?,
        kind: columns.word()?,
        grant: columns.uuid_opt()?.map(GrantId),
        client: columns.word()?,
        scopes: columns.json()?,
        audience: columns.json()?,
        issued_at: columns.time()?,
        expires_at: columns.time()?,
        spent_at: columns.time_opt()?,
    })
}

/// Most tokens that one statement stores.
pub(super) const ROWS: usize = 16;
/// Columns of a token.
const COLUMNS: usize = 9;

/// The statements that store one token, two, and so on.
static INSERTS: LazyLock<Vec<String>> = LazyLock::new(|| (1..=ROWS).map(insert_of).collect());

fn insert_of(rows: usize) -> String {
    let row = |row: usize| {
        let parameters: Vec<_> = (1..=COLUMNS).map(|column| format!("${}", row * COLUMNS + column)).collect();
        format!("({})", parameters.join(", "))
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO token (hash, kind, grant_id, client, scopes, audience, issued_at, expires_at, spent_at) VALUES {}",
        rows.join(", ")
    )
}

/// Stores tokens; up to [`ROWS`] of them all or none, more within a transaction.
pub(super) async fn add(db: &mut Connection<'_>, tokens: &[Token]) -> Result<()> {
    for some in tokens.chunks(ROWS) {
        let mut insert = db.sql(INSERTS[some.len() - 1].as_str());
        for token in some {
            insert = insert
                .bind(token.hash.0.as_slice())
                .bind(word(&token.kind)?)
                .bind(token.grant.as_ref().map(|id| id.0.as_bytes().as_slice()))
                .bind(token.client.as_str())
                .bind(json(&token.scopes)?)
                .bind(json(&token.audience)?)
                .bind(token.issued_at.0)
                .bind(token.expires_at.0)
                .bind(token.spent_at.map(|at| at.0));
        }
        insert.execute().await.map_err(or_taken("token"))?;
    }
    Ok(())
}

/// Leaves a code's tombstone; the id of the grant that it led to before, if it was spent.
async fn bury(db: &mut Connection<'_>, code: &Hash, grant: &Grant) -> Result<Option<GrantId>> {
    let buried = db
        .sql("INSERT INTO spent_code (hash, grant_id, spent_at) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING")
        .bind(code.0.as_slice())
        .bind(grant.id.0.as_bytes().as_slice())
        .bind(grant.created_at.0)
        .execute()
        .await?;
    if buried > 0 {
        return Ok(None);
    }
    let row = db
        .sql("SELECT grant_id FROM spent_code WHERE hash = $1")
        .bind(code.0.as_slice())
        .fetch_optional()
        .await?;
    one(row, |columns| Ok(GrantId(columns.uuid()?)))
}

/// True if account, session and client are there and may be used for what was granted at `created_at`.
async fn parties_stand(db: &mut Connection<'_>, grant: &Grant) -> Result<bool> {
    let row = db
        .sql(locking!(
            "SELECT 1 FROM account a JOIN session s ON s.account = a.id WHERE a.id = $1 AND s.id = $2 \
             AND a.disabled_at IS NULL AND (a.revoked_before IS NULL OR a.revoked_before <= $3) AND s.ended_at IS NULL \
             AND EXISTS (SELECT 1 FROM client c WHERE c.id = $4)",
            "FOR SHARE OF a, s"
        ))
        .bind(grant.account.0.as_bytes().as_slice())
        .bind(grant.session.as_str())
        .bind(grant.created_at.0)
        .bind(grant.client.as_str())
        .fetch_optional()
        .await?;
    Ok(row.is_some())
}

/// Redeems a code within a transaction.
pub(super) async fn redeem(
    db: &mut Connection<'_>,
    code: &Hash,
    new: &Grant,
    tokens: &[Token],
    events: &[Event],
) -> Result<Redeemed> {
    if let Some(earlier) = bury(db, code, new).await? {
        return Ok(Redeemed::Replayed(earlier));
    }
    if !parties_stand(db, new).await? {
        return Ok(Redeemed::Dead);
    }
    grant::add(db, new).await?;
    add(db, tokens).await?;
    outbox::note(db, events).await?;
    Ok(Redeemed::First)
}

macro_rules! spend {
    ($lock:literal) => {
        concat!(
            "UPDATE token AS t SET spent_at = $2 WHERE hash = $1 AND kind = 'refresh' AND spent_at IS NULL \
             AND expires_at > $2 AND ",
            grant_stands!($lock),
            " RETURNING hash"
        )
    };
}

/// Whatever ends a grant writes its row before it looks for the grant's tokens. On Postgres it therefore waits for this transaction, and
/// finds the new ones.
const SPEND: Text = Text {
    sqlite: spend!(""),
    postgres: spend!(" FOR SHARE OF g"),
};

/// Rotates a refresh token within a transaction.
pub(super) async fn rotate(db: &mut Connection<'_>, old: &Hash, at: Timestamp, tokens: &[Token]) -> Result<Rotated> {
    let spent = db.sql(SPEND).bind(old.0.as_slice()).bind(at.0).fetch_optional().await?;
    if spent.is_some() {
        add(db, tokens).await?;
        return Ok(Rotated::First);
    }
    let replayed = db
        .sql(concat!(
            "SELECT 1 FROM token t WHERE t.hash = $1 AND t.kind = 'refresh' AND t.spent_at IS NOT NULL AND ",
            grant_stands!("")
        ))
        .bind(old.0.as_slice())
        .fetch_optional()
        .await?;
    Ok(if replayed.is_some() {
        Rotated::Replayed
    } else {
        Rotated::Dead
    })
}

/// A token with all that its life hangs on, in one statement and so at one moment.
pub(super) async fn standing(db: &mut Connection<'_>, token: &Hash) -> Result<Option<Standing>> {
    let row = db
        .sql(concat!(
            "SELECT ",
            token_columns!(),
            ", ",
            grant_columns!(),
            ", ",
            account_columns!(),
            ", ",
            session_columns!(),
            " FROM token t LEFT JOIN client_grant g ON g.id = t.grant_id LEFT JOIN account a ON a.id = g.account \
             LEFT JOIN session s ON s.id = g.session WHERE t.hash = $1"
        ))
        .bind(token.0.as_slice())
        .fetch_optional()
        .await?;
    one(row, read_standing)
}

/// The account is there whenever the grant is; the session, last, may have gone before both.
fn read_standing(columns: &mut Columns<'_>) -> Result<Standing> {
    let mut standing = Standing {
        token: read(columns)?,
        grant: None,
        session: None,
        account: None,
    };
    if !columns.is_absent()? {
        standing.grant = Some(grant::read(columns)?);
        standing.account = Some(account::read(columns)?);
        if !columns.is_absent()? {
            standing.session = Some(session::read(columns)?);
        }
    }
    Ok(standing)
}
