//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0).

use crate::Idp;
use crate::client::Client;
use crate::error::Result;
use crate::event::What;
use crate::ids::{ClientId, SessionId};
use crate::measure::Revocation;
use crate::params::Params;
use crate::session::{EndReason, Session};
use crate::store::Which;
use crate::token::jws::Typ;
use crate::token::secret::{Hash, Secret};
use crate::visit::{Caller, Cookie};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use url::form_urlencoded;

/// What becomes of a logout request.
#[derive(Clone, Debug)]
pub enum Logout {
    /// Ask the person first: the page posts `csrf` and the same parameters to `/end_session/confirm`.
    Confirm {
        /// Goes back with the answer.
        csrf: String,
        /// Client's name, if it is known.
        client: Option<String>,
        /// User name of the session.
        account: String,
        /// The request's parameters, to be sent again.
        params: Vec<(String, String)>,
    },
    /// Signed out (or nobody was signed in): a page of ours.
    Page(SignedOut),
    /// Signed out: back to the client, `state` included.
    Redirect(String, SignedOut),
    /// The request is wrong: a page with status 400, no redirect, nobody is signed out.
    Refused(String),
}

/// What a sign-out leaves behind.
#[derive(Clone, Debug)]
pub struct SignedOut {
    /// The session that it ended, whose apps are being told.
    pub session: Option<SessionId>,
    /// Changes to the browser's cookies.
    pub cookies: Vec<Cookie>,
}

/// A logout request that was found good.
struct Asked {
    client: Option<Client>,
    /// `sid` of a valid hint.
    sid: Option<String>,
    /// Where to go afterwards, with `state`.
    target: Option<String>,
}

impl Idp {
    /// Takes a logout request (GET or POST).
    ///
    /// # Errors
    /// A backend is away.
    pub async fn end_session(&self, params: &[(String, String)], caller: &Caller) -> Result<Logout> {
        let asked = match self.asked(params).await? {
            Ok(asked) => asked,
            Err(why) => return Ok(Logout::Refused(why.to_owned())),
        };
        match self.present(caller).await? {
            None => Ok(done(&asked, None)),
            Some((_, session)) if asked.sid.as_deref() == Some(session.id.as_str()) => {
                self.sign_out(&session, &asked, caller).await
            }
            Some((cookie, session)) => self.confirmation(&cookie, &session, &asked, params).await,
        }
    }

