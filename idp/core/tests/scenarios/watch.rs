//! The person works, somebody else takes over, and what happens then.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_stage::{ORIGIN, Stage, batch, prove, watch_policy};
use gait_core::account::Mode;
use gait_core::continuous::{WatchError, WatchState};
use gait_core::event::What;
use gait_core::policy::{Watch, WatchPolicy};
use gait_core::session::{EndReason, RiskLevel};
use gait_core::store::Which;
use gait_core::token::BearerError;
use gait_sdk::{Alarm, Label, Purpose};
use serde_json::json;

fn reasons() -> Vec<String> {
    // The other one that the scorer gives is no code, and goes nowhere.
    vec!["typing_rhythm_differs".to_owned()]
}

#[tokio::test]
async fn a_soft_alarm_demands_a_step_up_and_a_proof_lifts_it() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    assert_eq!(stage.state(&mut alice).await, WatchState::Ok);
    stage.scorer.alarms(&[Alarm::Soft]);
    assert_eq!(stage.state(&mut alice).await, WatchState::StepUp);

    let session = stage.session_now(&alice).await;
    assert_eq!(session.level, RiskLevel::Medium);
    assert_eq!(session.step_up.as_ref().unwrap().reasons, reasons());
    let demanded = What::StepUpDemanded {
        level: RiskLevel::Medium,
        previous_level: RiskLevel::Low,
        reasons: reasons(),
    };
    assert_eq!(stage.facts(&alice).await, [demanded]);
    assert!(stage.ports.bell.rung() > 0, "callbacks go out at once");
    assert!(stage.refresh(&alice).await.unwrap_err().starts_with("invalid_grant"));
    assert!(matches!(
        stage.idp.userinfo(&alice.access).await,
        Err(BearerError::StepUp { .. })
    ));

    stage.proves(&alice).await;
    assert_eq!(stage.state(&mut alice).await, WatchState::Ok);
    assert!(stage.idp.userinfo(&alice.access).await.is_ok());
    assert!(stage.refresh(&alice).await.is_ok(), "the family goes on");
    let known_before = stage.scorer.script.lock().unwrap().scored.last().unwrap().1;
    assert_eq!(known_before, 0, "the scorer begins anew after a proof");
}

#[tokio::test]
async fn a_hard_alarm_ends_everything_at_once() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    let bank = stage.at(alice.account, alice.session.clone(), "bank").await;
    stage.scorer.alarms(&[Alarm::Hard]);
    assert_eq!(stage.state(&mut alice).await, WatchState::Ended);

    let session = stage.session_now(&alice).await;
    assert_eq!(session.ended.unwrap().reason, EndReason::Anomaly);
    for actor in [&alice, &bank] {
        assert!(matches!(
            stage.idp.userinfo(&actor.access).await,
            Err(BearerError::InvalidToken)
        ));
        assert!(stage.refresh(actor).await.is_err(), "offline_access survives no alarm");
        let again = stage.idp.watch_token(&actor.access, ORIGIN, None).await;
        assert!(matches!(again, Err(WatchError::SessionEnded)));
    }
    let ended = What::SessionEnded {
        reason: EndReason::Anomaly,
        reasons: reasons(),
    };
    assert_eq!(stage.facts(&alice).await, [ended]);
    let after = stage.types(&mut alice).await.unwrap();
    assert_eq!(after.state, WatchState::Ended);
    assert!(after.watch_token.is_none());
    assert_eq!(stage.scorer.scored(), 1, "what comes after the end is not judged");
}

#[tokio::test]
async fn a_hard_alarm_during_a_step_up_still_revokes() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::Soft, Alarm::Hard]);
    assert_eq!(stage.state(&mut alice).await, WatchState::StepUp);
    let again = stage.idp.watch_token(&alice.access, ORIGIN, None).await;
    assert!(again.is_ok(), "a pending step-up is still watched");
    assert_eq!(stage.state(&mut alice).await, WatchState::Ended);
}

