//! Behaviour: consent, records, models.

use super::given::*;
use gait_core::account::{Account, BehaviourConsent, PASSWORD_PURPOSE};
use gait_core::seal::Sealed;
use gait_core::session::{EndReason, Session};
use gait_core::store::{CredentialChange, EffectBatch, StoreError, StoredModel, StoredRecord, Which, Whose};
use gait_sdk::{Label, PluginId};

contract!(
    a_consent_in_force_stays_as_it_is,
    of_many_who_consent_one_is_written,
    the_second_consent_needs_the_first_and_goes_with_it,
    withdrawing_erases_everything,
    withdrawing_the_second_consent_erases_the_passwords_rhythm_alone,
    erasing_keeps_the_consent,
    nothing_is_kept_without_consent,
    a_record_is_read_as_it_was_written,
    labels_reach_records_of_their_session_from_a_moment_on,
    records_come_oldest_first_and_by_plugin,
    records_are_due_after_their_quarantine_or_a_step_up,
    an_accounts_records_and_its_credentials_are_apart,
    the_recently_active_are_trained_first,
    whoever_is_not_enrolled_is_trained_at_once,
    a_model_replaces_the_one_that_it_extends,
    a_model_learned_from_what_is_gone_is_stale,
    a_credentials_rhythm_goes_with_it,
    a_changed_password_loses_its_rhythm,
    what_ended_in_doubt_is_not_learned,
    of_many_who_extend_a_model_one_wins,
    what_is_settled_is_gone,
    old_records_are_purged,
    models_that_nobody_uses_are_purged,
    records_and_models_are_purged_a_few_at_a_time,
    enrolled_models_are_counted_by_their_age,
);

fn watch() -> PluginId {
    "behavior".into()
}

fn record(of: &Account, id: &str, seconds: i64) -> StoredRecord {
    StoredRecord {
        id: id.into(),
        whose: of.id.into(),
        plugin: watch(),
        session: "sid".into(),
        label: Label::Unproven,
        at: NOW.plus(seconds),
        payload: Sealed(vec![0, 159, 146, 150]),
    }
}

fn model(of: &Account, trained_at_ms: i64) -> StoredModel {
    StoredModel {
        whose: of.id.into(),
        plugin: watch(),
        blob: Sealed(vec![1, 2, 3]),
        samples: 40,
        enrolled: true,
        trained_at_ms,
    }
}

fn password_of(of: &Account) -> Whose {
    Whose {
        account: of.id,
        credential: Some("password".into()),
    }
}

fn password_consent(of: &Account) -> BehaviourConsent {
    BehaviourConsent {
        purpose: PASSWORD_PURPOSE.to_owned(),
        ..consent(of)
    }
}

/// Somebody with a password whose rhythm is learned too: a record `pw` and a model of it, besides a record `own` and a model.
async fn rhythmic(store: &TheStore, name: &str) -> Account {
    let alice = account(name);
    let password = credential(&alice, "password", "password");
    store.add_account(&alice, &[password]).await.unwrap();
    store.give_consent(&consent(&alice), &[]).await.unwrap();
    store.give_consent(&password_consent(&alice), &[]).await.unwrap();
    for whose in [alice.id.into(), password_of(&alice)] {
        let id = if whose == password_of(&alice) { "pw" } else { "own" };
        let kept = StoredRecord {
            whose: whose.clone(),
            ..record(&alice, &format!("{id} {name}"), 0)
        };
        assert!(store.keep_record(&kept).await.unwrap());
        let learned = StoredModel {
            whose,
            ..model(&alice, 1)
        };
        assert!(store.put_model(&learned, None, &[]).await.unwrap());
    }
    alice
}

/// What is held: the ids of records, and whether there is a model of the account and one of the password.
async fn held(store: &TheStore, of: &Account) -> (Vec<String>, bool, bool) {
    let records = store.records_of(of.id, 9).await.unwrap();
    let ids = records.into_iter().map(|record| record.id.as_str().to_owned()).collect();
    let own = store.model(&of.id.into(), &watch()).await.unwrap();
    let password = store.model(&password_of(of), &watch()).await.unwrap();
    for (whose, model) in [(of.id.into(), &own), (password_of(of), &password)] {
        let version = store.model_version(&whose, &watch()).await.unwrap();
        assert_eq!(version, model.as_ref().map(|model| (model.trained_at_ms, model.enrolled)));
    }
    let listed = store.credential_models(of.id).await.unwrap();
    assert_eq!(password.clone().into_iter().collect::<Vec<_>>(), listed);
    (ids, own.is_some(), password.is_some())
}

