//! Sessions.

use super::given::*;
use gait_core::session::{EndReason, Place, RiskLevel, Session};
use gait_core::store::{StoreError, Strengthened, Which};

contract!(
    a_session_is_read_as_it_was_written,
    no_session_begins_in_a_disabled_account,
    no_session_begins_that_was_revoked_before_it_was_stored,
    a_session_id_and_a_secret_are_used_once,
    living_sessions_come_newest_first,
    the_last_use_never_goes_back,
    proving_anew_replaces_the_secret_at_once,
    a_stale_sequence_changes_nothing,
    of_many_verdicts_on_one_sequence_one_counts,
    late_step_ups_are_found,
);

async fn a_session_is_read_as_it_was_written(store: TheStore) {
    let alice = add(&store, "alice").await;
    let mut written = session(&alice, "sid");
    written.step_up = Some(step_up(NOW));
    written.level = RiskLevel::High;
    written.place.device = Some("device".to_owned());
    written.sequence = 4;
    store
        .begin_session(&written, &hash("secret"), &[event(&alice, "begun")])
        .await
        .unwrap();
    assert_eq!(store.session(&written.id).await.unwrap(), Some(written.clone()));
    assert_eq!(store.session_by_secret(&hash("secret")).await.unwrap(), Some(written));
    assert_eq!(store.session_by_secret(&hash("sid")).await.unwrap(), None);
    assert_eq!(store.session(&"other".into()).await.unwrap(), None);
    assert_eq!(told(&store, &alice).await, ["begun"]);
}

async fn no_session_begins_in_a_disabled_account(store: TheStore) {
    let alice = add(&store, "alice").await;
    store.set_disabled(alice.id, Some(NOW), &[]).await.unwrap();
    let late = Session {
        created_at: NOW.plus(60),
        ..session(&alice, "sid")
    };
    let refused = store.begin_session(&late, &hash("sid"), &[event(&alice, "never")]).await;
    assert!(matches!(refused, Err(StoreError::Stale(_))), "{refused:?}");
    assert_eq!(store.session(&late.id).await.unwrap(), None);
    assert_eq!(told(&store, &alice).await, Vec::<String>::new());
    store.set_disabled(alice.id, None, &[]).await.unwrap();
    store.begin_session(&late, &hash("sid"), &[]).await.unwrap();
}

async fn no_session_begins_that_was_revoked_before_it_was_stored(store: TheStore) {
    let alice = add(&store, "alice").await;
    let all = Which::AllOf(alice.id);
    store
        .end_sessions(&all, NOW.plus(1), EndReason::Disowned, SILENTLY)
        .await
        .unwrap();
    let early = session(&alice, "early");
    let refused = store.begin_session(&early, &hash("early"), &[]).await;
    assert!(matches!(refused, Err(StoreError::Stale(_))), "{refused:?}");
    let later = Session {
        created_at: NOW.plus(1),
        ..session(&alice, "later")
    };
    store.begin_session(&later, &hash("later"), &[]).await.unwrap();
}

async fn a_session_id_and_a_secret_are_used_once(store: TheStore) {
    let alice = add(&store, "alice").await;
    begin(&store, &alice, "sid").await;
    let same_id = store.begin_session(&session(&alice, "sid"), &hash("other"), &[]).await;
    assert!(matches!(same_id, Err(StoreError::Taken(_))), "{same_id:?}");
    let same_secret = store.begin_session(&session(&alice, "other"), &hash("sid"), &[]).await;
    assert!(matches!(same_secret, Err(StoreError::Taken(_))), "{same_secret:?}");
}

async fn living_sessions_come_newest_first(store: TheStore) {
    let alice = add(&store, "alice").await;
    let bob = add(&store, "bob").await;
    for (id, seconds) in [("a", 5), ("b", 9), ("c", 1), ("d", 7)] {
        let begun = Session {
            created_at: NOW.plus(seconds),
            ..session(&alice, id)
        };
        store.begin_session(&begun, &hash(id), &[]).await.unwrap();
    }
    begin(&store, &bob, "bob's").await;
    store
        .end_sessions(&Which::One("d".into()), NOW.plus(10), EndReason::SignedOut, SILENTLY)
        .await
        .unwrap();
    let ids: Vec<_> = store
        .sessions_of(alice.id)
        .await
        .unwrap()
        .into_iter()
        .map(|session| session.id.0)
        .collect();
    assert_eq!(ids, ["b", "a", "c"]);
}

async fn the_last_use_never_goes_back(store: TheStore) {
    let alice = add(&store, "alice").await;
    let begun = begin(&store, &alice, "sid").await;
    for (seconds, expected) in [(9, 9), (3, 9), (12, 12)] {
        store.touch_session(&begun.id, NOW.plus(seconds)).await.unwrap();
        let kept = store.session(&begun.id).await.unwrap().unwrap();
        assert_eq!(
            kept,
            Session {
                last_seen_at: NOW.plus(expected),
                ..begun.clone()
            }
        );
    }
    store
        .end_sessions(&Which::One("sid".into()), NOW.plus(20), EndReason::SignedOut, SILENTLY)
        .await
        .unwrap();
    store.touch_session(&begun.id, NOW.plus(30)).await.unwrap();
    assert_eq!(store.session(&begun.id).await.unwrap().unwrap().last_seen_at, NOW.plus(12));
}

