//! A client: builds requests, redeems codes, uses tokens. By hand, so that it can do everything wrong too.

use super::{Person, Provider, Visitor, claims};
use crate::harness::provider::client;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::Url;
use url::form_urlencoded::byte_serialize;

/// How a client proves itself.
#[derive(Clone, Debug)]
pub enum Proof {
    Basic(String),
    Post(String),
    Key,
    None,
}

/// Parameters that an authorization request may have.
pub const PARAMETERS: [&str; 16] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "claims",
    "acr_values",
    "response_mode",
    "login_hint",
    "id_token_hint",
    "ui_locales",
];

/// A client of the provider.
#[derive(Clone)]
pub struct App {
    pub id: String,
    pub proof: Proof,
    pub redirect_uri: String,
    /// What it asks for.
    pub scope: String,
    issuer: String,
    http: reqwest::Client,
}

/// An authorization request.
#[derive(Clone, Debug)]
pub struct Request {
    endpoint: String,
    pub params: Vec<(String, String)>,
    pub verifier: String,
}

/// What a client is called back with.
#[derive(Clone, Debug)]
pub struct Callback {
    pub url: Url,
    pub params: BTreeMap<String, String>,
}

/// An answer for a program.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

/// What a client holds after a sign-in.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub id: String,
    pub body: Value,
}

impl Tokens {
    /// The ID token's claims.
    pub fn claims(&self) -> Value {
        claims(&self.id)
    }
    pub fn sid(&self) -> String {
        self.claims()["sid"].as_str().expect("sid").to_owned()
    }
}

impl Request {
    /// Sets a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.retain(|(old, _)| old != name);
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }
    /// Adds a parameter beside one of the same name.
    #[must_use]
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(old, _)| old != name);
        self
    }
    pub fn get(&self, name: &str) -> &str {
        self.params.iter().find(|(old, _)| old == name).map_or("", |(_, value)| value)
    }
    pub fn url(&self) -> String {
        let mut url = Url::parse(&self.endpoint).expect("a URL");
        url.query_pairs_mut().extend_pairs(&self.params);
        url.into()
    }
}

impl Callback {
    pub fn of(url: Url) -> Self {
        let params = url.query_pairs().into_owned().collect();
        Self { url, params }
    }
    pub fn code(&self) -> &str {
        self.params.get("code").unwrap_or_else(|| panic!("no code: {}", self.url))
    }
    pub fn error(&self) -> &str {
        self.params.get("error").unwrap_or_else(|| panic!("no error: {}", self.url))
    }
}

impl Answer {
    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
    /// The tokens of a good answer.
    pub fn tokens(self) -> Tokens {
        assert_eq!(self.status, 200, "{}", self.text);
        let text = |name: &str| self.body[name].as_str().unwrap_or_default().to_owned();
        Tokens {
            access: text("access_token"),
            refresh: text("refresh_token"),
            id: text("id_token"),
            body: self.body.clone(),
        }
    }
}

impl App {
    pub fn new(provider: &Provider, id: &str, proof: Proof, redirect_uri: &str) -> Self {
        Self::at(&provider.issuer, id, proof, redirect_uri)
    }

    /// A client of the provider with this issuer.
    pub fn at(issuer: &str, id: &str, proof: Proof, redirect_uri: &str) -> Self {
        Self {
            id: id.to_owned(),
            proof,
            redirect_uri: redirect_uri.to_owned(),
            scope: "openid profile email offline_access".to_owned(),
            issuer: issuer.to_owned(),
            http: client(),
        }
    }

    /// The same client, which asks the node with this address.
    pub fn on(self, url: &str) -> Self {
        Self {
            issuer: url.to_owned(),
            ..self
        }
    }

    /// Confidential, trusted by the operator: no consent page.
    pub fn web(provider: &Provider) -> Self {
        Self::basic(
            provider,
            "web",
            "web-secret-that-is-long-enough-for-this",
            "https://web.example/cb",
        )
    }
    /// Confidential, secret in the form, asks for consent, ES256.
    pub fn posting(provider: &Provider) -> Self {
        Self::new(
            provider,
            "post",
            Proof::Post("post-secret-that-is-long-enough-for-this".to_owned()),
            "https://post.example/cb",
        )
    }
    /// Public, on the person's machine, EdDSA.
    pub fn native(provider: &Provider) -> Self {
        Self::new(provider, "native", Proof::None, "http://127.0.0.1:49152/cb")
    }
    /// Proves itself by a key; JWT access tokens.
    pub fn pkjwt(provider: &Provider) -> Self {
        Self::new(provider, "pkjwt", Proof::Key, "https://pkjwt.example/cb")
    }
    /// Watched.
    pub fn watched(provider: &Provider) -> Self {
        let app = Self::basic(
            provider,
            "watched",
            "watched-secret-that-is-long-enough-for-it",
            "https://work.example/cb",
        );
        Self {
            scope: "openid profile email offline_access continuous_auth".to_owned(),
            ..app
        }
    }
    /// A resource server that understands a step-up.
    pub fn api(provider: &Provider) -> Self {
        Self::basic(provider, "api", "api-secret-that-is-long-enough-for-this", "")
    }
    /// One that doesn't.
    pub fn strict_api(provider: &Provider) -> Self {
        Self::basic(provider, "strict-api", "strict-api-secret-that-is-long-enough-for", "")
    }
    pub fn basic(provider: &Provider, id: &str, secret: &str, redirect_uri: &str) -> Self {
        Self::new(provider, id, Proof::Basic(secret.to_owned()), redirect_uri)
    }

