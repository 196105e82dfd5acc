//! Factors that behave like real ones, in a few lines each.

use async_trait::async_trait;
use gait_sdk::{
    AccountHandle, Answer, Approval, Authenticator, Choice, Context, Cost, Effect, Field, Form, Host, Mail, Manifest, Memo, Node,
    Outcome, PluginError, PluginId, Purpose, Reason, Reply, Save, Step, Text,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;

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

fn field(name: &str, max_bytes: usize) -> Field {
    Field {
        name: name.to_owned(),
        label: Text::new("test-field", name),
        autocomplete: "off".to_owned(),
        max_bytes,
    }
}

fn form(nodes: Vec<Node>) -> Form {
    Form {
        title: Text::new("test-title", "A question"),
        nodes,
        submit: Some(Text::new("test-submit", "Go on")),
    }
}

fn ask(nodes: Vec<Node>, memo: serde_json::Value) -> Reply {
    let (form, memo) = (form(nodes), Memo(memo));
    Step::Ask { form, memo }.into()
}

fn wrong() -> Reply {
    Reply::fail(Text::new("test-wrong", "Wrong"))
}

/// A password in a credential.
pub struct Password(Manifest);

impl Password {
    pub fn new() -> Self {
        let plain = manifest("password", &["pwd"]);
        Self(Manifest { enrols: true, ..plain })
    }
}

#[async_trait]
impl Authenticator for Password {
    fn manifest(&self) -> &Manifest {
        &self.0
    }
    async fn challenge(&self, cx: &Context, _: &dyn Host) -> Result<Reply, PluginError> {
        let name = if cx.purpose == Purpose::Enrol {
            "new_password"
        } else {
            "password"
        };
        Ok(ask(vec![Node::Secret(field(name, 64))], json!(null)))
    }
    async fn verify(&self, cx: &Context, _: &Memo, answer: &Answer, _: &dyn Host) -> Result<Reply, PluginError> {
        if cx.purpose != Purpose::Enrol {
            let typed = answer.get("password").unwrap_or_default();
            if typed == "hang" {
                std::future::pending::<()>().await;
            }
            let right = cx.credentials.iter().any(|held| held.payload == json!(typed));
            return Ok(if right { Reply::pass(&["pwd"]) } else { wrong() });
        }
        let typed = answer.get("new_password").unwrap_or_default();
        if typed.len() < 4 {
            return Ok(Reply::fail(Text::new("test-short", "Too short")));
        }
        let old = cx.credentials.first();
        Ok(Reply::pass(&[]).with(Effect::Save(Save {
            credential: old.map(|old| old.id.clone()),
            expected_version: old.map(|old| old.version),
            label: "Password".to_owned(),
            payload: json!(typed),
        })))
    }
}

/// A code by mail, good for the account and the question that it was sent for; five failures kill it.
pub struct Otp(Manifest);

impl Otp {
    pub fn new() -> Self {
        Self(manifest("otp", &["otp"]))
    }
    fn send(cx: &Context) -> Reply {
        let code: String = cx
            .random("code")
            .iter()
            .take(6)
            .map(|byte| char::from(b'0' + byte % 10))
            .collect();
        let handle = cx.known().map(|view| view.handle.as_str().to_owned());
        let nodes = vec![
            Node::Code(field("code", 16)),
            Node::Button {
                name: "action".to_owned(),
                value: "resend".to_owned(),
                label: Text::new("test-resend", "Send again"),
                wait_s: 30,
            },
        ];
        let mail = Mail {
            template: "otp".to_owned(),
            args: BTreeMap::from([("code".to_owned(), code.clone())]),
            life_s: Some(600),
        };
        ask(nodes, json!({ "code": code, "for": handle, "left": 5 })).with(Effect::Mail(mail))
    }
}

#[async_trait]
impl Authenticator for Otp {
    fn manifest(&self) -> &Manifest {
        &self.0
    }
    async fn challenge(&self, cx: &Context, _: &dyn Host) -> Result<Reply, PluginError> {
        let unreachable = cx.known().is_some_and(|view| view.email.is_none());
        let asks = matches!(cx.purpose, Purpose::SignIn | Purpose::StepUp) && !unreachable;
        Ok(if asks { Self::send(cx) } else { Step::Abstain.into() })
    }
    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, _: &dyn Host) -> Result<Reply, PluginError> {
        // As a real factor would, it lets others go on meanwhile: answers that were sent at once are judged at once.
        tokio::task::yield_now().await;
        if answer.get("action").is_some() {
            return Ok(Self::send(cx));
        }
        let mut memo = memo.0.clone();
        let left = memo["left"].as_i64().unwrap_or(0);
        let owner = cx.known().is_some_and(|view| memo["for"] == json!(view.handle));
        if left > 0 && owner && memo["code"] == json!(answer.get("code").unwrap_or_default()) {
            return Ok(Reply::pass(&["otp"]));
        }
        memo["left"] = json!(left - 1);
        let text = Text::new("test-otp-wrong", "Wrong");
        let reason = Reason { text, spent: left <= 1 };
        let memo = Some(Memo(memo));
        Ok(Step::Fail { reason, memo }.into())
    }
}

