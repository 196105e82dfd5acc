//! A scorer that says what a script says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_trait::async_trait;
use gait_sdk::{
    Alarm, Assessment, Background, Batch, Context, Evidence, Label, Labelled, Learned, ModelBlob, PluginError, PluginId,
    Prepared, ReasonCode, Record, RecordId, Scored, Scorer, ScorerManifest, State, Text,
};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// Something that happens while a batch is being scored.
pub type Meanwhile = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

#[derive(Default)]
pub struct Script {
    pub alarms: VecDeque<Alarm>,
    pub fails: bool,
    pub huge_state: bool,
    pub meanwhile: Option<Meanwhile>,
    pub while_learning: Option<Meanwhile>,
    /// Batches that were scored, with the number of batches that the state knew of before.
    pub scored: Vec<(Batch, usize)>,
    pub contexts: Vec<Context>,
    pub prepared: usize,
    /// The backgrounds that models were last prepared with and learned against.
    pub prepared_with: Option<Background>,
    pub learned_with: Option<Background>,
    /// How many models each background was asked to be made of, and what is made of them.
    pub backgrounds: Vec<Vec<ModelBlob>>,
    pub makes: Option<Background>,
    pub keeps_nothing: bool,
    pub learned: Vec<Vec<Labelled>>,
    /// Records that it claims to have dealt with, besides those that it was given.
    pub also_settles: Vec<RecordId>,
}

/// A scorer that raises the scripted alarms in order, and none after them. Its state grows by a byte with each batch; its model's
/// bytes are the number of records that it learned.
pub struct Conductor {
    manifest: ScorerManifest,
    pub script: Mutex<Script>,
}

impl Conductor {
    pub fn new() -> Self {
        let manifest = ScorerManifest {
            id: PluginId::from("rhythm"),
            label: Text::new("rhythm", "Rhythm"),
            enrol_samples: 3,
        };
        Self {
            manifest,
            script: Mutex::default(),
        }
    }
    pub fn alarms(&self, alarms: &[Alarm]) {
        self.script.lock().unwrap().alarms = alarms.iter().copied().collect();
    }
    pub fn scored(&self) -> usize {
        self.script.lock().unwrap().scored.len()
    }
    fn failed(&self) -> PluginError {
        PluginError::Failed {
            plugin: self.manifest.id.clone(),
            detail: "as the script says".to_owned(),
        }
    }
}

#[async_trait]
impl Scorer for Conductor {
    fn manifest(&self) -> &ScorerManifest {
        &self.manifest
    }
    fn prepare(&self, model: &ModelBlob, background: Option<&Background>) -> Result<Prepared, PluginError> {
        let mut script = self.script.lock().unwrap();
        script.prepared += 1;
        script.prepared_with = background.cloned();
        Ok(Arc::new(model.samples))
    }
    async fn score(&self, cx: &Context, _: Option<&Prepared>, mut state: State, batch: &Batch) -> Result<Scored, PluginError> {
        let meanwhile = self.script.lock().unwrap().meanwhile.take();
        if let Some(meanwhile) = meanwhile {
            meanwhile().await;
        }
        let mut script = self.script.lock().unwrap();
        script.scored.push((batch.clone(), state.0.len()));
        script.contexts.push(cx.clone());
        if script.fails {
            return Err(self.failed());
        }
        state.0.push(1);
        if script.huge_state {
            state.0 = vec![0; gait_sdk::MAX_STATE_BYTES + 1];
        }
        let alarm = script.alarms.pop_front().unwrap_or_default();
        let reasons = vec![
            ReasonCode("typing_rhythm_differs".to_owned()),
            ReasonCode("Not a code! 42.7".to_owned()),
        ];
        Ok(Scored {
            state,
            assessment: Assessment {
                evidence: Evidence::Llr(-1.0),
                fitness: Some(0.5),
                alarm,
                reasons,
            },
            record: (!script.keeps_nothing).then(|| Record {
                id: None,
                at: cx.now,
                payload: json!({"seq": batch.seq}),
            }),
        })
    }
    async fn background(&self, models: &[ModelBlob]) -> Result<Option<Background>, PluginError> {
        let meanwhile = self.script.lock().unwrap().meanwhile.take();
        if let Some(meanwhile) = meanwhile {
            meanwhile().await;
        }
        let mut script = self.script.lock().unwrap();
        script.backgrounds.push(models.to_vec());
        if script.fails {
            return Err(self.failed());
        }
        Ok(script.makes.clone())
    }
    async fn learn(
        &self,
        _: &Context,
        model: Option<&ModelBlob>,
        background: Option<&Background>,
        records: &[Labelled],
    ) -> Result<Learned, PluginError> {
        let meanwhile = self.script.lock().unwrap().while_learning.take();
        if let Some(meanwhile) = meanwhile {
            meanwhile().await;
        }
        let mut script = self.script.lock().unwrap();
        script.learned_with = background.cloned();
        script.learned.push(records.to_vec());
        if script.fails {
            return Err(self.failed());
        }
        let good = records.iter().filter(|record| record.label != Label::Unproven).count();
        let samples = model.map_or(0, |model| model.samples) + u32::try_from(good).unwrap();
        let mut settled: Vec<_> = records.iter().filter_map(|record| record.record.id.clone()).collect();
        settled.append(&mut script.also_settles);
        Ok(Learned {
            model: Some(ModelBlob {
                version: 1,
                checksum: [0; 32],
                bytes: vec![],
                samples,
                enrolled: samples >= 3,
            }),
            settled,
        })
    }
    fn describe(&self, model: &ModelBlob) -> Result<Value, PluginError> {
        Ok(json!({"samples": model.samples}))
    }
}
