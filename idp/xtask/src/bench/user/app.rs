//! The app's end: the token endpoint, introspection, userinfo, revocation.

use super::User;
use super::tokens::{self, Tokens, text};
use crate::connection::Answer;
use crate::people::{API_SCOPE, CLIENT, JWT_CLIENT, REDIRECT_URI, SECRET};
use crate::stopwatch;
use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Request, StatusCode};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;
use xtask::pkce::VERIFIER;

/// Milliseconds after a revocation; who still says "active" then has not revoked.
const DEAD_WITHIN_MS: f64 = 5000.0;

impl User {
    /// Reads the discovery document.
    ///
    /// # Errors
    /// It is another one than before.
    pub async fn discovery(&mut self) -> anyhow::Result<()> {
        let site = self.site.clone();
        let answer = self.get(&site.endpoints.discovery).await?;
        ensure!(answer.status == StatusCode::OK && answer.body == site.discovery, "{answer}");
        Ok(())
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// They are others than before.
    pub async fn jwks(&mut self) -> anyhow::Result<()> {
        let site = self.site.clone();
        let answer = self.get(&site.endpoints.jwks).await?;
        ensure!(answer.status == StatusCode::OK && answer.body == site.jwks, "{answer}");
        Ok(())
    }

    /// Gets an opaque access token in the client's own name.
    ///
    /// # Errors
    /// It isn't one.
    pub async fn client_credentials(&mut self) -> anyhow::Result<()> {
        let token = self.own_token(CLIENT).await?;
        ensure!(token.split('.').count() != 3, "not opaque: {token}");
        Ok(())
    }

    /// Gets an ES256 JWT access token in the client's own name.
    ///
    /// # Errors
    /// It isn't one.
    pub async fn client_credentials_jwt(&mut self) -> anyhow::Result<()> {
        let token = self.own_token(JWT_CLIENT).await?;
        let claims = self.read_jwt(&token)?;
        ensure!(claims["client_id"] == JWT_CLIENT, "issued to {}", claims["client_id"]);
        Ok(())
    }

    async fn own_token(&mut self, client: &str) -> anyhow::Result<String> {
        let form = [("grant_type", "client_credentials"), ("scope", API_SCOPE)];
        let answer = self.token(client, &form).await?;
        let kind = text(&answer, "token_type")?;
        ensure!(kind.eq_ignore_ascii_case("bearer"), "token type {kind}");
        text(&answer, "access_token")
    }

    /// Trades the refresh token for the next one.
    ///
    /// # Errors
    /// It isn't rotated, or the ID token isn't the same person's.
    pub async fn refresh(&mut self) -> anyhow::Result<()> {
        let held = self.held()?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", &*held.refresh)];
        let answer = self.token(CLIENT, &form).await?;
        let claims = self.read_jwt(&text(&answer, "id_token")?)?;
        let fresh = Tokens::read(&answer, &claims)?;
        ensure!(fresh.refresh != held.refresh, "the refresh token was not rotated");
        ensure!(fresh.access != held.access && fresh.sub == held.sub, "{answer}");
        self.tokens = Some(fresh);
        Ok(())
    }

    /// Asks what the access token is good for.
    ///
    /// # Errors
    /// For nothing.
    pub async fn introspect(&mut self) -> anyhow::Result<()> {
        let held = self.held()?;
        let answer = self.introspection(self.home, &held.access).await?;
        ensure!(answer["active"] == true && answer["sub"] == held.sub.as_str(), "{answer}");
        Ok(())
    }

    async fn introspection(&mut self, node: usize, access: &str) -> anyhow::Result<Value> {
        let path = self.site.endpoints.introspection.clone();
        self.post(node, &path, CLIENT, &[("token", access)]).await?.json()
    }

    /// Reads who the person is.
    ///
    /// # Errors
    /// Somebody else.
    pub async fn userinfo(&mut self) -> anyhow::Result<()> {
        let held = self.held()?;
        let request = Request::get(&self.site.endpoints.userinfo).header(AUTHORIZATION, format!("Bearer {}", held.access));
        let answer = self.send(self.home, request, "").await?.json()?;
        ensure!(answer["sub"] == held.sub.as_str(), "{answer}");
        Ok(())
    }

    /// Gets tokens in the living session, revokes the access token, and asks, on another node if there is one, until it is
    /// inactive. Returns the milliseconds from sending the revocation to that answer.
    ///
    /// # Errors
    /// The token wasn't active before, or still is.
    pub async fn revoke(&mut self) -> anyhow::Result<f64> {
        self.code().await?;
        self.introspect().await?;
        let access = self.held()?.access;
        let path = self.site.endpoints.revocation.clone();
        let begun = stopwatch::now();
        let form = [("token", &*access), ("token_type_hint", "access_token")];
        let answer = self.post(self.home, &path, CLIENT, &form).await?;
        ensure!(answer.status == StatusCode::OK, "{answer}");
        loop {
            let standing = self.introspection(self.elsewhere(), &access).await?;
            let ms = stopwatch::ms_since(begun);
            if standing["active"] == false {
                return Ok(ms);
            }
            ensure!(ms < DEAD_WITHIN_MS, "still active {ms:.0} ms after its revocation");
        }
    }

    /// Takes an authorization response and gets the tokens.
    pub(super) async fn redeem(&mut self, response: &Url, client: &str, nonce: &str) -> anyhow::Result<Tokens> {
        let param = |name: &str| {
            response
                .query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        ensure!(param("state").as_deref() == Some(nonce), "another state in {response}");
        let code = param("code").with_context(|| format!("no code in {response}"))?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        let answer = self.token(client, &form).await?;
        let claims = self.read_jwt(&text(&answer, "id_token")?)?;
        ensure!(claims["nonce"] == nonce && claims["aud"] == client, "{claims}");
        Tokens::read(&answer, &claims)
    }

    /// The claims of a JWT. Of each user's first one the signature is checked too: checking all would cost more than making them.
    fn read_jwt(&mut self, token: &str) -> anyhow::Result<Value> {
        if !self.has_checked {
            tokens::check_signature(token, &self.site)?;
            self.has_checked = true;
        }
        tokens::claims(token, &self.site)
    }

    async fn token(&mut self, client: &str, form: &[(&str, &str)]) -> anyhow::Result<Value> {
        let path = self.site.endpoints.token.clone();
        self.post(self.home, &path, client, form).await?.json()
    }

    async fn post(&mut self, node: usize, path: &str, client: &str, form: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(
                AUTHORIZATION,
                format!("Basic {}", STANDARD.encode(format!("{client}:{SECRET}"))),
            );
        self.send(node, request, body).await
    }

    fn held(&self) -> anyhow::Result<Tokens> {
        self.tokens.clone().context("nobody signed in")
    }
}
