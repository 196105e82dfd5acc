//! The app's end of the protocols: authorization code flow, introspection, refresh, userinfo.

use crate::http;
use crate::provider::{API, API_SECRET, APP, APP_SECRET};
use anyhow::{Context as _, anyhow, ensure};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::Client;
use reqwest::header::WWW_AUTHENTICATE;
use serde_json::{Value, json};
use url::Url;
use xtask::pkce::{CHALLENGE, VERIFIER};

const SCOPES: &str = "openid offline_access continuous_auth";

/// An authorization request.
pub struct AuthorizationRequest {
    /// Where the browser goes.
    pub url: Url,
    state: String,
    nonce: String,
}

/// What came of it.
#[derive(Clone)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The ID token.
    pub id: String,
    /// Its verified claims.
    pub claims: Value,
}

impl Tokens {
    /// How the person signed in.
    pub fn amr(&self) -> Vec<&str> {
        self.claims["amr"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }
}

/// What introspection says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is good.
    Active,
    /// It is held back until the person has proven themselves anew.
    StepUp,
    /// It is dead.
    Inactive,
}

/// The names and secrets of the app and its API.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The app's client id.
    pub app: String,
    /// Its secret.
    pub app_secret: String,
    /// The API's client id.
    pub api: String,
    /// Its secret.
    pub api_secret: String,
}

/// The app, and its API.
#[derive(Clone)]
pub struct App {
    http: Client,
    clients: Clients,
    issuer: String,
    /// Where the provider is called: its issuer, or one node of it.
    endpoint: String,
    /// Where the app lives.
    pub origin: String,
    requests: u32,
}

