//! Accounts, credentials, attempts.

use super::given::*;
use gait_core::account::Mode;
use gait_core::ids::AccountId;
use gait_core::store::{CredentialChange, EffectBatch, StoreError};
use serde_json::json;

contract!(
    an_account_is_read_as_it_was_written,
    a_name_or_address_names_one_account_only,
    an_account_that_is_refused_leaves_nothing,
    of_many_who_want_a_name_one_gets_it,
    a_profile_changes_what_it_says_and_nothing_else,
    a_profile_cannot_take_what_is_anothers,
    accounts_come_in_pages,
    the_mode_changes_with_its_event,
    what_names_no_account_is_stale,
    credentials_come_oldest_first_and_by_plugin,
    a_credential_grows_a_version_with_each_save,
    of_many_saves_of_one_version_one_wins,
    a_batch_is_all_or_nothing,
    a_batch_touches_no_other_account_and_no_other_plugin,
    a_change_of_credential_is_dated,
    a_window_counts_and_closes,
    no_attempt_is_lost_in_a_crowd,
);

async fn an_account_is_read_as_it_was_written(store: TheStore) {
    let mut alice = account("alice");
    alice.email = Some(identifier("alice@example.com"));
    alice.email_verified = true;
    alice.claims = json!({"name": "Álice \u{1f511}", "address": {"country": "IS"}})
        .as_object()
        .unwrap()
        .clone();
    alice.mode = Mode::Auth;
    alice.disabled_at = Some(NOW.plus(1));
    alice.credential_changed_at = Some(NOW.plus(2));
    alice.revoked_before = Some(NOW.plus(3));
    store.add_account(&alice, &[]).await.unwrap();
    assert_eq!(store.account(alice.id).await.unwrap(), Some(alice.clone()));
    for name in ["ALICE", "alice@example.com"] {
        assert_eq!(store.account_by(&identifier(name)).await.unwrap(), Some(alice.clone()));
    }
    assert_eq!(store.account_by(&identifier("nobody")).await.unwrap(), None);
    assert_eq!(store.account(AccountId(uuid("nobody"))).await.unwrap(), None);
}

async fn a_name_or_address_names_one_account_only(store: TheStore) {
    let mut alice = account("alice@example.com");
    alice.email = Some(identifier("alice@example.com"));
    store.add_account(&alice, &[]).await.unwrap();
    let mut mallory = account("mallory");
    mallory.email = Some(identifier("alice@example.com"));
    let refused = store.add_account(&mallory, &[]).await;
    assert!(
        matches!(refused, Err(StoreError::Taken(_))),
        "an address that is another's name: {refused:?}"
    );
    let mut mallory = account("mallory");
    mallory.username = identifier("alice@example.com");
    let refused = store.add_account(&mallory, &[]).await;
    assert!(
        matches!(refused, Err(StoreError::Taken(_))),
        "a name that is another's address: {refused:?}"
    );
}

async fn an_account_that_is_refused_leaves_nothing(store: TheStore) {
    add(&store, "alice").await;
    let mut mallory = account("mallory");
    mallory.email = Some(identifier("alice"));
    let kept = [credential(&mallory, "password", "p")];
    assert!(store.add_account(&mallory, &kept).await.is_err());
    assert_eq!(store.account(mallory.id).await.unwrap(), None);
    assert_eq!(store.account_by(&identifier("mallory")).await.unwrap(), None);
    assert_eq!(store.credentials(mallory.id, None).await.unwrap(), vec![]);
    mallory.email = None;
    store.add_account(&mallory, &kept).await.unwrap();
    assert_eq!(store.credentials(mallory.id, None).await.unwrap(), kept);
}

