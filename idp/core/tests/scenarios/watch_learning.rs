//! What is learned, and from whom.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::Stage;
use gait_core::session::EndReason;
use gait_core::store::Which;
use gait_sdk::{Alarm, Label, PluginId};

fn plugin() -> PluginId {
    PluginId::from("rhythm")
}

fn last_labels(stage: &Stage) -> Vec<Label> {
    let script = stage.scorer.script.lock().unwrap();
    script.learned.last().unwrap().iter().map(|labelled| labelled.label).collect()
}

#[tokio::test]
async fn what_a_proven_person_does_is_learned_once() {
    let stage = Stage::new().await;
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
    let stage = Stage::new().await;
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
async fn an_impostors_rhythm_never_passes_for_the_owners() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::None, Alarm::None, Alarm::Soft, Alarm::None]);
    for _ in 0..4 {
        stage.types(&mut alice).await.unwrap();
    }
    assert_eq!(
        stage.labels(&alice).await,
        [Label::Unproven; 2],
        "nothing is kept while a step-up is pending"
    );
    stage.scorer.alarms(&[Alarm::Hard]);
    stage.types(&mut alice).await.unwrap();
    assert_eq!(stage.labels(&alice).await, [Label::Disputed; 2]);
    stage.idp.learn_due().await.unwrap();
    assert_eq!(last_labels(&stage), [Label::Disputed; 2]);
}

#[tokio::test]
async fn a_label_that_a_dying_node_left_behind_is_not_believed() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.types(&mut alice).await.unwrap();
    assert_eq!(stage.labels(&alice).await, [Label::Proven]);
    // As if the node had died between the end of the session and the labels.
    let which = Which::One(alice.session.clone());
    let now = stage.ports.clock.now();
    stage
        .store()
        .end_sessions(&which, now, EndReason::Anomaly, &|_| vec![])
        .await
        .unwrap();
    stage.idp.learn_due().await.unwrap();
    assert_eq!(last_labels(&stage), [Label::Disputed]);
}

#[tokio::test]
async fn one_account_that_fails_does_not_stand_in_the_way_of_others() {
    let stage = Stage::new().await;
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
async fn what_is_withdrawn_is_not_learned_and_what_is_old_is_deleted() {
    let stage = Stage::new().await;
    let (mut alice, mut bob) = (stage.watched("alice").await, stage.watched("bob").await);
    stage.types(&mut alice).await.unwrap();
    stage.types(&mut bob).await.unwrap();
    stage
        .store()
        .withdraw_consent(alice.account, stage.ports.clock.now(), &[])
        .await
        .unwrap();
    assert_eq!(stage.labels(&alice).await, []);
    stage.ports.clock.advance(7 * 86_400);
    assert_eq!(stage.idp.purge_behaviour().await.unwrap(), 0);
    stage.ports.clock.advance(1);
    assert_eq!(stage.idp.purge_behaviour().await.unwrap(), 1);
    assert_eq!(stage.idp.learn_due().await.unwrap(), 0);
}

#[tokio::test]
async fn a_scorer_settles_nobody_elses_records() {
    let stage = Stage::new().await;
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
async fn a_proof_ends_the_doubt() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::Soft]);
    stage.types(&mut alice).await.unwrap();
    stage.proves(&alice).await;
    stage.types(&mut alice).await.unwrap();
    assert_eq!(stage.labels(&alice).await, [Label::Proven]);
}

#[tokio::test]
async fn a_collector_that_sends_without_end_fills_nothing() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    for _ in 0..2005 {
        stage.types(&mut alice).await.unwrap();
        stage.ports.clock.advance_ms(200);
    }
    let waiting = stage.store().count_unsettled(alice.account, &plugin()).await.unwrap();
    assert_eq!(waiting, 2000);
}