impl App {
    /// The story's app that lives at `origin`.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub fn new(issuer: &str, origin: &str) -> anyhow::Result<Self> {
        let clients = Clients {
            app: APP.to_owned(),
            app_secret: APP_SECRET.to_owned(),
            api: API.to_owned(),
            api_secret: API_SECRET.to_owned(),
        };
        Self::with(issuer, origin, clients)
    }

    /// Another one.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub fn with(issuer: &str, origin: &str, clients: Clients) -> anyhow::Result<Self> {
        Ok(Self {
            http: http::client()?,
            clients,
            issuer: issuer.to_owned(),
            endpoint: issuer.to_owned(),
            origin: origin.to_owned(),
            requests: 0,
        })
    }

    /// The same app, which calls one node and no other.
    pub fn at(&self, node: &str) -> Self {
        Self {
            endpoint: node.to_owned(),
            ..self.clone()
        }
    }

    /// A new authorization request.
    ///
    /// # Errors
    /// The issuer is no URL.
    pub fn authorization_request(&mut self, further: &[(&str, &str)]) -> anyhow::Result<AuthorizationRequest> {
        self.requests += 1;
        let (state, nonce) = (format!("state-{}", self.requests), format!("nonce-{}", self.requests));
        let mut url = Url::parse(&format!("{}/authorize", self.issuer))?;
        url.query_pairs_mut()
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", &self.clients.app),
                ("redirect_uri", &self.redirect_uri()),
                ("scope", SCOPES),
                ("state", &state),
                ("nonce", &nonce),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ])
            .extend_pairs(further);
        Ok(AuthorizationRequest { url, state, nonce })
    }

    /// The provider's issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The app's name at the provider.
    pub fn client_id(&self) -> &str {
        &self.clients.app
    }

    fn redirect_uri(&self) -> String {
        format!("{}/callback", self.origin)
    }

    /// Takes an authorization response, and gets the tokens.
    ///
    /// # Errors
    /// The response or the ID token is not what it must be.
    pub async fn redeem(&self, response: &Url, request: &AuthorizationRequest) -> anyhow::Result<Tokens> {
        let code = self.code(response, request)?;
        let (status, answer) = self.exchange(&code).await?;
        ensure!(status == 200, "token endpoint: {status} {answer}");
        let tokens = self.read(&answer, &self.keys().await?)?;
        ensure!(tokens.claims["nonce"] == request.nonce.as_str(), "wrong nonce");
        Ok(tokens)
    }

    /// The code of an authorization response.
    ///
    /// # Errors
    /// The response is not what it must be.
    pub fn code(&self, response: &Url, request: &AuthorizationRequest) -> anyhow::Result<String> {
        ensure!(response.as_str().starts_with(&self.redirect_uri()), "sent to {response}");
        ensure!(param(response, "state").as_deref() == Some(&request.state), "wrong state");
        ensure!(param(response, "iss").as_deref() == Some(&self.issuer), "wrong iss");
        param(response, "code").with_context(|| format!("no code but {:?}", response.query()))
    }

    /// Tries to get tokens for a code: status and answer.
    ///
    /// # Errors
    /// The provider doesn't answer.
    pub async fn exchange(&self, code: &str) -> anyhow::Result<(u16, Value)> {
        let redirect_uri = self.redirect_uri();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        self.as_app("/token", &form).await
    }

    /// The tokens of the token endpoint's answer.
    ///
    /// # Errors
    /// One is missing, or the ID token is not what it must be.
    pub fn read(&self, answer: &Value, keys: &JwkSet) -> anyhow::Result<Tokens> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
        let id = text("id_token")?;
        Ok(Tokens {
            access: text("access_token")?,
            refresh: text("refresh_token")?,
            claims: self.verify(&id, keys)?,
            id,
        })
    }

    /// The provider's published keys.
    ///
    /// # Errors
    /// They can't be read.
    pub async fn keys(&self) -> anyhow::Result<JwkSet> {
        Ok(self
            .http
            .get(format!("{}/jwks.json", self.endpoint))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?)
    }

    fn verify(&self, id_token: &str, keys: &JwkSet) -> anyhow::Result<Value> {
        let kid = decode_header(id_token)?.kid.context("no kid")?;
        let key = DecodingKey::from_jwk(keys.find(&kid).context("the key isn't published")?)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.clients.app]);
        Ok(decode(id_token, &key, &validation)?.claims)
    }

    /// Asks, as the API, what an access token is good for.
    ///
    /// # Errors
    /// The provider doesn't answer.
    pub async fn introspect(&self, access: &str) -> anyhow::Result<Standing> {
        let (status, answer) = self
            .post(
                "/introspect",
                &self.clients.api,
                &self.clients.api_secret,
                &[("token", access)],
            )
            .await?;
        ensure!(status == 200, "introspection: {status} {answer}");
        match (answer["active"].as_bool(), answer["step_up_required"].as_bool()) {
            (Some(true), Some(true)) => Ok(Standing::StepUp),
            (Some(true), _) => Ok(Standing::Active),
            (Some(false), _) => Ok(Standing::Inactive),
            _ => Err(anyhow!("introspection: {answer}")),
        }
    }

    /// Tries to refresh: status and answer.
    ///
    /// # Errors
    /// The provider doesn't answer.
    pub async fn refresh(&self, token: &str) -> anyhow::Result<(u16, Value)> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.as_app("/token", &form).await
    }

    /// Takes a token back; a refresh token with its grant and all that came of it.
    ///
    /// # Errors
    /// The provider doesn't answer, or refuses.
    pub async fn revoke(&self, token: &str) -> anyhow::Result<()> {
        let request = self.http.post(format!("{}/revoke", self.endpoint));
        let request = request.basic_auth(&self.clients.app, Some(&self.clients.app_secret));
        let answer = request.form(&[("token", token)]).send().await?;
        answer.error_for_status()?;
        Ok(())
    }

    /// Tries userinfo: status and challenge.
    ///
    /// # Errors
    /// The provider doesn't answer.
    pub async fn userinfo(&self, tokens: &Tokens) -> anyhow::Result<(u16, String)> {
        let response = self
            .http
            .get(format!("{}/userinfo", self.endpoint))
            .bearer_auth(&tokens.access)
            .send()
            .await?;
        let challenge = response
            .headers()
            .get(WWW_AUTHENTICATE)
            .map(|value| value.to_str())
            .transpose()?;
        Ok((response.status().as_u16(), challenge.unwrap_or_default().to_owned()))
    }

    /// Gets a watch token for the page.
    ///
    /// # Errors
    /// It is refused.
    pub async fn watch_token(&self, tokens: &Tokens) -> anyhow::Result<String> {
        let request = self
            .http
            .post(format!("{}/continuous/token", self.endpoint))
            .bearer_auth(&tokens.access);
        let response = request.json(&json!({ "origin": self.origin })).send().await?;
        let status = response.status().as_u16();
        let answer: Value = response.json().await?;
        ensure!(status == 200, "watch token: {status} {answer}");
        answer["watch_token"].as_str().map(str::to_owned).context("no watch token")
    }

    /// Where batches go.
    pub fn samples_endpoint(&self) -> String {
        format!("{}/continuous/samples", self.endpoint)
    }

    async fn as_app(&self, path: &str, form: &[(&str, &str)]) -> anyhow::Result<(u16, Value)> {
        self.post(path, &self.clients.app, &self.clients.app_secret, form).await
    }

    async fn post(&self, path: &str, client: &str, secret: &str, form: &[(&str, &str)]) -> anyhow::Result<(u16, Value)> {
        let request = self
            .http
            .post(format!("{}{path}", self.endpoint))
            .basic_auth(client, Some(secret));
        let response = request.form(form).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }
}

/// A query parameter.
pub fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