/// All records that wait.
async fn waiting(store: &TheStore, of: &Account) -> Vec<StoredRecord> {
    store.records_of(of.id, 9).await.unwrap()
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
    assert_eq!(store.model(&alice.id.into(), &watch()).await.unwrap(), None);
    assert_eq!(store.count_unsettled(alice.id, &watch()).await.unwrap(), 0);
    assert_eq!(store.due_to_train(&watch(), NOW, 9).await.unwrap(), [bob.id.into()]);
    assert_eq!(store.model(&bob.id.into(), &watch()).await.unwrap(), Some(model(&bob, 1)));
}

async fn erasing_keeps_the_consent(store: TheStore) {
    let alice = watched(&store, "alice").await;
    store.keep_record(&record(&alice, "r", 0)).await.unwrap();
    store.put_model(&model(&alice, 1), None, &["r".into()]).await.unwrap();
    store.erase_behaviour(alice.id, &[event(&alice, "erased")]).await.unwrap();
    assert_eq!(store.model(&alice.id.into(), &watch()).await.unwrap(), None);
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
    assert_eq!(store.model(&alice.id.into(), &watch()).await.unwrap(), None);
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
    assert_eq!(waiting(&store, &alice).await, [written]);
}

async fn labels_reach_records_of_their_session_from_a_moment_on(store: TheStore) {
    let alice = watched(&store, "alice").await;
    let elsewhere = StoredRecord {
        session: "elsewhere".into(),
        ..record(&alice, "d", 4)
    };
    for kept in [
        record(&alice, "a", 1),
        record(&alice, "b", 2),
        record(&alice, "c", 3),
        elsewhere,
    ] {
        store.keep_record(&kept).await.unwrap();
    }
    store
        .label_records(&"sid".into(), NOW.plus(2), Label::SteppedUp)
        .await
        .unwrap();
    let labels: Vec<_> = waiting(&store, &alice).await;
    let labels: Vec<_> = labels.iter().map(|kept| (kept.id.as_str(), kept.label)).collect();
    let (old, new) = (Label::Unproven, Label::SteppedUp);
    assert_eq!(labels, [("a", old), ("b", new), ("c", new), ("d", old)]);
}

async fn records_come_oldest_first_and_by_plugin(store: TheStore) {
    let alice = watched(&store, "alice").await;
    let others = StoredRecord {
        plugin: "other".into(),
        ..record(&alice, "d", 0)
    };
    let all = [
        record(&alice, "a", 9),
        record(&alice, "b", 1),
        record(&alice, "c", 5),
        others.clone(),
    ];
    for kept in &all {
        store.keep_record(kept).await.unwrap();
    }
    let found = store.due_records(&alice.id.into(), &watch(), NOW.plus(9), 2).await.unwrap();
    assert_eq!(found, [record(&alice, "b", 1), record(&alice, "c", 5)]);
    assert_eq!(store.count_unsettled(alice.id, &watch()).await.unwrap(), 3);
    assert_eq!(store.records_of(alice.id, 2).await.unwrap(), [others, record(&alice, "b", 1)]);
}

async fn records_are_due_after_their_quarantine_or_a_step_up(store: TheStore) {
    let alice = watched(&store, "alice").await;
    let stepped_up = StoredRecord {
        label: Label::SteppedUp,
        ..record(&alice, "c", 30)
    };
    for kept in [record(&alice, "a", 10), record(&alice, "b", 20), stepped_up.clone()] {
        store.keep_record(&kept).await.unwrap();
    }
    store.put_model(&model(&alice, 1), None, &[]).await.unwrap();
    let due = async |until: i64| {
        let due = store
            .due_records(&alice.id.into(), &watch(), NOW.plus(until), 9)
            .await
            .unwrap();
        let ids = due.iter().map(|record| record.id.as_str().to_owned());
        ids.collect::<String>()
    };
    assert_eq!(
        (due(9).await, due(10).await, due(99).await),
        ("c".into(), "ac".into(), "abc".into())
    );
    store.settle_records(&["c".into()]).await.unwrap();
    assert_eq!(store.due_to_train(&watch(), NOW.plus(9), 9).await.unwrap(), []);
    assert_eq!(
        store.due_to_train(&watch(), NOW.plus(10), 9).await.unwrap(),
        [alice.id.into()]
    );
    store.keep_record(&stepped_up).await.unwrap();
    assert_eq!(store.due_to_train(&watch(), NOW.plus(9), 9).await.unwrap(), [alice.id.into()]);
}