#[tokio::test]
async fn train_observe_off_and_no_consent_never_act_and_all_look_the_same() {
    let all = [Alarm::Soft, Alarm::Soft, Alarm::Hard, Alarm::Hard];
    for (mode, watch, consent) in [
        (Mode::Train, Watch::Enforce, true),
        (Mode::Auth, Watch::Observe, true),
        (Mode::Train, Watch::Observe, true),
        (Mode::Auth, Watch::Off, true),
        (Mode::Auth, Watch::Enforce, false),
    ] {
        let policy = WatchPolicy {
            mode: watch,
            ..watch_policy()
        };
        let stage = Stage::with(policy, vec![]).await;
        let mut alice = stage.watched("alice").await;
        stage.store().set_mode(alice.account, mode, &[]).await.unwrap();
        if !consent {
            stage
                .store()
                .withdraw_consent(alice.account, stage.ports.clock.now(), &[])
                .await
                .unwrap();
        }
        stage.scorer.alarms(&all);
        for _ in 0..all.len() {
            let answer = stage.types(&mut alice).await.unwrap();
            assert_eq!((answer.state, answer.next_s), (WatchState::Ok, 5));
            assert!(answer.watch_token.is_none());
        }
        let session = stage.session_now(&alice).await;
        assert_eq!((session.level, session.step_up, session.ended), (RiskLevel::Low, None, None));
        let sees = consent && watch != Watch::Off;
        assert_eq!(stage.scorer.scored(), if sees { all.len() } else { 0 });
        let held: Vec<_> = stage.facts(&alice).await;
        let says = |decision: &str| What::DecisionWithheld {
            decision: decision.to_owned(),
            reasons: reasons(),
        };
        match (mode, watch) {
            (Mode::Auth, Watch::Observe) => assert_eq!(held, [says("step_up"), says("revoke")], "once a level"),
            _ => assert_eq!(held, []),
        }
        assert!(
            !stage.labels(&alice).await.contains(&Label::Proven),
            "what raised an alarm is not proven"
        );
    }
}

#[tokio::test]
async fn the_breaker_turns_revocations_into_step_ups() {
    let policy = WatchPolicy {
        breaker_revocations: 1,
        breaker_window_s: 60,
        ..watch_policy()
    };
    let stage = Stage::with(policy, vec![]).await;
    let (mut alice, mut bob) = (stage.watched("alice").await, stage.watched("bob").await);
    stage.scorer.alarms(&[Alarm::Hard, Alarm::Hard, Alarm::Soft]);
    assert_eq!(stage.state(&mut alice).await, WatchState::Ended);
    assert_eq!(stage.state(&mut bob).await, WatchState::StepUp);
    assert_eq!(stage.session_now(&bob).await.level, RiskLevel::High);
    let facts = stage.facts(&bob).await;
    assert!(matches!(&facts[0], What::DecisionWithheld { decision, .. } if decision == "revoke"));
    assert!(matches!(
        &facts[1],
        What::StepUpDemanded {
            level: RiskLevel::High,
            ..
        }
    ));
    assert_eq!(stage.state(&mut bob).await, WatchState::StepUp);
    assert_eq!(
        stage.session_now(&bob).await.level,
        RiskLevel::High,
        "a softer alarm lowers nothing"
    );

    stage.ports.clock.advance(61);
    stage.scorer.alarms(&[Alarm::Hard]);
    assert_eq!(stage.state(&mut bob).await, WatchState::Ended, "the breaker closes again");
}

#[tokio::test]
async fn a_batch_counts_once_and_in_order() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    for (seq, scored) in [(5, 1), (5, 1), (4, 1), (6, 2), (0, 2), (100, 3), (99, 3)] {
        let answer = stage.sends(&alice, &batch(seq)).await.unwrap();
        assert_eq!(answer.state, WatchState::Ok);
        assert_eq!(stage.scorer.scored(), scored, "after batch {seq}");
    }
    let bank = stage.at(alice.account, alice.session.clone(), "bank").await;
    stage.sends(&bank, &batch(1)).await.unwrap();
    assert_eq!(stage.scorer.scored(), 4, "each app counts for itself");
}

#[tokio::test]
async fn a_batch_that_comes_twice_at_once_counts_once() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    let (idp, watch, same) = (stage.idp.clone(), alice.watch.clone(), batch(7).to_string());
    stage.scorer.script.lock().unwrap().meanwhile = Some(Box::new(move || {
        Box::pin(async move {
            let first = idp.sample(&watch, Some(ORIGIN), same.as_bytes(), "r").await;
            assert_eq!(first.unwrap().state, WatchState::Ok);
        })
    }));
    stage.sends(&alice, &batch(7)).await.unwrap();
    stage.sends(&alice, &batch(8)).await.unwrap();
    let known_before = stage.scorer.script.lock().unwrap().scored.last().unwrap().1;
    assert_eq!(known_before, 1, "the state moved on once for batch 7");
    assert_eq!(stage.labels(&alice).await.len(), 2, "and one record of it is kept");
}

