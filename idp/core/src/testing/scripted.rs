//! Factors that do what a test says.

use async_trait::async_trait;
use gait_sdk::{
    Answer, Authenticator, Context, Cost, Effect, Field, Form, Host, Manifest, Memo, Node, Outcome, PluginError, PluginId, Reply,
    Step, Text,
};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a scripted factor does when it is called.
#[derive(Clone, Debug, PartialEq)]
pub enum Scene {
    /// Answers.
    Reply(Reply),
    /// Fails with an error of this text.
    Error(String),
    /// Panics.
    Panic,
    /// Never answers.
    Hang,
}

/// A call that a scripted factor got.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// To `challenge`.
    Challenge(Context),
    /// To `verify`.
    Verify(Context, Memo, Answer),
    /// To `settled`.
    Settled(Context, Outcome),
}

#[derive(Default)]
struct Script {
    challenges: VecDeque<Scene>,
    verifies: VecDeque<Scene>,
    settled: VecDeque<Vec<Effect>>,
    calls: Vec<Call>,
}

/// A factor with scripted replies, which keeps a list of its calls. A call that the script doesn't foresee is an error; so the
/// engine treats it as a failed step.
pub struct Scripted {
    manifest: Manifest,
    script: Mutex<Script>,
}

impl Scripted {
    /// A light, asking factor named `id` that may claim `amr`. Change `manifest` for another kind.
    pub fn new(id: &str, amr: &[&str]) -> Self {
        Self::with(manifest(id, amr))
    }
    /// A factor with this manifest.
    pub fn with(manifest: Manifest) -> Self {
        Self {
            manifest,
            script: Mutex::default(),
        }
    }
    /// A silent risk signal named `id`, which may only waive.
    pub fn waiver(id: &str) -> Self {
        Self::with(Manifest {
            silent: true,
            waiver: true,
            ..manifest(id, &[])
        })
    }
    /// Adds what the next unscripted `challenge` does.
    pub fn challenges(&self, scene: Scene) -> &Self {
        self.script().challenges.push_back(scene);
        self
    }
    /// Adds what the next unscripted `verify` does.
    pub fn verifies(&self, scene: Scene) -> &Self {
        self.script().verifies.push_back(scene);
        self
    }
    /// Adds what the next unscripted `settled` asks for.
    pub fn settles(&self, effects: Vec<Effect>) -> &Self {
        self.script().settled.push_back(effects);
        self
    }
    /// All calls so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.script().calls.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn play(&self, scene: Option<Scene>) -> Result<Reply, PluginError> {
        match scene {
            Some(Scene::Reply(reply)) => Ok(reply),
            Some(Scene::Error(detail)) => Err(self.failed(detail)),
            Some(Scene::Panic) => panic!("{} panics, as its script says", self.manifest.id),
            Some(Scene::Hang) => std::future::pending().await,
            None => Err(self.failed("not in the script".to_owned())),
        }
    }

    fn failed(&self, detail: String) -> PluginError {
        PluginError::Failed {
            plugin: self.manifest.id.clone(),
            detail,
        }
    }
}

#[async_trait]
impl Authenticator for Scripted {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn challenge(&self, cx: &Context, _host: &dyn Host) -> Result<Reply, PluginError> {
        let scene = {
            let mut script = self.script();
            script.calls.push(Call::Challenge(cx.clone()));
            script.challenges.pop_front()
        };
        self.play(scene).await
    }

    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, _host: &dyn Host) -> Result<Reply, PluginError> {
        let scene = {
            let mut script = self.script();
            script.calls.push(Call::Verify(cx.clone(), memo.clone(), answer.clone()));
            script.verifies.pop_front()
        };
        self.play(scene).await
    }

    async fn settled(&self, cx: &Context, outcome: &Outcome) -> Result<Vec<Effect>, PluginError> {
        let mut script = self.script();
        script.calls.push(Call::Settled(cx.clone(), outcome.clone()));
        Ok(script.settled.pop_front().unwrap_or_default())
    }
}

/// A factor that asks for a `code` and passes when it is the known one.
pub struct KnownAnswer {
    manifest: Manifest,
    answer: String,
}

impl KnownAnswer {
    /// A factor named `id` that claims `amr` when `answer` is given.
    pub fn new(id: &str, amr: &[&str], answer: &str) -> Self {
        Self {
            manifest: manifest(id, amr),
            answer: answer.to_owned(),
        }
    }
}

#[async_trait]
impl Authenticator for KnownAnswer {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn challenge(&self, _cx: &Context, _host: &dyn Host) -> Result<Reply, PluginError> {
        let code = Field {
            name: "code".to_owned(),
            label: Text::new("test-code", "Code"),
            autocomplete: "one-time-code".to_owned(),
            max_bytes: 64,
        };
        let form = Form {
            title: Text::new("test-title", "Say the known answer"),
            nodes: vec![Node::Code(code)],
            submit: Some(Text::new("test-submit", "Continue")),
        };
        Ok(Step::Ask {
            form,
            memo: Memo::default(),
        }
        .into())
    }

    async fn verify(&self, _cx: &Context, _memo: &Memo, answer: &Answer, _host: &dyn Host) -> Result<Reply, PluginError> {
        if answer.get("code") != Some(self.answer.as_str()) {
            return Ok(Reply::fail(Text::new("test-wrong", "That is not it")));
        }
        Ok(Step::Pass {
            amr: self.manifest.amr.clone(),
        }
        .into())
    }
}

fn manifest(id: &str, amr: &[&str]) -> Manifest {
    Manifest {
        id: PluginId::from(id),
        label: Text::new(&format!("test-{id}"), id),
        amr: amr.iter().map(|&value| value.into()).collect(),
        silent: false,
        waiver: false,
        cost: Cost::Light,
        enrols: false,
    }
}
