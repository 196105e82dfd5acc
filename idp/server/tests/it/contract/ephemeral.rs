//! The ephemeral store, in one process and in Redis.

use super::given::{NOW, at_once, count};
use crate::harness::Keys;
use gait_core::ephemeral::InProcess;
use gait_core::store::{Ephemeral, StoreError};
use gait_core::testing::StoppedClock;
use std::sync::Arc;

/// A store with nothing of others in it, and what lets its time pass.
struct Given {
    store: Arc<dyn Ephemeral>,
    /// The same as another node sees it.
    other: Arc<dyn Ephemeral>,
    time: Time,
}

enum Time {
    Clock(Arc<StoppedClock>),
    Redis(Keys),
}

impl Given {
    fn in_process() -> Self {
        let clock = Arc::new(StoppedClock::new(NOW));
        let store = Arc::new(InProcess::new(clock.clone(), 99));
        Self {
            store: store.clone(),
            other: store,
            time: Time::Clock(clock),
        }
    }

    async fn in_redis() -> Self {
        let keys = Keys::new();
        Self {
            store: Arc::new(keys.node().await),
            other: Arc::new(keys.node().await),
            time: Time::Redis(keys),
        }
    }

    async fn pass(&self, seconds: i64) {
        match &self.time {
            Time::Clock(clock) => clock.advance(seconds),
            Time::Redis(keys) => keys.age(seconds).await,
        }
    }
}

macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod on_in_process {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    super::$test(super::Given::in_process()).await;
                }
            )*
        }
        mod on_redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    super::$test(super::Given::in_redis().await).await;
                }
            )*
        }
    };
}

on_both!(
    a_value_lives_as_long_as_it_was_told_to,
    putting_again_replaces_value_and_life,
    values_are_bytes,
    swapping_renews_the_life,
    what_is_new_is_new_until_it_dies,
    a_window_counts_and_closes,
    several_are_counted_at_once,
    one_is_taken_back_and_the_window_closes_when_it_would_have,
    a_counter_that_is_none_is_damaged,
    of_many_who_take_swap_or_bring_new_one_wins,
);

async fn a_value_lives_as_long_as_it_was_told_to(given: Given) {
    let store = &given.store;
    store.ping().await.unwrap();
    store.put("flow:a", b"one", 100).await.unwrap();
    given.pass(70).await;
    assert_eq!(given.other.get("flow:a").await.unwrap(), Some(b"one".to_vec()));
    assert_eq!(store.get("code:a").await.unwrap(), None, "one kind never stands for another");
    given.pass(30).await;
    assert_eq!(store.get("flow:a").await.unwrap(), None);
    assert_eq!(store.take("flow:a").await.unwrap(), None);
    assert!(!store.swap("flow:a", b"one", b"two", 100).await.unwrap());
}

async fn putting_again_replaces_value_and_life(given: Given) {
    let store = &given.store;
    store.put("flow:a", b"one", 100).await.unwrap();
    given.pass(50).await;
    store.put("flow:a", b"two", 100).await.unwrap();
    given.pass(70).await;
    assert_eq!(store.get("flow:a").await.unwrap(), Some(b"two".to_vec()));
    store.put("flow:a", b"", 0).await.unwrap();
    assert_eq!(store.get("flow:a").await.unwrap(), None);
}

async fn values_are_bytes(given: Given) {
    let store = &given.store;
    let odd = [&b"\r\n\0{}*$1"[..], &[0xff, 0xfe], "käse".as_bytes()].concat();
    store.put("flow:a", &odd, 100).await.unwrap();
    assert_eq!(store.get("flow:a").await.unwrap(), Some(odd.clone()));
    assert!(store.swap("flow:a", &odd, b"", 100).await.unwrap());
    assert!(store.swap("flow:a", b"", &odd, 100).await.unwrap());
    assert_eq!(store.take("flow:a").await.unwrap(), Some(odd));
    assert!(store.put_new("käse:\r\n*", b"", u32::MAX).await.unwrap());
    assert_eq!(store.take("käse:\r\n*").await.unwrap(), Some(Vec::new()));
}

