//! What a manifest and a reply look like when they are well formed.

use crate::{Context, CredentialId, Effect, Form, Manifest, Node, Purpose, Reply, Step, Subject, Text};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// Longest answer that a field may accept, in bytes.
const MAX_FIELD_BYTES: usize = 64 * 1024;
/// Longest label of a credential, in bytes.
const MAX_LABEL_BYTES: usize = 100;
/// Largest payload of a credential or a record, in bytes of JSON.
const MAX_PAYLOAD_BYTES: usize = 16 * 1024;

/// Fails unless `value` survives the way to a sandbox or another machine and back.
pub(super) fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(check: &str, value: &T) {
    let json =
        serde_json::to_string(value).unwrap_or_else(|error| panic!("{check}: {value:?} can't be written as JSON: {error}"));
    let back: T = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{check}: {value:?} can't be read back: {error}"));
    assert_eq!(&back, value, "{check}: changed on the way through JSON");
}

pub(super) fn manifest(check: &str, manifest: &Manifest) {
    let id = manifest.id.as_str();
    assert!(
        is_name(id, "-"),
        "{check}: the id {id:?} must be lower-case letters, digits and dashes"
    );
    text(check, &manifest.label);
    let distinct: BTreeSet<_> = manifest.amr.iter().collect();
    assert_eq!(distinct.len(), manifest.amr.len(), "{check}: an amr is listed twice");
    for amr in &manifest.amr {
        assert!(is_name(&amr.0, "-_"), "{check}: {amr:?} is no amr value");
    }
    if manifest.waiver {
        assert!(manifest.silent, "{check}: a waiver never asks, so it must be silent");
        assert!(manifest.amr.is_empty(), "{check}: a waiver proves nothing, so it has no amr");
    } else {
        assert!(!manifest.amr.is_empty(), "{check}: a factor must say what it proves (amr)");
    }
    round_trip(check, manifest);
}

/// Fails unless the reply is one that the engine accepts from this plugin in this context.
pub(super) fn reply(check: &str, manifest: &Manifest, cx: &Context, reply: &Reply) {
    round_trip(check, reply);
    effects(check, cx, &reply.effects);
    match &reply.step {
        Step::Ask { form: asked, .. } => form(check, asked),
        Step::Pass { amr } => {
            assert!(cx.known().is_some(), "{check}: passed an unknown subject");
            for value in amr {
                assert!(manifest.amr.contains(value), "{check}: {value:?} isn't in the manifest's amr");
            }
            let proves = matches!(cx.purpose, Purpose::SignIn | Purpose::StepUp) && !manifest.waiver;
            assert!(
                !proves || !amr.is_empty(),
                "{check}: a factor's pass must say what was proven"
            );
        }
        Step::Fail { reason, .. } => text(check, &reason.text),
        Step::Claim { .. } | Step::Abstain => {}
    }
}

/// Fails unless the effects are ones that the host carries out.
pub(super) fn effects(check: &str, cx: &Context, effects: &[Effect]) {
    let given = |id: &CredentialId| cx.credentials.iter().find(|credential| credential.id == *id);
    for effect in effects {
        round_trip(check, effect);
        let stores = !matches!(effect, Effect::Mail(_));
        let known = matches!(cx.subject, Subject::Known(_));
        assert!(known || !stores, "{check}: stores something for an unknown subject");
        match effect {
            Effect::Save(save) => {
                let length = save.label.len();
                assert!((1..=MAX_LABEL_BYTES).contains(&length), "{check}: a label of {length} bytes");
                payload(check, &save.payload);
                let replaced = save
                    .credential
                    .as_ref()
                    .map(|id| given(id).map(|credential| credential.version));
                let expected = save.expected_version.map(Some);
                assert_eq!(
                    replaced, expected,
                    "{check}: a Save names the version that it replaces, of a credential it was given"
                );
            }
            Effect::Forget { credential } => {
                assert!(given(credential).is_some(), "{check}: forgets a credential it wasn't given")
            }
            Effect::Mail(mail) => template(check, &mail.template),
            Effect::Keep(record) => payload(check, &record.payload),
            Effect::Approval(approval) => {
                form(check, &approval.form);
                template(check, &approval.mail);
                assert!(approval.ttl_s > 0, "{check}: an approval that is dead at once");
            }
        }
    }
}

