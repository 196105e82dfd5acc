//! Carrying out what plugins ask for. All effects of a reply are carried out, or none; the core stamps whose they are.

use crate::Idp;
use crate::account::{Account, StoredCredential};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::event::What;
use crate::flow::limits::Counted;
use crate::ids::{FlowId, MailId, SessionId};
use crate::mail::address_of;
use crate::ports::{MailError, OutgoingMail};
use crate::store::{CredentialChange, EffectBatch, StoreError, StoredApproval, StoredRecord, Whose};
use crate::token::secret::{Hash, Secret, SecretKind};
use crate::visit::Caller;
use gait_sdk::{Approval, Credential, CredentialId, Effect, Label, Mail, Manifest, Purpose, Record, RecordId, Save};
use serde_json::Value;

/// Longest label of a credential in bytes.
const MAX_LABEL_BYTES: usize = 100;
/// Largest payload of a credential, a record or a memo in bytes, as JSON.
const MAX_PAYLOAD_BYTES: usize = 16 * 1024;
/// Longest life of an approval in seconds.
const MAX_APPROVAL_S: u32 = 600;
/// Most effects of one reply.
const MAX_EFFECTS: usize = 64;
/// Most arguments of a mail, and the longest of them in bytes.
const MAX_MAIL_ARGS: usize = 32;
const MAX_MAIL_ARG_BYTES: usize = 2048;
/// Seconds for which a plugin's mail is worth sending if it doesn't say, and at most.
const MAIL_LIFE_S: u32 = 3600;
const MAX_MAIL_LIFE_S: u32 = 86_400;
/// Characters of an approval's code: none that is easily taken for another.
const CODE_ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Their number.
const CODE_CHARS: usize = 6;

/// Where effects come from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// Whose they are.
    pub account: &'a Account,
    /// Which plugin asks.
    pub plugin: &'a Manifest,
    /// On what occasion.
    pub purpose: Purpose,
    /// In which request.
    pub caller: &'a Caller,
    /// For which client.
    pub client: Option<&'a Client>,
    /// In which flow; only within one can an approval be asked for.
    pub flow: Option<&'a FlowId>,
    /// In which session; only within one can a record be kept.
    pub session: Option<&'a SessionId>,
    /// Hash of the browser's session cookie.
    pub browser: Option<Hash>,
    /// The credential that was just proven with, if it is known.
    pub used: Option<&'a CredentialId>,
}

/// Why effects were not carried out. None of them was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EffectError {
    /// A credential has changed meanwhile.
    #[error("a credential has changed meanwhile")]
    Stale,
    /// The plugin asks for what it may not.
    #[error("effect refused: {0}")]
    Refused(String),
    /// Too many mails.
    #[error("too many mails")]
    TooManyMails,
    /// Mail can't be sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The provider.
    #[error(transparent)]
    Core(#[from] Error),
}

impl From<StoreError> for EffectError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale(_) => Self::Stale,
            other => Self::Core(other.into()),
        }
    }
}

/// What there is to wait for once effects were carried out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Carried {
    /// An approval.
    pub approval: Option<Hash>,
    /// The last mail.
    pub mail: Option<MailId>,
}

/// Effects that were looked over and are ready to be carried out.
#[derive(Default)]
pub(crate) struct Work {
    /// For the store.
    pub batch: EffectBatch,
    /// The approval among it, if there is one.
    pub approval: Option<Hash>,
    mails: Vec<OutgoingMail>,
    notices: Vec<OutgoingMail>,
    records: Vec<Record>,
}

fn refused(why: &str) -> EffectError {
    EffectError::Refused(why.to_owned())
}

fn check_size(value: &Value, what: &str) -> Result<(), EffectError> {
    let bytes = serde_json::to_vec(value).map_err(|_| refused(what))?;
    if bytes.len() > MAX_PAYLOAD_BYTES {
        return Err(refused(&format!("{what} is larger than 16 KiB")));
    }
    Ok(())
}

impl Idp {
    /// Carries effects out. A pass counts only after this.
    pub(crate) async fn carry_out(&self, origin: Origin<'_>, effects: Vec<Effect>) -> Result<Carried, EffectError> {
        if effects.is_empty() && origin.used.is_none() {
            return Ok(Carried::default());
        }
        let work = self.prepare_effects(origin, effects).await?;
        self.check_mails(origin, &work).await?;
        if !work.batch.credentials.is_empty() || !work.batch.approvals.is_empty() {
            self.store.carry_out(origin.account.id, self.ports.now(), &work.batch).await?;
            self.ports.wake.wake();
        }
        let approval = work.approval;
        let mail = self.finish_effects(origin, work).await?;
        Ok(Carried { approval, mail })
    }

