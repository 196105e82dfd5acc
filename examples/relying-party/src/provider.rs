//! Gait, as this app sees it: discovered on first use, and again when a key is unknown.

use crate::api::Introspection;
use crate::clock;
use crate::config::{Config, Origins};
use crate::pending::Errand;
use crate::session::{Person, Tokens};
use jsonwebtoken::jwk::JwkSet;
use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenResponse};
use oauth2::{ErrorResponse, IntrospectionUrl, RequestTokenError, StandardRevocableToken};
use openidconnect::core::*;
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AdditionalProviderMetadata, AuthenticationContextClass, AuthorizationCode,
    ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpClientError, IdTokenFields, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, ProviderMetadata, RedirectUrl, RefreshToken, Scope, StandardErrorResponse, StandardTokenResponse,
    TokenResponse,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const SCOPES: [&str; 4] = ["profile", "email", "offline_access", "continuous_auth"];
/// Discovery is repeated after this, and at most once in [`REFRESH_S`] for an unknown key.
const KEEP_S: i64 = 3600;
const REFRESH_S: i64 = 60;
const SKEW_S: i64 = 60;

/// Why Gait couldn't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It isn't there, or its discovery document isn't as it should be.
    #[error("the identity provider can't be reached: {0}")]
    Unreachable(String),
    /// It refused a request, with its error code and its own words.
    #[error("the identity provider refused: {code}: {description}")]
    Refused {
        /// For example `invalid_grant`.
        code: String,
        /// In its own words; may be empty.
        description: String,
    },
    /// Its ID token can't be believed.
    #[error("the ID token can't be believed: {0}")]
    IdToken(String),
    /// It doesn't publish an endpoint that is needed.
    #[error("the identity provider has no {0}")]
    Missing(&'static str),
}

/// What the ID token of a watched session also says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SessionClaim {
    sid: Option<String>,
}
impl AdditionalClaims for SessionClaim {}

/// What the discovery document also says.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct MoreMetadata {
    end_session_endpoint: Option<EndSessionUrl>,
    introspection_endpoint: Option<IntrospectionUrl>,
    authorization_response_iss_parameter_supported: Option<bool>,
}
impl AdditionalProviderMetadata for MoreMetadata {}

type Metadata = ProviderMetadata<
    MoreMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;
pub(crate) type Answer = StandardTokenResponse<
    IdTokenFields<
        SessionClaim,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;
type App = openidconnect::Client<
    SessionClaim,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Answer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
type Api = oauth2::Client<
    BasicErrorResponse,
    BasicTokenResponse,
    Introspection,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
>;
type RequestError<E> = RequestTokenError<HttpClientError<reqwest::Error>, E>;

/// How a sign-in must go.
#[derive(Default)]
pub(crate) struct Wish {
    pub acr_values: Option<String>,
    /// Seconds.
    pub max_age: Option<u64>,
    /// The ID token of the session that is to be strengthened.
    pub hint: Option<String>,
}

/// Gait, discovered.
pub(crate) struct Provider {
    app: App,
    api: Option<Api>,
    metadata: Metadata,
    /// The issuer's keys, for the callbacks.
    pub keys: JwkSet,
    fetched: i64,
}

/// Gait, discovered or not yet.
pub(crate) struct Gait {
    config: Arc<Config>,
    pub http: reqwest::Client,
    known: tokio::sync::Mutex<Option<Arc<Provider>>>,
}

impl Gait {
    pub(crate) fn new(config: Arc<Config>, origins: &Origins) -> Result<Self, reqwest::Error> {
        // Needed before the first client; another one may have been installed by the program around us.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(10));
        if origins.issuer_is_loopback {
            http = http.no_proxy();
        }
        Ok(Self {
            config,
            http: http.build()?,
            known: tokio::sync::Mutex::new(None),
        })
    }

    /// The provider, discovered at most an hour ago.
    pub(crate) async fn provider(&self) -> Result<Arc<Provider>, ProviderError> {
        self.newer_than(KEEP_S).await
    }

    /// The provider, discovered at most a minute ago: for a key that isn't known.
    pub(crate) async fn fresh(&self) -> Result<Arc<Provider>, ProviderError> {
        self.newer_than(REFRESH_S).await
    }