async fn of_many_who_want_a_name_one_gets_it(store: TheStore) {
    let answers = at_once(|number| {
        let store = store.clone();
        async move {
            let mut wanting = account(&format!("visitor{number}"));
            wanting.email = Some(identifier("shared@example.com"));
            store.add_account(&wanting, &[]).await.is_ok()
        }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    assert_eq!(store.accounts(None, 100).await.unwrap().len(), 1);
}

async fn a_profile_changes_what_it_says_and_nothing_else(store: TheStore) {
    let mut alice = account("alice");
    alice.email = Some(identifier("old@example.com"));
    store.add_account(&alice, &[]).await.unwrap();
    let mut wish = alice.clone();
    wish.email = Some(identifier("new@example.com"));
    wish.email_verified = true;
    wish.claims = json!({"name": "Alice"}).as_object().unwrap().clone();
    wish.updated_at = NOW.plus(5);
    wish.username = identifier("root");
    wish.mode = Mode::Auth;
    wish.disabled_at = Some(NOW);
    wish.revoked_before = Some(NOW);
    store.put_profile(&wish).await.unwrap();
    let expected = gait_core::account::Account {
        email: wish.email.clone(),
        email_verified: true,
        claims: wish.claims.clone(),
        updated_at: wish.updated_at,
        ..alice.clone()
    };
    assert_eq!(
        store.account_by(&identifier("new@example.com")).await.unwrap(),
        Some(expected.clone())
    );
    assert_eq!(store.account_by(&identifier("alice")).await.unwrap(), Some(expected));
    assert_eq!(store.account_by(&identifier("old@example.com")).await.unwrap(), None);
    add(&store, "old@example.com").await;
}

async fn a_profile_cannot_take_what_is_anothers(store: TheStore) {
    add(&store, "bob").await;
    let mut alice = account("alice");
    alice.email = Some(identifier("alice@example.com"));
    store.add_account(&alice, &[]).await.unwrap();
    let mut wish = alice.clone();
    wish.email = Some(identifier("bob"));
    wish.updated_at = NOW.plus(5);
    assert!(matches!(store.put_profile(&wish).await, Err(StoreError::Taken(_))));
    assert_eq!(
        store.account_by(&identifier("alice@example.com")).await.unwrap(),
        Some(alice.clone())
    );
    assert_eq!(store.account(alice.id).await.unwrap(), Some(alice));
}

async fn accounts_come_in_pages(store: TheStore) {
    for name in ["a", "b", "c", "d", "e"] {
        add(&store, name).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.accounts(after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.iter().map(|account| account.id));
    }
    let mut expected: Vec<_> = ["a", "b", "c", "d", "e"].map(|name| AccountId(uuid(name))).into();
    expected.sort();
    assert_eq!(seen, expected);
}

async fn the_mode_changes_with_its_event(store: TheStore) {
    let alice = add(&store, "alice").await;
    store.set_mode(alice.id, Mode::Auth, &[event(&alice, "auth")]).await.unwrap();
    assert_eq!(store.account(alice.id).await.unwrap().unwrap().mode, Mode::Auth);
    assert_eq!(told(&store, &alice).await, ["auth"]);
}

async fn what_names_no_account_is_stale(store: TheStore) {
    let nobody = account("nobody");
    let events = [event(&nobody, "never")];
    let answers = [
        store.put_profile(&nobody).await,
        store.set_mode(nobody.id, Mode::Auth, &events).await,
        store.set_disabled(nobody.id, Some(NOW), &events).await,
        store.carry_out(nobody.id, NOW, &EffectBatch::default()).await,
        store.begin_session(&session(&nobody, "sid"), &hash("sid"), &events).await,
        store.give_consent(&consent(&nobody), &events).await,
    ];
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::Stale(_))), "{answer:?}");
    }
    assert_eq!(told(&store, &nobody).await, Vec::<String>::new());
}

async fn credentials_come_oldest_first_and_by_plugin(store: TheStore) {
    let alice = account("alice");
    let mut young = credential(&alice, "passkey", "a");
    young.credential.created_at = NOW.plus(9);
    let old = credential(&alice, "password", "z");
    store.add_account(&alice, &[young.clone(), old.clone()]).await.unwrap();
    assert_eq!(store.credentials(alice.id, None).await.unwrap(), [old.clone(), young]);
    assert_eq!(store.credentials(alice.id, Some(&"password".into())).await.unwrap(), [old]);
    assert_eq!(store.credentials(alice.id, Some(&"totp".into())).await.unwrap(), []);
}

fn changes(credentials: Vec<CredentialChange>) -> EffectBatch {
    EffectBatch {
        credentials,
        ..EffectBatch::default()
    }
}

async fn a_credential_grows_a_version_with_each_save(store: TheStore) {
    let alice = account("alice");
    let mut kept = credential(&alice, "totp", "t");
    store.add_account(&alice, &[kept.clone()]).await.unwrap();
    kept.credential.payload = json!({"spent": [1, 2.5, null]});
    kept.credential.label = "Phone".to_owned();
    let replace = changes(vec![CredentialChange::Replace {
        credential: kept.clone(),
    }]);
    store.carry_out(alice.id, NOW.plus(7), &replace).await.unwrap();
    kept.credential.version = 2;
    kept.last_used_at = Some(NOW.plus(7));
    assert_eq!(store.credentials(alice.id, None).await.unwrap(), [kept.clone()]);
    assert!(matches!(
        store.carry_out(alice.id, NOW, &replace).await,
        Err(StoreError::Stale(_))
    ));
    let used = changes(vec![CredentialChange::Used { id: "t".into() }]);
    store.carry_out(alice.id, NOW.plus(9), &used).await.unwrap();
    kept.last_used_at = Some(NOW.plus(9));
    assert_eq!(store.credentials(alice.id, None).await.unwrap(), [kept]);
}