async fn an_accounts_records_and_its_credentials_are_apart(store: TheStore) {
    let alice = rhythmic(&store, "alice").await;
    for (whose, id) in [(alice.id.into(), "own alice"), (password_of(&alice), "pw alice")] {
        let due = store.due_records(&whose, &watch(), NOW, 9).await.unwrap();
        assert_eq!(due.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), [id]);
        assert_eq!(due[0].whose, whose);
        assert_eq!(store.model(&whose, &watch()).await.unwrap().unwrap().whose, whose);
    }
    let both = [Whose::from(alice.id), password_of(&alice)];
    assert_eq!(store.due_to_train(&watch(), NOW, 9).await.unwrap(), both);
    let of_nothing = Whose {
        account: alice.id,
        credential: Some("gone".into()),
    };
    let kept = StoredRecord {
        whose: of_nothing.clone(),
        ..record(&alice, "x", 0)
    };
    assert!(matches!(store.keep_record(&kept).await, Err(StoreError::Stale(_))));
    let learned = StoredModel {
        whose: of_nothing,
        ..model(&alice, 2)
    };
    assert!(matches!(
        store.put_model(&learned, None, &[]).await,
        Err(StoreError::Stale(_))
    ));
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
    let due = async |plugin: &str, limit| store.due_to_train(&plugin.into(), NOW.plus(9), limit).await.unwrap();
    let expected = ["active", "idle"].map(|name| Whose::from(account(name).id));
    assert_eq!(due("behavior", 9).await, expected);
    assert_eq!(due("behavior", 1).await, expected[..1]);
    assert_eq!(due("other", 9).await, []);
}