    async fn newer_than(&self, seconds: i64) -> Result<Arc<Provider>, ProviderError> {
        let mut known = self.known.lock().await;
        if let Some(provider) = known.as_ref().filter(|p| clock::now() - p.fetched < seconds) {
            return Ok(provider.clone());
        }
        match Provider::discover(&self.config, &self.http).await {
            Ok(provider) => Ok(known.insert(Arc::new(provider)).clone()),
            // What was known an hour ago is better than nothing.
            Err(error) => known.clone().ok_or(error),
        }
    }
}

impl Provider {
    async fn discover(config: &Config, http: &reqwest::Client) -> Result<Self, ProviderError> {
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|e| ProviderError::Unreachable(e.to_string()))?;
        let metadata = Metadata::discover_async(issuer, http)
            .await
            .map_err(|e| ProviderError::Unreachable(causes(&e)))?;
        let redirect = RedirectUrl::new(config.url("/callback")).map_err(|e| ProviderError::Unreachable(e.to_string()))?;
        let secret = ClientSecret::new(config.client_secret.reveal().to_owned());
        let app = App::from_provider_metadata(metadata.clone(), ClientId::new(config.client_id.clone()), Some(secret))
            .set_redirect_uri(redirect);
        let api = metadata
            .additional_metadata()
            .introspection_endpoint
            .clone()
            .map(|url| -> Api {
                oauth2::Client::new(ClientId::new(config.api_client_id.clone()))
                    .set_client_secret(ClientSecret::new(config.api_client_secret.reveal().to_owned()))
                    .set_introspection_url(url)
            });
        let keys = serde_json::to_value(metadata.jwks()).and_then(serde_json::from_value);
        let keys = keys.map_err(|e| ProviderError::Unreachable(e.to_string()))?;
        Ok(Self {
            app,
            api,
            metadata,
            keys,
            fetched: clock::now(),
        })
    }

    /// Where to send the browser to sign in, the `state`, and what to remember until it comes back.
    pub(crate) fn sign_in(&self, wish: &Wish) -> (Url, CsrfToken, Errand) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = self
            .app
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge);
        for acr in wish.acr_values.iter().flat_map(|values| values.split_whitespace()) {
            request = request.add_auth_context_value(AuthenticationContextClass::new(acr.to_owned()));
        }
        if let Some(seconds) = wish.max_age {
            request = request.set_max_age(Duration::from_secs(seconds));
        }
        if let Some(id_token) = &wish.hint {
            request = request.add_extra_param("id_token_hint", id_token.clone());
        }
        let (url, state, nonce) = request.url();
        (
            url,
            state,
            Errand::SignIn {
                nonce,
                verifier,
                max_age: wish.max_age,
            },
        )
    }

    /// RFC 9207: the answer must say that it comes from this issuer, if the issuer promises that its answers do.
    pub(crate) fn is_issuer(&self, iss: Option<&str>) -> bool {
        let promised = self
            .metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported
            .unwrap_or(false);
        iss.map_or(!promised, |iss| iss == self.metadata.issuer().as_str())
    }

    /// Spends an authorization code; the ID token is verified by `self`'s keys.
    pub(crate) async fn redeem(
        &self,
        code: String,
        verifier: PkceCodeVerifier,
        http: &reqwest::Client,
    ) -> Result<Answer, ProviderError> {
        let request = self
            .app
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| ProviderError::Missing("token_endpoint"))?;
        request.set_pkce_verifier(verifier).request_async(http).await.map_err(refused)
    }

    /// Verifies the ID token: signature, issuer, audience, time, nonce, `at_hash`, and `auth_time` if `max_age` was asked for.
    pub(crate) fn person(&self, answer: &Answer, nonce: &Nonce, max_age: Option<u64>) -> Result<Person, ProviderError> {
        let refuse = |why: String| ProviderError::IdToken(why);
        let token = answer.id_token().ok_or_else(|| refuse("there is none".into()))?;
        let algorithms = [
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            CoreJwsSigningAlgorithm::EdDsa,
        ];
        let verifier = self.app.id_token_verifier().set_allowed_algs(algorithms);
        let claims = token.claims(&verifier, nonce).map_err(|e| refuse(causes(&e)))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(|e| refuse(causes(&e)))?;
            let key = token.signing_key(&verifier).map_err(|e| refuse(causes(&e)))?;
            let actual = AccessTokenHash::from_token(answer.access_token(), algorithm, key).map_err(|e| refuse(causes(&e)))?;
            if actual != *expected {
                return Err(refuse("it belongs to another access token".into()));
            }
        }
        let auth_time = claims.auth_time().map(|at| at.timestamp());
        let oldest = max_age
            .and_then(|age| i64::try_from(age).ok())
            .map(|age| clock::now() - age - SKEW_S);
        if oldest.is_some_and(|oldest| auth_time.is_none_or(|at| at < oldest)) {
            return Err(refuse("the sign-in is older than was asked for".into()));
        }
        Ok(Person {
            sub: claims.subject().to_string(),
            sid: claims.additional_claims().sid.clone(),
            acr: claims.auth_context_ref().map(|acr| acr.to_string()),
            amr: claims
                .auth_method_refs()
                .into_iter()
                .flatten()
                .map(|amr| amr.to_string())
                .collect(),
            auth_time,
            name: claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
            email: claims.email().map(|email| email.to_string()),
        })
    }

    /// Asks userinfo for the name and the address, where the ID token doesn't have them. They are only shown, so that a
    /// failure is no reason not to sign in.
    pub(crate) async fn complete(&self, person: &mut Person, token: &AccessToken, http: &reqwest::Client) {
        let subject = openidconnect::SubjectIdentifier::new(person.sub.clone());
        let Ok(request) = self.app.user_info(token.clone(), Some(subject)) else {
            return;
        };
        let answer: Result<CoreUserInfoClaims, _> = request.request_async(http).await;
        match answer {
            Ok(claims) => {
                let name = || claims.name().and_then(|name| name.get(None)).map(|name| name.to_string());
                person.name = person.name.take().or_else(name);
                person.email = person.email.take().or_else(|| claims.email().map(|email| email.to_string()));
            }
            Err(error) => tracing::info!(error = causes(&error), "userinfo gave nothing"),
        }
    }

    /// Uses a refresh token.
    pub(crate) async fn refresh(&self, token: &RefreshToken, http: &reqwest::Client) -> Result<Answer, ProviderError> {
        let request = self
            .app
            .exchange_refresh_token(token)
            .map_err(|_| ProviderError::Missing("token_endpoint"))?;
        request.request_async(http).await.map_err(refused)
    }

    /// Asks about an access token, as the app's API.
    pub(crate) async fn introspect(&self, token: &AccessToken, http: &reqwest::Client) -> Result<Introspection, ProviderError> {
        let api = self.api.as_ref().ok_or(ProviderError::Missing("introspection_endpoint"))?;
        api.introspect(token)
            .set_token_type_hint("access_token")
            .request_async(http)
            .await
            .map_err(refused)
    }

    /// Where to send the browser to sign out, and the `state`; `None` if Gait has no such endpoint.
    pub(crate) fn sign_out(&self, config: &Config, id_token: &str) -> Option<(Url, CsrfToken)> {
        let endpoint = self.metadata.additional_metadata().end_session_endpoint.clone()?;
        let home = PostLogoutRedirectUrl::new(config.url("/")).ok()?;
        let state = CsrfToken::new_random();
        let mut url = LogoutRequest::from(endpoint)
            .set_post_logout_redirect_uri(home)
            .set_state(state.clone())
            .http_get_url();
        url.query_pairs_mut().append_pair("id_token_hint", id_token);
        Some((url, state))
    }
}

/// The tokens of an answer. RFC 6749 §5.1: without `scope`, what was asked for is what was granted.
pub(crate) fn tokens(answer: &Answer) -> Tokens {
    let asked = || std::iter::once("openid").chain(SCOPES).map(str::to_owned).collect();
    Tokens {
        access: answer.access_token().clone(),
        refresh: answer.refresh_token().cloned(),
        id: answer.id_token().map(ToString::to_string).unwrap_or_default(),
        scopes: answer
            .scopes()
            .map_or_else(asked, |scopes| scopes.iter().map(|s| s.to_string()).collect()),
    }
}

fn refused<T>(error: RequestError<StandardErrorResponse<T>>) -> ProviderError
where
    T: oauth2::ErrorResponseType + std::fmt::Display + AsRef<str> + 'static,
    StandardErrorResponse<T>: ErrorResponse,
{
    match error {
        RequestTokenError::ServerResponse(answer) => ProviderError::Refused {
            code: answer.error().as_ref().to_owned(),
            description: answer.error_description().cloned().unwrap_or_default(),
        },
        other => ProviderError::Unreachable(causes(&other)),
    }
}

/// An error with all its causes, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