    /// Looks effects over: nothing has happened yet.
    pub(crate) async fn prepare_effects(&self, origin: Origin<'_>, effects: Vec<Effect>) -> Result<Work, EffectError> {
        if effects.len() > MAX_EFFECTS {
            return Err(refused("too many effects"));
        }
        let stored = self.store.credentials(origin.account.id, Some(&origin.plugin.id)).await?;
        let mut work = Work::default();
        for effect in effects {
            match effect {
                Effect::Save(save) => self.prepare_save(origin, &stored, save, &mut work)?,
                Effect::Forget { credential } => self.prepare_forget(origin, &stored, credential, &mut work),
                Effect::Mail(mail) => work.mails.push(self.prepare_mail(origin, mail)?),
                Effect::Keep(record) => {
                    check_size(&record.payload, "a record")?;
                    work.records.push(record);
                }
                Effect::Approval(approval) => self.prepare_approval(origin, approval, &mut work)?,
            }
        }
        if let Some(id) = origin.used {
            work.batch.credentials.push(CredentialChange::Used { id: id.clone() });
        }
        Ok(work)
    }

    /// Counts the mails of this work.
    ///
    /// # Errors
    /// [`EffectError::TooManyMails`].
    pub(crate) async fn check_mails(&self, origin: Origin<'_>, work: &Work) -> Result<(), EffectError> {
        let whom = Counted::Account(origin.account.id);
        let why = origin.plugin.id.as_str();
        if self.may_mail(why, whom, &origin.caller.visitor, work.mails.len()).await? {
            Ok(())
        } else {
            Err(EffectError::TooManyMails)
        }
    }

    /// What follows once the batch is stored: mails go out, records are kept. Returns the last mail.
    pub(crate) async fn finish_effects(&self, origin: Origin<'_>, work: Work) -> Result<Option<MailId>, EffectError> {
        for record in work.records {
            self.keep_effect(origin, record).await?;
        }
        let mut last = None;
        for mail in work.mails {
            last = Some(self.ports.mailer.post(mail).await?);
        }
        for notice in work.notices {
            self.post_notice(notice).await;
        }
        Ok(last)
    }

    fn prepare_save(
        &self,
        origin: Origin<'_>,
        stored: &[StoredCredential],
        save: Save,
        work: &mut Work,
    ) -> Result<(), EffectError> {
        if save.label.len() > MAX_LABEL_BYTES {
            return Err(refused("a label is longer than 100 bytes"));
        }
        check_size(&save.payload, "a payload")?;
        let now = self.ports.now();
        let (id, version, created_at, is_new) = match save.credential {
            None => (CredentialId::new(self.ports.uuid().to_string()), 0, now, true),
            Some(id) => {
                let old = stored.iter().find(|old| old.credential.id == id).ok_or(EffectError::Stale)?;
                let version = save.expected_version.unwrap_or(old.credential.version);
                (id, version, old.credential.created_at, false)
            }
        };
        let written = id.clone();
        let credential = StoredCredential {
            account: origin.account.id,
            plugin: origin.plugin.id.clone(),
            credential: Credential {
                id,
                label: save.label,
                payload: save.payload,
                version,
                created_at,
            },
            last_used_at: Some(now),
        };
        let (change, word) = match is_new {
            true => (CredentialChange::Add(credential), "create"),
            false => (CredentialChange::Replace { credential }, "update"),
        };
        work.batch.credentials.push(change);
        if !is_new && is_set_up(origin) {
            work.batch.credentials.push(CredentialChange::ForgetRhythm { id: written });
        }
        self.note_credential_change(origin, word, work);
        Ok(())
    }

    fn prepare_forget(&self, origin: Origin<'_>, stored: &[StoredCredential], id: CredentialId, work: &mut Work) {
        if stored.iter().any(|old| old.credential.id == id) {
            let plugin = origin.plugin.id.clone();
            work.batch.credentials.push(CredentialChange::Forget { plugin, id });
            self.note_credential_change(origin, "delete", work);
        }
    }

    /// The set-up of what a person proves with is an event, and its owner is told. A credential that is rewritten while it is being
    /// proven is none (a password hashed anew), and a signal is nothing that one proves with.
    fn note_credential_change(&self, origin: Origin<'_>, change: &str, work: &mut Work) {
        if !is_set_up(origin) {
            return;
        }
        work.batch.credential_changed_at = Some(self.ports.now());
        work.batch.events.push(self.event(
            What::CredentialChanged {
                plugin: origin.plugin.id.clone(),
                change: change.to_owned(),
            },
            Some(origin.account.id),
            origin.session,
            origin.client.map(|client| &client.id),
            address_of(origin.caller),
            &origin.caller.request_id,
        ));
        if work.notices.is_empty() && origin.session.is_some() {
            work.notices
                .extend(self.credential_notice(origin.account, origin.plugin, change, origin.caller));
        }
    }