/// A load balancer sends each batch to another node.
#[tokio::test]
async fn two_nodes_watch_one_session_as_one() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    let nodes = [stage.idp.clone(), stage.another_node().await];
    for seq in 1..=10 {
        for node in [&nodes[seq % 2], &nodes[(seq + 1) % 2]] {
            let body = batch(seq as u64).to_string();
            node.sample(&alice.watch, Some(ORIGIN), body.as_bytes(), "r").await.unwrap();
        }
    }
    let known: Vec<usize> = stage
        .scorer
        .script
        .lock()
        .unwrap()
        .scored
        .iter()
        .map(|(_, bytes)| *bytes)
        .collect();
    assert_eq!(
        known,
        (0..10).collect::<Vec<_>>(),
        "each batch was scored once, on what all before it left"
    );

    stage.scorer.alarms(&[Alarm::Soft]);
    let body = batch(11).to_string();
    nodes[0]
        .sample(&alice.watch, Some(ORIGIN), body.as_bytes(), "r")
        .await
        .unwrap();
    let body = batch(12).to_string();
    let told = nodes[1]
        .sample(&alice.watch, Some(ORIGIN), body.as_bytes(), "r")
        .await
        .unwrap();
    assert_eq!(told.state, WatchState::StepUp, "what one demands the other knows");
}

#[tokio::test]
async fn batches_that_come_to_two_nodes_at_once_lose_nothing() {
    let stage = Stage::new().await;
    let alice = stage.watched("alice").await;
    let other = stage.another_node().await;
    let (watch, later) = (alice.watch.clone(), batch(8).to_string());
    stage.scorer.script.lock().unwrap().meanwhile = Some(Box::new(move || {
        Box::pin(async move {
            other.sample(&watch, Some(ORIGIN), later.as_bytes(), "r").await.unwrap();
        })
    }));
    stage.sends(&alice, &batch(7)).await.unwrap();
    stage.sends(&alice, &batch(9)).await.unwrap();
    let known_before = stage.scorer.script.lock().unwrap().scored.last().unwrap().1;
    assert_eq!(known_before, 1, "8 overtook 7, which came too late then; 9 builds on 8");
}

#[tokio::test]
async fn an_unanswered_step_up_becomes_a_revocation() {
    let stage = Stage::new().await;
    let (mut alice, mut bob) = (stage.watched("alice").await, stage.watched("bob").await);
    stage.scorer.alarms(&[Alarm::Soft]);
    stage.state(&mut alice).await;
    stage.ports.clock.advance(300);
    stage.scorer.alarms(&[Alarm::Soft]);
    stage.state(&mut bob).await;
    stage.ports.clock.advance(300);
    stage.idp.expire_step_ups().await.unwrap();
    assert!(
        stage.session_now(&alice).await.ended.is_none(),
        "ten minutes are not over yet"
    );
    stage.ports.clock.advance(1);
    stage.idp.expire_step_ups().await.unwrap();
    assert_eq!(stage.session_now(&alice).await.ended.unwrap().reason, EndReason::StepUpFailed);
    assert!(stage.session_now(&bob).await.ended.is_none());
    let ended = What::SessionEnded {
        reason: EndReason::StepUpFailed,
        reasons: reasons(),
    };
    assert_eq!(stage.facts(&alice).await.last(), Some(&ended));
    assert!(stage.refresh(&alice).await.is_err());
}

#[tokio::test]
async fn a_worse_alarm_gives_nobody_more_time() {
    let policy = WatchPolicy {
        breaker_revocations: 0,
        ..watch_policy()
    };
    let stage = Stage::with(policy, vec![]).await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::Soft, Alarm::Hard]);
    stage.state(&mut alice).await;
    let since = stage.session_now(&alice).await.step_up.unwrap().since;
    stage.ports.clock.advance(100);
    stage.state(&mut alice).await;
    let step_up = stage.session_now(&alice).await.step_up.unwrap();
    assert_eq!((step_up.since, step_up.alarm), (since, Alarm::Hard));
}

#[tokio::test]
async fn a_verdict_that_comes_after_the_end_does_nothing() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    let (store, session, now) = (stage.store().clone(), alice.session.clone(), stage.ports.clock.now());
    stage.scorer.script.lock().unwrap().meanwhile = Some(Box::new(move || {
        Box::pin(async move {
            let which = Which::One(session);
            store
                .end_sessions(&which, now, EndReason::SignedOut, &|_| vec![])
                .await
                .unwrap();
        })
    }));
    stage.scorer.alarms(&[Alarm::Hard]);
    assert_eq!(stage.state(&mut alice).await, WatchState::Ended);
    assert_eq!(stage.session_now(&alice).await.ended.unwrap().reason, EndReason::SignedOut);
    assert_eq!(stage.facts(&alice).await, []);
}

#[tokio::test]
async fn a_verdict_from_before_a_proof_does_nothing() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.ports.clock.advance(1);
    let (store, session, ports) = (stage.store().clone(), stage.session_now(&alice).await, stage.ports.clone());
    stage.scorer.script.lock().unwrap().meanwhile = Some(Box::new(move || {
        Box::pin(async move { drop(prove(&store, &session, ports.clock.now(), &ports).await) })
    }));
    stage.scorer.alarms(&[Alarm::Hard]);
    assert_eq!(stage.state(&mut alice).await, WatchState::Ok);
    let session = stage.session_now(&alice).await;
    assert_eq!((session.level, session.step_up, session.ended), (RiskLevel::Low, None, None));
}

