//! Nodes of the first version and of this one on one database, in the middle of an upgrade.

use super::given::*;
use crate::harness::postgres;
use gait::store::Database;
use gait_core::client::Alg;
use gait_core::store::DeliveryFilter;
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::path::PathBuf;
use std::sync::Arc;

/// What a node of schema 0001 writes for a person `NAME` who is signed in. `~…~` is hexadecimal.
const STATEMENTS: &str = r#"
INSERT INTO account (id, username, email, email_verified, claims, mode, disabled_at, created_at, updated_at, credential_changed_at, revoked_before)
    VALUES (~ID~, 'NAME', NULL, FALSE, '{}', 'train', NULL, 1893456000, 1893456000, NULL, NULL);
INSERT INTO identifier (name, account) VALUES ('NAME', ~ID~);
INSERT INTO credential (account, plugin, last_used_at, id, label, payload, version, created_at)
    VALUES (~ID~, 'password', NULL, 'password', 'Password', '{"secret":1}', 1, 1893456000);
INSERT INTO session (id, secret, account, proofs, created_at, last_seen_at, place, level, step_up, step_up_since, ended_at, end_reason, sequence)
    VALUES ('NAME sid', ~ID~, ~ID~, '[]', 1893456000, 1893456000, '{"address":"192.0.2.7","user_agent":"x","device":null}', 'LOW', NULL, NULL, NULL, NULL, 1);
INSERT INTO client (id, body) VALUES ('app', 'CLIENT') ON CONFLICT (id) DO NOTHING;
INSERT INTO client_grant (id, account, client, session, scopes, offline, claims, nonce, acr, amr, auth_time, created_at, revoked_at)
    VALUES (~ID~, ~ID~, 'app', 'NAME sid', '["openid"]', FALSE, NULL, NULL, NULL, '[]', 1893456000, 1893456000, NULL);
INSERT INTO token (hash, kind, grant_id, client, scopes, audience, issued_at, expires_at, spent_at)
    VALUES (~HASH~, 'refresh', ~ID~, 'app', '["openid"]', '[]', 1893456000, 1893456600, NULL);
INSERT INTO spent_code (hash, grant_id, spent_at) VALUES (~HASH~, ~ID~, 1893456000);
INSERT INTO attempt (name, tries, closes_at) VALUES ('NAME', 2, 1893456060);
INSERT INTO event (id, account, body, expanded) VALUES (~ID~, ~ID~, 'EVENT', FALSE);
INSERT INTO delivery (id, client, channel, event, attempts, next_at, session, dead)
    VALUES (~ID~, 'app', 'callback', ~ID~, 0, 1893456000, 'NAME sid', FALSE);
INSERT INTO signing_key (kid, alg, private, public, created_at, retire_at) VALUES ('NAME', 'ES256', ~ID~, '{}', 1893456000, NULL);
INSERT INTO lease (name, holder, held_until) VALUES ('NAME', 'old node', 1893456000)
"#;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The statements for a person, with blobs as the engine writes them.
fn statements(name: &str, blob: fn(&str) -> String) -> Vec<String> {
    let of = account(name);
    let event = serde_json::to_string(&event(&of, name)).unwrap();
    let client = serde_json::to_string(&client("app")).unwrap().replace('\'', "''");
    let text = STATEMENTS.replace("~ID~", &blob(&hex(uuid(name).as_bytes())));
    let text = text.replace("~HASH~", &blob(&hex(&hash(&format!("{name} refresh")).0)));
    let text = text.replace("NAME", name).replace("CLIENT", &client).replace("EVENT", &event);
    text.split(";\n").map(str::to_owned).collect()
}

fn migrations(engine: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../db/migrations")
        .join(engine)
}

/// Everything that an old node has written is there.
async fn serves(store: &TheStore, name: &str) {
    let account = store.account_by(&identifier(name)).await.unwrap().unwrap();
    assert_eq!(account.id.0, uuid(name));
    assert_eq!(store.credentials(account.id, None).await.unwrap().len(), 1);
    let session = store.session(&format!("{name} sid").as_str().into()).await.unwrap().unwrap();
    let standing = store.standing(&hash(&format!("{name} refresh"))).await.unwrap().unwrap();
    assert_eq!(standing.session, Some(session.clone()));
    let next = refresh(&standing.grant.unwrap(), &format!("{name} next"));
    let rotated = store.rotate_refresh(&hash(&format!("{name} refresh")), NOW, &[next]).await;
    assert_eq!(rotated.unwrap(), gait_core::store::Rotated::First);
    assert!(store.spent_code(&hash(&format!("{name} refresh"))).await.unwrap().is_some());
    assert_eq!(store.count_attempt(name, NOW, 60).await.unwrap(), 3);
    assert_eq!(told(store, &account).await, [name]);
    let keys = store.keys().await.unwrap();
    let key = keys.iter().find(|key| key.kid.as_str() == name).unwrap();
    assert_eq!(
        (key.alg, key.signs_from),
        (Alg::ES256, NOW),
        "an old key signs since it was made"
    );
    assert!(store.lease(name, "new node", NOW, 30).await.unwrap());
    store.set_risk(&session.id, 1, session.level, None, &[]).await.unwrap();
}

async fn serve_both(store: &TheStore) {
    for name in ["before", "beside"] {
        serves(store, name).await;
    }
    let open = store.deliveries(&DeliveryFilter::default(), 9).await.unwrap();
    let mut told: Vec<_> = open.iter().map(|delivery| delivery.event.txn.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, ["before", "beside"]);
    let receiver = open[0].receiver();
    let given_up = store.give_up(&receiver, NOW, NOW.plus(1), "away", MOST).await.unwrap();
    assert_eq!(given_up, 2, "an old node knows nothing of when they began to wait");
}

#[tokio::test]
async fn an_old_node_and_a_new_one_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gait.db");
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let mut old = SqliteConnection::connect(&url).await.unwrap();
    let first = Migrator::new(migrations("sqlite")).await.unwrap();
    first.run_direct(Some(1), &mut old, false).await.unwrap();
    let blob: fn(&str) -> String = |hex| format!("x'{hex}'");
    for sql in statements("before", blob) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
    }
    let store: TheStore = Arc::new(Database::sqlite(&path).await.unwrap());
    for sql in statements("beside", blob) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
    }
    serve_both(&store).await;
}

#[tokio::test]
async fn an_old_node_and_a_new_one_share_a_server() {
    let url = postgres::empty().await;
    let mut old = PgConnection::connect(&url).await.unwrap();
    let first = Migrator::new(migrations("postgres")).await.unwrap();
    first.run_direct(Some(1), &mut old, false).await.unwrap();
    // The migrator's lock is its connection's.
    sqlx::raw_sql("SELECT pg_advisory_unlock_all()")
        .execute(&mut old)
        .await
        .unwrap();
    let blob: fn(&str) -> String = |hex| format!(r"'\x{hex}'");
    for sql in statements("before", blob) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
    }
    let store: TheStore = Arc::new(postgres::open(&url).await);
    for sql in statements("beside", blob) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
    }
    serve_both(&store).await;
}
