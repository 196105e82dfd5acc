//! What a plugin's tests are written with, and the checks that every authenticator passes ([`Conformance`]).
//!
//! A plugin's crate takes `gait-sdk` with the feature `kit` among its `dev-dependencies`:
//!
//! ```
//! use gait_sdk::{Amr, Answer, Authenticator, Context, Cost, Field, Form, Host, Manifest, Memo, Node, PluginError, Reply, Step, Text};
//! use gait_sdk::kit::{self, Conformance};
//! use std::sync::Arc;
//!
//! /// Asks for the answer to everything.
//! struct FortyTwo(Manifest);
//!
//! #[async_trait::async_trait]
//! impl Authenticator for FortyTwo {
//!     fn manifest(&self) -> &Manifest {
//!         &self.0
//!     }
//!     async fn challenge(&self, _cx: &Context, _host: &dyn Host) -> Result<Reply, PluginError> {
//!         let field = Field {
//!             name: "answer".into(),
//!             label: Text::new("forty-two-answer", "The answer"),
//!             autocomplete: "off".into(),
//!             max_bytes: 8,
//!         };
//!         let form = Form {
//!             title: Text::new("forty-two-title", "What is the answer?"),
//!             nodes: vec![Node::Text(field)],
//!             submit: Some(Text::new("forty-two-submit", "Continue")),
//!         };
//!         Ok(Step::Ask { form, memo: Memo::default() }.into())
//!     }
//!     async fn verify(&self, cx: &Context, _memo: &Memo, answer: &Answer, _host: &dyn Host) -> Result<Reply, PluginError> {
//!         match (cx.known(), answer.get("answer")) {
//!             (Some(_), Some("42")) => Ok(Reply::pass(&["kba"])),
//!             _ => Ok(Reply::fail(Text::new("forty-two-wrong", "That isn't it."))),
//!         }
//!     }
//! }
//!
//! Conformance::of(|| {
//!     Arc::new(FortyTwo(Manifest {
//!         id: "forty-two".into(),
//!         label: Text::new("forty-two-label", "The answer"),
//!         amr: vec![Amr("kba".into())],
//!         silent: false,
//!         waiver: false,
//!         cost: Cost::Light,
//!         enrols: false,
//!     }))
//! })
//! .solved_by(|_cx, _reply| kit::answer([("answer", "42")]))
//! .check();
//! ```

// The kit is test code: a broken expectation ends the test.
#![allow(clippy::expect_used)]

mod calls;
mod conformance;
mod hostile;
mod shape;

pub use conformance::Conformance;

use crate::{
    AccountHandle, Answer, ClientView, Context, Credential, CredentialId, Host, Level, Purpose, Subject, SubjectView, Timestamp,
    Visitor,
};
use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

/// The moment at which the kit's clock stands.
pub const NOW: Timestamp = Timestamp(1_800_000_000);

/// The account of [`context`].
pub fn ada() -> SubjectView {
    SubjectView {
        handle: AccountHandle::from("kit-ada"),
        username: "ada.l".to_owned(),
        email: Some("ada@example.test".to_owned()),
    }
}

/// A sign-in of [`ada`], who has set up nothing, from a known browser at 203.0.113.7, for a client, at [`NOW`]. Change what
/// a test is about: `Context { purpose: Purpose::StepUp, ..kit::context() }`.
pub fn context() -> Context {
    Context {
        purpose: Purpose::SignIn,
        subject: Subject::Known(ada()),
        credentials: Vec::new(),
        visitor: Visitor {
            address: Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7))),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
            device: Some("kit-device".to_owned()),
        },
        client: Some(ClientView {
            id: "kit-client".to_owned(),
            name: "Analytical Engine".to_owned(),
        }),
        wanted_acr: None,
        ip_evidence: None,
        now: NOW,
        entropy: [7; 32],
    }
}

/// The same, but what was typed names nobody.
pub fn unknown_context(identifier: &str) -> Context {
    Context {
        subject: Subject::Unknown {
            identifier: identifier.to_owned(),
        },
        ..context()
    }
}

/// A stored credential in its first version, a day old.
pub fn credential(id: &str, payload: serde_json::Value) -> Credential {
    Credential {
        id: CredentialId::from(id),
        label: "kit".to_owned(),
        payload,
        version: 1,
        created_at: NOW.plus(-86_400),
    }
}

/// An answer with these fields.
pub fn answer<const N: usize>(fields: [(&str, &str); N]) -> Answer {
    Answer(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

/// The result of a call. A plugin computes and never waits, so it needs no runtime.
///
/// # Panics
/// If the call waits; what a remote plugin waits for is to be replaced in its tests by something that answers at once.
pub fn run<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never()
        .expect("the plugin waits for something outside of the call")
}

/// A host whose keys are the same in every test, and whose log can be read.
#[derive(Debug, Default)]
pub struct TestHost {
    lines: Mutex<Vec<(Level, String)>>,
}

impl TestHost {
    /// What was logged so far.
    pub fn lines(&self) -> Vec<(Level, String)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Host for TestHost {
    fn log(&self, level: Level, message: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push((level, message.to_owned()));
    }
    fn key(&self, purpose: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update("a key of the kit: ")
            .chain_update(purpose)
            .finalize()
            .into()
    }
}
