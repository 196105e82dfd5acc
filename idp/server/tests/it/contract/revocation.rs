//! What dies when sessions end and accounts are disabled, and what must not.

use super::given::*;
use gait_core::ids::SessionId;
use gait_core::session::{EndReason, Ended, Session};
use gait_core::store::{Redeemed, Rotated, Which};

contract!(
    signing_out_spares_offline_grants_only,
    a_reason_of_security_spares_nothing,
    an_ended_session_stays_as_it_is,
    not_me_reaches_offline_grants_of_a_session_that_was_signed_out,
    ending_all_reaches_grants_that_outlived_their_session,
    ending_all_dates_the_account_and_never_back,
    ending_all_but_one_spares_that_one,
    ending_sessions_touches_no_other_account,
    each_ended_session_is_told_of_once,
    of_many_who_end_a_session_one_tells,
    disabling_ends_everything_and_enabling_brings_nothing_back,
    a_code_and_a_token_lose_the_race_against_the_end,
    once_a_revocation_is_answered_nobody_reads_what_was_before,
);

const AT: gait_sdk::Timestamp = gait_sdk::Timestamp(NOW.0 + 100);

async fn end(store: &TheStore, which: Which, reason: EndReason) -> Vec<Session> {
    store.end_sessions(&which, AT, reason, SILENTLY).await.unwrap()
}

fn one(id: &str) -> Which {
    Which::One(SessionId::from(id))
}

async fn signing_out_spares_offline_grants_only(store: TheStore) {
    let given = signed_in(&store).await;
    let ended = end(&store, one("sid"), EndReason::SignedOut).await;
    let expected = Session {
        ended: Some(Ended {
            at: AT,
            reason: EndReason::SignedOut,
        }),
        sequence: 2,
        ..given.session
    };
    assert_eq!(ended, [expected.clone()]);
    assert_eq!(store.session(&expected.id).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.session_by_secret(&hash("sid")).await.unwrap(), Some(expected));
    assert!(!lives(&store, "online").await);
    assert!(lives(&store, "offline").await);
    let next = refresh(&given.offline, "next");
    assert_eq!(
        store.rotate_refresh(&hash("offline refresh"), AT, &[next]).await.unwrap(),
        Rotated::First
    );
}

async fn a_reason_of_security_spares_nothing(store: TheStore) {
    let given = signed_in(&store).await;
    end(&store, one("sid"), EndReason::Anomaly).await;
    assert!(!lives(&store, "online").await);
    assert!(!lives(&store, "offline").await);
    for grant in store.grants_of_session(&given.session.id).await.unwrap() {
        assert_eq!(grant.revoked_at, Some(AT));
    }
    let next = refresh(&given.offline, "next");
    assert_eq!(
        store.rotate_refresh(&hash("offline refresh"), AT, &[next]).await.unwrap(),
        Rotated::Dead
    );
}

async fn an_ended_session_stays_as_it_is(store: TheStore) {
    let given = signed_in(&store).await;
    let first = end(&store, one("sid"), EndReason::SignedOut).await;
    assert_eq!(end(&store, one("sid"), EndReason::Disowned).await, []);
    assert_eq!(end(&store, Which::AllOf(given.alice.id), EndReason::Disowned).await, []);
    assert_eq!(end(&store, one("nobody's"), EndReason::Disowned).await, []);
    assert_eq!(store.session(&given.session.id).await.unwrap().as_ref(), first.first());
}

async fn not_me_reaches_offline_grants_of_a_session_that_was_signed_out(store: TheStore) {
    signed_in(&store).await;
    end(&store, one("sid"), EndReason::SignedOut).await;
    assert!(lives(&store, "offline").await);
    end(&store, one("sid"), EndReason::Disowned).await;
    assert!(!lives(&store, "offline").await);
}

async fn ending_all_reaches_grants_that_outlived_their_session(store: TheStore) {
    let given = signed_in(&store).await;
    end(&store, one("sid"), EndReason::SignedOut).await;
    begin(&store, &given.alice, "second").await;
    let ended = end(&store, Which::AllOf(given.alice.id), EndReason::EndedByOwner).await;
    assert_eq!(ended.len(), 1);
    assert!(!lives(&store, "offline").await);
    assert_eq!(store.grants_of(given.alice.id).await.unwrap(), []);
}

