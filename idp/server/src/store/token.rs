//! Codes and tokens: how they are spent, and what their life hangs on.

use super::Connection;
use super::account::{self, account_columns};
use super::grant::{self, grant_columns};
use super::outbox;
use super::row::{Columns, all, json, json_opt, one, or_taken, word};
use super::session::{self, session_columns};
use super::statement::{Statement, Text, Written};
use gait_core::event::Event;
use gait_core::grant::{Grant, Standing, Token};
use gait_core::ids::GrantId;
use gait_core::store::{Redeemed, Result, Rotated, StoreError};
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
/// Begins to store what [`bind`] binds of each token.
const INTO: &str = "INSERT INTO token (hash, kind, grant_id, client, scopes, audience, issued_at, expires_at, spent_at)";
const COLUMNS: usize = 9;

/// Texts of no token, one, and so on, up to [`ROWS`].
type ByRows = LazyLock<Vec<Written>>;

fn by_rows(text: impl Fn(usize) -> Written) -> Vec<Written> {
    (0..=ROWS).map(text).collect()
}

/// The text for so many tokens.
fn text_for(texts: &'static [Written], tokens: &[Token]) -> Result<Text> {
    let text = texts.get(tokens.len());
    let text = text.ok_or_else(|| StoreError::Damaged(format!("{} tokens at once", tokens.len())))?;
    Ok(text.into())
}