/// A code from a list, each good once.
pub struct Backup(Manifest);

impl Backup {
    pub fn new() -> Self {
        Self(manifest("backup", &["kba"]))
    }
}

#[async_trait]
impl Authenticator for Backup {
    fn manifest(&self) -> &Manifest {
        &self.0
    }
    async fn challenge(&self, cx: &Context, _: &dyn Host) -> Result<Reply, PluginError> {
        if cx.known().is_some() && cx.credentials.is_empty() {
            return Ok(Step::Abstain.into());
        }
        Ok(ask(vec![Node::Code(field("backup", 16))], json!(null)))
    }
    async fn verify(&self, cx: &Context, _: &Memo, answer: &Answer, _: &dyn Host) -> Result<Reply, PluginError> {
        tokio::task::yield_now().await;
        let typed = answer.get("backup").unwrap_or_default();
        let Some(held) = cx.credentials.iter().find(|held| held.payload == json!(typed)) else {
            return Ok(wrong());
        };
        let used = Save {
            credential: Some(held.id.clone()),
            expected_version: Some(held.version),
            label: "Backup".to_owned(),
            payload: json!("used"),
        };
        Ok(Reply::pass(&["kba"]).with(Effect::Save(used)))
    }
}

/// A key that says whose it is.
pub struct Key(Manifest);

impl Key {
    pub fn new() -> Self {
        let plain = manifest("key", &["swk", "user"]);
        Self(Manifest { enrols: true, ..plain })
    }
}

#[async_trait]
impl Authenticator for Key {
    fn manifest(&self) -> &Manifest {
        &self.0
    }
    async fn challenge(&self, cx: &Context, _: &dyn Host) -> Result<Reply, PluginError> {
        if cx.purpose == Purpose::Enrol {
            let shown = Node::Show {
                label: Text::new("test-handle", "Handle"),
                value: cx.known().map(|view| view.handle.to_string()).unwrap_or_default(),
            };
            return Ok(ask(vec![shown, Node::Secret(field("sign", 64))], json!(null)));
        }
        if cx.known().is_some() && cx.credentials.is_empty() {
            return Ok(Step::Abstain.into());
        }
        Ok(ask(
            vec![Node::Text(field("handle", 128)), Node::Secret(field("sign", 64))],
            json!(null),
        ))
    }
    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, _: &dyn Host) -> Result<Reply, PluginError> {
        if cx.purpose == Purpose::Enrol {
            return Ok(Reply::pass(&[]).with(Effect::Save(Save {
                credential: None,
                expected_version: None,
                label: "A key".to_owned(),
                payload: json!(answer.get("sign")),
            })));
        }
        let handle = AccountHandle::new(answer.get("handle").unwrap_or_default());
        if memo.0 != json!("claimed") {
            let memo = Memo(json!("claimed"));
            return Ok(Step::Claim { handle, memo }.into());
        }
        let own = cx.known().is_some_and(|view| view.handle == handle);
        let signed = cx.credentials.iter().any(|held| held.payload == json!(answer.get("sign")));
        Ok(if own && signed {
            Reply::pass(&["swk", "user"])
        } else {
            wrong()
        })
    }
}

/// Trust in a browser: asked for at its second sign-in, given by mail.
pub struct Place(Manifest);

