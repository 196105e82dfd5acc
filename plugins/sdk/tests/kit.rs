//! The kit finds what is wrong with an authenticator, and nothing wrong with a good one.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use async_trait::async_trait;
use gait_sdk::kit::{self, Conformance, TestHost};
use gait_sdk::{
    Amr, Answer, Authenticator, Context, Cost, Credential, Effect, Field, Form, Host, Level, Mail, Manifest, Memo, Node, Outcome,
    PluginError, Purpose, Reply, Save, Step, Text,
};
use serde_json::json;
use std::sync::Arc;

/// An authenticator of which every part can be replaced by a worse one.
#[derive(Clone)]
struct Scripted {
    manifest: Manifest,
    challenge: fn(&Context) -> Reply,
    verify: fn(&Context, &Memo, &Answer, &dyn Host) -> Result<Reply, PluginError>,
    settled: fn(&Outcome) -> Vec<Effect>,
    score: Option<f64>,
}

#[async_trait]
impl Authenticator for Scripted {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }
    async fn challenge(&self, cx: &Context, _host: &dyn Host) -> Result<Reply, PluginError> {
        Ok((self.challenge)(cx))
    }
    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, host: &dyn Host) -> Result<Reply, PluginError> {
        (self.verify)(cx, memo, answer, host)
    }
    async fn settled(&self, _cx: &Context, outcome: &Outcome) -> Result<Vec<Effect>, PluginError> {
        Ok((self.settled)(outcome))
    }
    fn ip_score(&self, _cx: &Context) -> Option<f64> {
        self.score
    }
}

fn form() -> Form {
    let field = Field {
        name: "word".to_owned(),
        label: Text::new("magic-word", "The magic word"),
        autocomplete: "off".to_owned(),
        max_bytes: 64,
    };
    Form {
        title: Text::new("magic-title", "Say the magic word"),
        nodes: vec![Node::Secret(field)],
        submit: Some(Text::new("magic-submit", "Continue")),
    }
}

fn ask(form: Form) -> Reply {
    Step::Ask {
        form,
        memo: Memo(json!({ "until": kit::NOW.0 + 60 })),
    }
    .into()
}

fn wrong() -> Reply {
    Reply::fail(Text::new("magic-wrong", "That isn't it."))
}

fn magic() -> Scripted {
    Scripted {
        manifest: Manifest {
            id: "magic".into(),
            label: Text::new("magic-label", "Magic word"),
            amr: vec![Amr::from("kba")],
            silent: false,
            waiver: false,
            cost: Cost::Light,
            enrols: false,
        },
        challenge: |cx| match cx.purpose {
            Purpose::SignIn | Purpose::StepUp => ask(form()),
            Purpose::Enrol | Purpose::Approval => Step::Abstain.into(),
        },
        verify: |cx, memo, answer, _| {
            let until = memo.0.get("until").and_then(serde_json::Value::as_i64).unwrap_or(i64::MIN);
            let in_time = (until.saturating_sub(60)..until).contains(&cx.now.0);
            let right = in_time && answer.get("word") == Some("xyzzy") && cx.known().is_some();
            Ok(if right { Reply::pass(&["kba"]) } else { wrong() })
        },
        settled: |_| Vec::new(),
        score: None,
    }
}

fn waiver(challenge: fn(&Context) -> Reply) -> Scripted {
    let magic = magic();
    Scripted {
        manifest: Manifest {
            amr: Vec::new(),
            silent: true,
            waiver: true,
            ..magic.manifest
        },
        challenge,
        ..magic
    }
}

fn conformance(plugin: Scripted) -> Conformance {
    Conformance::of(move || Arc::new(plugin.clone()))
        .solved_by(|_, _| kit::answer([("word", "xyzzy")]))
        .expiring_after(60)
}

#[test]
fn a_good_factor_conforms() {
    conformance(magic()).check();
}