fn strengthened(secret: &str) -> Strengthened {
    Strengthened {
        secret: hash(secret),
        proofs: vec![],
        level: RiskLevel::Low,
        step_up: None,
        place: Place {
            address: "2001:db8::1".to_owned(),
            ..Place::default()
        },
    }
}

async fn proving_anew_replaces_the_secret_at_once(store: TheStore) {
    let alice = add(&store, "alice").await;
    let begun = begin(&store, &alice, "old").await;
    store
        .set_risk(&begun.id, 1, RiskLevel::Medium, Some(&step_up(NOW)), &[])
        .await
        .unwrap();
    let change = strengthened("new");
    let events = [event(&alice, "strengthened")];
    store
        .strengthen_session(&begun.id, 2, NOW.plus(4), &change, &events)
        .await
        .unwrap();
    assert_eq!(store.session_by_secret(&hash("old")).await.unwrap(), None);
    let expected = Session {
        proofs: vec![],
        place: change.place.clone(),
        last_seen_at: NOW.plus(4),
        sequence: 3,
        ..begun
    };
    assert_eq!(store.session_by_secret(&hash("new")).await.unwrap(), Some(expected));
    assert_eq!(store.step_ups_before(NOW.plus(99), 9).await.unwrap(), []);
    assert_eq!(told(&store, &alice).await, ["strengthened"]);
}

async fn a_stale_sequence_changes_nothing(store: TheStore) {
    let alice = add(&store, "alice").await;
    let begun = begin(&store, &alice, "sid").await;
    let events = [event(&alice, "never")];
    for sequence in [0, 2] {
        let risk = store.set_risk(&begun.id, sequence, RiskLevel::High, None, &events).await;
        let proof = store
            .strengthen_session(&begun.id, sequence, NOW, &strengthened("new"), &events)
            .await;
        for answer in [risk, proof] {
            assert!(matches!(answer, Err(StoreError::Stale(_))), "{answer:?}");
        }
    }
    assert_eq!(store.session(&begun.id).await.unwrap(), Some(begun.clone()));
    let ended = store
        .end_sessions(&Which::One("sid".into()), NOW, EndReason::SignedOut, SILENTLY)
        .await
        .unwrap();
    for sequence in [1, ended[0].sequence] {
        let risk = store.set_risk(&begun.id, sequence, RiskLevel::Low, None, &events).await;
        let proof = store
            .strengthen_session(&begun.id, sequence, NOW, &strengthened("new"), &events)
            .await;
        for answer in [risk, proof] {
            assert!(
                matches!(answer, Err(StoreError::Stale(_))),
                "an ended session comes back: {answer:?}"
            );
        }
    }
    assert_eq!(store.session_by_secret(&hash("new")).await.unwrap(), None);
    assert_eq!(told(&store, &alice).await, Vec::<String>::new());
}

async fn of_many_verdicts_on_one_sequence_one_counts(store: TheStore) {
    let alice = add(&store, "alice").await;
    let begun = begin(&store, &alice, "sid").await;
    let answers = at_once(|number| {
        let (store, id, told) = (store.clone(), begun.id.clone(), event(&alice, &format!("verdict {number}")));
        async move {
            store
                .set_risk(&id, 1, RiskLevel::Medium, Some(&step_up(NOW)), &[told])
                .await
                .is_ok()
        }
    })
    .await;
    assert_eq!(count(&answers, &true), 1);
    assert_eq!(store.session(&begun.id).await.unwrap().unwrap().sequence, 2);
    assert_eq!(told(&store, &alice).await.len(), 1);
}

async fn late_step_ups_are_found(store: TheStore) {
    let alice = add(&store, "alice").await;
    for (id, since) in [("late", 10), ("later", 5), ("in time", 20), ("ended", 1)] {
        let begun = begin(&store, &alice, id).await;
        store
            .set_risk(&begun.id, 1, RiskLevel::Medium, Some(&step_up(NOW.plus(since))), &[])
            .await
            .unwrap();
    }
    begin(&store, &alice, "calm").await;
    store
        .end_sessions(&Which::One("ended".into()), NOW, EndReason::SignedOut, SILENTLY)
        .await
        .unwrap();
    let found = |limit| {
        let store = store.clone();
        async move {
            let sessions = store.step_ups_before(NOW.plus(20), limit).await.unwrap();
            sessions.into_iter().map(|session| session.id.0).collect::<Vec<_>>()
        }
    };
    assert_eq!(found(9).await, ["later", "late"]);
    assert_eq!(found(1).await, ["later"]);
}