#[tokio::test]
async fn a_stale_verdict_overwrites_no_newer_one() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    let (store, session) = (stage.store().clone(), stage.session_now(&alice).await);
    let step_up = gait_core::session::StepUp {
        since: stage.ports.clock.now(),
        alarm: Alarm::Hard,
        reasons: vec!["newer".to_owned()],
        failures: 2,
    };
    let newer = step_up.clone();
    stage.scorer.script.lock().unwrap().meanwhile = Some(Box::new(move || {
        Box::pin(async move {
            let (id, sequence) = (&session.id, session.sequence);
            store
                .set_risk(id, sequence, RiskLevel::High, Some(&newer), &[])
                .await
                .unwrap();
        })
    }));
    stage.scorer.alarms(&[Alarm::Soft]);
    assert_eq!(stage.state(&mut alice).await, WatchState::StepUp);
    let session = stage.session_now(&alice).await;
    assert_eq!((session.level, session.step_up), (RiskLevel::High, Some(step_up)));
}

#[tokio::test]
async fn the_moment_of_a_decision_is_hidden_but_the_tokens_are_dead() {
    let policy = WatchPolicy {
        decision_lag_ms: 1500,
        ..watch_policy()
    };
    let stage = Stage::with(policy, vec![]).await;
    let mut hidden = 0;
    for number in 0..10 {
        let mut person = stage.watched(&format!("person-{number}")).await;
        stage.scorer.alarms(&[Alarm::Hard]);
        hidden += u32::from(stage.state(&mut person).await == WatchState::Ok);
        assert!(stage.idp.userinfo(&person.access).await.is_err());
        stage.ports.clock.advance_ms(1500);
        assert_eq!(stage.state(&mut person).await, WatchState::Ended);
    }
    assert!(hidden >= 8, "nearly every decision lags: {hidden} of 10");
}

#[tokio::test]
async fn a_broken_scorer_is_no_anomaly() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::Hard, Alarm::Hard]);
    stage.scorer.script.lock().unwrap().fails = true;
    assert_eq!(stage.state(&mut alice).await, WatchState::Ok);
    stage.scorer.script.lock().unwrap().fails = false;
    stage.scorer.script.lock().unwrap().huge_state = true;
    assert_eq!(stage.state(&mut alice).await, WatchState::Ok);
    assert!(stage.session_now(&alice).await.step_up.is_none());
}

#[tokio::test]
async fn a_scorer_knows_no_more_than_it_needs() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.state(&mut alice).await;
    let cx = stage.scorer.script.lock().unwrap().contexts[0].clone();
    assert_eq!(cx.purpose, Purpose::StepUp);
    assert!(cx.credentials.is_empty());
    let subject = cx.known().unwrap();
    assert_eq!(subject.email, None);
    assert_ne!(subject.handle.as_str(), alice.account.to_string());
    assert_eq!(cx.visitor.address, "192.0.2.7".parse().ok());
    assert_eq!(cx.client.unwrap().id, "shop");
}

#[tokio::test]
async fn working_in_a_watched_app_keeps_the_session_in_use() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.ports.clock.advance(120);
    let mut idle = batch(1);
    idle["metrics"] = json!({});
    stage.sends(&alice, &idle).await.unwrap();
    let begun = stage.session_now(&alice).await.last_seen_at;
    assert_eq!(
        begun.plus(120),
        stage.ports.clock.now(),
        "a batch without a measurement is no use"
    );
    alice.seq = 1;
    stage.types(&mut alice).await.unwrap();
    assert_eq!(stage.session_now(&alice).await.last_seen_at, stage.ports.clock.now());
}

#[tokio::test]
async fn key_identities_take_the_operator_and_the_person() {
    let policy = |key_identity| WatchPolicy {
        key_identity,
        ..watch_policy()
    };
    let mut body = batch(1);
    body["keys"] = json!([[1, 0, 90.5], [1, 2, 180]]);
    let seen = |stage: &Stage| stage.scorer.script.lock().unwrap().scored[0].0.keys.len();

    let agreed = Stage::with(policy(true), vec![]).await;
    let alice = agreed.watched("alice").await;
    assert!(agreed.sends(&alice, &body).await.unwrap().keys);
    assert_eq!(seen(&agreed), 2);
    let now = agreed.ports.clock.now();
    agreed.store().withdraw_consent(alice.account, now, &[]).await.unwrap();
    body["seq"] = json!(2);
    assert!(!agreed.sends(&alice, &body).await.unwrap().keys, "withdrawn");

    let default = Stage::new().await;
    let alice = default.watched("alice").await;
    assert!(!default.sends(&alice, &body).await.unwrap().keys);
    assert_eq!(seen(&default), 0, "whatever a collector sends");
}
