//! Behaviour: consent, records, models.

use super::given::*;
use gait_core::account::{Account, BehaviourConsent};
use gait_core::seal::Sealed;
use gait_core::store::{StoreError, StoredModel, StoredRecord};
use gait_sdk::{Label, PluginId};

contract!(
    a_consent_in_force_stays_as_it_is,
    of_many_who_consent_one_is_written,
    withdrawing_erases_everything,
    erasing_keeps_the_consent,
    nothing_is_kept_without_consent,
    a_record_is_read_as_it_was_written,
    labels_reach_unsettled_records_of_their_session,
    records_come_oldest_first_and_by_plugin,
    the_recently_active_are_trained_first,
    a_model_replaces_the_one_that_it_extends,
    of_many_who_extend_a_model_one_wins,
    records_are_purged_once_learned_or_old,
);

fn watch() -> PluginId {
    "behavior".into()
}

fn record(of: &Account, id: &str, seconds: i64) -> StoredRecord {
    StoredRecord {
        id: id.into(),
        account: of.id,
        plugin: watch(),
        session: "sid".into(),
        label: Label::Unproven,
        at: NOW.plus(seconds),
        payload: Sealed(vec![0, 159, 146, 150]),
        settled: false,
    }
}

fn model(of: &Account, trained_at_ms: i64) -> StoredModel {
    StoredModel {
        account: of.id,
        plugin: watch(),
        blob: Sealed(vec![1, 2, 3]),
        samples: 40,
        enrolled: true,
        trained_at_ms,
    }
}

async fn watched(store: &TheStore, name: &str) -> Account {
    let account = add(store, name).await;
    store.give_consent(&consent(&account), &[]).await.unwrap();
    account
}

async fn a_consent_in_force_stays_as_it_is(store: TheStore) {
    let alice = add(&store, "alice").await;
    assert_eq!(store.behaviour_consent(alice.id).await.unwrap(), None);
    let first = consent(&alice);
    store.give_consent(&first, &[event(&alice, "given")]).await.unwrap();
    let second = BehaviourConsent {
        text_version: "2".to_owned(),
        at: NOW.plus(9),
        ..first.clone()
    };
    store.give_consent(&second, &[event(&alice, "never")]).await.unwrap();
    assert_eq!(store.behaviour_consent(alice.id).await.unwrap(), Some(first.clone()));
    store
        .withdraw_consent(alice.id, NOW.plus(10), &[event(&alice, "withdrawn")])
        .await
        .unwrap();
    store
        .withdraw_consent(alice.id, NOW.plus(11), &[event(&alice, "never")])
        .await
        .unwrap();
    assert_eq!(store.behaviour_consent(alice.id).await.unwrap(), None);
    store.give_consent(&second, &[]).await.unwrap();
    let withdrawn = BehaviourConsent {
        withdrawn_at: Some(NOW.plus(10)),
        ..first
    };
    assert_eq!(store.behaviour_consents(alice.id).await.unwrap(), [withdrawn, second]);
    assert_eq!(told(&store, &alice).await, ["withdrawn", "given"]);
}

async fn of_many_who_consent_one_is_written(store: TheStore) {
    let alice = add(&store, "alice").await;
    at_once(|number| {
        let (store, given, told) = (store.clone(), consent(&alice), event(&alice, &format!("given {number}")));
        async move { store.give_consent(&given, &[told]).await.unwrap() }
    })
    .await;
    assert_eq!(store.behaviour_consents(alice.id).await.unwrap(), [consent(&alice)]);
    assert_eq!(told(&store, &alice).await.len(), 1);
}

async fn withdrawing_erases_everything(store: TheStore) {
    let alice = watched(&store, "alice").await;
    let bob = watched(&store, "bob").await;
    for account in [&alice, &bob] {
        let id = format!("of {}", account.username.as_str());
        assert!(store.keep_record(&record(account, &id, 0)).await.unwrap());
        assert!(store.put_model(&model(account, 1), None, &[]).await.unwrap());
    }
    store.withdraw_consent(alice.id, NOW, &[]).await.unwrap();
    assert_eq!(store.model(alice.id, &watch()).await.unwrap(), None);
    assert_eq!(store.count_unsettled(alice.id, &watch()).await.unwrap(), 0);
    assert_eq!(store.accounts_to_train(&watch(), 9).await.unwrap(), [bob.id]);
    assert_eq!(store.model(bob.id, &watch()).await.unwrap(), Some(model(&bob, 1)));
}

async fn erasing_keeps_the_consent(store: TheStore) {
    let alice = watched(&store, "alice").await;
    store.keep_record(&record(&alice, "r", 0)).await.unwrap();
    store.put_model(&model(&alice, 1), None, &["r".into()]).await.unwrap();
    store.erase_behaviour(alice.id, &[event(&alice, "erased")]).await.unwrap();
    assert_eq!(store.model(alice.id, &watch()).await.unwrap(), None);
    assert_eq!(store.behaviour_consent(alice.id).await.unwrap(), Some(consent(&alice)));
    assert_eq!(told(&store, &alice).await, ["erased"]);
    assert!(
        store.keep_record(&record(&alice, "r", 0)).await.unwrap(),
        "nothing of the old is left"
    );
    let stale = store.put_model(&model(&alice, 2), Some(1), &[]).await;
    assert!(
        matches!(stale, Err(StoreError::Stale(_))),
        "a model learned before the erasure comes back: {stale:?}"
    );
}

