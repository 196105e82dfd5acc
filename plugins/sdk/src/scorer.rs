//! The contract of a scorer: it watches a living session.

use crate::{Context, PluginError, PluginId, RecordId, Text, Timestamp};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::sync::Arc;

/// Largest [`State`] that the host keeps, in bytes.
pub const MAX_STATE_BYTES: usize = 4096;

/// The eight metrics of a batch, each a list of measurements in the order they were made. Empty lists are data that is
/// missing, never zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Milliseconds from keydown to keyup.
    pub hold_ms: Vec<f64>,
    /// Milliseconds from keyup to the next keydown; negative when keys overlap.
    pub flight_ms: Vec<f64>,
    /// Pointer speed in CSS pixels per millisecond.
    pub mouse_velocity: Vec<f64>,
    /// Clicks per second, one value per second-long window with a click.
    pub click_frequency: Vec<f64>,
    /// Milliseconds that a pointer button is held down.
    pub dwell_ms: Vec<f64>,
    /// CSS pixels per scroll burst.
    pub scroll_distance: Vec<f64>,
    /// Keys per second, one value per second-long window with a key.
    pub keypress_rate: Vec<f64>,
    /// Change of pointer direction in radians, 0..=π, per movement segment.
    pub cursor_variation: Vec<f64>,
}

impl Metrics {
    /// The lists in the order of the feature vector.
    pub fn lists(&self) -> [&[f64]; 8] {
        [
            &self.hold_ms,
            &self.flight_ms,
            &self.mouse_velocity,
            &self.click_frequency,
            &self.dwell_ms,
            &self.scroll_distance,
            &self.keypress_rate,
            &self.cursor_variation,
        ]
    }
    /// True if there is no measurement at all.
    pub fn is_empty(&self) -> bool {
        self.lists().iter().all(|list| list.is_empty())
    }
}

/// What moved the pointer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pointer {
    /// Nothing did.
    #[default]
    None,
    /// A mouse or touchpad.
    Mouse,
    /// A finger or a pen.
    Touch,
}

/// What a pointer did at a point of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// It moved, no button held.
    Move,
    /// A button went down.
    Down,
    /// It moved with a button held.
    Drag,
    /// A button was let go.
    Up,
}

/// One point of the pointer's path, relative to the one before: no place on the page can be read from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Milliseconds since the point before; 0 for the first of a path.
    pub dt_ms: f32,
    /// CSS pixels to the right since the point before.
    pub dx: f32,
    /// CSS pixels downward since the point before.
    pub dy: f32,
    /// What the pointer did.
    pub what: Motion,
}

/// One timing of known keys. Made only where the operator and the person have both agreed to key identities; a list of them is
/// shuffled by the collector, so that nothing typed can be read from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyTiming {
    /// The key: a number that the collector gives to each physical key, 1..=255.
    pub key: u8,
    /// The key after it, where this is the time from its keydown to the other's; 0 where it is how long it was held.
    pub next: u8,
    /// Milliseconds.
    pub ms: f32,
}

/// Where a batch was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// While the identifier was typed on the hosted page.
    SignIn,
    /// While the password was typed on the hosted page: positions only, and only with a consent of its own. Its model is the
    /// credential's, and goes with it.
    Password,
    /// While the person worked in a third-party app.
    Session,
}

/// A numbered batch of measurements from one browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Grows within a session; a number seen before is not scored again.
    pub seq: u64,
    /// Where it was taken.
    pub channel: Channel,
    /// Milliseconds that it covers.
    pub span_ms: f64,
    /// The browser clock's resolution in milliseconds, as the collector estimated it.
    pub clock_ms: f64,
    /// What moved the pointer.
    pub pointer: Pointer,
    /// The measurements of the classic model.
    pub metrics: Metrics,
    /// Milliseconds from keydown to the next keydown. On a sign-in page, in a field that was typed in one go without a
    /// correction, one fewer than [`Metrics::hold_ms`] and in the same order; otherwise empty there.
    pub digraph_ms: Vec<f64>,
    /// Timings of known keys, shuffled; empty unless key identities were agreed to.
    pub keys: Vec<KeyTiming>,
    /// Finished strokes of the pointer, one after another: each begins with `dt_ms` 0 and ends with a button let go, a long
    /// rest, or the largest length.
    pub path: Vec<Point>,
}

impl Batch {
    /// True if there is no measurement at all.
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty() && self.digraph_ms.is_empty() && self.keys.is_empty() && self.path.is_empty()
    }
}

/// A plugin's model of one account, opaque to the host, which seals it at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelBlob {
    /// Version of the format, the plugin's own count.
    pub version: u32,
    /// SHA-256 of `bytes`; a plugin refuses a blob whose sum differs.
    pub checksum: [u8; 32],
    /// The model.
    #[serde(with = "crate::bytes")]
    pub bytes: Vec<u8>,
    /// How many records it has learned from.
    pub samples: u32,
    /// True when there is enough for the account to be judged by it.
    pub enrolled: bool,
}

