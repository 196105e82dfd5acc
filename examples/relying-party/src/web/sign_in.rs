//! Signing in, proving it anew, and signing out.

use super::{App, BROWSER, Button, PageError, SESSION, cookie, cookie_name, cookie_value, pressed, session};
use crate::clock;
use crate::pending::Errand;
use crate::provider::{Provider, ProviderError, Wish, tokens};
use crate::session::Session;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::Redirect;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use openidconnect::{CsrfToken, OAuth2TokenResponse};
use serde::Deserialize;

/// How new a sign-in must be that answers a step-up, in seconds, unless the API said otherwise.
const STEP_UP_MAX_AGE_S: u64 = 60;

#[derive(Deserialize)]
pub(super) struct LoginQuery {
    /// `1` for a step-up.
    step_up: Option<String>,
}

/// `GET /login`
pub(super) async fn login(
    State(app): State<App>,
    jar: CookieJar,
    Query(query): Query<LoginQuery>,
) -> Result<(CookieJar, Redirect), PageError> {
    let provider = app.gait.provider().await?;
    let current = session(&app, &jar).filter(|_| query.step_up.as_deref() == Some("1"));
    let wish = current.map_or_else(Wish::default, |session| step_up(&session));
    let (url, state, errand) = provider.sign_in(&wish);
    let browser = browser(&app, &jar);
    app.pending.add(&state, browser.clone(), errand, clock::now());
    let jar = jar.add(cookie(&app.origins, BROWSER, browser.into_secret()));
    Ok((jar, Redirect::to(url.as_str())))
}

/// RFC 9470 §4: what the challenge asked for goes into the authorization request.
fn step_up(session: &Session) -> Wish {
    let current = session.current();
    let challenge = current.challenge.clone().unwrap_or_default();
    Wish {
        acr_values: challenge.acr_values,
        max_age: Some(challenge.max_age.unwrap_or(STEP_UP_MAX_AGE_S)),
        hint: Some(current.tokens.id.clone()).filter(|token| !token.is_empty()),
    }
}

fn browser(app: &App, jar: &CookieJar) -> CsrfToken {
    cookie_value(&app.origins, jar, BROWSER)
        .filter(|v| v.len() >= 22)
        .map_or_else(CsrfToken::new_random, CsrfToken::new)
}

#[derive(Deserialize)]
pub(super) struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// `GET /callback`
pub(super) async fn callback(
    State(app): State<App>,
    jar: CookieJar,
    Query(query): Query<CallbackQuery>,
) -> Result<(CookieJar, Redirect), PageError> {
    let browser = cookie_value(&app.origins, &jar, BROWSER).map(CsrfToken::new);
    let errand = query
        .state
        .as_deref()
        .and_then(|state| app.pending.take(state, browser.as_ref(), clock::now()));
    let Some(Errand::SignIn {
        nonce,
        verifier,
        max_age,
    }) = errand
    else {
        return Err(PageError::Request(
            "This sign-in was not begun in this browser, or it is too old.".into(),
        ));
    };
    let provider = app.gait.provider().await?;
    if !provider.is_issuer(query.iss.as_deref()) {
        return Err(PageError::Request("The answer comes from another identity provider.".into()));
    }
    if query.error.as_deref() == Some("access_denied") {
        return Err(PageError::Denied(query.error_description.unwrap_or_default()));
    }
    if let Some(code) = query.error {
        return Err(ProviderError::Refused {
            code,
            description: query.error_description.unwrap_or_default(),
        }
        .into());
    }
    let code = query
        .code
        .ok_or_else(|| PageError::Request("The answer has no code.".into()))?;
    let answer = provider.redeem(code, verifier, &app.gait.http).await?;
    let mut person = believed(&app, &provider, |provider| provider.person(&answer, &nonce, max_age)).await?;
    provider.complete(&mut person, answer.access_token(), &app.gait.http).await;
    if let Some(old) = session(&app, &jar) {
        app.sessions.remove(&old.id);
    }
    let session = app.sessions.begin(Session::new(person, tokens(&answer)));
    let jar = jar.add(cookie(&app.origins, SESSION, session.id.clone()));
    Ok((jar, Redirect::to("/")))
}

/// Verifies with the keys at hand, and once more with newer ones: Gait may have rotated them.
async fn believed<T>(
    app: &App,
    provider: &Provider,
    verify: impl Fn(&Provider) -> Result<T, ProviderError>,
) -> Result<T, ProviderError> {
    match verify(provider) {
        Err(ProviderError::IdToken(_)) => verify(&*app.gait.fresh().await?),
        verdict => verdict,
    }
}

/// `POST /logout`
pub(super) async fn logout(
    State(app): State<App>,
    jar: CookieJar,
    Form(form): Form<Button>,
) -> Result<(CookieJar, Redirect), PageError> {
    let session = pressed(&app, &jar, &form.csrf)?;
    let id_token = session.current().tokens.id.clone();
    app.sessions.remove(&session.id);
    let browser = browser(&app, &jar);
    let mut gone = Cookie::from(cookie_name(&app.origins, SESSION));
    gone.set_path("/");
    let jar = jar
        .remove(gone)
        .add(cookie(&app.origins, BROWSER, browser.clone().into_secret()));
    // Signed out here in any case; also at Gait, if it can be reached.
    let elsewhere = app
        .gait
        .provider()
        .await
        .ok()
        .and_then(|provider| provider.sign_out(&app.config, &id_token));
    let Some((url, state)) = elsewhere else {
        return Ok((jar, Redirect::to("/")));
    };
    app.pending.add(&state, browser, Errand::SignOut, clock::now());
    Ok((jar, Redirect::to(url.as_str())))
}
