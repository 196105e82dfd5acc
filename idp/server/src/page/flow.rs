//! The pages of a flow, made from the engine's prompt.

use super::Page;
use gait_core::flow::{Ask, Prompt, Why};
use gait_core::policy::Policy;
use gait_sdk::{Form, Node, Text};
use serde::Serialize;

/// What every page of a flow has. The forms post to the page's own address.
#[derive(Clone, Debug, Serialize)]
pub struct Frame {
    /// Hidden field `csrf` of every form.
    pub csrf: String,
    /// The client's name, if a client asked.
    pub client: Option<String>,
    /// Who is signing in, once known.
    pub account: Option<String>,
    /// What was wrong with the last answer.
    pub error: Option<Text>,
    /// What is wrong with the mail that the page is about.
    pub notice: Option<Text>,
    /// Other factors: buttons `other=<plugin>`.
    pub others: Vec<Way>,
    /// It is a sign-in, so that it may begin again as somebody else (`account=other`).
    pub sign_in: bool,
    /// A fresh or stronger proof is asked for.
    pub again: bool,
    /// The watch demanded a step-up.
    pub step_up: Option<StepUp>,
}

/// Another way.
#[derive(Clone, Debug, Serialize)]
pub struct Way {
    /// Value of `other`.
    pub plugin: String,
    /// What it is called.
    pub label: Text,
}

/// Why the watch asks, in calm words.
#[derive(Clone, Debug, Serialize)]
pub struct StepUp {
    /// One line each, without doubles.
    pub reasons: Vec<Text>,
    /// Minutes after which an unanswered step-up ends the session.
    pub minutes: u32,
}

/// The first page of a sign-in.
#[derive(Clone, Debug, Serialize)]
pub struct SignIn {
    /// What every page of a flow has.
    #[serde(flatten)]
    pub frame: Frame,
    /// What to fill in.
    pub identifier: String,
    /// The first row's form.
    pub form: Form,
    /// It has a field to fill in.
    pub asks: bool,
    /// Measure while the identifier is typed; answered in `behavior`.
    pub collect: bool,
    /// Measure while the password is typed; answered in `behavior_password`.
    pub collect_password: bool,
    /// Whether "forgot password?" leads to `/recovery`.
    pub recovery: bool,
}

/// One factor's form.
#[derive(Clone, Debug, Serialize)]
pub struct Factor {
    /// What every page of a flow has.
    #[serde(flatten)]
    pub frame: Frame,
    /// Which factor.
    pub plugin: String,
    /// Its form.
    pub form: Form,
    /// It has a field to fill in.
    pub asks: bool,
    /// It asks for a secret, so password managers want to see the account's name.
    pub secret: bool,
}

impl Factor {
    pub(super) fn new(frame: Frame, plugin: &str, form: Form) -> Self {
        Self {
            frame,
            plugin: plugin.to_owned(),
            asks: asks(&form),
            secret: form.nodes.iter().any(|node| matches!(node, Node::Secret(_))),
            form,
        }
    }
}

pub(super) fn asks(form: &Form) -> bool {
    form.nodes
        .iter()
        .any(|node| matches!(node, Node::Text(_) | Node::Secret(_) | Node::Code(_)))
}

/// Go on as this account, or as another?
#[derive(Clone, Debug, Serialize)]
pub struct SelectAccount {
    /// What every page of a flow has.
    #[serde(flatten)]
    pub frame: Frame,
    /// User name of the session.
    pub current: String,
}

/// What a scope reaches.
#[derive(Clone, Debug, Serialize)]
pub struct Reach {
    /// The scope.
    pub scope: String,
    /// The icon that stands for it.
    pub icon: &'static str,
    /// What it means to the person.
    pub label: Text,
}

/// OAuth consent.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    /// What every page of a flow has.
    #[serde(flatten)]
    pub frame: Frame,
    /// What the client would get.
    pub scopes: Vec<Reach>,
}

/// Behaviour consent.
#[derive(Clone, Debug, Serialize)]
pub struct WatchConsent {
    /// What every page of a flow has.
    #[serde(flatten)]
    pub frame: Frame,
    /// Version of the text.
    pub text_version: String,
    /// Days that raw measurements are kept at most.
    pub record_days: u32,
    /// Days after which what was learned is deleted if the account isn't used.
    pub model_days: u32,
    /// Minutes between plain confirmations without the consent.
    pub reauth_minutes: u32,
}

