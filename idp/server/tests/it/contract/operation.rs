//! Keys, leases, settings.

use super::given::*;
use gait_core::client::Alg;
use gait_core::seal::Sealed;
use gait_core::store::{StoreError, StoredKey};
use serde_json::json;

contract!(
    the_store_answers,
    a_new_key_retires_the_signing_one_of_its_algorithm,
    of_many_nodes_that_start_at_once_one_makes_the_first_key,
    a_key_that_is_refused_retires_none,
    keys_go_when_they_are_retired,
    a_lease_is_held_by_one,
    of_many_who_want_a_lease_one_gets_it,
    a_lease_that_is_given_back_is_free_at_once,
    a_setting_is_set_once,
);

fn key(kid: &str, alg: Alg, seconds: i64) -> StoredKey {
    StoredKey {
        kid: kid.into(),
        alg,
        private: Sealed(vec![9; 40]),
        public: json!({"kty": "OKP", "kid": kid}),
        created_at: NOW.plus(seconds),
        signs_from: NOW.plus(seconds + 120),
        retire_at: None,
    }
}

async fn the_store_answers(store: TheStore) {
    store.ping().await.unwrap();
}

async fn a_new_key_retires_the_signing_one_of_its_algorithm(store: TheStore) {
    let (first, other) = (key("first", Alg::ES256, 0), key("other", Alg::RS256, 1));
    let (second, third) = (key("second", Alg::ES256, 2), key("third", Alg::ES256, 3));
    assert!(store.add_key(&first, NOW, true).await.unwrap());
    assert!(store.add_key(&other, NOW, true).await.unwrap());
    assert!(!store.add_key(&second, NOW, true).await.unwrap());
    assert!(store.add_key(&second, NOW.plus(50), false).await.unwrap());
    assert!(store.add_key(&third, NOW.plus(60), false).await.unwrap());
    let expected = [
        third,
        StoredKey {
            retire_at: Some(NOW.plus(60)),
            ..second
        },
        other,
        StoredKey {
            retire_at: Some(NOW.plus(50)),
            ..first
        },
    ];
    assert_eq!(store.keys().await.unwrap(), expected);
}

async fn of_many_nodes_that_start_at_once_one_makes_the_first_key(store: TheStore) {
    let answers = at_once(|number| {
        let (store, first) = (store.clone(), key(&format!("key {number}"), Alg::EdDSA, 0));
        async move { store.add_key(&first, NOW, true).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    assert_eq!(store.keys().await.unwrap().len(), 1);
}

async fn a_key_that_is_refused_retires_none(store: TheStore) {
    let first = key("first", Alg::ES256, 0);
    store.add_key(&first, NOW, false).await.unwrap();
    let refused = store.add_key(&first, NOW, false).await;
    assert!(matches!(refused, Err(StoreError::Taken(_))), "{refused:?}");
    assert_eq!(store.keys().await.unwrap(), [first]);
}

async fn keys_go_when_they_are_retired(store: TheStore) {
    store.add_key(&key("first", Alg::ES256, 0), NOW, false).await.unwrap();
    store
        .add_key(&key("second", Alg::ES256, 1), NOW.plus(50), false)
        .await
        .unwrap();
    assert_eq!(store.purge_keys(NOW.plus(49)).await.unwrap(), 0);
    assert_eq!(store.purge_keys(NOW.plus(50)).await.unwrap(), 1);
    assert_eq!(store.keys().await.unwrap(), [key("second", Alg::ES256, 1)]);
}

async fn a_lease_is_held_by_one(store: TheStore) {
    for (holder, seconds, expected) in [
        ("a", 0, true),
        ("b", 1, false),
        ("a", 20, true),
        ("b", 31, false),
        ("b", 49, false),
        ("b", 50, true),
        ("a", 51, false),
    ] {
        let held = store.lease("train", holder, NOW.plus(seconds), 30).await.unwrap();
        assert_eq!(held, expected, "{holder} after {seconds} s");
    }
    assert!(store.lease("outbox", "a", NOW.plus(51), 30).await.unwrap());
}

async fn of_many_who_want_a_lease_one_gets_it(store: TheStore) {
    let answers = at_once(|number| {
        let store = store.clone();
        async move { store.lease("train", &format!("node {number}"), NOW, 30).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
}

async fn a_lease_that_is_given_back_is_free_at_once(store: TheStore) {
    assert!(store.lease("train", "a", NOW, 30).await.unwrap());
    store.release("train", "b").await.unwrap();
    assert!(
        !store.lease("train", "b", NOW, 30).await.unwrap(),
        "only its holder gives it back"
    );
    store.release("train", "a").await.unwrap();
    store.release("train", "a").await.unwrap();
    assert!(store.lease("train", "b", NOW, 30).await.unwrap());
}

async fn a_setting_is_set_once(store: TheStore) {
    assert_eq!(store.setting("check").await.unwrap(), None);
    let answers = at_once(|number| {
        let store = store.clone();
        async move { store.set_once("check", &format!("value {number}")).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &answers[0]), 50);
    assert_eq!(store.setting("check").await.unwrap().as_ref(), answers.first());
    assert_eq!(store.setting("other").await.unwrap(), None);
}