#[test]
fn a_good_waiver_conforms() {
    let waives = |cx: &Context| match (cx.purpose, cx.known(), cx.credentials.as_slice()) {
        (Purpose::SignIn, Some(_), [one]) if one.payload == json!("trusted") => Reply::pass(&[]),
        _ => Step::Abstain.into(),
    };
    Conformance::of(move || Arc::new(waiver(waives)))
        .with_credentials([kit::credential("c1", json!("trusted"))])
        .check();
}

#[test]
#[should_panic(expected = "must be lower-case letters")]
fn an_odd_id_is_found() {
    let mut plugin = magic();
    plugin.manifest.id = "Magic Word".into();
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "a factor must say what it proves")]
fn a_factor_that_proves_nothing_is_found() {
    let mut plugin = magic();
    plugin.manifest.amr.clear();
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "a waiver never asks")]
fn a_waiver_that_asks_is_found() {
    let mut plugin = waiver(|_| Step::Abstain.into());
    plugin.manifest.silent = false;
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "two fields are named \"word\"")]
fn two_fields_of_one_name_are_found() {
    let mut plugin = magic();
    plugin.challenge = |_| {
        let mut form = form();
        form.nodes.push(form.nodes[0].clone());
        ask(form)
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "has no English words")]
fn a_text_without_words_is_found() {
    let mut plugin = magic();
    plugin.challenge = |_| {
        let mut form = form();
        form.title.fallback.clear();
        ask(form)
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "accepts 1000000 bytes")]
fn a_field_without_a_sane_cap_is_found() {
    let mut plugin = magic();
    plugin.challenge = |_| {
        let mut form = form();
        if let Node::Secret(field) = &mut form.nodes[0] {
            field.max_bytes = 1_000_000;
        }
        ask(form)
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "the form has no main button")]
fn a_form_that_cannot_be_sent_is_found() {
    let mut plugin = magic();
    plugin.challenge = |_| ask(Form { submit: None, ..form() });
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "an unknown subject sees what a known one sees")]
fn a_form_that_tells_who_exists_is_found() {
    let mut plugin = magic();
    plugin.challenge = |cx| match cx.known() {
        Some(_) => ask(form()),
        None => Step::Abstain.into(),
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "other effects at SignIn")]
fn mail_for_known_subjects_only_is_found() {
    let mut plugin = magic();
    plugin.challenge = |cx| match cx.known() {
        Some(_) => ask(form()).with(Effect::Mail(Mail {
            template: "magic".to_owned(),
            args: [].into(),
            life_s: None,
        })),
        None => ask(form()),
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "another word at a wrong answer")]
fn a_word_that_tells_who_exists_is_found() {
    let mut plugin = magic();
    plugin.verify = |cx, _, _, _| match cx.known() {
        Some(_) => Ok(wrong()),
        None => Ok(Reply::fail(Text::new("magic-nobody", "We don't know you."))),
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "passed an unknown subject")]
fn a_pass_for_nobody_is_found() {
    let mut plugin = magic();
    plugin.verify = |_, _, answer, _| match answer.get("word") {
        Some("xyzzy") => Ok(Reply::pass(&["kba"])),
        _ => Ok(wrong()),
    };
    Conformance::of(move || Arc::new(plugin.clone()))
        .solved_by(|_, _| kit::answer([("word", "xyzzy")]))
        .check();
}