/// An approval was mailed.
#[derive(Clone, Debug, Serialize)]
pub struct ApprovalSent {
    /// What every page of a flow has.
    #[serde(flatten)]
    pub frame: Frame,
    /// The code that another browser needs.
    pub code: String,
}

/// The page that shows a prompt.
pub fn page_of(prompt: &Prompt, policy: &Policy) -> Page {
    let frame = frame(prompt, policy);
    match &prompt.ask {
        Ask::SignIn {
            identifier,
            form,
            collect,
            collect_password,
        } => Page::SignIn(SignIn {
            frame,
            identifier: identifier.clone(),
            asks: asks(form),
            form: form.clone(),
            collect: *collect,
            collect_password: *collect_password,
            recovery: policy.recovery.is_some(),
        }),
        Ask::Factor { plugin, form } => Page::Factor(Factor::new(frame, plugin.as_str(), form.clone())),
        Ask::SelectAccount { current } => Page::SelectAccount(SelectAccount {
            frame,
            current: current.clone(),
        }),
        Ask::Consent { scopes } => Page::Consent(Consent {
            frame,
            scopes: scopes.iter().map(|scope| reach(scope)).collect(),
        }),
        Ask::BehaviourConsent { text_version } => Page::WatchConsent(WatchConsent {
            frame,
            text_version: text_version.clone(),
            record_days: policy.watch.record_days,
            model_days: policy.watch.model_days,
            reauth_minutes: minutes(policy.watch.reauth_without_consent_s),
        }),
        Ask::ApprovalSent { code } => Page::ApprovalSent(ApprovalSent {
            frame,
            code: code.clone(),
        }),
    }
}

fn frame(prompt: &Prompt, policy: &Policy) -> Frame {
    Frame {
        csrf: prompt.csrf.clone(),
        client: prompt.client.as_ref().map(|client| client.name.clone()),
        account: prompt.account.clone(),
        error: prompt.error.clone(),
        notice: prompt.notice.clone(),
        others: prompt
            .others
            .iter()
            .map(|way| Way {
                plugin: way.plugin.to_string(),
                label: way.label.clone(),
            })
            .collect(),
        sign_in: prompt.why == Why::SignIn,
        again: prompt.why == Why::Reauthenticate,
        step_up: match &prompt.why {
            Why::StepUp { reasons } => Some(StepUp {
                reasons: calm(reasons),
                minutes: minutes(policy.watch.unanswered_s),
            }),
            _ => None,
        },
    }
}

/// Whole minutes, rounded up, at least one.
pub(super) fn minutes(seconds: u32) -> u32 {
    seconds.div_ceil(60).max(1)
}

/// Reason codes in words that neither blame nor tell an impostor what to do better: only which kind of thing stood out.
fn calm(codes: &[String]) -> Vec<Text> {
    let mut lines: Vec<Text> = Vec::new();
    for code in codes {
        let line = reason(code);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if lines.is_empty() {
        lines.push(reason(""));
    }
    lines
}

fn reason(code: &str) -> Text {
    if code.starts_with("typing") {
        Text::new("reason-typing", "The typing rhythm is different from usual.")
    } else if code.starts_with("pointer") {
        Text::new("reason-pointer", "The pointer moves differently from usual.")
    } else if code.starts_with("reported") {
        Text::new("reason-signal", "A connected service asked us to check.")
    } else {
        Text::new("reason-other", "Something about this session is different from usual.")
    }
}

/// What a scope means; one of an API's own is shown by its name.
pub(super) fn reach(scope: &str) -> Reach {
    let (icon, label) = match scope {
        "profile" => ("person", Text::new("scope-profile", "Your name and basic profile")),
        "email" => ("mail", Text::new("scope-email", "Your e-mail address")),
        "address" => ("place", Text::new("scope-address", "Your postal address")),
        "phone" => ("phone", Text::new("scope-phone", "Your phone number")),
        "offline_access" => ("clock", Text::new("scope-offline-access", "Access while you are away")),
        "continuous_auth" => (
            "rhythm",
            Text::new("scope-continuous-auth", "Check during the session that it is still you"),
        ),
        other => ("key", Text::new("scope-other", other).with("scope", other)),
    };
    Reach {
        scope: scope.to_owned(),
        icon,
        label,
    }
}
