//! The ephemeral store.

use super::given::{NOW, at_once, count};
use gait_core::ephemeral::InProcess;
use gait_core::store::{Ephemeral, StoreError};
use gait_core::testing::StoppedClock;
use std::sync::Arc;

fn given(capacity: usize) -> (Arc<StoppedClock>, Arc<InProcess>) {
    let clock = Arc::new(StoppedClock::new(NOW));
    (clock.clone(), Arc::new(InProcess::new(clock, capacity)))
}

#[tokio::test]
async fn a_value_lives_as_long_as_it_was_told_to() {
    let (clock, store) = given(9);
    store.put("flow:a", b"one", 10).await.unwrap();
    clock.advance_ms(9_999);
    assert_eq!(store.get("flow:a").await.unwrap(), Some(b"one".to_vec()));
    assert_eq!(store.get("code:a").await.unwrap(), None, "one kind never stands for another");
    clock.advance_ms(1);
    assert_eq!(store.get("flow:a").await.unwrap(), None);
    assert_eq!(store.take("flow:a").await.unwrap(), None);
    assert!(!store.swap("flow:a", b"one", b"two", 10).await.unwrap());
}

#[tokio::test]
async fn putting_again_replaces_value_and_life() {
    let (clock, store) = given(9);
    store.put("flow:a", b"one", 10).await.unwrap();
    clock.advance(5);
    store.put("flow:a", b"two", 10).await.unwrap();
    clock.advance(9);
    assert_eq!(store.get("flow:a").await.unwrap(), Some(b"two".to_vec()));
    store.put("flow:a", b"", 0).await.unwrap();
    assert_eq!(store.get("flow:a").await.unwrap(), None);
}

#[tokio::test]
async fn swapping_renews_the_life() {
    let (clock, store) = given(9);
    store.put("flow:a", b"one", 10).await.unwrap();
    clock.advance(9);
    assert!(!store.swap("flow:a", b"other", b"two", 10).await.unwrap());
    assert!(store.swap("flow:a", b"one", b"two", 10).await.unwrap());
    clock.advance(9);
    assert_eq!(store.get("flow:a").await.unwrap(), Some(b"two".to_vec()));
}

#[tokio::test]
async fn what_is_new_is_new_until_it_dies() {
    let (clock, store) = given(9);
    assert!(store.put_new("jti:a", b"1", 60).await.unwrap());
    clock.advance(59);
    assert!(!store.put_new("jti:a", b"2", 60).await.unwrap());
    assert_eq!(store.get("jti:a").await.unwrap(), Some(b"1".to_vec()));
    clock.advance(1);
    assert!(store.put_new("jti:a", b"2", 60).await.unwrap());
}

#[tokio::test]
async fn a_window_counts_and_closes() {
    let (clock, store) = given(9);
    for (seconds, expected) in [(0, 1), (30, 2), (29, 3), (1, 1), (59, 2), (1, 1)] {
        clock.advance(seconds);
        assert_eq!(store.count("rate:192.0.2.7", 60).await.unwrap(), expected);
    }
    assert_eq!(store.count("rate:192.0.2.8", 60).await.unwrap(), 1);
    store.put("flow:a", b"no number", 60).await.unwrap();
    assert!(matches!(store.count("flow:a", 60).await, Err(StoreError::Damaged(_))));
}

#[tokio::test]
async fn one_is_taken_back_and_the_window_closes_when_it_would_have() {
    let (clock, store) = given(9);
    store.uncount("rate:a").await.unwrap();
    assert_eq!(store.get("rate:a").await.unwrap(), None, "no window is opened");
    for expected in [1, 2] {
        assert_eq!(store.count("rate:a", 60).await.unwrap(), expected);
    }
    clock.advance(59);
    for _ in 0..3 {
        store.uncount("rate:a").await.unwrap();
    }
    assert_eq!(store.count("rate:a", 60).await.unwrap(), 1, "never below nothing");
    clock.advance(1);
    assert_eq!(store.get("rate:a").await.unwrap(), None);
}

#[tokio::test]
async fn strangers_flows_take_half_of_the_room_and_no_more() {
    let (_, store) = given(6);
    for key in ["flow:a", "flow:b", "flow:c"] {
        store.put(key, b"", 60).await.unwrap();
    }
    assert!(matches!(store.put("flow:d", b"", 60).await, Err(StoreError::Away(_))));
    store.put("code:a", b"", 60).await.unwrap();
    store.take("flow:a").await.unwrap();
    store.put("flow:d", b"", 60).await.unwrap();
}

#[tokio::test]
async fn large_values_fill_the_store_too() {
    let (clock, store) = given(8);
    store.put("flow:a", &[0; 5000], 60).await.unwrap();
    assert!(matches!(store.put("flow:b", b"", 60).await, Err(StoreError::Away(_))));
    store.put("code:a", &[0; 4000], 60).await.unwrap();
    assert!(matches!(store.put("code:b", b"", 60).await, Err(StoreError::Away(_))));
    clock.advance(60);
    store.put("code:b", b"", 60).await.unwrap();
}

/// Whoever fills the store must not thereby reset a counter or forget a replay.
#[tokio::test]
async fn a_full_store_refuses_and_drops_nothing() {
    let (clock, store) = given(3);
    store.put_new("jti:a", b"", 60).await.unwrap();
    store.count("rate:a", 60).await.unwrap();
    store.put("flow:a", b"one", 30).await.unwrap();
    assert!(matches!(store.put("flow:b", b"", 60).await, Err(StoreError::Away(_))));
    assert!(matches!(store.put_new("jti:b", b"", 60).await, Err(StoreError::Away(_))));
    assert!(matches!(store.count("rate:b", 60).await, Err(StoreError::Away(_))));
    assert_eq!(store.count("rate:a", 60).await.unwrap(), 2);
    assert!(!store.put_new("jti:a", b"", 60).await.unwrap());
    store.put("flow:a", b"two", 30).await.unwrap();
    assert!(store.swap("flow:a", b"two", b"three", 30).await.unwrap());
    clock.advance(30);
    store.put("flow:b", b"", 60).await.unwrap();
    store.take("flow:b").await.unwrap();
    store.put("flow:c", b"", 60).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_take_swap_or_bring_new_one_wins() {
    let (_, store) = given(99);
    store.put("code:a", b"grant", 60).await.unwrap();
    let taken = at_once(|_| {
        let store = store.clone();
        async move { store.take("code:a").await.unwrap().is_some() }
    })
    .await;
    assert_eq!(count(&taken, &true), 1);
    store.put("flow:a", b"old", 60).await.unwrap();
    let swapped = at_once(|number| {
        let store = store.clone();
        async move { store.swap("flow:a", b"old", &number.to_be_bytes(), 60).await.unwrap() }
    })
    .await;
    assert_eq!(count(&swapped, &true), 1);
    let winner = swapped.iter().position(|won| *won).unwrap();
    assert_eq!(store.get("flow:a").await.unwrap(), Some(winner.to_be_bytes().to_vec()));
    let new = at_once(|_| {
        let store = store.clone();
        async move { store.put_new("jti:a", b"", 60).await.unwrap() }
    })
    .await;
    assert_eq!(count(&new, &true), 1);
    let mut counts = at_once(|_| {
        let store = store.clone();
        async move { store.count("rate:a", 60).await.unwrap() }
    })
    .await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<u64>>());
}