    fn prepare_mail(&self, origin: Origin<'_>, mail: Mail) -> Result<OutgoingMail, EffectError> {
        check_template(&mail.template)?;
        let life_s = mail.life_s.unwrap_or(MAIL_LIFE_S).min(MAX_MAIL_LIFE_S);
        let too_long = |(name, value): (&String, &String)| name.len() + value.len() > MAX_MAIL_ARG_BYTES;
        if mail.args.len() > MAX_MAIL_ARGS || mail.args.iter().any(too_long) {
            return Err(refused("a mail has too many or too long arguments"));
        }
        self.own_mail(
            origin.account,
            &mail.template,
            mail.args,
            origin.caller,
            origin.client,
            life_s,
        )
        .ok_or_else(|| refused("the account has no address for mail"))
    }

    fn prepare_approval(&self, origin: Origin<'_>, approval: Approval, work: &mut Work) -> Result<(), EffectError> {
        let (Some(flow), Some(browser)) = (origin.flow, origin.browser) else {
            return Err(refused("an approval can be asked for only when a sign-in has ended"));
        };
        if work.approval.is_some() {
            return Err(refused("more than one approval"));
        }
        check_template(&approval.mail)?;
        check_size(&approval.memo.0, "a memo")?;
        let now = self.ports.now();
        let ttl_s = approval.ttl_s.clamp(1, MAX_APPROVAL_S);
        let secret = Secret::new(SecretKind::Approval, &self.ports);
        let hash = secret.hash();
        work.mails.push(self.approval_mail(origin, &approval.mail, &secret, ttl_s)?);
        work.batch.approvals.push(StoredApproval {
            hash,
            account: origin.account.id,
            plugin: origin.plugin.id.clone(),
            flow: flow.clone(),
            session: origin.session.cloned(),
            form: approval.form,
            memo: approval.memo,
            asked_at: now,
            visitor: origin.caller.visitor.clone(),
            browser,
            code: self.approval_code_hash(&hash, &self.approval_code(&hash)),
            expires_at: now.plus(i64::from(ttl_s)),
            attempts: 0,
            answered_at: None,
        });
        work.approval = Some(hash);
        Ok(())
    }

    fn approval_mail(
        &self,
        origin: Origin<'_>,
        template: &str,
        secret: &Secret,
        ttl_s: u32,
    ) -> Result<OutgoingMail, EffectError> {
        let mut args = self.mail_args(origin.account, origin.caller);
        args.insert("link".to_owned(), format!("{}/approve/{}", self.issuer, secret.expose()));
        args.insert("minutes".to_owned(), ttl_s.div_ceil(60).to_string());
        let client = origin.client.map_or("", |client| client.name.as_str());
        args.insert("client".to_owned(), client.to_owned());
        self.own_mail(origin.account, template, args, origin.caller, origin.client, ttl_s)
            .ok_or_else(|| refused("the account has no address for mail"))
    }

    /// The code that the sign-in's tab shows for an approval: of the approval's hash under the master key, so that it is kept nowhere.
    pub(crate) fn approval_code(&self, approval: &Hash) -> String {
        let mac = self.master.mac("approval-code", &approval.0);
        let chars = mac.iter().take(CODE_CHARS);
        chars.map(|byte| char::from(CODE_ALPHABET[usize::from(byte % 32)])).collect()
    }

    /// What is kept of a code.
    pub(crate) fn approval_code_hash(&self, approval: &Hash, code: &str) -> Hash {
        let message = [&approval.0[..], code.as_bytes()].concat();
        Hash(self.master.mac("approval-code-hash", &message))
    }

    async fn keep_effect(&self, origin: Origin<'_>, record: Record) -> Result<()> {
        let Some(session) = origin.session else { return Ok(()) };
        let plain = serde_json::to_vec(&record.payload).map_err(|why| Error::Inconsistent(format!("record: {why}")))?;
        let whose = Whose::from(origin.account.id);
        let kept = StoredRecord {
            id: RecordId::new(self.ports.uuid().to_string()),
            payload: self.seal_record(&whose, &plain)?,
            whose,
            plugin: origin.plugin.id.clone(),
            session: session.clone(),
            label: Label::Proven,
            at: self.ports.now(),
        };
        self.store.keep_record(&kept).await?;
        Ok(())
    }
}

/// True where a person sets up what is proven with, as against proving with it: a password that is hashed anew is the same one.
fn is_set_up(origin: Origin<'_>) -> bool {
    matches!(origin.purpose, Purpose::Enrol | Purpose::Approval) && !origin.plugin.waiver
}

/// Template names are part of a path: nothing but letters, digits and dashes.
fn check_template(name: &str) -> Result<(), EffectError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        return Err(refused("a mail's template has no proper name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_no_path() {
        assert!(check_template("ip-approval").is_ok());
        for name in ["", "../otp", "otp.txt", "a/b", "ü", &"x".repeat(65)] {
            assert!(check_template(name).is_err(), "{name}");
        }
    }
}
