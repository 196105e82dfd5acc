//! OAuth 2.0 and OpenID Connect, told from the outside: what a client sends, and what it gets.

mod access;
mod assertions;
mod authorization;
mod clients;
mod clock;
mod codes;
mod keys;
mod life;
mod logout;
mod machine;
mod people;
mod refresh;
mod world;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gait_core::authorization::{AuthorizationResponse, Authorized};
use gait_core::client::{AccessTokenFormat, Alg, Client, ClientAuth, GrantType, SubjectType};
use gait_core::event::What;
use gait_core::ids::{ClientId, SessionId};
use gait_core::seal::MasterKey;
use gait_core::session::EndReason;
use gait_core::store::{AccountStore, ClientStore, GrantStore, OperationStore, SessionStore, Which};
use gait_core::token::secret::{Hash, Secret, SecretKind};
use gait_core::token::{ClientRequest, OAuthError};
use gait_core::visit::Caller;
use gait_core::{Idp, Setup};
use gait_sdk::Visitor;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
pub use world::{World, master, setup};

pub const ISSUER: &str = "https://id.example";
pub const SECRET: &str = "a-secret-of-more-than-thirty-two-characters";
/// RFC 7636, Appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const ACR: &str = "urn:test:acr:1fa";

const SCOPES: [&str; 8] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
    "continuous_auth",
    "notes",
];

pub type Pairs = Vec<(String, String)>;

pub fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub fn client(id: &str, auth: ClientAuth) -> Client {
    Client {
        id: ClientId::from(id),
        name: format!("The {id}"),
        secret: matches!(auth, ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost).then(|| Hash::of(SECRET.as_bytes())),
        auth,
        jwks: None,
        redirect_uris: vec![callback(id)],
        post_logout_redirect_uris: vec![format!("https://{id}.example/bye")],
        origins: vec![format!("https://{id}.example")],
        grant_types: [
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::ClientCredentials,
        ]
        .into(),
        scopes: SCOPES.into_iter().map(str::to_owned).collect(),
        id_token_alg: Alg::RS256,
        access_token: AccessTokenFormat::Opaque,
        subject_type: SubjectType::Public,
        sector_identifier: None,
        backchannel_logout_uri: None,
        continuous_auth_callback_uri: None,
        plan: None,
        theme: None,
        trusted: true,
        native: false,
        audience: vec![ClientId::from("api"), ClientId::from("plain-api")],
        introspects: false,
        step_up_aware: false,
        legacy_assertions: false,
    }
}

pub fn callback(id: &str) -> String {
    format!("https://{id}.example/cb")
}

/// A browser that nobody is signed in with.
pub fn stranger() -> Caller {
    Caller {
        visitor: Visitor {
            address: Some("192.0.2.7".parse().unwrap()),
            user_agent: "test".to_owned(),
            device: None,
        },
        session: None,
        flow: None,
        marker: false,
        password_marker: false,
        locale: "en".to_owned(),
        request_id: "request-1".to_owned(),
    }
}

/// A good authorization request of `client`; an `extra` of the same name replaces a parameter, an empty one takes it away.
pub fn request(client: &str, extra: &[(&str, &str)]) -> Pairs {
    let callback = match client {
        "native" => "http://127.0.0.1/cb".to_owned(),
        _ => callback(client),
    };
    let mut params = BTreeMap::from([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", callback.as_str()),
        ("scope", "openid"),
        ("state", "st"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    params.extend(extra.iter().copied());
    params.retain(|_, value| !value.is_empty());
    pairs(&params.into_iter().collect::<Vec<_>>())
}

pub fn redemption<'a>(code: &'a str, callback: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", callback),
        ("code_verifier", VERIFIER),
    ]
}

pub fn form(params: &[(&str, &str)]) -> ClientRequest {
    ClientRequest {
        params: pairs(params),
        authorization: None,
        address: "192.0.2.9".parse().ok(),
        request_id: "request-2".to_owned(),
    }
}

pub fn basic(client: &str, secret: &str, params: &[(&str, &str)]) -> ClientRequest {
    ClientRequest {
        authorization: Some(format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")))),
        ..form(params)
    }
}

#[track_caller]
pub fn responded(authorized: Authorized) -> AuthorizationResponse {
    match authorized {
        Authorized::Respond(response, _) => response,
        other => panic!("no response, but {other:?}"),
    }
}

pub fn param(response: &AuthorizationResponse, name: &str) -> Option<String> {
    let found = response.params.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.clone())
}

/// The OAuth error code of a refused call.
#[track_caller]
pub fn error(result: Result<Value, OAuthError>) -> &'static str {
    match result {
        Err(OAuthError::Refused { error, .. }) => error,
        other => panic!("not refused, but {other:?}"),
    }
}

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// The payload of a JWT, unverified.
pub fn payload(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
