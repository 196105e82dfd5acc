//! Redis: what can go wrong with it, and how it can be reached.

use crate::harness::Keys;
use gait::config::RedisConfig;
use gait::ephemeral::{Redis, check};
use gait_backends::{KEEPS_ALL, Redis as Server};
use gait_core::store::{Ephemeral, StoreError};
use std::time::Duration;

/// Waits until it answers again.
async fn back(store: &dyn Ephemeral) {
    for _ in 0..300 {
        if store.ping().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it doesn't come back");
}

/// One of each kind of call; all must be told that Redis is away.
async fn assert_away(store: &dyn Ephemeral) {
    let outcomes = [
        store.ping().await.err(),
        store.put("flow:a", b"", 9).await.err(),
        store.put_new("jti:a", b"", 9).await.err(),
        store.get("flow:a").await.err(),
        store.take("flow:a").await.err(),
        store.swap("flow:a", b"", b"", 9).await.err(),
        store.count("rate:a", 9).await.err(),
        store.uncount("rate:a").await.err(),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Some(StoreError::Away(_))), "{outcome:?}");
    }
}

/// A round of everything that needs a script or doesn't.
async fn assert_works(store: &dyn Ephemeral) {
    store.put("flow:works", b"one", 60).await.unwrap();
    assert!(store.swap("flow:works", b"one", b"two", 60).await.unwrap());
    assert_eq!(store.take("flow:works").await.unwrap(), Some(b"two".to_vec()));
    let before = store.count("rate:works", 60).await.unwrap();
    store.uncount("rate:works").await.unwrap();
    assert_eq!(store.count("rate:works", 60).await.unwrap(), before);
}

#[tokio::test]
async fn killed_it_is_away_and_comes_back_with_what_it_knew() {
    let mut server = Server::with(&KEEPS_ALL).unwrap();
    let store = Keys::at(&server.url()).node().await;
    store.put("code:a", b"grant", 60).await.unwrap();
    server.kill().unwrap();
    assert_away(&store).await;
    server.start_again().unwrap();
    back(&store).await;
    assert_eq!(store.take("code:a").await.unwrap(), Some(b"grant".to_vec()));
    assert_works(&store).await;
}

/// A server that doesn't answer and doesn't hang up either.
#[tokio::test]
async fn frozen_it_is_away_and_comes_back() {
    let server = Server::start().unwrap();
    let store = Keys::at(&server.url()).node().await;
    assert_works(&store).await;
    server.freeze(true).unwrap();
    assert_away(&store).await;
    server.freeze(false).unwrap();
    back(&store).await;
    assert_works(&store).await;
}

/// Nothing was there at the start: a node must not need it to start.
#[tokio::test]
async fn who_starts_before_it_finds_it_later() {
    let mut server = Server::start().unwrap();
    server.kill().unwrap();
    let store = Keys::at(&server.url()).node().await;
    assert_away(&store).await;
    server.start_again().unwrap();
    back(&store).await;
    assert_works(&store).await;
}

#[tokio::test]
async fn scripts_that_it_has_forgotten_are_told_again() {
    let server = Server::start().unwrap();
    let store = Keys::at(&server.url()).node().await;
    assert_works(&store).await;
    server.say(&["SCRIPT", "FLUSH"]).unwrap();
    assert_works(&store).await;
}

/// Whoever fills it must not thereby reset a counter or forget a replay.
#[tokio::test]
async fn a_full_one_refuses_and_drops_nothing() {
    let server = Server::with(&["--maxmemory", "4mb"]).unwrap();
    let store = Keys::at(&server.url()).node().await;
    assert_eq!(store.count("rate:a", 600).await.unwrap(), 1);
    assert!(store.put_new("jti:a", b"", 600).await.unwrap());
    let mut number = 0;
    let full = loop {
        if let Err(error) = store.put(&format!("flow:{number}"), &[7; 65_536], 600).await {
            break error;
        }
        number += 1;
        assert!(number < 1000, "it never gets full");
    };
    assert!(matches!(full, StoreError::Away(_)), "{full}");
    // A small one may still find room: what matters is that it goes on from where it was, or is refused.
    let counted = store.count("rate:a", 600).await.unwrap_or(1);
    assert_eq!(store.get("rate:a").await.unwrap(), Some(counted.to_string().into_bytes()));
    assert!(!store.put_new("jti:a", b"", 600).await.unwrap_or(false));
    for number in 0..number {
        assert!(store.take(&format!("flow:{number}")).await.unwrap().is_some());
    }
    assert_eq!(store.count("rate:a", 600).await.unwrap(), counted + 1);
    assert!(!store.put_new("jti:a", b"", 600).await.unwrap());
}