    /// The person confirmed.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn confirm_end_session(&self, csrf: &str, params: &[(String, String)], caller: &Caller) -> Result<Logout> {
        let asked = match self.asked(params).await? {
            Ok(asked) => asked,
            Err(why) => return Ok(Logout::Refused(why.to_owned())),
        };
        let Some((cookie, session)) = self.present(caller).await? else {
            return Ok(done(&asked, None));
        };
        let right = Hash::of(self.logout_csrf(&cookie).as_bytes()) == Hash::of(csrf.as_bytes());
        match right {
            true => self.sign_out(&session, &asked, caller).await,
            false => self.confirmation(&cookie, &session, &asked, params).await,
        }
    }

    /// The session that the browser is in, with its cookie.
    async fn present(&self, caller: &Caller) -> Result<Option<(Secret, Session)>> {
        let Some(cookie) = &caller.session else {
            return Ok(None);
        };
        let session = self.store.session_by_secret(&cookie.hash()).await?;
        let living = session.filter(|session| session.ended.is_none());
        Ok(living.map(|session| (cookie.clone(), session)))
    }

    /// Checks a request as far as it can be checked without the browser. The error is for the developer, on a page of ours: no
    /// mistake ever leads to a redirect (RP-Initiated Logout §4).
    async fn asked(&self, params: &[(String, String)]) -> Result<Result<Asked, &'static str>> {
        let Ok(params) = Params::read(params) else {
            return Ok(Err("the request is too big"));
        };
        if params.has_repeated() {
            return Ok(Err("a parameter came more than once"));
        }
        let hint = params.get("id_token_hint");
        // An unverifiable hint is as good as none: the person is asked.
        let hint = hint.and_then(|hint| self.keys.verify(&self.issuer, Typ::IdToken, hint));
        let id = match client_of(&params, hint.as_ref()) {
            Ok(id) => id,
            Err(why) => return Ok(Err(why)),
        };
        let client = match &id {
            Some(id) => self.store.client(id).await?,
            None => None,
        };
        if id.is_some() && client.is_none() {
            return Ok(Err("the client is unknown"));
        }
        let target = match target(&params, client.as_ref()) {
            Ok(target) => target,
            Err(why) => return Ok(Err(why)),
        };
        let sid = hint.and_then(|hint| hint["sid"].as_str().map(str::to_owned));
        Ok(Ok(Asked { client, sid, target }))
    }

    async fn confirmation(
        &self,
        cookie: &Secret,
        session: &Session,
        asked: &Asked,
        params: &[(String, String)],
    ) -> Result<Logout> {
        let account = self.store.account(session.account).await?;
        Ok(Logout::Confirm {
            csrf: self.logout_csrf(cookie),
            client: asked.client.as_ref().map(|client| client.name.clone()),
            account: account
                .map(|account| account.username.as_str().to_owned())
                .unwrap_or_default(),
            params: params.to_vec(),
        })
    }

    fn logout_csrf(&self, cookie: &Secret) -> String {
        URL_SAFE_NO_PAD.encode(self.master.mac("logout-csrf", &cookie.hash().0))
    }

    async fn sign_out(&self, session: &Session, asked: &Asked, caller: &Caller) -> Result<Logout> {
        let address = caller.visitor.address.map(|address| address.to_string());
        let client = asked.client.as_ref().map(|client| &client.id);
        let reason = EndReason::SignedOut;
        let events = |ended: &Session| {
            let what = What::SessionEnded {
                reason,
                reasons: Vec::new(),
            };
            vec![self.event(
                what,
                Some(ended.account),
                Some(&ended.id),
                client,
                address.clone(),
                &caller.request_id,
            )]
        };
        let which = Which::One(session.id.clone());
        let begun_us = self.ports.meter.stopwatch_us();
        self.store.end_sessions(&which, self.ports.now(), reason, &events).await?;
        self.ports.note_revoked(Revocation::Session(reason), begun_us);
        self.ports.wake.wake();
        Ok(done(asked, Some(session.id.clone())))
    }
}

/// Signed out, now or before: the same answer (RP-Initiated Logout §2).
fn done(asked: &Asked, session: Option<SessionId>) -> Logout {
    let cookies = vec![Cookie::Session(None)];
    let signed_out = SignedOut { session, cookies };
    match &asked.target {
        Some(target) => Logout::Redirect(target.clone(), signed_out),
        None => Logout::Page(signed_out),
    }
}

/// Who asks: the hint's audience, or `client_id`, which must be the same where both are given.
fn client_of(params: &Params, hint: Option<&Value>) -> Result<Option<ClientId>, &'static str> {
    let audience = hint.and_then(|hint| hint["aud"].as_str());
    match (audience, params.get("client_id")) {
        (Some(audience), Some(named)) if audience != named => Err("client_id is another than the id_token_hint's"),
        (audience, named) => Ok(audience.or(named).map(ClientId::from)),
    }
}

/// Where to go afterwards: registered to the very letter, with `state` handed through.
fn target(params: &Params, client: Option<&Client>) -> Result<Option<String>, &'static str> {
    let Some(uri) = params.get("post_logout_redirect_uri") else {
        return Ok(None);
    };
    let client = client.ok_or("post_logout_redirect_uri needs a valid id_token_hint or a client_id")?;
    let registered = client.post_logout_redirect_uris.iter().any(|known| known == uri);
    if !registered || !crate::authorization::redirect::is_acceptable(uri) {
        return Err("post_logout_redirect_uri is not registered for this client");
    }
    Ok(Some(match params.get("state") {
        None => uri.to_owned(),
        Some(state) => {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("state", state)
                .finish();
            let joint = if uri.contains('?') { '&' } else { '?' };
            format!("{uri}{joint}{query}")
        }
    }))
}
