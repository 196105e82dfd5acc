//! What a batch of a watched session hangs on.

use super::given::*;
use gait_core::account::Account;
use gait_core::ids::GrantId;
use gait_core::seal::Sealed;
use gait_core::session::EndReason;
use gait_core::store::{StoredBackground, StoredModel, WatchStanding, Which};
use gait_sdk::PluginId;

contract!(
    who_has_agreed_to_nothing_is_told_of_as_such,
    all_of_it_is_read_as_it_was_written,
    what_is_anothers_counts_for_nobody_else,
    without_a_plugin_there_is_no_model,
    what_ended_says_so,
);

fn watch() -> PluginId {
    "behavior".into()
}

fn model(of: &Account) -> StoredModel {
    StoredModel {
        whose: of.id.into(),
        plugin: watch(),
        blob: Sealed(vec![1]),
        samples: 7,
        enrolled: true,
        trained_at_ms: 17,
    }
}

async fn make_background(store: &TheStore, plugin: &PluginId, made_at_ms: i64) {
    let due = store.due_background(plugin, i64::MAX).await.unwrap().unwrap();
    let made = StoredBackground {
        plugin: plugin.clone(),
        blob: Sealed(vec![9]),
        accounts: 3,
        made_at_ms,
    };
    let put = store.put_background(plugin, Some(&made), made_at_ms, due.revision);
    assert!(put.await.unwrap());
}

/// Somebody who agreed to be watched, with a model, and a background made at 99 milliseconds.
async fn enrolled(store: &TheStore) -> SignedIn {
    let someone = signed_in(store).await;
    store.give_consent(&consent(&someone.alice), &[]).await.unwrap();
    store.put_model(&model(&someone.alice), None, &[]).await.unwrap();
    make_background(store, &watch(), 99).await;
    someone
}

async fn standing(store: &TheStore, sid: &str, grant: GrantId) -> Option<WatchStanding> {
    store.watch_standing(&sid.into(), grant, Some(&watch())).await.unwrap()
}

async fn who_has_agreed_to_nothing_is_told_of_as_such(store: TheStore) {
    let SignedIn {
        alice, session, online, ..
    } = signed_in(&store).await;
    let bare = WatchStanding {
        session: session.clone(),
        account: alice,
        connected: true,
        consented: false,
        model: None,
        background_made_at: None,
    };
    assert_eq!(standing(&store, session.id.as_str(), online.id).await, Some(bare));
    assert_eq!(standing(&store, "nobody's", online.id).await, None);
}

async fn all_of_it_is_read_as_it_was_written(store: TheStore) {
    let SignedIn {
        alice, session, online, ..
    } = enrolled(&store).await;
    let full = standing(&store, session.id.as_str(), online.id).await.unwrap();
    assert_eq!((full.connected, full.consented), (true, true));
    assert_eq!((full.model, full.background_made_at), (Some((17, true)), Some(99)));
    store.withdraw_consent(alice.id, NOW, &[]).await.unwrap();
    let erased = standing(&store, session.id.as_str(), online.id).await.unwrap();
    assert_eq!((erased.consented, erased.model), (false, None));
}

async fn what_is_anothers_counts_for_nobody_else(store: TheStore) {
    let SignedIn { online, .. } = signed_in(&store).await;
    let bob = add(&store, "bob").await;
    let session = begin(&store, &bob, "bob's").await;
    let carol = add(&store, "carol").await;
    store.give_consent(&consent(&carol), &[]).await.unwrap();
    store.put_model(&model(&carol), None, &[]).await.unwrap();
    make_background(&store, &"another".into(), 99).await;
    let found = standing(&store, session.id.as_str(), online.id).await.unwrap();
    assert!(!found.connected, "alice's grant lets nobody watch bob");
    assert!(!found.consented);
    assert_eq!((found.model, found.background_made_at), (None, None));
}

async fn without_a_plugin_there_is_no_model(store: TheStore) {
    let SignedIn { session, online, .. } = enrolled(&store).await;
    let found = store.watch_standing(&session.id, online.id, None).await.unwrap().unwrap();
    assert_eq!((found.connected, found.model, found.background_made_at), (true, None, None));
}

async fn what_ended_says_so(store: TheStore) {
    let SignedIn { session, online, .. } = signed_in(&store).await;
    store.revoke_grant(online.id, NOW, &[]).await.unwrap();
    let cut_off = standing(&store, session.id.as_str(), online.id).await.unwrap();
    assert!(!cut_off.connected && cut_off.session.ended.is_none());
    let which = Which::One(session.id.clone());
    store.end_sessions(&which, NOW, EndReason::Anomaly, SILENTLY).await.unwrap();
    let ended = standing(&store, session.id.as_str(), online.id).await.unwrap();
    assert!(ended.session.ended.is_some());
}