async fn of_many_saves_of_one_version_one_wins(store: TheStore) {
    let alice = account("alice");
    let kept = credential(&alice, "totp", "t");
    store.add_account(&alice, &[kept.clone()]).await.unwrap();
    let answers = at_once(|_| {
        let (store, credential, id) = (store.clone(), kept.clone(), alice.id);
        async move {
            let batch = changes(vec![CredentialChange::Replace { credential }]);
            store.carry_out(id, NOW, &batch).await.is_ok()
        }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    assert_eq!(store.credentials(alice.id, None).await.unwrap()[0].credential.version, 2);
}

async fn a_batch_is_all_or_nothing(store: TheStore) {
    let alice = account("alice");
    let kept = credential(&alice, "totp", "t");
    store.add_account(&alice, &[kept.clone()]).await.unwrap();
    let mut stale = kept.clone();
    stale.credential.version = 7;
    let batch = EffectBatch {
        credentials: vec![
            CredentialChange::Add(credential(&alice, "totp", "new")),
            CredentialChange::Forget {
                plugin: "totp".into(),
                id: "t".into(),
            },
            CredentialChange::Replace { credential: stale },
        ],
        credential_changed_at: Some(NOW),
        events: vec![event(&alice, "never")],
        ..EffectBatch::default()
    };
    assert!(matches!(
        store.carry_out(alice.id, NOW, &batch).await,
        Err(StoreError::Stale(_))
    ));
    assert_eq!(store.credentials(alice.id, None).await.unwrap(), [kept.clone()]);
    assert_eq!(store.account(alice.id).await.unwrap(), Some(alice.clone()));
    assert_eq!(told(&store, &alice).await, Vec::<String>::new());
    let twice = changes(vec![CredentialChange::Add(kept)]);
    assert!(matches!(
        store.carry_out(alice.id, NOW, &twice).await,
        Err(StoreError::Taken(_))
    ));
}

async fn a_batch_touches_no_other_account_and_no_other_plugin(store: TheStore) {
    let alice = account("alice");
    let kept = credential(&alice, "password", "c");
    store.add_account(&alice, &[kept.clone()]).await.unwrap();
    let mallory = add(&store, "mallory").await;
    let replace = changes(vec![CredentialChange::Replace {
        credential: kept.clone(),
    }]);
    assert!(matches!(
        store.carry_out(mallory.id, NOW, &replace).await,
        Err(StoreError::Stale(_))
    ));
    let mut disguised = kept.clone();
    disguised.plugin = "totp".into();
    let replace = changes(vec![CredentialChange::Replace { credential: disguised }]);
    assert!(matches!(
        store.carry_out(alice.id, NOW, &replace).await,
        Err(StoreError::Stale(_))
    ));
    let forget = |plugin: &str| {
        changes(vec![CredentialChange::Forget {
            plugin: plugin.into(),
            id: "c".into(),
        }])
    };
    store.carry_out(mallory.id, NOW, &forget("password")).await.unwrap();
    store.carry_out(alice.id, NOW, &forget("totp")).await.unwrap();
    let add = changes(vec![CredentialChange::Add(credential(&alice, "password", "d"))]);
    store.carry_out(mallory.id, NOW, &add).await.unwrap();
    assert_eq!(store.credentials(alice.id, None).await.unwrap(), [kept]);
    assert_eq!(store.credentials(mallory.id, None).await.unwrap()[0].account, mallory.id);
    store.carry_out(alice.id, NOW, &forget("password")).await.unwrap();
    assert_eq!(store.credentials(alice.id, None).await.unwrap(), []);
}

async fn a_change_of_credential_is_dated(store: TheStore) {
    let alice = add(&store, "alice").await;
    let changed = EffectBatch {
        credential_changed_at: Some(NOW.plus(3)),
        events: vec![event(&alice, "changed")],
        ..EffectBatch::default()
    };
    store.carry_out(alice.id, NOW.plus(3), &changed).await.unwrap();
    store.carry_out(alice.id, NOW.plus(9), &EffectBatch::default()).await.unwrap();
    let kept = store.account(alice.id).await.unwrap().unwrap();
    assert_eq!(kept.credential_changed_at, Some(NOW.plus(3)));
    assert_eq!(told(&store, &alice).await, ["changed"]);
}

async fn a_window_counts_and_closes(store: TheStore) {
    for (seconds, expected) in [(0, 1), (30, 2), (59, 3), (60, 1), (61, 2), (119, 3), (120, 1)] {
        let counted = store.count_attempt("password:alice", NOW.plus(seconds), 60).await.unwrap();
        assert_eq!(counted, expected, "after {seconds} s");
    }
    assert_eq!(store.count_attempt("password:bob", NOW, 60).await.unwrap(), 1);
    store.clear_attempts("password:alice").await.unwrap();
    assert_eq!(store.count_attempt("password:alice", NOW.plus(121), 60).await.unwrap(), 1);
    assert_eq!(store.count_attempt("password:bob", NOW, 60).await.unwrap(), 2);
}

async fn no_attempt_is_lost_in_a_crowd(store: TheStore) {
    let mut counts = at_once(|_| {
        let store = store.clone();
        async move { store.count_attempt("otp:alice", NOW, 60).await.unwrap() }
    })
    .await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<u64>>());
}