/// The parameters of so many tokens, from number `first` on: `($1, $2), ($3, $4)`.
fn values(first: usize, rows: usize) -> String {
    let row = |row: usize| {
        let parameters = (0..COLUMNS).map(|column| format!("${}", first + row * COLUMNS + column));
        format!("({})", parameters.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

fn bind<'c>(mut statement: Statement<'c>, tokens: &[Token]) -> Result<Statement<'c>> {
    for token in tokens {
        statement = statement
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
    Ok(statement)
}

static ADD: ByRows = LazyLock::new(|| by_rows(|rows| Written::of_both(format!("{INTO} VALUES {}", values(1, rows)))));

/// Stores tokens; up to [`ROWS`] of them all or none, more within a transaction.
pub(super) async fn add(db: &mut Connection<'_>, tokens: &[Token]) -> Result<()> {
    for some in tokens.chunks(ROWS) {
        let add = bind(db.sql(text_for(&ADD, some)?), some)?;
        add.execute().await.map_err(or_taken("token"))?;
    }
    Ok(())
}

/// True of account `$4` and session `$5` if they, and client `$6`, are there and may be used for what was granted at `$3`.
macro_rules! parties_stand {
    ($lock:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM account a JOIN session s ON s.account = a.id WHERE a.id = $4 AND s.id = $5 \
             AND a.disabled_at IS NULL AND (a.revoked_before IS NULL OR a.revoked_before <= $3) AND s.ended_at IS NULL \
             AND EXISTS (SELECT 1 FROM client c WHERE c.id = $6)",
            $lock,
            ")"
        )
    };
}

/// Leaves the tombstone of code `$1`, unless it has one.
const BURY: &str = "INSERT INTO spent_code (hash, grant_id, spent_at) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING";
/// Stores grant `$2`.
const GRANT: &str = "INSERT INTO client_grant (id, created_at, account, session, client, scopes, offline, claims, nonce, acr, amr, \
                     auth_time, revoked_at) SELECT $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14";

/// What a journey gives back of what was done.
const BURIED: i64 = 1;
const GIVEN: i64 = 2;

/// Rows that are stored once a change has met one.
struct Rows {
    into: &'static str,
    values: String,
}

/// A change, and then, if it met a row, what is to be stored with it. On SQLite what is done last gives [`GIVEN`] back; Postgres' half is
/// the part of a `WITH` in which the change is `met`.
fn and_then(change: &Written, then: &[Rows]) -> Written {
    let mut sqlite = change.sqlite.clone();
    let mut postgres = format!("met AS ({} RETURNING 1)", change.postgres);
    for (number, Rows { into, values }) in then.iter().enumerate() {
        sqlite += &format!("; {into} SELECT * FROM (VALUES {values}) WHERE changes() > 0");
        postgres += &format!(", then{number} AS ({into} SELECT v.* FROM met, (VALUES {values}) AS v)");
    }
    sqlite += &format!(" RETURNING {GIVEN}");
    Written { sqlite, postgres }
}

/// The tokens, whose parameters begin at number `first`, if there are any.
fn tokens(first: usize, rows: usize) -> Option<Rows> {
    let values = values(first, rows);
    (rows > 0).then_some(Rows { into: INTO, values })
}

/// A code's tombstone, and its grant with its tokens if it had none and may be granted; with an event, and without.
static REDEEM: LazyLock<[Vec<Written>; 2]> = LazyLock::new(|| {
    let grant = Written {
        sqlite: format!("{GRANT} WHERE changes() > 0 AND {}", parties_stand!("")),
        postgres: format!("{GRANT} FROM buried WHERE {}", parties_stand!(" FOR SHARE OF a, s")),
    };
    let redeem = |then: Vec<Rows>| {
        let Written { sqlite, postgres } = and_then(&grant, &then);
        Written {
            sqlite: format!("{BURY} RETURNING {BURIED}; {sqlite}"),
            postgres: format!(
                "WITH buried AS ({BURY} RETURNING 1), {postgres} SELECT CAST({BURIED} AS BIGINT) FROM buried \
                 UNION ALL SELECT CAST({GIVEN} AS BIGINT) FROM met"
            ),
        }
    };
    let event = || Rows {
        into: outbox::into!(),
        values: "($15, $16, $17, FALSE)".to_owned(),
    };
    let silently = by_rows(|rows| redeem(tokens(15, rows).into_iter().collect()));
    [
        silently,
        by_rows(|rows| redeem(std::iter::once(event()).chain(tokens(18, rows)).collect())),
    ]
});

/// Runs a journey; the last step that was done.
async fn last_step(journey: Statement<'_>) -> Result<Option<i64>> {
    let steps: Vec<i64> = all(journey.fetch_all().await?, |columns| columns.get())?;
    Ok(steps.into_iter().max())
}

/// Redeems a code in one journey.
pub(super) async fn redeem(
    db: &mut Connection<'_>,
    code: &Hash,
    new: &Grant,
    tokens: &[Token],
    event: Option<&Event>,
) -> Result<Redeemed> {
    let texts = &REDEEM[usize::from(event.is_some())];
    let mut redeem = db
        .sql(text_for(texts, tokens)?)
        .bind(code.0.as_slice())
        .bind(new.id.0.as_bytes().as_slice())
        .bind(new.created_at.0)
        .bind(new.account.0.as_bytes().as_slice())
        .bind(new.session.as_str())
        .bind(new.client.as_str())
        .bind(json(&new.scopes)?)
        .bind(new.is_offline())
        .bind(json_opt(new.claims.as_ref())?)
        .bind(new.nonce.as_deref())
        .bind(new.acr.as_deref())
        .bind(json(&new.amr)?)
        .bind(new.auth_time.0)
        .bind(new.revoked_at.map(|at| at.0));
    if let Some(event) = event {
        redeem = outbox::bind(redeem, event)?;
    }
    match last_step(bind(redeem, tokens)?).await.map_err(or_taken("grant"))? {
        Some(GIVEN) => Ok(Redeemed::First),
        Some(_) => Ok(Redeemed::Dead),
        None => {
            let earlier = spent_code(db, code).await?;
            Ok(earlier.map_or(Redeemed::Dead, Redeemed::Replayed))
        }
    }
}

/// The id of the grant that a spent code led to, or would have.
pub(super) async fn spent_code(db: &mut Connection<'_>, code: &Hash) -> Result<Option<GrantId>> {
    let row = db
        .sql("SELECT grant_id FROM spent_code WHERE hash = $1")
        .bind(code.0.as_slice())
        .fetch_optional()
        .await?;
    one(row, |columns| Ok(GrantId(columns.uuid()?)))
}

/// Spends refresh token `$1` at `$2`. Whatever ends a grant writes its row before it looks for the grant's tokens. On Postgres it
/// therefore waits for this transaction, and finds the new ones.
macro_rules! spend {
    ($lock:literal) => {
        concat!(
            "UPDATE token AS t SET spent_at = $2 WHERE hash = $1 AND kind = 'refresh' AND spent_at IS NULL \
             AND expires_at > $2 AND ",
            grant_stands!($lock)
        )
    };
}

static ROTATE: ByRows = LazyLock::new(|| {
    let spend = Written {
        sqlite: spend!("").to_owned(),
        postgres: spend!(" FOR SHARE OF g").to_owned(),
    };
    by_rows(|rows| {
        let Written { sqlite, postgres } = and_then(&spend, tokens(3, rows).as_slice());
        Written {
            sqlite,
            postgres: format!("WITH {postgres} SELECT CAST({GIVEN} AS BIGINT) FROM met"),
        }
    })
});

/// Rotates a refresh token in one journey.
pub(super) async fn rotate(db: &mut Connection<'_>, old: &Hash, at: Timestamp, tokens: &[Token]) -> Result<Rotated> {
    let rotate = db.sql(text_for(&ROTATE, tokens)?).bind(old.0.as_slice()).bind(at.0);
    if last_step(bind(rotate, tokens)?).await.map_err(or_taken("token"))?.is_some() {
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
