//! What is learned, and from whom.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::{Stage, watch_policy};
use gait_core::account_page::Change;
use gait_core::policy::WatchPolicy;
use gait_sdk::{Label, PluginId};

fn plugin() -> PluginId {
    PluginId::from("rhythm")
}

/// A deployment without a quarantine.
async fn at_once() -> Stage {
    let watch = WatchPolicy {
        quarantine_h: 0,
        ..watch_policy()
    };
    Stage::with(watch, vec![]).await
}

fn last_labels(stage: &Stage) -> Vec<Label> {
    let script = stage.scorer.script.lock().unwrap();
    script.learned.last().unwrap().iter().map(|labelled| labelled.label).collect()
}

#[tokio::test]
async fn what_a_proven_person_does_is_learned_once() {
    let stage = at_once().await;
    let mut alice = stage.watched("alice").await;
    for _ in 0..3 {
        stage.types(&mut alice).await.unwrap();
    }
    assert_eq!(stage.idp.learn_due().await.unwrap(), 1);
    assert_eq!(last_labels(&stage), [Label::Proven; 3]);
    let mut learned: Vec<_> = stage.scorer.script.lock().unwrap().learned[0]
        .iter()
        .map(|l| l.record.payload["seq"].as_u64())
        .collect();
    // The clock stands still, and records of one moment have no order.
    learned.sort();
    assert_eq!(learned, [Some(1), Some(2), Some(3)]);
    let model = stage.store().model(&alice.account.into(), &plugin()).await.unwrap().unwrap();
    assert_eq!((model.samples, model.enrolled), (3, true));
    assert_eq!(stage.idp.learn_due().await.unwrap(), 0, "nothing new");

    stage.types(&mut alice).await.unwrap();
    assert_eq!(stage.idp.learn_due().await.unwrap(), 1);
    let newer = stage.store().model(&alice.account.into(), &plugin()).await.unwrap().unwrap();
    assert_eq!(newer.samples, 4, "earlier training is extended");
    assert!(
        newer.trained_at_ms > model.trained_at_ms,
        "the same moment, but another model"
    );
}

#[tokio::test]
async fn a_model_is_parsed_once_and_gone_when_it_is_erased() {
    let stage = at_once().await;
    let mut alice = stage.watched("alice").await;
    stage.types(&mut alice).await.unwrap();
    stage.idp.learn_due().await.unwrap();
    let parsed = || stage.scorer.script.lock().unwrap().prepared;
    for _ in 0..3 {
        stage.types(&mut alice).await.unwrap();
    }
    assert_eq!(parsed(), 1);
    stage.idp.learn_due().await.unwrap();
    stage.types(&mut alice).await.unwrap();
    assert_eq!(parsed(), 2, "a new model is parsed anew");
    stage.store().erase_behaviour(alice.account, &[]).await.unwrap();
    stage.types(&mut alice).await.unwrap();
    assert_eq!(parsed(), 2);
    assert!(stage.store().model(&alice.account.into(), &plugin()).await.unwrap().is_none());
}

#[tokio::test]
async fn one_account_that_fails_does_not_stand_in_the_way_of_others() {
    let stage = at_once().await;
    let (mut alice, mut bob) = (stage.watched("alice").await, stage.watched("bob").await);
    stage.types(&mut alice).await.unwrap();
    stage.types(&mut bob).await.unwrap();
    // A model that another master key sealed: it can't be extended, and is not overwritten.
    let foreign = gait_core::store::StoredModel {
        whose: alice.account.into(),
        plugin: plugin(),
        blob: gait_core::seal::Sealed(vec![0; 64]),
        samples: 9,
        enrolled: true,
        trained_at_ms: 1,
    };
    stage.store().put_model(&foreign, None, &[]).await.unwrap();
    assert_eq!(stage.idp.learn_due().await.unwrap(), 1);
    assert!(stage.store().model(&bob.account.into(), &plugin()).await.unwrap().is_some());
    assert_eq!(stage.labels(&alice).await.len(), 1, "her records wait");
    let judged = stage.types(&mut alice).await;
    assert!(judged.is_ok(), "a model that can't be read is as good as none");
}

