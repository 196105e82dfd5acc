//! What is learned of whom, and when: labels, the quarantine, and what a step-up makes of what was recorded before it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::{Actor, Stage, proof, watch_policy};
use gait_core::account::Mode;
use gait_core::policy::{Watch, WatchPolicy};
use gait_core::session::{EndReason, Proof};
use gait_core::store::Which;
use gait_sdk::{Alarm, Label, PluginId};

const PROVEN: Label = Label::Proven;
const UNPROVEN: Label = Label::Unproven;
const STEPPED_UP: Label = Label::SteppedUp;

/// Alice, whose model is enrolled, at work.
async fn enrolled() -> (Stage, Actor) {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    works(&stage, &mut alice, 3).await;
    assert_eq!(stage.idp.learn_due().await.unwrap(), 1, "near-horizon: at once");
    (stage, alice)
}

async fn works(stage: &Stage, actor: &mut Actor, batches: usize) {
    for _ in 0..batches {
        stage.ports.clock.advance(5);
        stage.renews(actor).await;
        stage.types(actor).await.unwrap();
    }
}

/// Raises an alarm by the next batch.
async fn alarms(stage: &Stage, actor: &mut Actor, alarm: Alarm) {
    stage.scorer.alarms(&[alarm]);
    works(stage, actor, 1).await;
}

/// Passes the step-up that is pending, through the pages.
async fn passes(stage: &Stage, actor: &Actor) {
    stage.passes_step_up(actor).await;
    assert!(stage.session_now(actor).await.step_up.is_none());
}