async fn ending_all_dates_the_account_and_never_back(store: TheStore) {
    let alice = add(&store, "alice").await;
    for (seconds, expected) in [(100, 100), (50, 100), (150, 150)] {
        let all = Which::AllOf(alice.id);
        store
            .end_sessions(&all, NOW.plus(seconds), EndReason::Disowned, SILENTLY)
            .await
            .unwrap();
        let kept = store.account(alice.id).await.unwrap().unwrap();
        assert_eq!(kept.revoked_before, Some(NOW.plus(expected)));
    }
    let bob = add(&store, "bob").await;
    begin(&store, &bob, "sid").await;
    end(&store, Which::AllBut(bob.id, "sid".into()), EndReason::EndedByOwner).await;
    end(&store, one("sid"), EndReason::EndedByOwner).await;
    assert_eq!(store.account(bob.id).await.unwrap().unwrap().revoked_before, None);
}

async fn ending_all_but_one_spares_that_one(store: TheStore) {
    let given = signed_in(&store).await;
    for id in ["second", "third"] {
        let other = begin(&store, &given.alice, id).await;
        issue(&store, &offline(grant(&other, "app", id)), id).await;
    }
    let ended = end(
        &store,
        Which::AllBut(given.alice.id, given.session.id.clone()),
        EndReason::EndedByOwner,
    )
    .await;
    let mut ids: Vec<_> = ended.into_iter().map(|session| session.id.0).collect();
    ids.sort();
    assert_eq!(ids, ["second", "third"]);
    for (name, spared) in [("online", true), ("offline", true), ("second", false), ("third", false)] {
        assert_eq!(lives(&store, name).await, spared, "{name}");
    }
    assert_eq!(store.sessions_of(given.alice.id).await.unwrap(), [given.session]);
}

async fn ending_sessions_touches_no_other_account(store: TheStore) {
    signed_in(&store).await;
    let bob = add(&store, "bob").await;
    let bobs = begin(&store, &bob, "bob's").await;
    issue(&store, &grant(&bobs, "app", "bob's"), "bob's").await;
    let mallory = add(&store, "mallory").await;
    end(&store, Which::AllOf(mallory.id), EndReason::Disowned).await;
    end(&store, Which::AllBut(mallory.id, "bob's".into()), EndReason::Disowned).await;
    end(&store, one("bob's"), EndReason::Disowned).await;
    assert!(!lives(&store, "bob's").await);
    assert!(lives(&store, "online").await);
    assert!(lives(&store, "offline").await);
}

async fn each_ended_session_is_told_of_once(store: TheStore) {
    let alice = add(&store, "alice").await;
    for id in ["a", "b"] {
        begin(&store, &alice, id).await;
    }
    let telling = |session: &Session| {
        assert!(session.ended.is_some());
        vec![
            event(&alice, &format!("{} ended", session.id)),
            event(&alice, &format!("{} alarm", session.id)),
        ]
    };
    let which = Which::AllOf(alice.id);
    store.end_sessions(&which, AT, EndReason::Disowned, &telling).await.unwrap();
    store.end_sessions(&which, AT, EndReason::Disowned, &telling).await.unwrap();
    let mut told = told(&store, &alice).await;
    told.sort();
    assert_eq!(told, ["a alarm", "a ended", "b alarm", "b ended"]);
}

async fn of_many_who_end_a_session_one_tells(store: TheStore) {
    let alice = add(&store, "alice").await;
    begin(&store, &alice, "sid").await;
    let answers = at_once(|number| {
        let (store, telling) = (store.clone(), event(&alice, &format!("ended {number}")));
        async move {
            let events = |_: &Session| vec![telling.clone()];
            let ended = store.end_sessions(&one("sid"), AT, EndReason::SignedOut, &events).await;
            ended.unwrap().len()
        }
    })
    .await;
    assert_eq!(answers.iter().sum::<usize>(), 1);
    assert_eq!(told(&store, &alice).await.len(), 1);
}

