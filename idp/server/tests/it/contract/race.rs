//! Races: what two nodes do at the same moment has an outcome that one of the two orders has too.

use super::given::*;
use gait_core::account::Account;
use gait_core::grant::Grant;
use gait_core::seal::Sealed;
use gait_core::session::EndReason;
use gait_core::store::{Redeemed, Rotated, StoreError, StoredBackground, StoredModel, StoredRecord, Which};
use gait_sdk::Label;
use std::sync::Arc;
use tokio::sync::Barrier;

contract!(
    no_living_token_hangs_on_an_ended_session,
    no_successor_outlives_its_revoked_family,
    no_session_lives_in_a_disabled_account,
    no_session_begun_before_all_were_ended_lives,
    nothing_is_kept_of_whoever_withdrew,
    no_background_is_made_of_whoever_was_erased,
    many_who_end_the_others_are_not_in_each_others_way,
    an_approval_of_the_past_spends_nothing_twice,
);

/// How often each race is run.
const ROUNDS: usize = 25;

/// Runs both at once.
async fn both<A: Send + 'static, B: Send + 'static>(
    one: impl Future<Output = A> + Send + 'static,
    other: impl Future<Output = B> + Send + 'static,
) -> (A, B) {
    let barrier = Arc::new(Barrier::new(2));
    let (first, second) = (barrier.clone(), barrier);
    let one = tokio::spawn(async move {
        first.wait().await;
        one.await
    });
    let other = tokio::spawn(async move {
        second.wait().await;
        other.await
    });
    (one.await.unwrap(), other.await.unwrap())
}

fn end(store: &TheStore, which: Which) -> impl Future<Output = ()> + Send + 'static {
    let store = store.clone();
    async move {
        let ended = store.end_sessions(&which, NOW, EndReason::Anomaly, SILENTLY).await;
        ended.unwrap();
    }
}

fn which(round: usize, of: &Account, sid: &str) -> Which {
    match round % 3 {
        0 => Which::One(sid.into()),
        1 => Which::AllOf(of.id),
        _ => Which::AllBut(of.id, "another".into()),
    }
}

async fn no_living_token_hangs_on_an_ended_session(store: TheStore) {
    store.put_client(&client("app")).await.unwrap();
    for round in 0..ROUNDS {
        let name = format!("person {round}");
        let person = add(&store, &name).await;
        let session = begin(&store, &person, &name).await;
        let grant = grant(&session, "app", &name);
        let (redeems, tokens) = (store.clone(), [refresh(&grant, &name)]);
        let code = hash(&name);
        let redeem = async move { redeems.redeem_code(&code, &grant, &tokens, None).await.unwrap() };
        let (redeemed, ()) = both(redeem, end(&store, which(round, &person, &name))).await;
        match redeemed {
            Redeemed::First => {
                let standing = store.standing(&hash(&name)).await.unwrap().unwrap();
                assert!(standing.session.unwrap().ended.is_some());
                assert!(standing.grant.unwrap().revoked_at.is_some(), "round {round}");
                assert!(standing.token.spent_at.is_some(), "round {round}");
            }
            Redeemed::Dead => assert!(store.standing(&hash(&name)).await.unwrap().is_none()),
            Redeemed::Replayed(_) => panic!("there was one code"),
        }
    }
}

/// The living grant of a person with a refresh token `<name> refresh`.
async fn family(store: &TheStore, name: &str) -> (Account, Grant) {
    let person = add(store, name).await;
    let session = begin(store, &person, name).await;
    let grant = offline(grant(&session, "app", name));
    issue(store, &grant, name).await;
    (person, grant)
}

async fn no_successor_outlives_its_revoked_family(store: TheStore) {
    store.put_client(&client("app")).await.unwrap();
    for round in 0..ROUNDS {
        let name = format!("person {round}");
        let (person, grant) = family(&store, &name).await;
        let (rotates, next) = (store.clone(), refresh(&grant, &format!("{name} next")));
        let old = hash(&format!("{name} refresh"));
        let rotate = async move { rotates.rotate_refresh(&old, NOW, &[next]).await.unwrap() };
        let ends = store.clone();
        let kill = async move {
            match round % 3 {
                0 => ends.revoke_grant(grant.id, NOW, &[]).await.unwrap(),
                1 => ends.disconnect(person.id, &"app".into(), NOW, &[]).await.unwrap(),
                _ => ends.set_disabled(person.id, Some(NOW), &[]).await.unwrap(),
            }
        };
        let (rotated, ()) = both(rotate, kill).await;
        let next = store.standing(&hash(&format!("{name} next"))).await.unwrap();
        match rotated {
            Rotated::First => assert!(next.unwrap().token.spent_at.is_some(), "round {round}"),
            Rotated::Dead => assert!(next.is_none()),
            Rotated::Replayed => panic!("nobody else had the token"),
        }
    }
}

async fn no_session_lives_in_a_disabled_account(store: TheStore) {
    for round in 0..ROUNDS {
        let name = format!("person {round}");
        let person = add(&store, &name).await;
        let (begins, session, secret) = (store.clone(), session(&person, &name), hash(&name));
        let begin = async move { begins.begin_session(&session, &secret, &[]).await };
        let (disables, id) = (store.clone(), person.id);
        let disable = async move { disables.set_disabled(id, Some(NOW), &[]).await.unwrap() };
        let (begun, ()) = both(begin, disable).await;
        assert!(matches!(begun, Ok(()) | Err(StoreError::Stale(_))), "{begun:?}");
        assert!(store.sessions_of(person.id).await.unwrap().is_empty(), "round {round}");
    }
}

