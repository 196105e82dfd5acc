//! What only a file can do: last, be damaged, be too new, be somebody else's.

use super::given::*;
use gait::store::{Database, OpenError};
use gait_core::store::{AccountStore, OperationStore, Redeemed, Rotated, Store, StoreError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gait.db");
    (folder, path)
}

async fn open(path: &Path) -> Database {
    Database::sqlite(path).await.unwrap()
}

fn the(store: &Database) -> TheStore {
    Arc::new(store.clone()) as Arc<dyn Store>
}

/// What was spent before a restart stays spent after it: the classic way to replay a refresh token.
async fn still_holds(store: &TheStore) {
    assert!(lives(store, "offline").await);
    let standing = store.standing(&hash("next")).await.unwrap().unwrap();
    let online = standing.grant.unwrap();
    assert_eq!(
        store.redeem_code(&hash("online"), &online, &[], None).await.unwrap(),
        Redeemed::Replayed(online.id)
    );
    assert_eq!(
        store.rotate_refresh(&hash("online refresh"), NOW, &[]).await.unwrap(),
        Rotated::Replayed
    );
    assert_eq!(store.count_attempt("otp:alice", NOW, 60).await.unwrap(), 3);
}

async fn fill(store: &TheStore) {
    let given = signed_in(store).await;
    let next = refresh(&given.online, "next");
    assert_eq!(
        store.rotate_refresh(&hash("online refresh"), NOW, &[next]).await.unwrap(),
        Rotated::First
    );
    for _ in 0..2 {
        store.count_attempt("otp:alice", NOW, 60).await.unwrap();
    }
}

#[tokio::test]
async fn a_restart_loses_nothing_and_opens_nothing() {
    let (_folder, path) = place();
    let store = open(&path).await;
    fill(&the(&store)).await;
    store.close().await;
    still_holds(&the(&open(&path).await)).await;
}

/// What lies in the folder at this moment is what a killed process leaves behind.
#[tokio::test]
async fn a_killed_process_loses_nothing() {
    let (folder, path) = place();
    let store = open(&path).await;
    fill(&the(&store)).await;
    let after = tempfile::tempdir().unwrap();
    for name in ["gait.db", "gait.db-wal"] {
        std::fs::copy(folder.path().join(name), after.path().join(name)).unwrap();
    }
    still_holds(&the(&open(&after.path().join("gait.db")).await)).await;
}

#[tokio::test]
async fn a_database_from_the_future_is_refused_in_words() {
    let (_folder, path) = place();
    open(&path).await.close().await;
    let pool = sqlx::SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let refused = Database::sqlite(&path).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 9999, .. }), "{refused:?}");
    assert!(refused.to_string().contains("newer"), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let (_folder, path) = place();
    let text = "This is my diary. ".repeat(1000);
    std::fs::write(&path, &text).unwrap();
    let refused = Database::sqlite(&path).await.unwrap_err();
    assert!(matches!(refused, OpenError::Unreadable { .. }), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_truncated_database_is_refused() {
    let (_folder, path) = place();
    let store = open(&path).await;
    fill(&the(&store)).await;
    store.close().await;
    let whole = std::fs::metadata(&path).unwrap().len();
    for part in [whole / 2, 4096, 100, 20] {
        std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(part)
            .unwrap();
        let refused = Database::sqlite(&path).await;
        assert!(refused.is_err(), "{part} of {whole} bytes");
    }
}

/// The header and the schema are whole, the rest is not: each call fails, none panics.
#[tokio::test]
async fn damage_in_the_middle_is_an_error() {
    let (_folder, path) = place();
    let store = open(&path).await;
    fill(&the(&store)).await;
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let pool = sqlx::SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    let root: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = 'account'")
        .fetch_one(&pool)
        .await
        .unwrap();
    pool.close().await;
    let start = (usize::try_from(root).unwrap() - 1) * 4096;
    bytes[start..start + 4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let store = open(&path).await;
    let read = store.accounts(None, 9).await;
    assert!(matches!(read, Err(StoreError::Damaged(_))), "{read:?}");
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_damage() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let alice = add(&the(&store), "alice").await;
    let pool = sqlx::SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    for nonsense in [
        "mode = 'sleep'",
        "claims = '{'",
        "username = x'ff'",
        "created_at = -1, claims = '[]'",
    ] {
        let sql = format!("UPDATE account SET {nonsense}");
        // STRICT refuses what isn't even of the column's type.
        if sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.is_ok() {
            let read = store.account(alice.id).await;
            assert!(matches!(read, Err(StoreError::Damaged(_))), "{nonsense}: {read:?}");
        }
    }
    pool.close().await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let (folder, _) = place();
    let path = folder.path().join("nowhere").join("gait.db");
    let refused = Database::sqlite(&path).await.unwrap_err();
    assert!(matches!(refused, OpenError::File { .. }), "{refused:?}");
    assert!(refused.to_string().contains("nowhere"), "{refused}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = place();
    let store = open(&path).await;
    fill(&the(&store)).await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_at_once_share_a_fresh_file() {
    let (_folder, path) = place();
    let opens: Vec<_> = (0..6)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move { Database::sqlite(path).await })
        })
        .collect();
    let mut stores = Vec::new();
    for open in opens {
        stores.push(open.await.unwrap().unwrap());
    }
    let counts = at_once(|number| {
        let store = stores[number % stores.len()].clone();
        async move { store.count_attempt("shared", NOW, 60).await.unwrap() }
    })
    .await;
    assert_eq!(counts.iter().max(), Some(&50), "each process counted on from the others");
}

/// A browser that hangs up cancels its call, wherever it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_that_are_given_up_leave_the_store_whole() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut wanting = account(&format!("visitor{number}"));
                wanting.email = Some(identifier(&format!("visitor{number}@example.com")));
                store.add_account(&wanting, &[credential(&wanting, "password", "p")]).await
            })
        })
        .collect();
    for (number, call) in calls.iter().enumerate() {
        if number % 3 == 0 {
            tokio::task::yield_now().await;
        }
        call.abort();
    }
    for call in calls {
        drop(call.await);
    }
    store.ping().await.unwrap();
    for kept in store.accounts(None, 999).await.unwrap() {
        let email = kept.email.clone().unwrap();
        assert_eq!(store.account_by(&email).await.unwrap().unwrap().id, kept.id);
        assert_eq!(
            store.credentials(kept.id, None).await.unwrap().len(),
            1,
            "all of an account, or nothing"
        );
    }
    add(&the(&store), "the next one").await;
}

#[tokio::test]
async fn a_closed_store_is_away() {
    let (_folder, path) = place();
    let store = open(&path).await;
    store.close().await;
    for answer in [store.ping().await, store.clear_attempts("x").await] {
        assert!(matches!(answer, Err(StoreError::Away(_))), "{answer:?}");
    }
}
