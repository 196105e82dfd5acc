//! The ephemeral store goes away in the middle of something: whatever call it is that fails, nothing is half done, nothing fails
//! open, and once it is back everything goes on.

use super::browser::{Browser, Where, fields};
use super::stage::{Stage, policy, registry};
use async_trait::async_trait;
use gait_core::authorization::Authorized;
use gait_core::ephemeral::InProcess;
use gait_core::error::Error;
use gait_core::flow::FlowError;
use gait_core::ports::Clock;
use gait_core::session::Session;
use gait_core::store::{Ephemeral, Result, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// An ephemeral store that a test takes away and brings back.
struct Fickle {
    inner: InProcess,
    /// Calls until it goes away.
    left: AtomicI64,
}

impl Fickle {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            inner: InProcess::new(clock, 100_000),
            left: AtomicI64::new(i64::MAX),
        }
    }

    fn leave_after(&self, calls: i64) {
        self.left.store(calls, Ordering::SeqCst);
    }

    fn come_back(&self) {
        self.leave_after(i64::MAX);
    }

    fn here(&self) -> Result<&InProcess> {
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            ..=0 => Err(StoreError::Away("on purpose".to_owned())),
            _ => Ok(&self.inner),
        }
    }
}

#[async_trait]
impl Ephemeral for Fickle {
    async fn ping(&self) -> Result<()> {
        self.here()?.ping().await
    }
    async fn put(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<()> {
        self.here()?.put(key, value, ttl_s).await
    }
    async fn put_new(&self, key: &str, value: &[u8], ttl_s: u32) -> Result<bool> {
        self.here()?.put_new(key, value, ttl_s).await
    }
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.here()?.get(key).await
    }
    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.here()?.take(key).await
    }
    async fn swap(&self, key: &str, old: &[u8], new: &[u8], ttl_s: u32) -> Result<bool> {
        self.here()?.swap(key, old, new, ttl_s).await
    }
    async fn add(&self, key: &str, number: u64, window_s: u32) -> Result<u64> {
        self.here()?.add(key, number, window_s).await
    }
    async fn uncount(&self, key: &str) -> Result<()> {
        self.here()?.uncount(key).await
    }
}

/// Seconds after which an answer that never ended holds its flow no longer.
const BUSY_S: i64 = 60;

async fn stage() -> (Stage, Arc<Fickle>) {
    let mut fickle = None;
    let stage = Stage::on(policy(), registry(), |clock| {
        let store = Arc::new(Fickle::new(clock));
        fickle = Some(store.clone());
        store
    })
    .await;
    (stage, fickle.unwrap())
}

fn is_away(error: &FlowError) -> bool {
    matches!(error, FlowError::Core(error) if error.is_away())
}

fn living(sessions: Vec<Session>) -> usize {
    sessions.iter().filter(|session| session.ended.is_none()).count()
}

/// The last answer of a sign-in, with the store going away after each number of calls in turn.
#[tokio::test]
async fn a_session_is_not_begun_without_its_code() {
    let mut survived = 0;
    for calls in 0..100 {
        let (stage, store) = stage().await;
        let mut browser = Browser::new();
        let flow = browser.asked(&stage, "app", &[]).await;
        browser.password(&stage, &flow, "alice").await;
        let code = stage.mailed_code("alice");
        let csrf = browser.prompt(&stage, &flow).await.csrf;
        let answer = fields(&[("code", &code), ("csrf", &csrf)]);
        store.leave_after(calls);
        let outcome = browser.post(&stage, &flow, &answer).await;
        store.come_back();
        match outcome {
            Ok(end) => {
                assert!(end.is_code(), "{end:?}");
                assert_eq!(living(stage.sessions(stage.alice).await), 1);
                survived += 1;
            }
            Err(error) => {
                assert!(is_away(&error), "{error}");
                assert_eq!(
                    living(stage.sessions(stage.alice).await),
                    0,
                    "nobody holds its cookie: {calls}"
                );
                assert!(browser.session.is_none());
                stage.advance(BUSY_S);
                // The same browser goes on where it was, with the same code from the mail.
                let end = browser.answer(&stage, &flow, &[("code", &code)]).await;
                assert!(end.is_code(), "{calls}: {end:?}");
                assert_eq!(living(stage.sessions(stage.alice).await), 1);
            }
        }
        if survived > 0 {
            assert!(calls > 5, "the answer needs the store");
            return;
        }
    }
    panic!("the answer never needs so many calls");
}

