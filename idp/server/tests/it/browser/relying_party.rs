//! The example app beside the provider: consent, a watched page, and somebody else at the keyboard.

use super::chrome::{self, Chrome};
use crate::harness::collector::rhythm;
use crate::harness::{ALICE, BOB, Person, Provider};
use gait::dev::rhythm::normals;
use gait_core::account::{BehaviourConsent, Mode};
use gait_core::flow::BEHAVIOUR_TEXT_VERSION;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The app, running.
pub struct Notebook {
    pub url: String,
    serving: JoinHandle<()>,
}

impl Drop for Notebook {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The provider, and the app beside it.
pub async fn start() -> (Provider, Notebook) {
    start_with("").await
}

/// The same with more in the provider's configuration.
pub async fn start_with(extra: &str) -> (Provider, Notebook) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let provider = Provider::with(&format!("{}{extra}", CLIENTS.replace("APP", &url))).await;
    let demo = relying_party::Config {
        issuer: provider.issuer.clone(),
        public_url: url.clone(),
        ..relying_party::Config::demo()
    };
    let serving = tokio::spawn(async move { relying_party::serve(listener, demo).await.unwrap() });
    (provider, Notebook { url, serving })
}

const CLIENTS: &str = r#"
[[client]]
id = "demo-app"
name = "Notebook"
secret = "demo-app-secret-for-localhost-only"
redirect_uris = ["APP/callback"]
post_logout_redirect_uris = ["APP/"]
origins = ["APP"]
scopes = ["openid", "profile", "email", "offline_access", "continuous_auth"]
backchannel_logout_uri = "APP/backchannel-logout"
continuous_auth_callback_uri = "APP/continuous-callback"
audience = ["demo-api"]

[[client]]
id = "demo-api"
secret = "demo-api-secret-for-localhost-only"
grant_types = []
introspects = true
step_up_aware = true
"#;

/// Alice has consented and is enrolled, from a generated rhythm.
pub async fn enrol_alice(provider: &Provider) {
    let alice = provider.account(ALICE).await;
    let consent = BehaviourConsent {
        account: alice.id,
        purpose: "continuous_auth".to_owned(),
        text_version: BEHAVIOUR_TEXT_VERSION.to_owned(),
        at: provider.idp.ports().now(),
        withdrawn_at: None,
    };
    provider.idp.store().give_consent(&consent, &[]).await.unwrap();
    let (own, mut normal) = (rhythm("alice"), normals(1));
    let batches = (1..=300).map(|seq| own.sample(&mut normal).batch(seq));
    provider.idp.enrol_from(&alice, &batches.collect::<Vec<_>>()).await.unwrap();
    provider.idp.store().set_mode(alice.id, Mode::Auth, &[]).await.unwrap();
}