/// What a scorer knows of people in general: made from the models of consenting accounts, opaque to the host, which seals it at
/// rest. It tells what is common, so that a model can tell what is somebody's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Background {
    /// Version of the format, the plugin's own count.
    pub version: u32,
    /// SHA-256 of `bytes`.
    pub checksum: [u8; 32],
    /// The background.
    #[serde(with = "crate::bytes")]
    pub bytes: Vec<u8>,
    /// How many accounts it was made from.
    pub accounts: u32,
}

/// A model parsed once; the host caches it, and drops it on erasure or update, and when the background changes.
pub type Prepared = Arc<dyn Any + Send + Sync>;

/// What the scorer remembers of one session, at most [`MAX_STATE_BYTES`]. Empty at the start and after a passed step-up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State(pub Vec<u8>);

/// How much a batch says.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A log-likelihood ratio in nats; positive speaks for the account's owner.
    Llr(f64),
    /// Nothing can be said: no model, no data, a coarse clock. Never an anomaly.
    Insufficient,
}

/// What the scorer advises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// Nothing.
    #[default]
    None,
    /// Ask for a step-up.
    Soft,
    /// End the session.
    Hard,
}

/// Why, in a word that may be logged: no measurement can be read back from it. For example `typing_rhythm_differs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReasonCode(pub String);

/// The verdict on one batch. It stays on the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// How much it says.
    pub evidence: Evidence,
    /// The model's fitness of this batch, 0.0 to 1.0, where the model has one.
    pub fitness: Option<f64>,
    /// The advice.
    pub alarm: Alarm,
    /// Why.
    pub reasons: Vec<ReasonCode>,
}

/// A sample worth learning from; the payload is the plugin's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Set by the host when it stores the record; `None` before.
    pub id: Option<RecordId>,
    /// When it was taken.
    pub at: Timestamp,
    /// The plugin's data, at most 16 KiB as JSON.
    pub payload: serde_json::Value,
}

/// How far the session of a record was proven to be the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// Every row of the sign-in's plan was met by a factor, none by a waiver (`rba`), and there was no alarm since.
    Proven,
    /// An alarm was raised, and the step-up that it led to was passed soon after: what was recorded in the minutes before was the
    /// owner's, however it looked.
    SteppedUp,
    /// Neither: a waiver stood in for a factor, or there were doubts that nobody has settled.
    Unproven,
    /// The owner said "this wasn't me", or the session was revoked. Hosts delete such records, and give none of them.
    Disputed,
}

/// A record with what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Labelled {
    /// The sample.
    pub record: Record,
    /// How far to trust it.
    pub label: Label,
}

/// What `score` returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// To be given with the next batch of this session.
    pub state: State,
    /// The verdict.
    pub assessment: Assessment,
    /// What to keep for learning; `None` if there is nothing worth keeping.
    pub record: Option<Record>,
}

/// What `learn` returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The new model; `None` if the old one stays.
    pub model: Option<ModelBlob>,
    /// Records that are dealt with: marked as trained, and not given again.
    pub settled: Vec<RecordId>,
}

/// What the host knows of a scorer before it calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScorerManifest {
    /// Its name.
    pub id: PluginId,
    /// What the account page calls it.
    pub label: Text,
    /// Samples until enrolment, for the progress bar.
    pub enrol_samples: u32,
}

/// Watches a living session. Everything it knows comes in, everything it learns goes out. Calls are CPU-bound:
/// `score` takes microseconds, `learn` runs on a blocking pool.
#[async_trait]
pub trait Scorer: Send + Sync {
    /// What this is.
    fn manifest(&self) -> &ScorerManifest;

    /// Parses a model once, to be judged against the background, or against the plugin's own neutral one.
    ///
    /// # Errors
    /// [`PluginError::Corrupt`] for anything that this plugin did not write.
    fn prepare(&self, model: &ModelBlob, background: Option<&Background>) -> Result<Prepared, PluginError>;

    /// Judges one batch.
    async fn score(&self, cx: &Context, model: Option<&Prepared>, state: State, batch: &Batch) -> Result<Scored, PluginError>;

    /// Extends the model by new records.
    async fn learn(
        &self,
        cx: &Context,
        model: Option<&ModelBlob>,
        background: Option<&Background>,
        records: &[Labelled],
    ) -> Result<Learned, PluginError>;

    /// Makes the background from the models of consenting accounts; `None` if the plugin needs none, or they are too few. It is
    /// made anew each time, so that nothing of an erased account is left in it.
    async fn background(&self, models: &[ModelBlob]) -> Result<Option<Background>, PluginError>;

    /// What is held about the person in a model, for the export: a summary that a person can read.
    ///
    /// # Errors
    /// [`PluginError::Corrupt`] as for [`Scorer::prepare`].
    fn describe(&self, model: &ModelBlob) -> Result<serde_json::Value, PluginError>;
}
