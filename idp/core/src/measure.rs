//! What is measured while it happens: how often, how long, never of whom.

use crate::event::Channel;
use crate::session::EndReason;
use gait_sdk::PluginId;

/// Takes measurements.
pub trait Meter: Send + Sync {
    /// Microseconds on a stopwatch that never goes back; only differences mean something.
    fn stopwatch_us(&self) -> u64;
    /// This was measured. Must return at once.
    fn measured(&self, what: Measure);
}

/// A measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// An answer was judged, or a silent way was tried.
    Step {
        /// Which factor.
        plugin: PluginId,
        /// What became of it.
        outcome: StepOutcome,
        /// Microseconds, everything included: limits, the plugin, its effects.
        us: u64,
    },
    /// The watch has decided on a verdict or a signal.
    Decision {
        /// What.
        decided: Decided,
        /// Whether it acts.
        mode: Acting,
    },
    /// A step-up went on.
    StepUp(StepUpTurn),
    /// Tokens are dead.
    Revoked {
        /// Why.
        cause: Revocation,
        /// Microseconds from the request or the decision to the moment from which no token of it counts.
        us: u64,
    },
    /// A receiver was told, or could not be.
    Delivery {
        /// How.
        channel: Channel,
        /// Of the end of a session; else of its level.
        of_end: bool,
        /// What became of it.
        outcome: DeliveryOutcome,
        /// Milliseconds since the event.
        ms: u64,
    },
}

/// Gives enums their names in metrics.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// Its name in metrics.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
    };
}

named! {
    /// What became of a step.
    StepOutcome {
        /// Proven.
        Passed = "passed",
        /// There is a further question.
        Asked = "asked",
        /// The person was wrong.
        Wrong = "wrong",
        /// There were too many before it; nobody looked at it.
        Limited = "limited",
        /// The factor, or what it asked for, failed.
        Failed = "error",
        /// A silent way had nothing to say.
        Abstained = "abstained",
    }
}

named! {
    /// What the watch decides.
    Decided {
        /// Nothing happens.
        Keep = "keep",
        /// A step-up.
        StepUp = "step_up",
        /// The end.
        Revoke = "revoke",
    }
}

named! {
    /// Whether decisions act.
    Acting {
        /// The watch is off.
        Off = "off",
        /// The account is in training.
        Train = "train",
        /// The deployment only observes.
        Observe = "observe",
        /// They do.
        Enforce = "enforce",
    }
}

named! {
    /// How a step-up goes on.
    StepUpTurn {
        /// It was demanded.
        Demanded = "demanded",
        /// Passed: the alarm was wrong, or the owner is back.
        Passed = "passed",
        /// A wrong answer.
        Failed = "failed",
        /// "This wasn't me."
        Disowned = "disowned",
        /// Nobody answered in time.
        Unanswered = "unanswered",
    }
}

named! {
    /// What became of a delivery.
    DeliveryOutcome {
        /// It arrived.
        Accepted = "accepted",
        /// It will be tried again.
        Failed = "failed",
        /// A dead letter.
        GivenUp = "given_up",
    }
}

/// Why tokens died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// Their session ended.
    Session(EndReason),
    /// Their client revoked them (RFC 7009).
    Client,
    /// A code or refresh token was presented twice.
    Replay,
    /// Their owner disconnected the client.
    Disconnected,
}

impl Revocation {
    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session(EndReason::SignedOut) => "signed_out",
            Self::Session(EndReason::EndedByOwner) => "ended_by_owner",
            Self::Session(EndReason::Disowned) => "disowned",
            Self::Session(EndReason::Replaced) => "replaced",
            Self::Session(EndReason::Anomaly) => "anomaly",
            Self::Session(EndReason::StepUpFailed) => "step_up_failed",
            Self::Session(EndReason::AccountChanged) => "account_changed",
            Self::Client => "client",
            Self::Replay => "replay",
            Self::Disconnected => "disconnected",
        }
    }
}
