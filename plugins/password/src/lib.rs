//! The password factor: argon2id at OWASP's parameters, re-hashed when the parameters change.
//!
//! A password is taken as it was received: nothing is trimmed, folded or cut off (ASVS 6.2.8), only composed (Unicode NFC). Whoever has no
//! password, or doesn't exist, costs as much as whoever has one. How many hashes run at once, and how often somebody may
//! try, is the host's to bound ([`Cost::Cpu`]).

mod config;
mod hasher;
mod memory;
mod rules;

pub use config::Config;

use async_trait::async_trait;
use gait_sdk::{
    Amr, Answer, Authenticator, Context, Cost, Credential, Effect, Host, Manifest, Memo, PluginError, PluginId, Purpose, Reply,
    Save, Step, SubjectView, Text,
};
use hasher::{Hasher, Verdict};
use rules::Rules;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Name of this plugin in plans, credentials and the configuration.
pub const ID: &str = "password";

/// The answer of the sign-in form.
const PASSWORD: &str = "password";
/// The answer of the form that sets a new password.
const NEW_PASSWORD: &str = "new_password";
/// What the account page calls the credential.
const CREDENTIAL_LABEL: &str = "Password";

/// The `password` authenticator.
pub struct Password {
    manifest: Manifest,
    hasher: Hasher,
    rules: Rules,
}

/// What is stored of a password.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    /// The hash with its parameters and salt, as a PHC string.
    phc: String,
}

impl Password {
    /// The factor with these parameters.
    ///
    /// # Errors
    /// [`PluginError::Config`] if a value is out of its range.
    pub fn new(config: Config) -> Result<Self, PluginError> {
        config.check()?;
        Ok(Self {
            manifest: Manifest {
                id: id(),
                label: Text::new("password-name", "Password"),
                amr: vec![Amr::from("pwd")],
                silent: false,
                waiver: false,
                cost: Cost::Cpu,
                enrols: true,
            },
            hasher: Hasher::new(&config)?,
            rules: Rules::new(&config),
        })
    }

    /// For a deployment whose pages are at this host: its words don't count in a new password.
    #[must_use]
    pub fn at(self, host: &str) -> Self {
        Self {
            rules: self.rules.at(host),
            ..self
        }
    }

    /// The payload of a credential with this password, for seeding, the command line and recovery. `salt` must be fresh.
    /// Whether the password is a good one is [`Password::check_new`]'s to say.
    ///
    /// # Errors
    /// [`PluginError::Failed`] for an empty password or one that is longer than [`Config::max_bytes`]: nobody could sign in
    /// with it.
    pub fn credential_payload(&self, password: &str, salt: [u8; 16]) -> Result<Value, PluginError> {
        if !self.rules.may_be_tried(password) {
            return Err(failed("an empty or too long password can't be stored"));
        }
        let phc = self.hasher.hash(password, &salt)?;
        serde_json::to_value(Payload { phc }).map_err(|error| failed(&error.to_string()))
    }

    /// Whether this may become the subject's password: long enough, not too long, not common, and not made of the
    /// subject's or the host's name.
    ///
    /// # Errors
    /// What the person should change, in words for the page.
    pub fn check_new(&self, password: &str, subject: &SubjectView) -> Result<(), Text> {
        self.rules.check(password, subject)
    }

    fn check_password(&self, cx: &Context, answer: &Answer) -> Result<Reply, PluginError> {
        // Too long is refused before it costs anything, for everybody alike.
        let Some(password) = answer.get(PASSWORD).filter(|typed| self.rules.may_be_tried(typed)) else {
            return Ok(wrong());
        };
        let Some(credential) = cx.known().and_then(|_| current(cx)) else {
            self.hasher.burn(password)?;
            return Ok(wrong());
        };
        match self.hasher.verify(password, &payload(credential)?.phc)? {
            Verdict::Wrong => Ok(wrong()),
            Verdict::Right => Ok(Reply::pass(&["pwd"])),
            Verdict::RightButOutdated => Ok(Reply::pass(&["pwd"]).with(self.save(cx, Some(credential), password)?)),
        }
    }

    fn set_password(&self, cx: &Context, answer: &Answer) -> Result<Reply, PluginError> {
        let Some(subject) = cx.known() else {
            return Ok(wrong());
        };
        let password = answer.get(NEW_PASSWORD).unwrap_or_default();
        if let Err(text) = self.rules.check(password, subject) {
            return Ok(Reply::fail(text));
        }
        let replaced = current(cx);
        // Setting a password proves nothing about who sets it; the engine asked for that before.
        let mut reply = Reply::pass(&[]).with(self.save(cx, replaced, password)?);
        for other in &cx.credentials {
            if replaced.is_some_and(|replaced| replaced.id != other.id) {
                reply = reply.with(Effect::Forget {
                    credential: other.id.clone(),
                });
            }
        }
        Ok(reply)
    }

    fn save(&self, cx: &Context, replaced: Option<&Credential>, password: &str) -> Result<Effect, PluginError> {
        let mut salt = [0; 16];
        salt.copy_from_slice(&cx.random("salt")[..16]);
        Ok(Effect::Save(Save {
            credential: replaced.map(|credential| credential.id.clone()),
            expected_version: replaced.map(|credential| credential.version),
            label: CREDENTIAL_LABEL.to_owned(),
            payload: self.credential_payload(password, salt)?,
        }))
    }
}

#[async_trait]
impl Authenticator for Password {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn challenge(&self, cx: &Context, _host: &dyn Host) -> Result<Reply, PluginError> {
        // Before a sign-in, having no password is nobody's business; within a session the person is better off with
        // another factor than with a form that can't be filled in.
        let useless = cx.known().is_some() && cx.credentials.is_empty();
        let form = match cx.purpose {
            Purpose::StepUp if useless => return Ok(Step::Abstain.into()),
            Purpose::SignIn | Purpose::StepUp => self.rules.question(),
            Purpose::Enrol => self.rules.new_question(),
            Purpose::Approval => return Ok(Step::Abstain.into()),
        };
        Ok(Step::Ask {
            form,
            memo: Memo::default(),
        }
        .into())
    }

    async fn verify(&self, cx: &Context, _memo: &Memo, answer: &Answer, _host: &dyn Host) -> Result<Reply, PluginError> {
        match cx.purpose {
            Purpose::SignIn | Purpose::StepUp => self.check_password(cx, answer),
            Purpose::Enrol => self.set_password(cx, answer),
            Purpose::Approval => Ok(wrong()),
        }
    }
}

/// The password that counts: an account has one; should there ever be two, it's the one stored last.
fn current(cx: &Context) -> Option<&Credential> {
    cx.credentials.iter().max_by_key(|credential| credential.created_at)
}

fn payload(credential: &Credential) -> Result<Payload, PluginError> {
    Payload::deserialize(&credential.payload).map_err(|_| corrupt("the payload of a credential"))
}

fn wrong() -> Reply {
    Reply::fail(Text::new(
        "password-wrong",
        "That didn't match. Check what you typed and try again.",
    ))
}

fn id() -> PluginId {
    PluginId::from(ID)
}

fn corrupt(detail: &str) -> PluginError {
    PluginError::Corrupt {
        plugin: id(),
        detail: detail.to_owned(),
    }
}

fn failed(detail: &str) -> PluginError {
    PluginError::Failed {
        plugin: id(),
        detail: detail.to_owned(),
    }
}