/// The labels of what was last learned.
async fn learned(stage: &Stage) -> Vec<Label> {
    stage.scorer.script.lock().unwrap().learned.clear();
    stage.idp.learn_due().await.unwrap();
    let script = stage.scorer.script.lock().unwrap();
    let last = script.learned.last();
    last.map(|given| given.iter().map(|labelled| labelled.label).collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn an_enrolled_accounts_records_wait_a_day_and_are_gone_once_they_are_learned() {
    let (stage, mut alice) = enrolled().await;
    assert_eq!(stage.labels(&alice).await, [], "what is learned is not kept");
    works(&stage, &mut alice, 2).await;
    stage.ports.clock.advance(24 * 3600 - 6);
    assert_eq!(learned(&stage).await, []);
    stage.ports.clock.advance(1);
    assert_eq!(learned(&stage).await, [PROVEN], "the first of the two");
    stage.ports.clock.advance(5);
    assert_eq!(learned(&stage).await, [PROVEN]);
    assert_eq!(stage.labels(&alice).await, []);
}

#[tokio::test]
async fn whoever_is_not_enrolled_is_learned_at_once_and_unproven_ones_are_labelled_so() {
    let stage = Stage::new().await;
    let account = stage.account("alice", Mode::Train).await;
    stage.consent(account).await;
    let session = stage
        .session_with(account, vec![proof(stage.ports.clock.now()), waiver(&stage)])
        .await;
    let mut alice = stage.at(account, session, "shop").await;
    works(&stage, &mut alice, 1).await;
    assert_eq!(
        learned(&stage).await,
        [PROVEN],
        "the row was met by a factor; the address waived nothing"
    );

    let waived = stage.session_with(account, vec![waiver(&stage)]).await;
    let mut waived = stage.at(account, waived, "shop").await;
    works(&stage, &mut waived, 1).await;
    assert_eq!(learned(&stage).await, [UNPROVEN]);
}

fn waiver(stage: &Stage) -> Proof {
    Proof {
        plugin: PluginId::from("ip-trust"),
        amr: vec![],
        waiver: true,
        ..proof(stage.ports.clock.now())
    }
}

#[tokio::test]
async fn a_clients_own_plan_says_what_proven_means_there() {
    let (stage, alice) = enrolled().await;
    let mut bank = gait_core::client::Client::clone(&stage.store().client(&"bank".into()).await.unwrap().unwrap());
    bank.plan = Some(gait_core::policy::Plan(
        ["password", "otp"]
            .map(|id| gait_core::policy::Row(vec![PluginId::from(id)]))
            .to_vec(),
    ));
    stage.store().put_client(&bank).await.unwrap();
    let mut at_bank = stage.at(alice.account, alice.session.clone(), "bank").await;
    works(&stage, &mut at_bank, 1).await;
    assert_eq!(stage.labels(&alice).await, [UNPROVEN]);
}

#[tokio::test]
async fn a_step_up_that_is_passed_soon_makes_what_was_recorded_the_owners() {
    let (stage, mut alice) = enrolled().await;
    works(&stage, &mut alice, 2).await;
    alarms(&stage, &mut alice, Alarm::Soft).await;
    works(&stage, &mut alice, 1).await;
    assert_eq!(stage.labels(&alice).await, [UNPROVEN; 4], "kept, the alarm's own batch too");
    stage.ports.clock.advance(3 * 86_400);
    assert_eq!(learned(&stage).await, [], "held back, as long as nobody has answered");
    stage.ports.clock.advance(-3 * 86_400);
    assert_eq!(stage.labels(&alice).await.len(), 4);

    passes(&stage, &alice).await;
    assert_eq!(stage.labels(&alice).await, [STEPPED_UP; 4]);
    assert_eq!(learned(&stage).await, [STEPPED_UP; 4], "without a quarantine");
    works(&stage, &mut alice, 1).await;
    assert_eq!(stage.labels(&alice).await, [PROVEN], "the doubt is over");
}

#[tokio::test]
async fn a_step_up_that_is_passed_late_says_little_of_who_sat_there() {
    let (stage, mut alice) = enrolled().await;
    works(&stage, &mut alice, 1).await;
    alarms(&stage, &mut alice, Alarm::Soft).await;
    stage.ports.clock.advance(301);
    passes(&stage, &alice).await;
    assert_eq!(stage.labels(&alice).await, [UNPROVEN; 2]);
}

#[tokio::test]
async fn an_hour_of_an_impostor_is_not_sealed_by_the_owners_return() {
    let (stage, mut alice) = enrolled().await;
    works(&stage, &mut alice, 1).await;
    stage.ports.clock.advance(595);
    works(&stage, &mut alice, 1).await;
    stage.ports.clock.advance(595);
    works(&stage, &mut alice, 1).await;
    alarms(&stage, &mut alice, Alarm::Soft).await;
    let labels = stage.labels(&alice).await;
    assert_eq!(labels, [PROVEN, PROVEN, UNPROVEN, UNPROVEN], "ten minutes before the demand");
    passes(&stage, &alice).await;
    assert_eq!(stage.labels(&alice).await, [PROVEN, PROVEN, STEPPED_UP, STEPPED_UP]);
}

#[tokio::test]
async fn what_was_recorded_before_the_last_proof_is_not_spoken_for() {
    let (stage, mut alice) = enrolled().await;
    works(&stage, &mut alice, 1).await;
    stage.proves(&alice).await;
    works(&stage, &mut alice, 1).await;
    alarms(&stage, &mut alice, Alarm::Soft).await;
    passes(&stage, &alice).await;
    assert_eq!(stage.labels(&alice).await, [PROVEN, STEPPED_UP, STEPPED_UP]);
}

#[tokio::test]
async fn what_was_recorded_in_a_session_that_ends_in_doubt_is_deleted_unlearned() {
    let (stage, mut alice) = enrolled().await;
    works(&stage, &mut alice, 2).await;
    alarms(&stage, &mut alice, Alarm::Soft).await;
    stage.ports.clock.advance(601);
    stage.idp.expire_step_ups().await.unwrap();
    assert_eq!(stage.labels(&alice).await, [], "nobody answered");

    for (alarm, reason) in [(Alarm::Hard, None), (Alarm::None, Some(EndReason::Disowned))] {
        let session = stage.session(alice.account).await;
        let mut again = stage.at(alice.account, session, "shop").await;
        works(&stage, &mut again, 2).await;
        alarms(&stage, &mut again, alarm).await;
        if let Some(reason) = reason {
            let (which, now) = (Which::One(again.session.clone()), stage.ports.clock.now());
            stage.store().end_sessions(&which, now, reason, &|_| vec![]).await.unwrap();
        }
        assert!(stage.session_now(&again).await.ended.is_some());
        assert_eq!(stage.labels(&alice).await, []);
    }
    stage.ports.clock.advance(2 * 86_400);
    assert_eq!(learned(&stage).await, []);
}

#[tokio::test]
async fn who_signs_out_instead_of_answering_has_answered() {
    let (stage, mut alice) = enrolled().await;
    works(&stage, &mut alice, 1).await;
    stage.ports.clock.advance(700);
    works(&stage, &mut alice, 1).await;
    alarms(&stage, &mut alice, Alarm::Soft).await;
    let (which, now) = (Which::One(alice.session.clone()), stage.ports.clock.now());
    stage
        .store()
        .end_sessions(&which, now, EndReason::SignedOut, &|_| vec![])
        .await
        .unwrap();
    stage.ports.clock.advance(86_400);
    assert_eq!(learned(&stage).await, [PROVEN], "what was long before is as it was");
    assert_eq!(stage.labels(&alice).await, [], "and the rest is gone");
}

#[tokio::test]
async fn a_record_that_comes_after_the_end_is_not_believed() {
    let (stage, mut alice) = enrolled().await;
    let (store, session, now) = (stage.store().clone(), alice.session.clone(), stage.ports.clock.now());
    // The session ends while the batch is being scored.
    stage.scorer.script.lock().unwrap().meanwhile = Some(Box::new(move || {
        Box::pin(async move {
            let which = Which::One(session);
            store
                .end_sessions(&which, now, EndReason::Anomaly, &|_| vec![])
                .await
                .unwrap();
        })
    }));
    works(&stage, &mut alice, 1).await;
    assert_eq!(stage.labels(&alice).await.len(), 1);
    stage.ports.clock.advance(86_400);
    assert_eq!(learned(&stage).await, []);
    assert_eq!(stage.labels(&alice).await, [], "it is deleted, not put aside");
}

#[tokio::test]
async fn where_nobody_is_asked_an_alarms_record_is_dropped_and_learning_goes_on() {
    let observing = WatchPolicy {
        mode: Watch::Observe,
        quarantine_h: 0,
        ..watch_policy()
    };
    let stage = Stage::with(observing, vec![]).await;
    let mut alice = stage.watched("alice").await;
    alarms(&stage, &mut alice, Alarm::Hard).await;
    assert_eq!(stage.labels(&alice).await, []);
    works(&stage, &mut alice, 1).await;
    assert_eq!(learned(&stage).await, [UNPROVEN]);
    stage.proves(&alice).await;
    works(&stage, &mut alice, 1).await;
    assert_eq!(learned(&stage).await, [PROVEN]);
}

#[tokio::test]
async fn a_second_alarm_gives_what_is_held_no_more_time() {
    let (stage, mut alice) = enrolled().await;
    works(&stage, &mut alice, 1).await;
    alarms(&stage, &mut alice, Alarm::Soft).await;
    stage.ports.clock.advance(200);
    alarms(&stage, &mut alice, Alarm::Soft).await;
    stage.ports.clock.advance(150);
    passes(&stage, &alice).await;
    assert_eq!(stage.labels(&alice).await, [UNPROVEN; 3], "350 seconds after the demand");
}
