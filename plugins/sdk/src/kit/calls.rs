//! The contexts that the checks are made in, and the calls. Every call is watched: what goes in and what comes out must
//! survive JSON, what comes out must be well formed, nothing may panic, and no answer may be logged.

use super::conformance::Conformance;
use super::{TestHost, ada, context, hostile, run, shape, unknown_context};
use crate::{
    Answer, Context, Effect, Form, Memo, Outcome, PluginError, PluginId, Purpose, Reply, Step, Subject, SubjectView, Visitor,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Conformance {
    pub(super) fn set_up(&self, purpose: Purpose) -> Context {
        Context {
            purpose,
            credentials: self.credentials.clone(),
            ..context()
        }
    }

    pub(super) fn holding(&self, purpose: Purpose, payloads: Vec<serde_json::Value>) -> Context {
        let numbered = payloads.into_iter().enumerate();
        Context {
            purpose,
            credentials: numbered
                .map(|(i, payload)| super::credential(&format!("hostile-{i}"), payload))
                .collect(),
            ..context()
        }
    }

    /// Known, set up or not, with and without an address for mail; unknown; from here, from nowhere, from this machine.
    pub(super) fn contexts(&self, purpose: Purpose) -> Vec<Context> {
        let without_mail = Subject::Known(SubjectView { email: None, ..ada() });
        let mut contexts = vec![self.set_up(purpose), Context { purpose, ..context() }];
        contexts.push(Context {
            subject: without_mail,
            ..self.set_up(purpose)
        });
        contexts.extend(hostile::identifiers().iter().map(|name| Context {
            purpose,
            ..unknown_context(name)
        }));
        let elsewhere = Visitor {
            address: None,
            user_agent: String::new(),
            device: None,
        };
        let local = Visitor {
            address: "::ffff:127.0.0.1".parse().ok(),
            ..context().visitor
        };
        for visitor in [elsewhere, local] {
            contexts.push(Context {
                visitor,
                client: None,
                ..self.set_up(purpose)
            });
        }
        contexts
    }

    pub(super) fn solved(&self, check: &str) -> Option<(Context, Reply, Answer)> {
        let solve = self.solve.as_ref()?;
        let cx = self.set_up(Purpose::SignIn);
        let reply = self.challenge(check, &cx).unwrap_or_else(|error| panic!("{check}: {error}"));
        let answer = solve(&cx, &reply);
        Some((cx, reply, answer))
    }

    pub(super) fn challenge(&self, check: &str, cx: &Context) -> Result<Reply, PluginError> {
        shape::round_trip(check, cx);
        let (plugin, host) = ((self.make)(), TestHost::default());
        let reply = guarded(check, || run(plugin.challenge(cx, &host)))?;
        shape::reply(check, plugin.manifest(), cx, &reply);
        Ok(reply)
    }

    pub(super) fn verify(&self, check: &str, cx: &Context, memo: &Memo, answer: &Answer) -> Result<Reply, PluginError> {
        let (plugin, host) = ((self.make)(), TestHost::default());
        let reply = guarded(check, || run(plugin.verify(cx, memo, answer, &host)));
        for secret in answer.0.values().filter(|value| value.len() >= 4) {
            let told = host.lines().iter().any(|(_, line)| line.contains(secret));
            assert!(!told, "{check}: an answer was written to the log");
        }
        if let Ok(reply) = &reply {
            shape::reply(check, plugin.manifest(), cx, reply);
        }
        reply
    }

    pub(super) fn settled(&self, check: &str, cx: &Context, satisfied: bool) -> Result<Vec<Effect>, PluginError> {
        let plugin = (self.make)();
        let outcome = Outcome {
            satisfied,
            passed: vec![PluginId::from("kit")],
        };
        let effects = guarded(check, || run(plugin.settled(cx, &outcome)))?;
        shape::effects(check, cx, &effects);
        Ok(effects)
    }
}

pub(super) fn guarded<T>(check: &str, call: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| panic!("{check}: the plugin panicked (see above)"))
}

pub(super) fn passes(reply: &Reply) -> bool {
    matches!(reply.step, Step::Pass { .. })
}

/// A pass that counts as a proof. At enrolment any answer may be a fine new credential.
pub(super) fn proves(cx: &Context, reply: &Reply) -> bool {
    passes(reply) && cx.purpose != Purpose::Enrol
}

pub(super) fn asked(reply: &Reply) -> Option<&Form> {
    match &reply.step {
        Step::Ask { form, .. } => Some(form),
        _ => None,
    }
}

pub(super) fn names(reply: &Reply) -> Vec<String> {
    asked(reply).map(shape::answer_names).unwrap_or_default()
}

pub(super) fn memo(reply: &Reply) -> Option<Memo> {
    match &reply.step {
        Step::Ask { memo, .. } => Some(memo.clone()),
        _ => None,
    }
}

pub(super) fn kind(reply: &Reply) -> &'static str {
    match reply.step {
        Step::Ask { .. } => "ask",
        Step::Claim { .. } => "claim",
        Step::Pass { .. } => "pass",
        Step::Fail { .. } => "fail",
        Step::Abstain => "abstain",
    }
}

pub(super) fn effect_kinds(reply: &Reply) -> Vec<&'static str> {
    let kind = |effect: &Effect| match effect {
        Effect::Save(_) => "save",
        Effect::Forget { .. } => "forget",
        Effect::Mail(_) => "mail",
        Effect::Keep(_) => "keep",
        Effect::Approval(_) => "approval",
    };
    reply.effects.iter().map(kind).collect()
}

/// What the person learns from a reply.
pub(super) fn told(reply: &Reply) -> (&'static str, Option<(&str, bool)>) {
    let reason = match &reply.step {
        Step::Fail { reason, .. } => Some((reason.text.key.as_str(), reason.spent)),
        _ => None,
    };
    (kind(reply), reason)
}