async fn nothing_is_kept_without_consent(store: TheStore) {
    let alice = add(&store, "alice").await;
    assert!(!store.keep_record(&record(&alice, "r", 0)).await.unwrap());
    assert!(!store.put_model(&model(&alice, 1), None, &[]).await.unwrap());
    store.give_consent(&consent(&alice), &[]).await.unwrap();
    store.put_model(&model(&alice, 1), None, &[]).await.unwrap();
    store.withdraw_consent(alice.id, NOW, &[]).await.unwrap();
    assert!(!store.keep_record(&record(&alice, "r", 0)).await.unwrap());
    assert!(!store.put_model(&model(&alice, 2), Some(1), &[]).await.unwrap());
    assert_eq!(store.count_unsettled(alice.id, &watch()).await.unwrap(), 0);
    assert_eq!(store.model(alice.id, &watch()).await.unwrap(), None);
}

async fn a_record_is_read_as_it_was_written(store: TheStore) {
    let alice = watched(&store, "alice").await;
    let written = StoredRecord {
        label: Label::SteppedUp,
        ..record(&alice, "r", 5)
    };
    assert!(store.keep_record(&written).await.unwrap());
    let twice = store.keep_record(&written).await;
    assert!(matches!(twice, Err(StoreError::Taken(_))), "{twice:?}");
    assert_eq!(store.unsettled_records(alice.id, &watch(), 9).await.unwrap(), [written]);
}

async fn labels_reach_unsettled_records_of_their_session(store: TheStore) {
    let alice = watched(&store, "alice").await;
    let elsewhere = StoredRecord {
        session: "elsewhere".into(),
        ..record(&alice, "c", 3)
    };
    for kept in [record(&alice, "a", 1), record(&alice, "b", 2), elsewhere] {
        store.keep_record(&kept).await.unwrap();
    }
    store.settle_records(&["a".into()]).await.unwrap();
    store.label_records(&"sid".into(), Label::Disputed).await.unwrap();
    let labels: Vec<_> = store.unsettled_records(alice.id, &watch(), 9).await.unwrap();
    let labels: Vec<_> = labels.iter().map(|kept| (kept.id.as_str(), kept.label)).collect();
    assert_eq!(labels, [("b", Label::Disputed), ("c", Label::Unproven)]);
}

async fn records_come_oldest_first_and_by_plugin(store: TheStore) {
    let alice = watched(&store, "alice").await;
    let others = StoredRecord {
        plugin: "other".into(),
        ..record(&alice, "d", 0)
    };
    for kept in [record(&alice, "a", 9), record(&alice, "b", 1), record(&alice, "c", 5), others] {
        store.keep_record(&kept).await.unwrap();
    }
    let found = store.unsettled_records(alice.id, &watch(), 2).await.unwrap();
    assert_eq!(found, [record(&alice, "b", 1), record(&alice, "c", 5)]);
    assert_eq!(store.count_unsettled(alice.id, &watch()).await.unwrap(), 3);
}

async fn the_recently_active_are_trained_first(store: TheStore) {
    for (name, seconds) in [("idle", 1), ("active", 9), ("settled", 5)] {
        let account = watched(&store, name).await;
        store.keep_record(&record(&account, name, 0)).await.unwrap();
        store
            .keep_record(&record(&account, &format!("{name} again"), seconds))
            .await
            .unwrap();
    }
    store
        .settle_records(&["settled".into(), "settled again".into()])
        .await
        .unwrap();
    let ids = ["active", "idle"].map(|name| account(name).id);
    assert_eq!(store.accounts_to_train(&watch(), 9).await.unwrap(), ids);
    assert_eq!(store.accounts_to_train(&watch(), 1).await.unwrap(), ids[..1]);
    assert_eq!(store.accounts_to_train(&"other".into(), 9).await.unwrap(), []);
}

async fn a_model_replaces_the_one_that_it_extends(store: TheStore) {
    let alice = watched(&store, "alice").await;
    for id in ["a", "b"] {
        store.keep_record(&record(&alice, id, 0)).await.unwrap();
    }
    assert!(store.put_model(&model(&alice, 1), None, &["a".into()]).await.unwrap());
    for stale in [None, Some(0), Some(2)] {
        let refused = store.put_model(&model(&alice, 3), stale, &["b".into()]).await;
        assert!(matches!(refused, Err(StoreError::Stale(_))), "{stale:?}: {refused:?}");
    }
    assert_eq!(store.model(alice.id, &watch()).await.unwrap(), Some(model(&alice, 1)));
    assert_eq!(
        store.unsettled_records(alice.id, &watch(), 9).await.unwrap(),
        [record(&alice, "b", 0)]
    );
    assert!(store.put_model(&model(&alice, 3), Some(1), &["b".into()]).await.unwrap());
    assert_eq!(store.model(alice.id, &watch()).await.unwrap(), Some(model(&alice, 3)));
    assert_eq!(store.count_unsettled(alice.id, &watch()).await.unwrap(), 0);
}

async fn of_many_who_extend_a_model_one_wins(store: TheStore) {
    let alice = watched(&store, "alice").await;
    store.put_model(&model(&alice, 1), None, &[]).await.unwrap();
    let answers = at_once(|number| {
        let (store, next) = (store.clone(), model(&alice, 2 + number as i64));
        async move { store.put_model(&next, Some(1), &[]).await.is_ok() }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
}

async fn records_are_purged_once_learned_or_old(store: TheStore) {
    let alice = watched(&store, "alice").await;
    for (id, seconds) in [("old", 0), ("learned", 100), ("young", 100)] {
        store.keep_record(&record(&alice, id, seconds)).await.unwrap();
    }
    store.settle_records(&["learned".into()]).await.unwrap();
    assert_eq!(store.purge_records(NOW.plus(50)).await.unwrap(), 2);
    assert_eq!(
        store.unsettled_records(alice.id, &watch(), 9).await.unwrap(),
        [record(&alice, "young", 100)]
    );
}
