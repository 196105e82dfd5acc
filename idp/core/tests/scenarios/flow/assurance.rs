//! What an app may ask for, and what it is told.

use super::browser::{Browser, Where, enrol_key, param};
use super::stage::{ONE, PHR, Stage, TWO};
use gait_core::flow::{Ask, Why};
use gait_core::token::{ClientRequest, OAuthError};
use serde_json::Value;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// What the app gets for the code that a sign-in ends with.
pub async fn redeem(stage: &Stage, end: &Where) -> Result<Value, OAuthError> {
    let Where::Client(response) = end else { panic!("{end:?}") };
    let code = param(response, "code").unwrap();
    let client = response
        .redirect_uri
        .trim_start_matches("https://")
        .split('.')
        .next()
        .unwrap()
        .to_owned();
    let params = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", &response.redirect_uri),
        ("code_verifier", VERIFIER),
        ("client_id", &client),
    ];
    let request = ClientRequest {
        params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        authorization: None,
        address: None,
        request_id: "r-2".to_owned(),
    };
    stage.idp.token(&request).await
}

/// The claims of the ID token that a code leads to.
async fn claims(stage: &Stage, end: &Where) -> Value {
    let answer = redeem(stage, end).await.unwrap();
    let jwt = answer["id_token"].as_str().unwrap();
    use base64::Engine as _;
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap());
    serde_json::from_slice(&body.unwrap()).unwrap()
}

fn amr(claims: &Value) -> Vec<&str> {
    claims["amr"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_app_is_told_what_was_really_done() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let end = browser.otp(&stage, &flow, "alice").await;
    let claims = claims(&stage, &end).await;
    assert_eq!(amr(&claims), ["mfa", "otp", "pwd"]);
    assert_eq!(claims["acr"], TWO);
    assert_eq!(claims["auth_time"], stage.ports.clock.now().0);
}

#[tokio::test]
async fn the_first_requested_level_that_is_met_is_told() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let wanted = format!("{PHR} {ONE} {TWO}");
    let flow = browser.asked(&stage, "app", &[("acr_values", &wanted)]).await;
    browser.password(&stage, &flow, "alice").await;
    let end = browser.otp(&stage, &flow, "alice").await;
    assert_eq!(claims(&stage, &end).await["acr"], ONE);
}

#[tokio::test]
async fn a_level_that_the_person_cant_reach_is_given_up_if_it_is_a_wish() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[("acr_values", PHR)]).await;
    browser.password(&stage, &flow, "alice").await;
    let end = browser.otp(&stage, &flow, "alice").await;
    assert_eq!(claims(&stage, &end).await["acr"], TWO, "alice has no key");
}

#[tokio::test]
async fn an_essential_level_is_reached_or_the_app_gets_an_error() {
    let stage = Stage::new().await;
    let essential = |acr: &str| format!(r#"{{"id_token":{{"acr":{{"essential":true,"values":["{acr}"]}}}}}}"#);
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[("claims", &essential(PHR))]).await;
    browser.password(&stage, &flow, "alice").await;
    let end = browser.otp(&stage, &flow, "alice").await;
    assert!(end.is_error("unmet_authentication_requirements"), "{end:?}");

    let end = Browser::new()
        .responded(&stage, "app", &[("claims", &essential("gold"))])
        .await;
    assert!(end.is_error("unmet_authentication_requirements"));

    let handle = enrol_key(&stage, "bob", "signed").await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "app", &[("claims", &essential(PHR))]).await;
    browser.password(&stage, &flow, "bob").await;
    browser.otp(&stage, &flow, "bob").await;
    let end = browser
        .answer(&stage, &flow, &[("handle", &handle), ("sign", "signed")])
        .await;
    assert_eq!(claims(&stage, &end).await["acr"], PHR);
}