async fn swapping_renews_the_life(given: Given) {
    let store = &given.store;
    store.put("flow:a", b"one", 100).await.unwrap();
    given.pass(70).await;
    assert!(!store.swap("flow:a", b"other", b"two", 100).await.unwrap());
    assert!(store.swap("flow:a", b"one", b"two", 100).await.unwrap());
    given.pass(70).await;
    assert_eq!(store.get("flow:a").await.unwrap(), Some(b"two".to_vec()));
    given.pass(30).await;
    assert_eq!(store.get("flow:a").await.unwrap(), None);
}

async fn what_is_new_is_new_until_it_dies(given: Given) {
    let store = &given.store;
    assert!(store.put_new("jti:a", b"1", 100).await.unwrap());
    given.pass(70).await;
    assert!(!given.other.put_new("jti:a", b"2", 100).await.unwrap());
    assert_eq!(store.get("jti:a").await.unwrap(), Some(b"1".to_vec()));
    given.pass(30).await;
    assert!(store.put_new("jti:a", b"2", 100).await.unwrap());
}

async fn a_window_counts_and_closes(given: Given) {
    let store = &given.store;
    for (seconds, expected) in [(0, 1), (30, 2), (30, 3), (40, 1), (70, 2), (30, 1)] {
        given.pass(seconds).await;
        assert_eq!(store.count("rate:192.0.2.7", 100).await.unwrap(), expected);
    }
    assert_eq!(given.other.count("rate:192.0.2.7", 100).await.unwrap(), 2);
    assert_eq!(store.count("rate:192.0.2.8", 100).await.unwrap(), 1);
}

async fn several_are_counted_at_once(given: Given) {
    assert_eq!(given.store.add("rate:a", 40, 100).await.unwrap(), 40);
    given.pass(70).await;
    assert_eq!(given.other.add("rate:a", 2, 100).await.unwrap(), 42);
    assert_eq!(given.store.add("rate:a", 0, 100).await.unwrap(), 42, "asking counts nothing");
    given.pass(30).await;
    assert_eq!(
        given.store.count("rate:a", 100).await.unwrap(),
        1,
        "the window closes when the first said so"
    );
}

async fn one_is_taken_back_and_the_window_closes_when_it_would_have(given: Given) {
    let store = &given.store;
    store.uncount("rate:a").await.unwrap();
    assert_eq!(store.get("rate:a").await.unwrap(), None, "no window is opened");
    for expected in [1, 2] {
        assert_eq!(store.count("rate:a", 100).await.unwrap(), expected);
    }
    given.pass(70).await;
    for _ in 0..3 {
        store.uncount("rate:a").await.unwrap();
    }
    assert_eq!(store.count("rate:a", 100).await.unwrap(), 1, "never below nothing");
    given.pass(30).await;
    assert_eq!(store.get("rate:a").await.unwrap(), None);
}

async fn a_counter_that_is_none_is_damaged(given: Given) {
    let store = &given.store;
    store.put("flow:a", b"no number", 100).await.unwrap();
    assert!(matches!(store.count("flow:a", 100).await, Err(StoreError::Damaged(_))));
    assert!(matches!(store.uncount("flow:a").await, Err(StoreError::Damaged(_))));
    assert_eq!(store.get("flow:a").await.unwrap(), Some(b"no number".to_vec()));
}

async fn of_many_who_take_swap_or_bring_new_one_wins(given: Given) {
    let of = |number: usize| [&given.store, &given.other][number % 2].clone();
    let store = &given.store;
    store.put("code:a", b"grant", 100).await.unwrap();
    let taken = at_once(|number| {
        let store = of(number);
        async move { store.take("code:a").await.unwrap().is_some() }
    })
    .await;
    assert_eq!(count(&taken, &true), 1);
    store.put("flow:a", b"old", 100).await.unwrap();
    let swapped = at_once(|number| {
        let store = of(number);
        async move { store.swap("flow:a", b"old", &number.to_be_bytes(), 100).await.unwrap() }
    })
    .await;
    assert_eq!(count(&swapped, &true), 1);
    let winner = swapped.iter().position(|won| *won).unwrap();
    assert_eq!(store.get("flow:a").await.unwrap(), Some(winner.to_be_bytes().to_vec()));
    let new = at_once(|number| {
        let store = of(number);
        async move { store.put_new("jti:a", b"", 100).await.unwrap() }
    })
    .await;
    assert_eq!(count(&new, &true), 1);
    let mut counts = at_once(|number| {
        let store = of(number);
        async move { store.count("rate:a", 100).await.unwrap() }
    })
    .await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<u64>>());
}