/// From the app's front door to its page, consenting to what is asked.
pub async fn sign_in(provider: &Provider, notebook: &Notebook, chrome: &Chrome, person: Person) {
    chrome.goto(&notebook.url).await;
    chrome.click("#sign-in").await;
    chrome.sign_in(provider, person).await;
    loop {
        chrome.find("#app, button[name=consent], input[name=watch]").await;
        if chrome.has("#app").await {
            return;
        }
        if chrome.has("input[name=watch]").await {
            assert!(!chrome.has("input[name=watch]:checked").await, "unticked");
            chrome.click("input[name=watch]").await;
            chrome.click("form button.primary").await;
        } else {
            chrome.click("button[name=consent][value=allow]").await;
        }
        // The page that was just answered must not be taken for the next one.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bob_agrees_and_his_typing_is_learned_without_what_he_types() {
    let (provider, notebook) = start().await;
    chrome::story(&provider, async |chrome| {
        sign_in(&provider, &notebook, chrome, BOB).await;
        chrome
            .find("#watch-state[data-state=ok], #watch-state[data-state=starting]")
            .await;
        assert!(chrome.text("#scopes").await.contains("continuous_auth"));
        let bob = provider.account(BOB).await;
        let scorer = provider.idp.registry().scorer().unwrap().manifest().id.clone();
        let mut kept = 0;
        for _ in 0..40 {
            let note = chrome.find("#note").await;
            note.send_keys("the quick brown fox jumps over the lazy dog. ").await.unwrap();
            kept = provider.idp.store().count_unsettled(bob.id, &scorer).await.unwrap();
            if kept > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert!(kept > 0, "no batch arrived");
        chrome.find("#watch-state[data-state=ok]").await;
        let held = chrome.page.current_url().await.unwrap();
        assert!(held.as_str().starts_with(&notebook.url));
        chrome.goto(&provider.url("/account")).await;
        chrome.find("#learned").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_attacker_meets_a_step_up_and_then_the_end_and_the_api_refuses() {
    let (provider, notebook) = start().await;
    enrol_alice(&provider).await;
    chrome::story(&provider, async |chrome| {
        sign_in(&provider, &notebook, chrome, ALICE).await;
        chrome.click("#call-api").await;
        chrome.find("#outcome .good").await;
        chrome.click("#play-attacker:enabled").await;
        chrome.find("dialog.gait[data-kind=step_up][open]").await;
        chrome.find("#app[data-status=step_up]").await;
        // The impostor closes the dialog, presses on, and the API wants a proof.
        chrome.click("dialog.gait .gait-leave").await;
        chrome.click("#call-api:enabled").await;
        chrome.find("#outcome .bad").await;
        assert!(
            chrome.text("#outcome").await.contains("insufficient_user_authentication"),
            "{}",
            chrome.text("#outcome").await
        );
        // Playing stopped at the dialog; going on regardless ends the session.
        chrome.click("#play-attacker:enabled").await;
        chrome.find("#app[data-status=ended]").await;
        chrome.find("#callbacks li[data-event=session-revoked]").await;
        chrome.find("#callbacks li[data-event=risk-level-change]").await;
        if chrome.has("dialog.gait[open]").await {
            // It can't be waved away: the page behind it is dead.
            assert!(!chrome.has("dialog.gait[data-kind=ended] .gait-leave").await);
            chrome
                .page
                .execute(
                    "document.querySelectorAll('dialog.gait').forEach((dialog) => dialog.remove())",
                    Vec::new(),
                )
                .await
                .unwrap();
        }
        let before = chrome.text("#outcome").await;
        chrome
            .page
            .execute("document.getElementById('call-api').click()", Vec::new())
            .await
            .unwrap();
        for _ in 0..100 {
            if chrome.text("#outcome").await != before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let outcome = chrome.text("#outcome").await;
        assert!(outcome.contains("refused") || outcome.contains("invalid_token"), "{outcome}");
        // No silent way back: whoever wants in must prove who they are.
        chrome.goto(&format!("{}/login", notebook.url)).await;
        chrome.find("input[name=password]").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_proves_that_it_is_she_and_works_on() {
    let (provider, notebook) = start().await;
    enrol_alice(&provider).await;
    chrome::story(&provider, async |chrome| {
        sign_in(&provider, &notebook, chrome, ALICE).await;
        chrome.click("#play-attacker:enabled").await;
        chrome.find("dialog.gait[data-kind=step_up][open]").await;
        chrome.click("dialog.gait .gait-act").await;
        chrome.arrive(&provider.url("/flow/")).await;
        assert!(
            chrome.has("button[name=report]").await,
            "the page says why, and offers to report"
        );
        let barriers = chrome.barriers().await;
        assert!(barriers.is_empty(), "{barriers:#?}");
        let code = chrome.mailed_code(&provider, ALICE).await;
        chrome.fill("input[name=code]", &code).await;
        chrome.click("form button.primary").await;
        chrome.find("#app[data-status=signed_in]").await;
        chrome.click("#play-alice:enabled").await;
        chrome.find("#play-state[data-sent='3']").await;
        chrome.find("#watch-state[data-state=ok]").await;
        chrome.click("#call-api").await;
        chrome.find("#outcome .good").await;
    })
    .await;
}