#[tokio::test]
async fn a_session_steps_up_to_a_level_that_is_asked_for() {
    let stage = Stage::new().await;
    stage
        .change_client("third", |client| {
            client.trusted = true;
            client.plan = Some(super::stage::plan(&[&["password"]]));
        })
        .await;
    let mut browser = Browser::new();
    let flow = browser.asked(&stage, "third", &[]).await;
    browser.password(&stage, &flow, "alice").await;
    let none = [("acr_values", TWO), ("prompt", "none")];
    assert_eq!(
        claims(&stage, &browser.responded(&stage, "third", &none).await).await["acr"],
        ONE,
        "a wish asks nothing here"
    );
    let flow = browser.asked(&stage, "third", &[("acr_values", TWO)]).await;
    assert_eq!(browser.prompt(&stage, &flow).await.why, Why::Reauthenticate);
    let end = browser.otp(&stage, &flow, "alice").await;
    assert_eq!(claims(&stage, &end).await["acr"], TWO);
}

#[tokio::test]
async fn max_age_asks_again_only_when_the_proof_is_too_old() {
    let stage = Stage::new().await;
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    stage.advance(100);
    assert!(browser.responded(&stage, "app", &[("max_age", "100")]).await.is_code());
    stage.advance(1);
    assert!(
        browser
            .responded(&stage, "app", &[("max_age", "100"), ("prompt", "none")])
            .await
            .is_error("login_required")
    );
    let flow = browser.asked(&stage, "app", &[("max_age", "100")]).await;
    assert_eq!(
        browser.prompt(&stage, &flow).await.account.as_deref(),
        Some("alice"),
        "the same person, no name to type"
    );
    browser.answer(&stage, &flow, &[("password", "pw-alice")]).await;
    let end = browser.otp(&stage, &flow, "alice").await;
    assert_eq!(claims(&stage, &end).await["auth_time"], stage.ports.clock.now().0);
}

#[tokio::test]
async fn max_age_zero_and_prompt_login_always_ask_again() {
    for extra in [("max_age", "0"), ("prompt", "login")] {
        let stage = Stage::new().await;
        let mut browser = Browser::new();
        browser.sign_in(&stage, "app", "alice").await;
        let sid = stage.only_session(stage.alice).await.id;
        let flow = browser.asked(&stage, "app", &[extra]).await;
        let first = match browser.prompt(&stage, &flow).await.ask {
            Ask::SignIn { identifier, .. } => {
                browser
                    .answer(&stage, &flow, &[("identifier", &identifier), ("password", "pw-alice")])
                    .await
            }
            _ => browser.answer(&stage, &flow, &[("password", "pw-alice")]).await,
        };
        assert!(matches!(first, Where::Again), "the code of before counts no more");
        browser.finish(&stage, &flow, "alice").await;
        assert_eq!(stage.only_session(stage.alice).await.id, sid);
    }
}

