//! What the rules tell while they work.

use super::{Metrics, Outcome, Seconds, waits};
use gait_core::event::Channel;
use gait_core::measure::{DeliveryOutcome, Measure, Meter};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::{Duration, Instant};

/// Upper bounds in seconds from an event to its arrival at a receiver.
const DELIVERIES: [f64; 13] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 30.0, 60.0, 600.0, 3600.0];

fn deliveries() -> Histogram {
    Histogram::new(DELIVERIES)
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StepLabels {
    factor: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DecisionLabels {
    decision: &'static str,
    mode: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CauseLabels {
    cause: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DeliveryLabels {
    channel: &'static str,
    about: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AttemptLabels {
    channel: &'static str,
    outcome: &'static str,
}

/// The rules' metrics.
pub struct Rules {
    stopwatch: Instant,
    steps: Seconds<StepLabels>,
    decisions: Family<DecisionLabels, Counter>,
    step_ups: Family<Outcome, Counter>,
    revocations: Seconds<CauseLabels>,
    deliveries: Seconds<DeliveryLabels>,
    attempts: Family<AttemptLabels, Counter>,
}

impl Rules {
    pub(super) fn register(registry: &mut Registry) -> Self {
        #[allow(clippy::disallowed_methods, reason = "a stopwatch for metrics")]
        let stopwatch = Instant::now();
        let rules = Self {
            stopwatch,
            steps: Family::new_with_constructor(waits),
            decisions: Family::default(),
            step_ups: Family::default(),
            revocations: Family::new_with_constructor(waits),
            deliveries: Family::new_with_constructor(deliveries),
            attempts: Family::default(),
        };
        let help = "Steps of flows, by factor and by what became of them";
        registry.register_with_unit("gait_flow_step", help, Unit::Seconds, rules.steps.clone());
        let help = "What the watch decided, and whether it acts";
        registry.register("gait_watch_decisions", help, rules.decisions.clone());
        registry.register("gait_step_ups", "Step-ups that the watch demanded", rules.step_ups.clone());
        let help = "From the request or the decision to the moment from which no token counts";
        registry.register_with_unit("gait_revocation", help, Unit::Seconds, rules.revocations.clone());
        let help = "From an event to its arrival at a receiver";
        registry.register_with_unit("gait_delivery", help, Unit::Seconds, rules.deliveries.clone());
        let help = "Attempts to tell a receiver";
        registry.register("gait_delivery_attempts", help, rules.attempts.clone());
        rules
    }

    fn note_delivery(&self, channel: Channel, of_end: bool, outcome: DeliveryOutcome, ms: u64) {
        let channel = match channel {
            Channel::BackchannelLogout => "backchannel_logout",
            Channel::Callback => "callback",
        };
        let attempt = AttemptLabels {
            channel,
            outcome: outcome.as_str(),
        };
        self.attempts.get_or_create(&attempt).inc();
        if outcome == DeliveryOutcome::Accepted {
            let about = if of_end { "revocation" } else { "level" };
            let arrived = self.deliveries.get_or_create(&DeliveryLabels { channel, about });
            arrived.observe(Duration::from_millis(ms).as_secs_f64());
        }
    }
}

impl Meter for Metrics {
    fn stopwatch_us(&self) -> u64 {
        u64::try_from(self.rules.stopwatch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn measured(&self, what: Measure) {
        let rules = &self.rules;
        let seconds = |us| Duration::from_micros(us).as_secs_f64();
        match what {
            Measure::Step { plugin, outcome, us } => {
                let factor = plugin.to_string();
                let outcome = outcome.as_str();
                rules
                    .steps
                    .get_or_create(&StepLabels { factor, outcome })
                    .observe(seconds(us));
            }
            Measure::Decision { decided, mode } => {
                let (decision, mode) = (decided.as_str(), mode.as_str());
                rules.decisions.get_or_create(&DecisionLabels { decision, mode }).inc();
            }
            Measure::StepUp(turn) => {
                let outcome = turn.as_str();
                rules.step_ups.get_or_create(&Outcome { outcome }).inc();
            }
            Measure::Revoked { cause, us } => {
                let cause = cause.as_str();
                rules.revocations.get_or_create(&CauseLabels { cause }).observe(seconds(us));
            }
            Measure::Delivery {
                channel,
                of_end,
                outcome,
                ms,
            } => rules.note_delivery(channel, of_end, outcome, ms),
        }
    }
}