#[tokio::test]
async fn every_key_begins_with_the_prefix_and_is_mortal() {
    let server = Server::start().unwrap();
    let keys = Keys::at(&server.url());
    let store = keys.node().await;
    store.put("flow:a", b"", 60).await.unwrap();
    store.put_new("jti:a", b"", 60).await.unwrap();
    store.count("rate:a", 60).await.unwrap();
    assert!(store.swap("flow:a", b"", b"x", 60).await.unwrap());
    store.uncount("rate:a").await.unwrap();
    let all = server.say(&["KEYS", "*"]).unwrap();
    let all: Vec<&str> = all.lines().collect();
    assert_eq!(all.len(), 3);
    for key in all {
        assert!(key.starts_with(&keys.prefix), "{key}");
        let life: i64 = server.say(&["TTL", key]).unwrap().trim().parse().unwrap();
        assert!((1..=60).contains(&life), "{key}: {life}");
    }
}

#[tokio::test]
async fn a_cluster_is_one_store() {
    // Longer than the slowest machine takes for this story.
    const WINDOW_S: u32 = 3600;
    let mut server = Server::cluster().unwrap();
    let config = RedisConfig {
        cluster: true,
        ..Keys::at(&server.url()).config()
    };
    let store = Redis::open(&config).await.unwrap();
    for number in 0..100 {
        let key = format!("rate:{number}");
        assert_eq!(store.count(&key, WINDOW_S).await.unwrap(), 1, "whatever slot it is in");
        assert_eq!(store.count(&key, WINDOW_S).await.unwrap(), 2);
    }
    assert_works(&store).await;
    server.kill().unwrap();
    assert_away(&store).await;
    server.start_again().unwrap();
    back(&store).await;
    assert_eq!(store.count("rate:7", WINDOW_S).await.unwrap(), 3);
    assert_works(&store).await;
}

#[tokio::test]
async fn over_tls_with_a_password_and_only_with_both() {
    let server = Server::with_tls(&["--requirepass", "open sesame"]).unwrap();
    let url = |password: &str| format!("rediss://:{password}@localhost:{}/", server.port());
    let config = |password: &str, ca: bool| RedisConfig {
        ca_file: ca.then(|| server.ca_file()),
        ..Keys::at(&url(password)).config()
    };
    let store = Redis::open(&config("open%20sesame", true)).await.unwrap();
    assert_works(&store).await;
    let stranger = Redis::open(&config("open%20sesame", false)).await.unwrap();
    assert_away(&stranger).await;
    let forgetful = Redis::open(&config("open", true)).await.unwrap();
    let why = forgetful.ping().await.unwrap_err().to_string();
    assert!(why.contains("uthentication") && !why.contains("open"), "{why}");
    let plain = RedisConfig {
        ..Keys::at(&format!("redis://:open%20sesame@localhost:{}/", server.port())).config()
    };
    assert_away(&Redis::open(&plain).await.unwrap()).await;
}

#[tokio::test]
async fn the_doctor_tells_a_good_one_from_others() {
    let good = Server::start().unwrap();
    let found = check(&Keys::at(&good.url()).config()).await.unwrap();
    assert!(
        found.warnings.is_empty() && found.version.contains('.'),
        "{:?}",
        found.warnings
    );

    let lossy = Server::with(&["--maxmemory-policy", "allkeys-lru", "--appendonly", "no"]).unwrap();
    let found = check(&Keys::at(&lossy.url()).config()).await.unwrap();
    let [policy, file] = &found.warnings[..] else {
        panic!("{:?}", found.warnings)
    };
    assert!(
        policy.detail.contains("allkeys-lru") && file.hint.contains("appendonly"),
        "{policy:?} {file:?}"
    );

    let says = |server: &Server, cluster: bool| {
        let config = RedisConfig {
            cluster,
            ..Keys::at(&server.url()).config()
        };
        async move {
            check(&config)
                .await
                .map(|found| found.version)
                .map_err(|error| format!("{error:#}"))
        }
    };
    assert!(says(&good, true).await.unwrap_err().contains("no cluster"));
    let mut cluster = Server::cluster().unwrap();
    assert!(says(&cluster, false).await.unwrap_err().contains("cluster = true"));
    says(&cluster, true).await.unwrap();
    cluster.kill().unwrap();
    assert!(says(&cluster, true).await.unwrap_err().contains("doesn't answer"));
}