    /// A request as it should be.
    pub fn request(&self) -> Request {
        let verifier = format!("{}{}", super::unique("verifier"), super::unique("more"));
        let challenge = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()));
        let params = [
            ("client_id", self.id.as_str()),
            ("redirect_uri", &self.redirect_uri),
            ("response_type", "code"),
            ("scope", &self.scope),
            ("state", &super::unique("state")),
            ("nonce", &super::unique("nonce")),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Request {
            endpoint: format!("{}/authorize", self.issuer),
            params,
            verifier,
        }
    }

    /// An assertion of this client with these claims changed.
    pub fn assertion(&self, now: i64, changes: Value) -> String {
        let mut claims = json!({
            "iss": self.id, "sub": self.id, "aud": self.issuer, "iat": now, "exp": now + 60, "jti": super::unique("jti"),
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            match value.is_null() {
                true => drop(claims.as_object_mut().map(|claims| claims.remove(name))),
                false => claims[name] = value.clone(),
            }
        }
        sign(&Header::new(Algorithm::ES256), &claims)
    }

    /// Posts a form as this client.
    pub async fn post(&self, path: &str, params: &[(&str, &str)]) -> Answer {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let assertion = self.assertion(i64::try_from(now).expect("in range"), json!({}));
        let mut params = params.to_vec();
        let mut request = self.http.post(format!("{}{path}", self.issuer));
        match &self.proof {
            Proof::Basic(secret) => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(&self.id), encoded(secret));
                request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
            }
            Proof::Post(secret) => params.extend([("client_id", self.id.as_str()), ("client_secret", secret)]),
            Proof::Key => {
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                params.extend([("client_assertion_type", kind), ("client_assertion", &assertion)]);
            }
            Proof::None => params.push(("client_id", &self.id)),
        }
        read(request.form(&params).send().await.expect("an answer")).await
    }

    /// Redeems a code.
    pub async fn redeem(&self, code: &str, request: &Request) -> Answer {
        let redirect_uri = request.get("redirect_uri");
        let mut params = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
        ];
        if !request.get("code_challenge").is_empty() {
            params.push(("code_verifier", &request.verifier));
        }
        self.post("/token", &params).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    }

    /// Signs a person in, all the way to tokens.
    pub async fn sign_in(&self, visitor: &mut Visitor, person: Person) -> Tokens {
        let request = self.request();
        self.sign_in_with(visitor, person, &request).await
    }

    pub async fn sign_in_with(&self, visitor: &mut Visitor, person: Person, request: &Request) -> Tokens {
        let callback = Callback::of(visitor.sign_in(request, person).await);
        assert_eq!(callback.params["state"], request.get("state"));
        self.redeem(callback.code(), request).await.tokens()
    }

    /// Asks without a question; returns what the client is told.
    pub async fn silently(&self, visitor: &mut Visitor) -> Callback {
        Callback::of(visitor.ask(&self.request().with("prompt", "none")).await.left())
    }

    pub async fn userinfo(&self, access: &str) -> Answer {
        let request = self.http.get(format!("{}/userinfo", self.issuer)).bearer_auth(access);
        read(request.send().await.expect("an answer")).await
    }

    pub async fn introspect(&self, token: &str) -> Value {
        let answer = self.post("/introspect", &[("token", token)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body
    }

    pub async fn is_active(&self, token: &str) -> bool {
        self.introspect(token).await["active"] == true
    }
}

/// Signs with the demo's key, which the client `pkjwt` and the sender `https://work.example` hold.
pub fn sign(header: &Header, claims: &Value) -> String {
    let key = EncodingKey::from_ec_pem(relying_party::DEMO_SIGNAL_KEY_PEM.as_bytes()).expect("a key");
    jsonwebtoken::encode(header, claims, &key).expect("a JWT")
}

/// Reads an answer.
pub async fn read(answer: reqwest::Response) -> Answer {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.expect("a body");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        status,
        headers,
        text,
        body,
    }
}