async fn disabling_ends_everything_and_enabling_brings_nothing_back(store: TheStore) {
    let given = signed_in(&store).await;
    store
        .set_disabled(given.alice.id, Some(AT), &[event(&given.alice, "disabled")])
        .await
        .unwrap();
    let kept = store.account(given.alice.id).await.unwrap().unwrap();
    assert_eq!((kept.disabled_at, kept.revoked_before), (Some(AT), Some(AT)));
    let next = refresh(&given.offline, "next");
    assert_eq!(
        store.rotate_refresh(&hash("offline refresh"), AT, &[next]).await.unwrap(),
        Rotated::Dead
    );
    store
        .set_disabled(given.alice.id, None, &[event(&given.alice, "enabled")])
        .await
        .unwrap();
    assert_eq!(store.account(given.alice.id).await.unwrap().unwrap().disabled_at, None);
    assert!(!lives(&store, "online").await);
    assert!(!lives(&store, "offline").await);
    let ended = store.session(&given.session.id).await.unwrap().unwrap().ended.unwrap();
    assert_eq!(ended.reason, EndReason::AccountChanged);
    let next = refresh(&given.offline, "next");
    assert_eq!(
        store.rotate_refresh(&hash("offline refresh"), AT, &[next]).await.unwrap(),
        Rotated::Dead
    );
    assert_eq!(told(&store, &given.alice).await, ["enabled", "disabled"]);
}

/// Whoever comes first: when both are through, nothing lives.
async fn a_code_and_a_token_lose_the_race_against_the_end(store: TheStore) {
    let given = signed_in(&store).await;
    at_once(|number| {
        let store = store.clone();
        let new = offline(grant(&given.session, "app", &format!("late {number}")));
        let next = refresh(&given.offline, "next");
        async move {
            match number {
                10 => drop(end(&store, one("sid"), EndReason::Disowned).await),
                20 => drop(store.rotate_refresh(&hash("offline refresh"), NOW, &[next]).await.unwrap()),
                _ => {
                    let code = hash(&format!("late {number}"));
                    let redeemed = store
                        .redeem_code(&code, &new, &[refresh(&new, &format!("late {number}"))], None)
                        .await;
                    assert!(matches!(redeemed.unwrap(), Redeemed::First | Redeemed::Dead));
                }
            }
        }
    })
    .await;
    assert_eq!(store.grants_of(given.alice.id).await.unwrap(), []);
    for name in (0..50).map(|number| format!("late {number}")).chain(["next".to_owned()]) {
        if let Some(standing) = store.standing(&hash(&name)).await.unwrap() {
            assert!(standing.token.spent_at.is_some(), "{name} lives");
        }
    }
}

/// Many read a token all the time, so that whatever may be remembered of it is; each way to kill it must be seen at once.
async fn once_a_revocation_is_answered_nobody_reads_what_was_before(store: TheStore) {
    store.put_client(&client("app")).await.unwrap();
    let account = add(&store, "alice").await;
    for round in 0..30 {
        let session = begin(&store, &account, &format!("sid {round}")).await;
        let granted = grant(&session, "app", &format!("grant {round}"));
        let name = format!("grant {round}");
        issue(&store, &granted, &name).await;
        let access = hash(&format!("{name} access"));
        let reading = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (store, reading) = (store.clone(), reading.clone());
                tokio::spawn(async move {
                    while reading.load(std::sync::atomic::Ordering::SeqCst) {
                        store.standing(&access).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        assert!(
            store
                .standing(&access)
                .await
                .unwrap()
                .is_some_and(|it| it.token.spent_at.is_none())
        );
        match round % 3 {
            0 => store.revoke_token(&access, AT).await.unwrap(),
            1 => store.revoke_grant(granted.id, AT, &[]).await.unwrap(),
            _ => drop(end(&store, one(session.id.as_str()), EndReason::EndedByOwner).await),
        }
        for _ in 0..20 {
            let standing = store.standing(&access).await.unwrap().unwrap();
            let ended = standing.session.as_ref().is_some_and(|session| session.ended.is_some());
            let revoked = standing.grant.as_ref().is_some_and(|grant| grant.revoked_at.is_some());
            assert!(standing.token.spent_at.is_some() || revoked || ended, "round {round}");
        }
        reading.store(false, std::sync::atomic::Ordering::SeqCst);
        for reader in readers {
            reader.await.unwrap();
        }
    }
}
