//! What an alarm does to a session. Pure.

use crate::account::Mode;
use crate::policy::Watch;
use crate::session::RiskLevel;
use gait_sdk::Alarm;

/// All that a decision hangs on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    /// What is advised.
    pub alarm: Alarm,
    /// The account's mode.
    pub mode: Mode,
    /// The deployment's.
    pub watch: Watch,
    /// The session's level so far.
    pub level: RiskLevel,
    /// The breaker is open: too many revocations in a short time.
    pub tripped: bool,
}

/// What happens to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It goes on as it is.
    Keep,
    /// A step-up is demanded, at this level.
    StepUp(RiskLevel),
    /// It ends.
    Revoke,
}

/// What would have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Withheld {
    /// A step-up.
    StepUp,
    /// A revocation.
    Revoke,
}

impl Withheld {
    /// Its name in events.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::StepUp => "step_up",
            Self::Revoke => "revoke",
        }
    }
}

/// A decision, and what was held back in making it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// What happens.
    pub decision: Decision,
    /// What doesn't.
    pub withheld: Option<Withheld>,
}

const KEEP: Verdict = Verdict {
    decision: Decision::Keep,
    withheld: None,
};

/// Decides. Only an enforcing deployment acts, and only on accounts in mode `auth`; an observing one says what it would have done.
/// The level never falls here: only a proof lowers it.
pub(super) fn decide(facts: &Facts) -> Verdict {
    let advised = match facts.alarm {
        Alarm::None => return KEEP,
        Alarm::Soft => Withheld::StepUp,
        Alarm::Hard => Withheld::Revoke,
    };
    match (facts.watch, facts.mode) {
        (Watch::Off, _) | (_, Mode::Train) => KEEP,
        (Watch::Observe, Mode::Auth) => Verdict {
            withheld: Some(advised),
            ..KEEP
        },
        (Watch::Enforce, Mode::Auth) => enforce(advised, facts),
    }
}

fn enforce(advised: Withheld, facts: &Facts) -> Verdict {
    match advised {
        Withheld::StepUp => Verdict {
            decision: Decision::StepUp(facts.level.max(RiskLevel::Medium)),
            withheld: None,
        },
        // The breaker turns a revocation into a step-up, never into nothing.
        Withheld::Revoke if facts.tripped => Verdict {
            decision: Decision::StepUp(RiskLevel::High),
            withheld: Some(Withheld::Revoke),
        },
        Withheld::Revoke => Verdict {
            decision: Decision::Revoke,
            withheld: None,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    fn facts() -> impl Strategy<Value = Facts> {
        let alarm = prop_oneof![Just(Alarm::None), Just(Alarm::Soft), Just(Alarm::Hard)];
        let mode = prop_oneof![Just(Mode::Train), Just(Mode::Auth)];
        let watch = prop_oneof![Just(Watch::Off), Just(Watch::Observe), Just(Watch::Enforce)];
        let level = prop_oneof![Just(RiskLevel::Low), Just(RiskLevel::Medium), Just(RiskLevel::High)];
        (alarm, mode, watch, level, any::<bool>()).prop_map(|(alarm, mode, watch, level, tripped)| Facts {
            alarm,
            mode,
            watch,
            level,
            tripped,
        })
    }

    proptest! {
        #[test]
        fn an_enforced_alarm_is_never_kept_quiet(facts in facts()) {
            let facts = Facts { mode: Mode::Auth, watch: Watch::Enforce, ..facts };
            let decision = decide(&facts).decision;
            prop_assert_eq!(decision == Decision::Keep, facts.alarm == Alarm::None);
            if facts.alarm == Alarm::Hard && !facts.tripped {
                prop_assert_eq!(decision, Decision::Revoke);
            }
        }

        #[test]
        fn a_level_never_falls(facts in facts()) {
            if let Decision::StepUp(level) = decide(&facts).decision {
                prop_assert!(level >= facts.level && level >= RiskLevel::Medium);
            }
        }

        #[test]
        fn nothing_happens_in_mode_train_or_without_enforcement(facts in facts()) {
            if facts.mode == Mode::Train || facts.watch != Watch::Enforce {
                prop_assert_eq!(decide(&facts).decision, Decision::Keep);
            }
            if facts.mode == Mode::Train || facts.watch == Watch::Off {
                prop_assert_eq!(decide(&facts).withheld, None);
            }
        }

        #[test]
        fn only_a_hard_alarm_ends_a_session(facts in facts()) {
            if decide(&facts).decision == Decision::Revoke {
                prop_assert_eq!(facts.alarm, Alarm::Hard);
                prop_assert!(!facts.tripped);
            }
        }
    }
}