#[tokio::test]
async fn while_it_is_away_no_answer_is_looked_at() {
    let (stage, store) = stage().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    let csrf = browser.prompt(&stage, &flow).await.csrf;
    let guess = fields(&[("identifier", "alice"), ("password", "guess"), ("csrf", &csrf)]);
    let right = fields(&[("identifier", "alice"), ("password", "pw-alice"), ("csrf", &csrf)]);
    store.leave_after(0);
    for answer in [&guess, &right] {
        assert!(is_away(&browser.post(&stage, &flow, answer).await.unwrap_err()));
    }
    let begun = stage
        .idp
        .begin_page_flow("/account", false, None, &browser.caller(None))
        .await;
    assert!(begun.unwrap_err().is_away());
    store.come_back();
    assert!(matches!(browser.password(&stage, &flow, "alice").await, Where::Again));
    assert!(browser.otp(&stage, &flow, "alice").await.is_code());
}

/// Guesses are counted, or not looked at: going away in the middle must not give more of them.
#[tokio::test]
async fn no_limit_opens() {
    let (stage, store) = stage().await;
    let mut browser = Browser::new();
    let mut looked_at = 0;
    for round in 0..60 {
        store.come_back();
        stage.ports.mailbox.empty();
        let flow = browser.asked(&stage, "app", &[]).await;
        let csrf = browser.prompt(&stage, &flow).await.csrf;
        store.leave_after(round % 7);
        let guess = fields(&[("identifier", "alice"), ("password", "guess"), ("csrf", &csrf)]);
        let outcome = browser.post(&stage, &flow, &guess).await;
        store.come_back();
        if outcome.is_ok() {
            let error = browser.prompt(&stage, &flow).await.error.unwrap();
            looked_at += usize::from(error.key == "test-wrong");
        }
    }
    assert!(looked_at <= 10, "{looked_at}");
}

#[tokio::test]
async fn who_is_signed_in_comes_back_to_a_living_session() {
    let (stage, store) = stage().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    store.leave_after(0);
    let request = super::browser::request("app", &[("prompt", "none")]);
    let outcome = stage.idp.authorize(&request, &browser.caller(None)).await;
    assert!(matches!(&outcome, Err(error) if error.is_away()), "{outcome:?}");
    let signed_in = stage.idp.signed_in(&browser.caller(None)).await.unwrap();
    assert!(signed_in.is_some(), "the account page needs no ephemeral store");
    store.come_back();
    assert!(matches!(
        stage.idp.authorize(&request, &browser.caller(None)).await,
        Ok(Authorized::Respond(..))
    ));
}

#[tokio::test]
async fn a_recovery_is_not_begun_and_its_link_not_spent() {
    let (stage, store) = stage().await;
    let caller = Browser::new().caller(None);
    store.leave_after(0);
    assert!(matches!(
        stage.idp.begin_recovery("alice", &caller).await,
        Err(Error::Store(_))
    ));
    assert!(stage.ports.mailbox.to("alice@example.com").is_empty());
    store.come_back();
    stage.idp.begin_recovery("alice", &caller).await.unwrap();
    let token = stage.mailed_token("alice", "recovery");
    let answer = fields(&[("new_password", "brand-new")]);
    for calls in 0..3 {
        store.leave_after(calls);
        assert!(stage.idp.finish_recovery(&token, &answer, &caller).await.is_err());
    }
    store.come_back();
    assert!(stage.idp.recovery_form(&token, &caller).await.unwrap().is_some());
}
