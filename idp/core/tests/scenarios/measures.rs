//! What is measured while it happens.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::watch_deliveries::{due, settle};
use crate::watch_stage::{Stage, watch_policy};
use gait_core::delivery::Arrival;
use gait_core::event::Channel;
use gait_core::measure::{Acting, Decided, DeliveryOutcome, Measure, Revocation, StepOutcome, StepUpTurn};
use gait_core::policy::{Watch, WatchPolicy};
use gait_core::session::EndReason;
use gait_sdk::Alarm;

impl Stage {
    fn measured(&self, what: &Measure) -> usize {
        self.ports.measured.count(|measure| measure == what)
    }
    fn decisions(&self) -> Vec<(Decided, Acting)> {
        let all = self.ports.measured.all().into_iter();
        all.filter_map(|measure| match measure {
            Measure::Decision { decided, mode } => Some((decided, mode)),
            _ => None,
        })
        .collect()
    }
}

fn died(reason: EndReason) -> Measure {
    let cause = Revocation::Session(reason);
    Measure::Revoked { cause, us: 0 }
}

#[tokio::test]
async fn a_step_up_is_measured_from_its_demand_to_its_proof() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::None, Alarm::Soft, Alarm::Soft]);
    for _ in 0..3 {
        stage.types(&mut alice).await.unwrap();
    }
    let acts = |decided| (decided, Acting::Enforce);
    let decided = [Decided::Keep, Decided::StepUp, Decided::StepUp].map(acts);
    assert_eq!(stage.decisions(), decided);
    assert_eq!(stage.measured(&Measure::StepUp(StepUpTurn::Demanded)), 1, "it stands already");
    stage.ports.clock.advance(1);
    stage.passes_step_up(&alice).await;
    assert_eq!(stage.measured(&Measure::StepUp(StepUpTurn::Passed)), 1);
    let passed = Measure::Step {
        plugin: "password".into(),
        outcome: StepOutcome::Passed,
        us: 0,
    };
    assert_eq!(stage.measured(&passed), 1);
}

#[tokio::test]
async fn a_step_up_that_nobody_answers_is_measured_as_such() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::Soft]);
    stage.types(&mut alice).await.unwrap();
    stage.ports.clock.advance(3600);
    stage.idp.expire_step_ups().await.unwrap();
    assert_eq!(stage.measured(&Measure::StepUp(StepUpTurn::Unanswered)), 1);
    assert_eq!(stage.measured(&died(EndReason::StepUpFailed)), 1);
}

#[tokio::test]
async fn a_revocation_is_measured_to_the_moment_when_each_client_knows() {
    let stage = Stage::new().await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::Hard]);
    stage.types(&mut alice).await.unwrap();
    assert_eq!(stage.decisions(), [(Decided::Revoke, Acting::Enforce)]);
    assert_eq!(stage.measured(&died(EndReason::Anomaly)), 1);
    stage.idp.expand_events().await.unwrap();
    stage.ports.clock.advance_ms(1234);
    let told = |channel, outcome| Measure::Delivery {
        channel,
        of_end: true,
        outcome,
        ms: 1234,
    };
    for (delivery, _) in due(&stage).await {
        let (arrival, outcome) = match delivery.channel {
            Channel::Callback => (Arrival::Accepted, DeliveryOutcome::Accepted),
            Channel::BackchannelLogout => (Arrival::Failed("503".to_owned()), DeliveryOutcome::Failed),
        };
        settle(&stage, &delivery, &arrival).await;
        assert_eq!(stage.measured(&told(delivery.channel, outcome)), 1);
    }
    stage.ports.clock.advance(600);
    let (delivery, _) = due(&stage).await.remove(0);
    settle(&stage, &delivery, &Arrival::Refused("400".to_owned())).await;
    let is_lost = |measure: &Measure| {
        matches!(
            measure,
            Measure::Delivery {
                outcome: DeliveryOutcome::GivenUp,
                ..
            }
        )
    };
    assert_eq!(stage.ports.measured.count(is_lost), 1);
}

#[tokio::test]
async fn what_an_observing_watch_would_do_is_measured_and_does_nothing() {
    let observing = WatchPolicy {
        mode: Watch::Observe,
        ..watch_policy()
    };
    let stage = Stage::with(observing, vec![]).await;
    let mut alice = stage.watched("alice").await;
    stage.scorer.alarms(&[Alarm::Hard]);
    stage.types(&mut alice).await.unwrap();
    assert_eq!(stage.decisions(), [(Decided::Revoke, Acting::Observe)]);
    let acted = |measure: &Measure| !matches!(measure, Measure::Decision { .. });
    assert_eq!(stage.ports.measured.count(acted), 0);
}
