//! The ephemeral store of one process: how much it holds.

use super::given::NOW;
use gait_core::ephemeral::InProcess;
use gait_core::store::{Ephemeral, StoreError};
use gait_core::testing::StoppedClock;
use std::sync::Arc;

fn given(capacity: usize) -> (Arc<StoppedClock>, Arc<InProcess>) {
    let clock = Arc::new(StoppedClock::new(NOW));
    (clock.clone(), Arc::new(InProcess::new(clock, capacity)))
}

#[tokio::test]
async fn a_value_lives_to_the_millisecond() {
    let (clock, store) = given(9);
    store.put("flow:a", b"one", 10).await.unwrap();
    clock.advance_ms(9_999);
    assert_eq!(store.get("flow:a").await.unwrap(), Some(b"one".to_vec()));
    clock.advance_ms(1);
    assert_eq!(store.get("flow:a").await.unwrap(), None);
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
