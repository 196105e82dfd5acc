//! The words and the traits of a Gait plugin: **values in, values out**.
//!
//! A plugin is an [`Authenticator`] (a way to prove who you are) or a [`Scorer`] (it watches a living session). It gets a
//! [`Context`] with everything it may know, and returns a [`Reply`] with everything that it wants done. It touches no
//! store, socket, clock or template; what it needs beyond values comes through a [`Host`] handle. So one contract serves
//! in-process Rust, sandboxed components and signed HTTPS alike.
//!
//! What the engine keeps for itself, whatever a plugin returns: it stamps account and plugin id on what is stored, counts
//! attempts before it verifies, treats an error, a panic or a missed deadline as a failed step, turns any
//! [`Step::Pass`] for an unknown subject into a failure, and refuses an `amr` that the manifest doesn't list.

mod authenticator;
mod bytes;
mod context;
mod form;
mod host;
mod id;
#[cfg(feature = "kit")]
pub mod kit;
mod reply;
mod scorer;
mod text;

pub use authenticator::{Authenticator, Cost, Manifest, Outcome};
pub use context::{ClientView, Context, Credential, IpEvidence, Purpose, Subject, SubjectView, Visitor, network_of};
pub use form::{Answer, Choice, Field, Form, Memo, Node};
pub use host::{Host, Level, PluginError};
pub use id::{AccountHandle, CredentialId, PluginId, RecordId, Timestamp};
pub use reply::{Amr, Approval, Effect, Mail, Reason, Reply, Save, Step};
pub use scorer::{
    Alarm, Assessment, Background, Batch, Channel, Evidence, KeyTiming, Label, Labelled, Learned, MAX_STATE_BYTES, Metrics,
    ModelBlob, Motion, Point, Pointer, Prepared, ReasonCode, Record, Scored, Scorer, ScorerManifest, State,
};
pub use text::Text;