/// The names under which a form is answered.
pub(super) fn answer_names(form: &Form) -> Vec<String> {
    form.nodes
        .iter()
        .filter_map(|node| match node {
            Node::Text(field) | Node::Secret(field) | Node::Code(field) => Some(field.name.clone()),
            Node::Choice { name, .. } | Node::Button { name, .. } => Some(name.clone()),
            Node::Paragraph { .. } | Node::Notice { .. } | Node::Show { .. } => None,
        })
        .collect()
}

/// The form without what may differ from person to person: the words' arguments and the values shown.
pub(super) fn bare(form: &Form) -> Form {
    let mut bare = form.clone();
    let wipe = |text: &mut Text| {
        text.args.values_mut().for_each(String::clear);
        text.fallback.clear();
    };
    wipe(&mut bare.title);
    bare.submit.iter_mut().for_each(wipe);
    for node in &mut bare.nodes {
        match node {
            Node::Paragraph { text } | Node::Notice { text } => wipe(text),
            Node::Text(field) | Node::Secret(field) | Node::Code(field) => wipe(&mut field.label),
            Node::Choice { options, .. } => options.iter_mut().for_each(|choice| wipe(&mut choice.label)),
            Node::Show { label, value } => {
                wipe(label);
                value.clear();
            }
            Node::Button { label, .. } => wipe(label),
        }
    }
    bare
}

fn form(check: &str, form: &Form) {
    text(check, &form.title);
    form.submit.iter().for_each(|submit| text(check, submit));
    let mut fields = BTreeSet::new();
    let mut buttons = BTreeSet::new();
    for node in &form.nodes {
        match node {
            Node::Paragraph { text: words } | Node::Notice { text: words } => text(check, words),
            Node::Show { label, .. } => text(check, label),
            Node::Text(field) | Node::Secret(field) | Node::Code(field) => {
                let name = &field.name;
                assert!(is_name(name, "-_"), "{check}: a field named {name:?}");
                assert!(fields.insert(name.as_str()), "{check}: two fields are named {name:?}");
                let fits = (1..=MAX_FIELD_BYTES).contains(&field.max_bytes);
                assert!(fits, "{check}: field {name:?} accepts {} bytes", field.max_bytes);
                assert!(
                    !field.autocomplete.trim().is_empty(),
                    "{check}: field {name:?} has no autocomplete token"
                );
                text(check, &field.label);
                assert!(
                    form.submit.is_some(),
                    "{check}: field {name:?} can't be sent: the form has no main button"
                );
            }
            Node::Choice { name, options } => {
                assert!(is_name(name, "-_"), "{check}: a choice named {name:?}");
                assert!(fields.insert(name.as_str()), "{check}: two fields are named {name:?}");
                let distinct: BTreeSet<_> = options.iter().map(|choice| &choice.value).collect();
                assert!(
                    !options.is_empty() && distinct.len() == options.len(),
                    "{check}: choice {name:?} has no distinct options"
                );
                options.iter().for_each(|choice| text(check, &choice.label));
            }
            Node::Button { name, value, label, .. } => {
                assert!(is_name(name, "-_"), "{check}: a button named {name:?}");
                assert!(
                    buttons.insert((name.as_str(), value)),
                    "{check}: two buttons answer {name}={value}"
                );
                text(check, label);
            }
        }
    }
    let clash = buttons.iter().find(|(name, _)| fields.contains(name));
    assert!(clash.is_none(), "{check}: a button and a field share the name {clash:?}");
    let answerable = form.submit.is_some() || !fields.is_empty() || !buttons.is_empty();
    assert!(answerable, "{check}: the form can't be answered");
}

fn text(check: &str, text: &Text) {
    assert!(is_name(&text.key, "-"), "{check}: {:?} is no message key", text.key);
    assert!(
        !text.fallback.trim().is_empty(),
        "{check}: the text {:?} has no English words",
        text.key
    );
}

fn template(check: &str, template: &str) {
    assert!(is_name(template, "-_"), "{check}: a mail template named {template:?}");
}

fn payload(check: &str, payload: &serde_json::Value) {
    let length = payload.to_string().len();
    assert!(length <= MAX_PAYLOAD_BYTES, "{check}: a payload of {length} bytes");
}

/// Lower-case letters and digits, starting with a letter, and what else is allowed.
fn is_name(name: &str, also: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    starts
        && name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c))
}
