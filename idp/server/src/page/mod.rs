//! What the hosted pages show: plain values, made from the core's answers and drawn by a theme. A page decides nothing.

mod account;
mod approval;
mod device;
mod error;
mod flow;
mod mails;
mod out;
mod recovery;
pub mod sample;

pub use account::{AccountView, App, Behaviour, Credential, Enrolment, PasswordRhythm, SessionView};
pub use approval::Approval;
pub use device::Device;
pub use error::{ErrorPage, Trouble};
pub use flow::{ApprovalSent, Consent, Factor, Frame, Reach, SelectAccount, SignIn, StepUp, WatchConsent, Way, page_of};
pub use mails::{CaughtMail, Mails, Piece};
pub use out::{FormPost, SignOut};
pub use recovery::{RecoveryForm, RecoverySent};

use serde::Serialize;

/// A hosted page with everything that its template may use, as `page`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Page {
    /// The first page of a sign-in: identifier and the first factor.
    SignIn(SignIn),
    /// One factor's form: sign-in, step-up, re-authentication or set-up.
    Factor(Factor),
    /// Go on as this account, or as another?
    SelectAccount(SelectAccount),
    /// OAuth consent.
    Consent(Consent),
    /// Behaviour consent.
    WatchConsent(WatchConsent),
    /// An approval was mailed.
    ApprovalSent(ApprovalSent),
    /// Behind the mailed link: was it you?
    Approval(Approval),
    /// "It was me" was answered.
    ApprovalDone,
    /// "Not me" was answered; posts `all=end` to the same link.
    ApprovalDisowned,
    /// All sessions have ended.
    ApprovalEnded,
    /// Recovery: who are you? Posts `identifier` to its own address.
    RecoveryStart,
    /// Recovery: a link was mailed (or not; the page is the same).
    RecoverySent(RecoverySent),
    /// Recovery: the new secret.
    RecoveryForm(RecoveryForm),
    /// Recovery: done.
    RecoveryDone,
    /// Sign out? Shown without a valid hint.
    SignOut(SignOut),
    /// Signed out.
    SignedOut,
    /// An authorization response that travels as a form.
    FormPost(FormPost),
    /// The account page.
    Account(Box<AccountView>),
    /// Something went wrong.
    Error(ErrorPage),
    /// The development mode's caught mails.
    Mails(Mails),
}

impl Page {
    /// Its template in `pages/`, without extension.
    pub fn template(&self) -> &'static str {
        match self {
            Self::SignIn(_) => "sign-in",
            Self::Factor(_) => "factor",
            Self::SelectAccount(_) => "select-account",
            Self::Consent(_) => "consent",
            Self::WatchConsent(_) => "watch-consent",
            Self::ApprovalSent(_) => "approval-sent",
            Self::Approval(_) => "approval",
            Self::ApprovalDone => "approval-done",
            Self::ApprovalDisowned => "approval-disowned",
            Self::ApprovalEnded => "approval-ended",
            Self::RecoveryStart => "recovery-start",
            Self::RecoverySent(_) => "recovery-sent",
            Self::RecoveryForm(_) => "recovery-form",
            Self::RecoveryDone => "recovery-done",
            Self::SignOut(_) => "sign-out",
            Self::SignedOut => "signed-out",
            Self::FormPost(_) => "form-post",
            Self::Account(_) => "account",
            Self::Error(_) => "error",
            Self::Mails(_) => "mails",
        }
    }

    /// The plugin whose own template (`factors/<plugin>.html`) is preferred, if the theme has one.
    pub fn factor(&self) -> Option<&str> {
        match self {
            Self::Factor(factor) => Some(&factor.plugin),
            _ => None,
        }
    }
}