impl Place {
    pub fn new() -> Self {
        Self(Manifest {
            silent: true,
            waiver: true,
            ..manifest("place", &[])
        })
    }
    fn save(cx: &Context, device: &str, state: &str) -> Effect {
        let old = cx.credentials.iter().find(|held| held.payload["device"] == json!(device));
        Effect::Save(Save {
            credential: old.map(|old| old.id.clone()),
            expected_version: old.map(|old| old.version),
            label: "A browser".to_owned(),
            payload: json!({ "device": device, "state": state }),
        })
    }
    fn question(device: &str) -> Approval {
        let option = |value: &str| Choice {
            value: value.to_owned(),
            label: Text::new("test-choice", value),
        };
        let choice = Node::Choice {
            name: "answer".to_owned(),
            options: vec![option("yes"), option("no")],
        };
        Approval {
            form: form(vec![choice]),
            ttl_s: 600,
            memo: Memo(json!(device)),
            mail: "ip-approval".to_owned(),
        }
    }
}

#[async_trait]
impl Authenticator for Place {
    fn manifest(&self) -> &Manifest {
        &self.0
    }
    async fn challenge(&self, cx: &Context, _: &dyn Host) -> Result<Reply, PluginError> {
        let trusted = json!({ "device": cx.visitor.device, "state": "trusted" });
        let known = cx.visitor.device.is_some() && cx.credentials.iter().any(|held| held.payload == trusted);
        Ok(if known { Reply::pass(&[]) } else { Step::Abstain.into() })
    }
    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, _: &dyn Host) -> Result<Reply, PluginError> {
        let device = memo.0.as_str().unwrap_or_default();
        Ok(match answer.get("answer") {
            Some("yes") => Reply::pass(&[]).with(Self::save(cx, device, "trusted")),
            Some("no") => {
                let text = Text::new("test-no", "Not you");
                let reason = Reason { text, spent: true };
                let mut reply = Reply::from(Step::Fail { reason, memo: None });
                for held in &cx.credentials {
                    reply = reply.with(Effect::Forget {
                        credential: held.id.clone(),
                    });
                }
                reply
            }
            _ => wrong(),
        })
    }
    async fn settled(&self, cx: &Context, outcome: &Outcome) -> Result<Vec<Effect>, PluginError> {
        let Some(device) = cx
            .visitor
            .device
            .as_deref()
            .filter(|_| outcome.satisfied && cx.purpose == Purpose::SignIn)
        else {
            return Ok(Vec::new());
        };
        let old = cx.credentials.iter().find(|held| held.payload["device"] == json!(device));
        Ok(match old.map(|held| held.payload["state"].clone()) {
            None => vec![Self::save(cx, device, "seen")],
            Some(state) if state == json!("seen") => {
                vec![Self::save(cx, device, "asked"), Effect::Approval(Self::question(device))]
            }
            Some(_) => Vec::new(),
        })
    }
    fn ip_score(&self, _: &Context) -> Option<f64> {
        Some(0.5)
    }
}

/// What a broken factor does.
#[derive(Clone, Copy)]
pub enum Fault {
    /// It fails.
    Error,
    /// It passes with a method that its manifest doesn't list.
    ForeignAmr,
    /// It passes whoever it is asked about.
    PassesAnybody,
    /// It asks for an effect that it may not have.
    BadEffect,
}

/// A factor that misbehaves.
pub struct Broken {
    manifest: Manifest,
    fault: Mutex<Fault>,
}

impl Broken {
    pub fn new(fault: Fault) -> Self {
        Self {
            manifest: manifest("broken", &["otp"]),
            fault: Mutex::new(fault),
        }
    }
}

#[async_trait]
impl Authenticator for Broken {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }
    async fn challenge(&self, _: &Context, _: &dyn Host) -> Result<Reply, PluginError> {
        Ok(ask(vec![Node::Code(field("any", 16))], json!(null)))
    }
    async fn verify(&self, _: &Context, _: &Memo, _: &Answer, _: &dyn Host) -> Result<Reply, PluginError> {
        let fault = *self.fault.lock().unwrap();
        match fault {
            Fault::Error => Err(PluginError::Failed {
                plugin: PluginId::from("broken"),
                detail: "as told".to_owned(),
            }),
            Fault::ForeignAmr => Ok(Reply::pass(&["hwk"])),
            Fault::PassesAnybody => Ok(Reply::pass(&["otp"])),
            Fault::BadEffect => Ok(Reply::pass(&["otp"]).with(Effect::Save(Save {
                credential: None,
                expected_version: None,
                label: "x".repeat(101),
                payload: json!(null),
            }))),
        }
    }
}
