//! Backgrounds: made of many, and of nobody who was erased.

use super::given::*;
use gait_core::account::Account;
use gait_core::seal::Sealed;
use gait_core::store::{DueBackground, StoredBackground, StoredModel};
use gait_sdk::PluginId;

contract!(
    a_background_is_due_at_first_and_when_it_is_old,
    a_background_is_read_as_it_was_written,
    there_may_be_none,
    an_erasure_makes_it_stale,
    what_was_made_before_an_erasure_is_not_stored,
    only_enrolled_accounts_are_named,
);

fn watch() -> PluginId {
    "behavior".into()
}

fn background(made_at_ms: i64) -> StoredBackground {
    StoredBackground {
        plugin: watch(),
        blob: Sealed(vec![9, 0, 200]),
        accounts: 3,
        made_at_ms,
    }
}

async fn enrolled(store: &TheStore, name: &str) -> Account {
    let account = add(store, name).await;
    store.give_consent(&consent(&account), &[]).await.unwrap();
    assert!(store.put_model(&model(&account, true), None, &[]).await.unwrap());
    account
}

fn model(of: &Account, enrolled: bool) -> StoredModel {
    StoredModel {
        whose: of.id.into(),
        plugin: watch(),
        blob: Sealed(vec![1]),
        samples: 7,
        enrolled,
        trained_at_ms: 1,
    }
}

async fn due(store: &TheStore, before_ms: i64) -> Option<DueBackground> {
    store.due_background(&watch(), before_ms).await.unwrap()
}

/// Makes one at `at_ms`, as a round does that nothing comes between.
async fn make(store: &TheStore, at_ms: i64) {
    let revision = due(store, i64::MAX).await.unwrap().revision;
    let made = background(at_ms);
    assert!(store.put_background(&watch(), Some(&made), at_ms, revision).await.unwrap());
}

async fn a_background_is_due_at_first_and_when_it_is_old(store: TheStore) {
    let first = due(&store, 0).await.unwrap();
    assert!(first.stale);
    assert_eq!(due(&store, 0).await, Some(first), "to look changes nothing");
    make(&store, 1000).await;
    assert_eq!(due(&store, 1000).await, None);
    assert_eq!(due(&store, 1001).await.map(|due| due.stale), Some(false));
    let other = store.due_background(&"other".into(), 0).await.unwrap();
    assert!(other.is_some(), "each scorer has its own");
}

async fn a_background_is_read_as_it_was_written(store: TheStore) {
    assert_eq!(store.background(&watch()).await.unwrap(), None);
    assert_eq!(store.background_made_at(&watch()).await.unwrap(), None);
    for at_ms in [1000, 2000] {
        make(&store, at_ms).await;
        assert_eq!(store.background(&watch()).await.unwrap(), Some(background(at_ms)));
        assert_eq!(store.background_made_at(&watch()).await.unwrap(), Some(at_ms));
    }
    assert_eq!(store.background(&"other".into()).await.unwrap(), None);
}

async fn there_may_be_none(store: TheStore) {
    make(&store, 1000).await;
    let revision = due(&store, i64::MAX).await.unwrap().revision;
    assert!(store.put_background(&watch(), None, 2000, revision).await.unwrap());
    assert_eq!(store.background(&watch()).await.unwrap(), None);
    assert_eq!(store.background_made_at(&watch()).await.unwrap(), None);
    assert_eq!(due(&store, 2000).await, None, "that there is none, is known");
}

async fn an_erasure_makes_it_stale(store: TheStore) {
    let (alice, bob) = (enrolled(&store, "alice").await, enrolled(&store, "bob").await);
    let unlearned = add(&store, "carol").await;
    store.give_consent(&consent(&unlearned), &[]).await.unwrap();
    make(&store, 1000).await;
    store.withdraw_consent(unlearned.id, NOW, &[]).await.unwrap();
    assert_eq!(due(&store, 0).await, None, "nothing of hers can be in it");
    store.withdraw_consent(alice.id, NOW, &[]).await.unwrap();
    assert!(due(&store, 0).await.unwrap().stale);
    make(&store, 2000).await;
    assert_eq!(due(&store, 0).await, None);
    store.erase_behaviour(bob.id, &[]).await.unwrap();
    assert!(due(&store, 0).await.unwrap().stale);
    make(&store, 3000).await;
    enrolled(&store, "dave").await;
    assert_eq!(store.purge_models(NOW, MOST).await.unwrap(), 1);
    assert!(due(&store, 0).await.unwrap().stale);
}

async fn what_was_made_before_an_erasure_is_not_stored(store: TheStore) {
    let alice = enrolled(&store, "alice").await;
    let began = due(&store, 0).await.unwrap();
    assert_eq!(store.enrolled_accounts(&watch()).await.unwrap(), [alice.id]);
    store.erase_behaviour(alice.id, &[]).await.unwrap();
    let late = store
        .put_background(&watch(), Some(&background(1000)), 1000, began.revision)
        .await;
    assert!(!late.unwrap());
    assert_eq!(store.background(&watch()).await.unwrap(), None);
    assert!(due(&store, 0).await.unwrap().stale);
}

async fn only_enrolled_accounts_are_named(store: TheStore) {
    let alice = enrolled(&store, "alice").await;
    let bob = add(&store, "bob").await;
    store.give_consent(&consent(&bob), &[]).await.unwrap();
    store.put_model(&model(&bob, false), None, &[]).await.unwrap();
    assert_eq!(store.enrolled_accounts(&watch()).await.unwrap(), [alice.id]);
    assert_eq!(store.enrolled_accounts(&"other".into()).await.unwrap(), []);
}
