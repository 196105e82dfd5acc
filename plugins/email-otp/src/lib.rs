//! A one-time code by e-mail: six digits, for ten minutes, for one sign-in in one browser.
//!
//! The code is only in the mail. What is remembered is a keyed hash of it, bound to the account ([`Memo`] is the flow's, and
//! the browser never sees it). Five failures kill the code; from then on only a new one helps. Whoever is unknown gets the
//! same page and the same work, and a mail that the host sends nowhere.
//!
//! A challenge knows nothing of other challenges: how many mails an address and an account may get, and how many codes may
//! be tried over all flows, the engine counts, which sees every mail and every attempt.

mod code;
mod config;
mod mask;
mod page;
mod sent;

pub use config::Config;

use async_trait::async_trait;
use code::Code;
use gait_sdk::{
    Amr, Answer, Authenticator, Context, Cost, Effect, Host, Mail, Manifest, Memo, PluginError, PluginId, Purpose, Reason, Reply,
    Step, Subject, Text,
};
use sent::Sent;

/// Name of this plugin in plans and the configuration.
pub const ID: &str = "email-otp";

/// The answer of the form.
const CODE: &str = "code";
/// The answer of the button that asks for another code.
const ACTION: &str = "action";
/// Its value.
const RESEND: &str = "resend";
/// The template of the mail. Its arguments: `code`, `label`, `minutes`, and `client`, which is empty on the provider's own
/// pages.
const TEMPLATE: &str = "otp";
/// The purpose of the key that codes are hashed with.
const KEY: &str = "otp";

/// The `email-otp` authenticator.
pub struct EmailOtp {
    manifest: Manifest,
    config: Config,
}

impl EmailOtp {
    /// The factor with these limits.
    ///
    /// # Errors
    /// [`PluginError::Config`] if a value is out of its range.
    pub fn new(config: Config) -> Result<Self, PluginError> {
        config.check()?;
        Ok(Self {
            manifest: Manifest {
                id: id(),
                label: Text::new("otp-name", "A code by e-mail"),
                amr: vec![Amr::from("otp")],
                silent: false,
                waiver: false,
                cost: Cost::Light,
                enrols: false,
            },
            config,
        })
    }

    /// A new code, its mail and its page. The code of `before` is dead from now on.
    fn send(&self, cx: &Context, host: &dyn Host, before: Option<&Sent>) -> Result<Reply, PluginError> {
        let code = Code::draw(cx);
        let label = code::label(cx, before.map(|sent| sent.label.as_str()));
        let sent = Sent::new(cx, &self.config, &host.key(KEY), &code, label);
        let address = self.shown_address(cx, host);
        let form = match before {
            Some(_) => page::question_again(&self.config, &address, &sent.label),
            None => page::question(&self.config, &address, &sent.label),
        };
        let mail = Effect::Mail(self.mail(cx, &code, &sent.label));
        let memo = sent.to_memo()?;
        Ok(Reply::from(Step::Ask { form, memo }).with(mail))
    }

    fn mail(&self, cx: &Context, code: &Code, label: &str) -> Mail {
        let client = cx.client.as_ref().map_or("", |client| client.name.as_str());
        let minutes = self.config.minutes().to_string();
        let args = [
            ("code", code.as_str()),
            ("label", label),
            ("minutes", &minutes),
            ("client", client),
        ];
        Mail {
            template: TEMPLATE.to_owned(),
            args: args.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            life_s: Some(self.config.ttl_s),
        }
    }

    /// The address that the page names, masked. An unknown subject has none: what looks like an address is masked as if it
    /// were one, and for any other name there is a likely one, always the same, so that the page doesn't tell who exists.
    fn shown_address(&self, cx: &Context, host: &dyn Host) -> String {
        match &cx.subject {
            Subject::Known(view) => view
                .email
                .as_deref()
                .and_then(mask::masked)
                .unwrap_or_else(|| mask::HIDDEN.to_owned()),
            Subject::Unknown { identifier } => mask::masked(identifier)
                .unwrap_or_else(|| mask::decoy(identifier, &self.config.decoy_domains, &host.key("decoy"))),
        }
    }

    fn resend(&self, cx: &Context, host: &dyn Host, sent: &Sent) -> Result<Reply, PluginError> {
        let wait_s = sent.wait_s(cx.now, &self.config);
        if wait_s > 0 {
            let words = format!("A code was sent just now. You can ask for another one in {wait_s} seconds.");
            return Ok(Reply::fail(Text::new("otp-wait", &words).with("seconds", wait_s)));
        }
        self.send(cx, host, Some(sent))
    }

    fn check(&self, cx: &Context, host: &dyn Host, mut sent: Sent, answer: &Answer) -> Result<Reply, PluginError> {
        if !sent.is_alive(cx.now, &self.config) {
            sent.kill();
            return spent(&sent);
        }
        let typed = code::normalised(answer.get(CODE).unwrap_or_default());
        let right = sent.matches(cx, &host.key(KEY), &typed);
        if right && cx.known().is_some() {
            return Ok(Reply::pass(&["otp"]));
        }
        sent.count_failure(&self.config);
        if sent.is_dead() {
            return spent(&sent);
        }
        let words = format!("That isn't the code. Is it the one from the mail that names {}?", sent.label);
        let text = Text::new("otp-wrong", &words).with("label", &sent.label);
        Ok(Step::Fail {
            reason: Reason { text, spent: false },
            memo: Some(sent.to_memo()?),
        }
        .into())
    }
}

#[async_trait]
impl Authenticator for EmailOtp {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn challenge(&self, cx: &Context, host: &dyn Host) -> Result<Reply, PluginError> {
        let unreachable = cx.known().is_some_and(|view| view.email.is_none());
        if unreachable || !asks(cx.purpose) {
            return Ok(Step::Abstain.into());
        }
        self.send(cx, host, None)
    }

    async fn verify(&self, cx: &Context, memo: &Memo, answer: &Answer, host: &dyn Host) -> Result<Reply, PluginError> {
        if !asks(cx.purpose) {
            return Ok(Reply::fail(Text::new(
                "otp-elsewhere",
                "A code by e-mail can't be used for this.",
            )));
        }
        let sent = Sent::from_memo(memo)?;
        match answer.get(ACTION) {
            Some(RESEND) => self.resend(cx, host, &sent),
            _ => self.check(cx, host, sent, answer),
        }
    }
}

fn asks(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::SignIn | Purpose::StepUp)
}

/// Too late, or too often wrong: which of them isn't told.
fn spent(sent: &Sent) -> Result<Reply, PluginError> {
    let text = Text::new("otp-spent", "This code can't be used any more. Ask for a new one.");
    Ok(Step::Fail {
        reason: Reason { text, spent: true },
        memo: Some(sent.to_memo()?),
    }
    .into())
}

fn id() -> PluginId {
    PluginId::from(ID)
}
