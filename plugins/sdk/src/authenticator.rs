//! The contract of a factor.

use crate::{Amr, Answer, Context, Effect, Host, Memo, PluginError, PluginId, Reply, Text};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What a call costs, so that the host can bound it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// Microseconds; runs where it is called.
    Light,
    /// Milliseconds of CPU or megabytes of memory; runs on a blocking pool behind a semaphore.
    Cpu,
    /// Waits on somebody else; gets a deadline.
    Remote,
}

/// What the host knows of an authenticator before it calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name in plans.
    pub id: PluginId,
    /// What "another way" and the account page call it.
    pub label: Text,
    /// The `amr` values it may claim (RFC 8176).
    pub amr: Vec<Amr>,
    /// It never asks the person anything, and is tried before those that do.
    pub silent: bool,
    /// It is a risk signal, not a factor: it may satisfy a row only as a waiver. It then adds `rba` to `amr` and nothing else.
    pub waiver: bool,
    /// What a call costs.
    pub cost: Cost,
    /// The account page may offer to set it up (purpose [`crate::Purpose::Enrol`]).
    pub enrols: bool,
}

/// How a flow ended, told to every authenticator of its plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The whole plan was satisfied.
    pub satisfied: bool,
    /// Plugins that proved something in this flow.
    pub passed: Vec<PluginId>,
}

/// A way to prove who you are.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// What this is. Constant for the life of the value.
    fn manifest(&self) -> &Manifest;

    /// What do I ask? A silent authenticator answers `Pass`, `Fail` or `Abstain` here.
    async fn challenge(&self, cx: &Context, host: &dyn Host) -> Result<Reply, PluginError>;

    /// Is the answer good? Called once per answer, after the engine has counted the attempt.
    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, host: &dyn Host) -> Result<Reply, PluginError>;

    /// The plan has ended. The subject is known if and only if `outcome.satisfied`.
    async fn settled(&self, _cx: &Context, _outcome: &Outcome) -> Result<Vec<Effect>, PluginError> {
        Ok(Vec::new())
    }

    /// How far this authenticator knows the visitor's address: `None` if that's not its business, else 0.0 to 1.0.
    fn ip_score(&self, _cx: &Context) -> Option<f64> {
        None
    }
}