async fn no_session_begun_before_all_were_ended_lives(store: TheStore) {
    for round in 0..ROUNDS {
        let name = format!("person {round}");
        let person = add(&store, &name).await;
        let (begins, session, secret) = (store.clone(), session(&person, &name), hash(&name));
        let begin = async move { begins.begin_session(&session, &secret, &[]).await };
        let (ends, id) = (store.clone(), person.id);
        let end = async move {
            let all = Which::AllOf(id);
            ends.end_sessions(&all, NOW.plus(1), EndReason::Anomaly, SILENTLY)
                .await
                .unwrap()
        };
        let (begun, _) = both(begin, end).await;
        assert!(matches!(begun, Ok(()) | Err(StoreError::Stale(_))), "{begun:?}");
        assert!(store.sessions_of(person.id).await.unwrap().is_empty(), "round {round}");
    }
}

fn model(of: &Account) -> StoredModel {
    StoredModel {
        whose: of.id.into(),
        plugin: "behavior".into(),
        blob: Sealed(vec![1; 8]),
        samples: 9,
        enrolled: true,
        trained_at_ms: NOW.0 * 1000,
    }
}

fn record(of: &Account, id: &str) -> StoredRecord {
    StoredRecord {
        id: id.into(),
        whose: of.id.into(),
        plugin: "behavior".into(),
        session: "sid".into(),
        label: Label::Proven,
        at: NOW,
        payload: Sealed(vec![2; 8]),
    }
}

async fn nothing_is_kept_of_whoever_withdrew(store: TheStore) {
    for round in 0..ROUNDS {
        let person = add(&store, &format!("person {round}")).await;
        store.give_consent(&consent(&person), &[]).await.unwrap();
        let first = record(&person, &format!("first {round}"));
        store.keep_record(&first).await.unwrap();
        let (learns, learned) = (store.clone(), model(&person));
        let second = record(&person, &format!("second {round}"));
        let learn = async move {
            let _stored = learns.put_model(&learned, None, &[first.id]).await;
            let _kept = learns.keep_record(&second).await.unwrap();
        };
        let (withdraws, id) = (store.clone(), person.id);
        let withdraw = async move { withdraws.withdraw_consent(id, NOW, &[]).await.unwrap() };
        both(learn, withdraw).await;
        assert_eq!(
            store.model(&person.id.into(), &"behavior".into()).await.unwrap(),
            None,
            "round {round}"
        );
        assert_eq!(store.records_of(person.id, 9).await.unwrap(), [], "round {round}");
    }
}

async fn no_background_is_made_of_whoever_was_erased(store: TheStore) {
    let plugin = "behavior".into();
    for round in 0..ROUNDS {
        let person = add(&store, &format!("person {round}")).await;
        store.give_consent(&consent(&person), &[]).await.unwrap();
        store.put_model(&model(&person), None, &[]).await.unwrap();
        let makes = store.clone();
        let make = async move {
            let plugin = "behavior".into();
            let due = makes.due_background(&plugin, i64::MAX).await.unwrap().unwrap();
            let of = makes.enrolled_accounts(&plugin).await.unwrap();
            let made = StoredBackground {
                plugin: plugin.clone(),
                blob: Sealed(vec![3; 8]),
                accounts: 1,
                made_at_ms: 1,
            };
            let stored = makes.put_background(&plugin, Some(&made), 1, due.revision).await.unwrap();
            (of, stored)
        };
        let (erases, id) = (store.clone(), person.id);
        let erase = async move { erases.erase_behaviour(id, &[]).await.unwrap() };
        let ((of, stored), ()) = both(make, erase).await;
        let due = store.due_background(&plugin, 0).await.unwrap();
        if stored && of.contains(&person.id) {
            assert!(
                due.is_some_and(|due| due.stale),
                "round {round}: it holds something of the erased"
            );
        }
    }
}

async fn many_who_end_the_others_are_not_in_each_others_way(store: TheStore) {
    store.put_client(&client("app")).await.unwrap();
    let person = add(&store, "person").await;
    for number in 0..20 {
        let session = begin(&store, &person, &format!("session {number}")).await;
        issue(
            &store,
            &grant(&session, "app", &format!("grant {number}")),
            &format!("grant {number}"),
        )
        .await;
    }
    at_once(|number| {
        let (store, id) = (store.clone(), person.id);
        async move {
            let which = match number % 4 {
                0 => Which::One(format!("session {}", number % 20).as_str().into()),
                1 => Which::AllOf(id),
                _ => Which::AllBut(id, format!("session {}", number % 20).as_str().into()),
            };
            store.end_sessions(&which, NOW, EndReason::Anomaly, SILENTLY).await.unwrap()
        }
    })
    .await;
    assert!(store.sessions_of(person.id).await.unwrap().is_empty());
    for number in 0..20 {
        assert!(!lives(&store, &format!("grant {number}")).await);
    }
}

/// The batch of an approval and of a flow want the same version of a credential: one of them gets it.
async fn an_approval_of_the_past_spends_nothing_twice(store: TheStore) {
    use gait_core::store::{CredentialChange, EffectBatch};
    for round in 0..ROUNDS {
        let person = account(&format!("person {round}"));
        let kept = credential(&person, "recovery", "codes");
        store.add_account(&person, &[kept.clone()]).await.unwrap();
        let batch = EffectBatch {
            credentials: vec![CredentialChange::Replace { credential: kept }],
            ..EffectBatch::default()
        };
        let (one, other, id) = (store.clone(), store.clone(), person.id);
        let (first, second) = (batch.clone(), batch);
        let (a, b) = both(async move { one.carry_out(id, NOW, &first).await }, async move {
            other.carry_out(id, NOW, &second).await
        })
        .await;
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        assert_eq!(store.credentials(id, None).await.unwrap()[0].credential.version, 2);
    }
}