#[test]
#[should_panic(expected = "isn't in the manifest's amr")]
fn a_claim_beyond_the_manifest_is_found() {
    let mut plugin = magic();
    plugin.verify = |cx, _, answer, _| match (cx.known(), answer.get("word")) {
        (Some(_), Some("xyzzy")) => Ok(Reply::pass(&["hwk"])),
        _ => Ok(wrong()),
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "the plugin panicked")]
fn a_panic_is_found() {
    let mut plugin = magic();
    plugin.verify = |_, _, answer, _| {
        let word = answer.get("word").unwrap_or_default();
        let first = word.as_bytes()[0];
        Ok(if first == b'x' { Step::Abstain.into() } else { wrong() })
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "hostile memos prove nothing")]
fn trust_in_an_unreadable_memo_is_found() {
    let mut plugin = magic();
    plugin.verify = |cx, memo, _, _| match (cx.known(), memo.0.as_i64()) {
        (Some(_), Some(-1)) => Ok(Reply::pass(&["kba"])),
        _ => Ok(wrong()),
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "hostile answers prove nothing")]
fn a_pass_for_an_empty_answer_is_found() {
    let mut plugin = magic();
    plugin.verify = |cx, _, answer, _| match (cx.known(), answer.get("word")) {
        (Some(_), Some("")) => Ok(Reply::pass(&["kba"])),
        _ => Ok(wrong()),
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "hostile credentials prove nothing")]
fn trust_in_an_unreadable_credential_is_found() {
    let plugin = waiver(|cx| match (cx.purpose, cx.known()) {
        (Purpose::SignIn, Some(_)) if !cx.credentials.is_empty() => Reply::pass(&[]),
        _ => Step::Abstain.into(),
    });
    Conformance::of(move || Arc::new(plugin.clone())).check();
}

#[test]
#[should_panic(expected = "a waiver waives nothing but a sign-in: it passes StepUp")]
fn a_waiver_of_a_step_up_is_found() {
    let plugin = waiver(|cx| match (cx.known(), cx.credentials.len()) {
        (Some(_), 1) => Reply::pass(&[]),
        _ => Step::Abstain.into(),
    });
    Conformance::of(move || Arc::new(plugin.clone()))
        .with_credentials([kit::credential("c1", json!({}))])
        .check();
}

#[test]
#[should_panic(expected = "passed 60 s after the challenge")]
fn a_window_that_closes_a_second_late_is_found() {
    let mut plugin = magic();
    plugin.verify = |cx, memo, answer, _| {
        let until = memo.0.get("until").and_then(serde_json::Value::as_i64).unwrap_or(i64::MIN);
        let right = cx.now.0 <= until && answer.get("word") == Some("xyzzy") && cx.known().is_some();
        Ok(if right { Reply::pass(&["kba"]) } else { wrong() })
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "an answer was written to the log")]
fn a_secret_in_the_log_is_found() {
    let mut plugin = magic();
    plugin.verify = |_, _, answer, host| {
        host.log(Level::Info, &format!("tried {}", answer.get("word").unwrap_or_default()));
        Ok(wrong())
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "a flow that wasn't satisfied had effects")]
fn earning_from_a_broken_off_flow_is_found() {
    let mut plugin = magic();
    plugin.settled = |outcome| match outcome.satisfied {
        true => Vec::new(),
        false => vec![Effect::Mail(Mail {
            template: "magic".to_owned(),
            args: [].into(),
            life_s: None,
        })],
    };
    conformance(plugin).check();
}

#[test]
#[should_panic(expected = "a Save names the version")]
fn a_blind_overwrite_is_found() {
    let mut plugin = magic();
    plugin.verify = |cx, _, _, _| match cx.credentials.first() {
        Some(Credential { id, .. }) => Ok(wrong().with(Effect::Save(Save {
            credential: Some(id.clone()),
            expected_version: None,
            label: "word".to_owned(),
            payload: json!({}),
        }))),
        None => Ok(wrong()),
    };
    conformance(plugin)
        .with_credentials([kit::credential("c1", json!({}))])
        .check();
}

#[test]
#[should_panic(expected = "the score of an address is a fraction")]
fn a_score_that_is_no_number_is_found() {
    let mut plugin = magic();
    plugin.score = Some(f64::NAN);
    conformance(plugin).check();
}

#[test]
fn the_host_of_the_tests_gives_a_key_per_purpose_and_keeps_the_log() {
    let host = TestHost::default();
    assert_eq!(host.key("otp"), TestHost::default().key("otp"));
    assert_ne!(host.key("otp"), host.key("decoy"));
    host.log(Level::Warn, "look here");
    assert_eq!(host.lines(), [(Level::Warn, "look here".to_owned())]);
}