#[tokio::test]
async fn a_scorer_settles_nobody_elses_records() {
    let stage = at_once().await;
    let (mut alice, mut bob) = (stage.watched("alice").await, stage.watched("bob").await);
    stage.types(&mut bob).await.unwrap();
    let bobs = stage.store().records_of(bob.account, 1).await.unwrap();
    stage.idp.learn_due().await.unwrap();
    stage.types(&mut bob).await.unwrap();
    let newer = stage.store().records_of(bob.account, 1).await.unwrap();
    assert_ne!(bobs, newer);
    stage.ports.clock.advance(1);
    stage.types(&mut alice).await.unwrap();
    stage.scorer.script.lock().unwrap().also_settles = vec![newer[0].id.clone()];
    stage.idp.learn_due().await.unwrap();
    let learned = stage.scorer.script.lock().unwrap().learned.len();
    assert_eq!(learned, 3, "alice's turn came, and bob's all the same");
}

#[tokio::test]
async fn a_collector_that_sends_without_end_fills_nothing() {
    let stage = at_once().await;
    let mut alice = stage.watched("alice").await;
    for _ in 0..2005 {
        stage.types(&mut alice).await.unwrap();
        stage.ports.clock.advance_ms(200);
    }
    let waiting = stage.store().count_unsettled(alice.account, &plugin()).await.unwrap();
    assert_eq!(waiting, 2000);
}

#[tokio::test]
async fn what_is_withdrawn_or_erased_while_it_is_learned_does_not_come_back() {
    for withdrawn in [true, false] {
        let stage = at_once().await;
        let mut alice = stage.watched("alice").await;
        stage.types(&mut alice).await.unwrap();
        let (store, account, now) = (stage.store().clone(), alice.account, stage.ports.clock.now());
        stage.scorer.script.lock().unwrap().while_learning = Some(Box::new(move || {
            Box::pin(async move {
                match withdrawn {
                    true => store.withdraw_consent(account, now, &[]).await.unwrap(),
                    false => store.erase_behaviour(account, &[]).await.unwrap(),
                }
            })
        }));
        assert_eq!(stage.idp.learn_due().await.unwrap(), 0);
        assert!(
            stage.store().model(&account.into(), &plugin()).await.unwrap().is_none(),
            "{withdrawn}"
        );
    }
}

#[tokio::test]
async fn what_is_old_is_deleted_and_so_is_what_nobody_uses() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    for _ in 0..3 {
        stage.types(&mut alice).await.unwrap();
    }
    stage.idp.learn_due().await.unwrap();
    stage.types(&mut alice).await.unwrap();
    stage.ports.clock.advance(7 * 86_400);
    assert_eq!(stage.idp.purge_behaviour().await.unwrap(), 0);
    stage.ports.clock.advance(1);
    assert_eq!(stage.idp.purge_behaviour().await.unwrap(), 1, "a week, learned or not");
    assert_eq!(stage.idp.learn_due().await.unwrap(), 0);

    stage.ports.clock.advance(390 * 86_400);
    stage.session(alice.account).await;
    stage.ports.clock.advance(400 * 86_400);
    assert_eq!(stage.idp.purge_behaviour().await.unwrap(), 0, "she signed in 400 days ago");
    stage.ports.clock.advance(1);
    assert_eq!(stage.idp.purge_behaviour().await.unwrap(), 1);
    assert!(stage.store().model(&alice.account.into(), &plugin()).await.unwrap().is_none());
}

#[tokio::test]
async fn erasing_leaves_nothing_in_this_nodes_memory_but_which_batches_were_seen() {
    let stage = at_once().await;
    let mut alice = stage.watched("alice").await;
    for _ in 0..3 {
        stage.types(&mut alice).await.unwrap();
    }
    stage.idp.learn_due().await.unwrap();
    stage.types(&mut alice).await.unwrap();
    stage.changes(&alice, &Change::EraseBehaviour).await;
    assert_eq!(stage.labels(&alice).await, []);
    alice.seq -= 1;
    stage.types(&mut alice).await.unwrap();
    assert_eq!(stage.scorer.scored(), 4, "sent again, it is not taken again");
    stage.types(&mut alice).await.unwrap();
    let states: Vec<_> = stage
        .scorer
        .script
        .lock()
        .unwrap()
        .scored
        .iter()
        .map(|(_, state)| *state)
        .collect();
    assert_eq!(states, [0, 1, 2, 3, 0], "what the scorer remembered of the session is gone");
    assert_eq!(stage.scorer.script.lock().unwrap().prepared, 1, "and there is no model");
}