async fn whoever_is_not_enrolled_is_trained_at_once(store: TheStore) {
    let (none, little) = (watched(&store, "none").await, watched(&store, "little").await);
    let enough = watched(&store, "enough").await;
    for (seconds, account) in [(30, &none), (20, &little), (10, &enough)] {
        store
            .keep_record(&record(account, account.username.as_str(), seconds))
            .await
            .unwrap();
    }
    let unenrolled = StoredModel {
        enrolled: false,
        ..model(&little, 1)
    };
    for learned in [unenrolled, model(&enough, 1)] {
        store.put_model(&learned, None, &[]).await.unwrap();
    }
    let due = store.due_to_train(&watch(), NOW, 9).await.unwrap();
    assert_eq!(due, [none.id.into(), little.id.into()]);
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
    assert_eq!(store.model(&alice.id.into(), &watch()).await.unwrap(), Some(model(&alice, 1)));
    assert_eq!(waiting(&store, &alice).await, [record(&alice, "b", 0)]);
    assert!(store.put_model(&model(&alice, 3), Some(1), &["b".into()]).await.unwrap());
    assert_eq!(store.model(&alice.id.into(), &watch()).await.unwrap(), Some(model(&alice, 3)));
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

async fn a_model_learned_from_what_is_gone_is_stale(store: TheStore) {
    let alice = watched(&store, "alice").await;
    store.keep_record(&record(&alice, "a", 0)).await.unwrap();
    let settled = ["a".into(), "erased".into()];
    let first = store.put_model(&model(&alice, 1), None, &settled).await;
    assert!(matches!(first, Err(StoreError::Stale(_))), "{first:?}");
    assert_eq!(store.model(&alice.id.into(), &watch()).await.unwrap(), None);
    assert_eq!(waiting(&store, &alice).await, [record(&alice, "a", 0)], "all or nothing");
}

async fn the_second_consent_needs_the_first_and_goes_with_it(store: TheStore) {
    let alice = add(&store, "alice").await;
    let second = password_consent(&alice);
    let early = store.give_consent(&second, &[event(&alice, "never")]).await;
    assert!(matches!(early, Err(StoreError::Stale(_))), "{early:?}");
    store.give_consent(&consent(&alice), &[]).await.unwrap();
    assert_eq!(store.password_consent(alice.id).await.unwrap(), None, "one is not the other");
    store.give_consent(&second, &[event(&alice, "given")]).await.unwrap();
    store.give_consent(&second, &[event(&alice, "never")]).await.unwrap();
    assert_eq!(store.password_consent(alice.id).await.unwrap(), Some(second.clone()));
    assert_eq!(store.behaviour_consent(alice.id).await.unwrap(), Some(consent(&alice)));
    store
        .withdraw_consent(alice.id, NOW.plus(5), &[event(&alice, "withdrawn")])
        .await
        .unwrap();
    assert_eq!(store.password_consent(alice.id).await.unwrap(), None);
    let withdrawn = |given: BehaviourConsent| BehaviourConsent {
        withdrawn_at: Some(NOW.plus(5)),
        ..given
    };
    let both = [withdrawn(consent(&alice)), withdrawn(second)];
    assert_eq!(store.behaviour_consents(alice.id).await.unwrap(), both);
    assert_eq!(told(&store, &alice).await, ["withdrawn", "given"]);
}

async fn withdrawing_the_second_consent_erases_the_passwords_rhythm_alone(store: TheStore) {
    let (alice, bob) = (rhythmic(&store, "alice").await, rhythmic(&store, "bob").await);
    store
        .withdraw_password_consent(alice.id, NOW, &[event(&alice, "withdrawn")])
        .await
        .unwrap();
    store
        .withdraw_password_consent(alice.id, NOW, &[event(&alice, "never")])
        .await
        .unwrap();
    assert_eq!(held(&store, &alice).await, (vec!["own alice".to_owned()], true, false));
    assert_eq!(store.password_consent(alice.id).await.unwrap(), None);
    assert!(store.behaviour_consent(alice.id).await.unwrap().is_some());
    assert_eq!(told(&store, &alice).await, ["withdrawn"]);
    let late = StoredRecord {
        whose: password_of(&alice),
        ..record(&alice, "late", 0)
    };
    assert!(!store.keep_record(&late).await.unwrap());
    let late = StoredModel {
        whose: password_of(&alice),
        ..model(&alice, 2)
    };
    assert!(!store.put_model(&late, None, &[]).await.unwrap());
    assert_eq!(held(&store, &bob).await.0.len(), 2);
    for erase in [true, false] {
        match erase {
            true => store.erase_behaviour(bob.id, &[]).await.unwrap(),
            false => store.withdraw_consent(alice.id, NOW, &[]).await.unwrap(),
        }
    }
    assert_eq!(held(&store, &bob).await, (vec![], false, false));
    assert_eq!(held(&store, &alice).await, (vec![], false, false));
}

async fn a_credentials_rhythm_goes_with_it(store: TheStore) {
    let (alice, bob) = (rhythmic(&store, "alice").await, rhythmic(&store, "bob").await);
    let forget = |plugin: &str| EffectBatch {
        credentials: vec![CredentialChange::Forget {
            plugin: plugin.into(),
            id: "password".into(),
        }],
        ..EffectBatch::default()
    };
    store.carry_out(alice.id, NOW, &forget("other")).await.unwrap();
    assert!(
        held(&store, &alice).await.2,
        "another plugin's credential of that name is none"
    );
    store.carry_out(alice.id, NOW, &forget("password")).await.unwrap();
    assert_eq!(held(&store, &alice).await, (vec!["own alice".to_owned()], true, false));
    assert!(held(&store, &bob).await.2);
}

async fn a_changed_password_loses_its_rhythm(store: TheStore) {
    let (alice, bob) = (rhythmic(&store, "alice").await, rhythmic(&store, "bob").await);
    let batch = |changes: Vec<CredentialChange>| EffectBatch {
        credentials: changes,
        ..EffectBatch::default()
    };
    let replace = |version| CredentialChange::Replace {
        credential: {
            let mut new = credential(&alice, "password", "password");
            new.credential.version = version;
            new
        },
    };
    let forget = CredentialChange::ForgetRhythm { id: "password".into() };
    store.carry_out(alice.id, NOW, &batch(vec![replace(1)])).await.unwrap();
    assert!(held(&store, &alice).await.2, "hashed anew, it is the same one");
    let stale = store.carry_out(alice.id, NOW, &batch(vec![forget.clone(), replace(1)])).await;
    assert!(stale.is_err() && held(&store, &alice).await.2, "both or neither");
    store
        .carry_out(alice.id, NOW, &batch(vec![replace(2), forget]))
        .await
        .unwrap();
    assert_eq!(held(&store, &alice).await, (vec!["own alice".to_owned()], true, false));
    assert!(held(&store, &bob).await.2);
}

async fn what_ended_in_doubt_is_not_learned(store: TheStore) {
    let alice = watched(&store, "alice").await;
    for id in ["calm", "doubted", "left"] {
        begin(&store, &alice, id).await;
        let kept = StoredRecord {
            session: id.into(),
            ..record(&alice, id, 0)
        };
        store.keep_record(&kept).await.unwrap();
    }
    let end = async |id: &str, reason| {
        let which = Which::One(id.into());
        store.end_sessions(&which, NOW, reason, SILENTLY).await.unwrap();
        let left = waiting(&store, &alice).await;
        left.iter().map(|record| record.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(end("left", EndReason::SignedOut).await, ["calm", "doubted", "left"]);
    assert_eq!(end("doubted", EndReason::Anomaly).await, ["calm", "left"]);
    assert_eq!(end("left", EndReason::Disowned).await, ["calm"], "the owner said so later");
    let others = Which::AllBut(alice.id, "calm".into());
    store
        .end_sessions(&others, NOW, EndReason::EndedByOwner, SILENTLY)
        .await
        .unwrap();
    assert_eq!(waiting(&store, &alice).await.len(), 1);
    store
        .end_sessions(&Which::AllOf(alice.id), NOW, EndReason::AccountChanged, SILENTLY)
        .await
        .unwrap();
    assert_eq!(waiting(&store, &alice).await, []);
}

async fn what_is_settled_is_gone(store: TheStore) {
    let alice = watched(&store, "alice").await;
    for id in ["a", "b"] {
        store.keep_record(&record(&alice, id, 0)).await.unwrap();
    }
    store.settle_records(&["a".into(), "never was".into()]).await.unwrap();
    assert_eq!(waiting(&store, &alice).await, [record(&alice, "b", 0)]);
}

async fn old_records_are_purged(store: TheStore) {
    let alice = watched(&store, "alice").await;
    for (id, seconds) in [("old", 0), ("young", 100)] {
        store.keep_record(&record(&alice, id, seconds)).await.unwrap();
    }
    assert_eq!(store.purge_records(NOW.plus(50), MOST).await.unwrap(), 1);
    assert_eq!(waiting(&store, &alice).await, [record(&alice, "young", 100)]);
}

async fn models_that_nobody_uses_are_purged(store: TheStore) {
    let (alice, bob) = (rhythmic(&store, "alice").await, rhythmic(&store, "bob").await);
    let later = Session {
        created_at: NOW.plus(100),
        ..session(&alice, "later")
    };
    store.begin_session(&later, &hash("later"), &[]).await.unwrap();
    for of in [&alice, &bob] {
        let id = if of.id == alice.id { "pw alice" } else { "own bob" };
        store.settle_records(&[id.into()]).await.unwrap();
    }
    // The models were trained long ago; the session of alice is a use of hers.
    assert_eq!(store.purge_models(NOW.plus(50), MOST).await.unwrap(), 2);
    assert_eq!(held(&store, &alice).await, (vec!["own alice".to_owned()], true, true));
    assert_eq!(held(&store, &bob).await, (vec!["pw bob".to_owned()], false, false));
    let trained = model(&alice, NOW.plus(200).0 * 1000);
    assert!(store.put_model(&trained, Some(1), &[]).await.unwrap());
    assert_eq!(
        store.purge_models(NOW.plus(150), MOST).await.unwrap(),
        1,
        "training is a use too"
    );
    assert_eq!(held(&store, &alice).await, (vec!["own alice".to_owned()], true, false));
}

async fn records_and_models_are_purged_a_few_at_a_time(store: TheStore) {
    for name in ["alice", "bob", "carol"] {
        let of = rhythmic(&store, name).await;
        for id in ["a", "b"] {
            store.keep_record(&record(&of, &format!("{id} {name}"), 0)).await.unwrap();
        }
    }
    let (old, young) = (watched(&store, "dave").await, NOW.plus(50));
    store.keep_record(&record(&old, "young", 100)).await.unwrap();
    let gone = batches(5, async || store.purge_records(young, 5).await).await;
    assert_eq!(gone, [5, 5, 2], "four each");
    assert_eq!(waiting(&store, &old).await, [record(&old, "young", 100)]);
    let gone = batches(4, async || store.purge_models(young, 4).await).await;
    assert_eq!(gone, [4, 2], "two each");
}

async fn enrolled_models_are_counted_by_their_age(store: TheStore) {
    for (name, trained_at_ms, enrolled) in [("alice", 1000, true), ("bob", 2000, true), ("carol", 3000, false)] {
        let of = rhythmic(&store, name).await;
        let learned = StoredModel {
            enrolled,
            ..model(&of, trained_at_ms)
        };
        assert!(store.put_model(&learned, Some(1), &[]).await.unwrap());
    }
    for (since_ms, count) in [(i64::MIN, 2), (1000, 2), (1001, 1), (2001, 0)] {
        assert_eq!(store.count_models(&watch(), since_ms).await.unwrap(), count, "{since_ms}");
    }
    assert_eq!(store.count_models(&"another".into(), 0).await.unwrap(), 0);
}
