//! What only a server can do: be started again, go away, be too new, be shared by nodes.

use super::given::*;
use crate::harness::postgres;
use gait::store::{Database, OpenError};
use gait_backends::Postgres;
use gait_core::store::{AccountStore, OperationStore, SessionStore, StoreError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

#[tokio::test]
async fn a_database_from_the_future_is_refused_in_words() {
    let url = postgres::fresh().await;
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', TRUE, '', 0)";
    postgres::run(&url, later.to_owned()).await;
    let refused = Database::postgres(&postgres::options(&url), 2).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 9999, .. }), "{refused:?}");
    assert!(refused.to_string().contains("newer"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_at_once_share_an_empty_database() {
    let url = postgres::empty().await;
    let opens = (0..6).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { postgres::open(&url).await })
    });
    let opens: Vec<_> = opens.collect();
    for open in opens {
        let store = open.await.unwrap();
        store.count_attempt("shared", NOW, 60).await.unwrap();
    }
    let store = postgres::open(&url).await;
    assert_eq!(store.count_attempt("shared", NOW, 60).await.unwrap(), 7);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_soon_and_its_password_is_not() {
    let url = "postgres://gait:hunter2@127.0.0.1:1/idp";
    let begun = Instant::now();
    let refused = Database::postgres(&postgres::options(url), 2).await.unwrap_err();
    assert!(refused.to_string().contains("127.0.0.1:1/idp"), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

/// A crash of the server: what was reported done is there, what goes on meanwhile is told that the store is away, and afterwards nobody
/// needs to be started again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_crashes_and_comes_back_is_used_again() {
    let mut server = tokio::task::spawn_blocking(Postgres::start).await.unwrap().unwrap();
    let store = postgres::open(&server.url("postgres")).await;
    let shared: TheStore = Arc::new(store.clone());
    let alice = add(&shared, "alice").await;
    at_once(|number| {
        let store = store.clone();
        async move { store.count_attempt(&number.to_string(), NOW, 60).await.unwrap() }
    })
    .await;
    server.kill().unwrap();
    let begun = Instant::now();
    for answer in [
        store.account(alice.id).await.map(drop),
        store.clear_attempts("x").await,
        store.add_account(&account("bob"), &[]).await,
    ] {
        assert!(matches!(answer, Err(StoreError::Away(_))), "{answer:?}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "nobody waits for a connection for ever"
    );
    let server = tokio::task::spawn_blocking(move || {
        server.start_again().unwrap();
        server
    });
    let _server = server.await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let answers = at_once(|number| {
        let store = store.clone();
        async move { store.count_attempt(&number.to_string(), NOW, 60).await }
    })
    .await;
    for answer in answers {
        assert_eq!(answer.unwrap(), 2, "counted before the crash, and again");
    }
    assert!(store.account(alice.id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_that_is_never_given_back_is_not_waited_for() {
    let url = postgres::fresh().await;
    let store = postgres::open(&url).await;
    let shared: TheStore = Arc::new(store.clone());
    let alice = add(&shared, "alice").await;
    let mut other = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE account IN ACCESS EXCLUSIVE MODE")
        .execute(&mut other)
        .await
        .unwrap();
    let begun = Instant::now();
    let answer = store.set_disabled(alice.id, Some(NOW), &[]).await;
    assert!(matches!(answer, Err(StoreError::Away(_))), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(
        store.account(alice.id).await.unwrap().unwrap().disabled_at,
        None,
        "nothing was done"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_flood_that_takes_every_connection_does_not_cost_a_node_its_lease() {
    let url = postgres::fresh().await;
    let store = postgres::open(&url).await;
    let shared: TheStore = Arc::new(store.clone());
    let alice = add(&shared, "alice").await.id;
    assert!(store.lease("jobs", "one", NOW, 12).await.unwrap());
    let mut other = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE account, session IN ACCESS EXCLUSIVE MODE")
        .execute(&mut other)
        .await
        .unwrap();
    let mut flood = JoinSet::new();
    for _ in 0..postgres::CONNECTIONS * 4 {
        let (reads, writes, touches) = (store.clone(), store.clone(), store.clone());
        flood.spawn(async move { reads.account(alice).await.map(drop) });
        flood.spawn(async move { writes.set_disabled(alice, Some(NOW), &[]).await.map(drop) });
        flood.spawn(async move { touches.touch_session(&"sid".into(), NOW).await });
    }
    // Half of them read, half write, and a quarter as many write what may be lost.
    let all = i64::from(postgres::CONNECTIONS + postgres::CONNECTIONS / 4);
    let held = "SELECT COUNT(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database WHERE datname = current_database() AND NOT granted";
    let are_held = async {
        while sqlx::query_scalar::<_, i64>(held).fetch_one(&mut other).await.unwrap() < all {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), are_held).await.unwrap();
    let soon = Duration::from_secs(1);
    let renewed = tokio::time::timeout(soon, store.lease("jobs", "one", NOW.plus(4), 12)).await;
    assert!(renewed.expect("nobody else has its connection").unwrap());
    let given_back = tokio::time::timeout(soon, store.release("jobs", "one")).await;
    given_back.expect("nobody else has its connection").unwrap();
}

#[tokio::test]
async fn a_closed_store_is_away() {
    let store = postgres::store().await;
    store.close().await;
    for answer in [store.ping().await, store.clear_attempts("x").await] {
        assert!(matches!(answer, Err(StoreError::Away(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn nodes_tell_each_other_and_hear_of_it_when_the_line_breaks() {
    let url = postgres::fresh().await;
    let (one, other) = (postgres::open(&url).await, postgres::open(&url).await);
    let mut notices = other.listen().await.unwrap().unwrap();
    one.notify("\"keys\"").await.unwrap();
    assert_eq!(notices.next().await.as_deref(), Some("\"keys\""));
    postgres::run(
        &url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'".to_owned(),
    )
    .await;
    assert_eq!(notices.next().await, None);
    drop(notices);
    let mut notices = other.listen().await.unwrap().unwrap();
    one.notify("\"anything\"").await.unwrap();
    assert_eq!(notices.next().await.as_deref(), Some("\"anything\""));
}