#[tokio::test]
async fn another_person_than_the_hint_names_gets_no_code() {
    let stage = Stage::new().await;
    let sub = |id: gait_core::ids::AccountId| format!(r#"{{"id_token":{{"sub":{{"value":"{id}"}}}}}}"#);
    let (alice, bob) = (sub(stage.alice), sub(stage.bob));
    let mut browser = Browser::new();
    browser.sign_in(&stage, "app", "alice").await;
    assert!(
        browser
            .responded(&stage, "app", &[("claims", &alice), ("prompt", "none")])
            .await
            .is_code()
    );
    assert!(
        browser
            .responded(&stage, "app", &[("claims", &bob), ("prompt", "none")])
            .await
            .is_error("login_required")
    );

    let flow = browser.asked(&stage, "app", &[("claims", &bob)]).await;
    browser.password(&stage, &flow, "alice").await;
    let end = browser.otp(&stage, &flow, "alice").await;
    assert!(end.is_error("login_required"));
    let flow = browser.asked(&stage, "app", &[("claims", &bob)]).await;
    browser.password(&stage, &flow, "bob").await;
    assert!(browser.otp(&stage, &flow, "bob").await.is_code());
}

#[tokio::test]
async fn nobody_signed_in_and_nothing_to_be_asked_is_login_required() {
    let stage = Stage::new().await;
    assert!(
        Browser::new()
            .responded(&stage, "app", &[("prompt", "none")])
            .await
            .is_error("login_required")
    );
}

mod waivers {
    use super::*;

    /// A browser that alice's trust is in.
    async fn trusted(stage: &Stage) -> Browser {
        let mut browser = Browser::new();
        browser.sign_in(stage, "app", "alice").await;
        browser.session = None;
        browser.sign_in(stage, "app", "alice").await;
        let token = stage.mailed_token("alice", "ip-approval");
        let yes = super::super::browser::fields(&[("answer", "yes")]);
        let outcome = stage.idp.answer_approval(&token, &yes, &browser.caller(None)).await.unwrap();
        assert_eq!(outcome, gait_core::approval::ApprovalOutcome::Confirmed);
        browser.session = None;
        browser
    }

    #[tokio::test]
    async fn a_trusted_place_spares_the_code_and_the_app_is_told_so() {
        let stage = Stage::new().await;
        let mut browser = trusted(&stage).await;
        let flow = browser.asked(&stage, "app", &[]).await;
        let end = browser.password(&stage, &flow, "alice").await;
        let claims = claims(&stage, &end).await;
        assert_eq!((amr(&claims), &claims["acr"]), (vec!["pwd", "rba"], &Value::from(ONE)));
    }

    #[tokio::test]
    async fn where_a_level_or_a_fresh_proof_is_asked_for_a_waiver_counts_nothing() {
        for extra in [
            ("acr_values", TWO),
            ("max_age", "600"),
            ("prompt", "login"),
            ("acr_values", ONE),
        ] {
            let stage = Stage::new().await;
            let mut browser = trusted(&stage).await;
            let flow = browser.asked(&stage, "app", &[extra]).await;
            assert!(
                matches!(browser.password(&stage, &flow, "alice").await, Where::Again),
                "{extra:?}"
            );
            assert_eq!(browser.factor(&stage, &flow).await.0, "otp");
        }
    }

    #[tokio::test]
    async fn for_a_day_after_a_credential_change_no_waiver_counts() {
        let stage = Stage::new().await;
        let mut browser = trusted(&stage).await;
        let batch = gait_core::store::EffectBatch {
            credential_changed_at: Some(stage.ports.clock.now()),
            ..Default::default()
        };
        use gait_core::store::AccountStore;
        stage
            .store
            .carry_out(stage.alice, stage.ports.clock.now(), &batch)
            .await
            .unwrap();
        stage.advance(86_399);
        let flow = browser.asked(&stage, "app", &[]).await;
        assert!(matches!(browser.password(&stage, &flow, "alice").await, Where::Again));
        stage.advance(1);
        let flow = browser.asked(&stage, "app", &[]).await;
        assert!(browser.password(&stage, &flow, "alice").await.is_code());
    }

    #[tokio::test]
    async fn a_trusted_place_is_no_password() {
        let stage = Stage::with(
            gait_core::policy::Policy {
                plan: super::super::stage::plan(&[&["place", "password"]]),
                ..super::super::stage::policy()
            },
            super::super::stage::registry(),
        )
        .await;
        let mut browser = Browser::new();
        for _ in 0..2 {
            let flow = browser.asked(&stage, "app", &[]).await;
            browser.password(&stage, &flow, "alice").await;
            browser.session = None;
        }
        let token = stage.mailed_token("alice", "ip-approval");
        let page = stage.idp.approval(&token, &browser.caller(None)).await.unwrap().unwrap();
        assert!(page.needs_code);
        let flow = browser.asked(&stage, "app", &[]).await;
        let wrong = browser
            .answer(&stage, &flow, &[("identifier", "alice"), ("password", "wrong")])
            .await;
        assert!(matches!(wrong, Where::Again), "signals alone sign nobody in");
    }

    #[tokio::test]
    async fn another_browser_at_the_same_address_is_not_trusted() {
        let stage = Stage::new().await;
        trusted(&stage).await;
        let mut stranger = Browser::new();
        let flow = stranger.asked(&stage, "app", &[]).await;
        assert!(matches!(stranger.password(&stage, &flow, "alice").await, Where::Again));
    }
}
