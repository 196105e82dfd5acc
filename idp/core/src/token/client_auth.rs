//! Client authentication (RFC 6749 §2.3, OIDC Core §9).

use super::{ClientRequest, OAuthError};
use crate::Idp;
use crate::client::{Client, ClientAuth};
use crate::ids::ClientId;
use crate::params::Params;
use crate::rates::{WINDOW_S, network};
use crate::token::secret::{Hash, Secret};
use crate::visit::log_client;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

/// `client_assertion_type` (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client shows of itself.
enum Shown {
    Basic(Secret),
    Post(Secret),
    Assertion(String),
    Nothing,
}

impl Shown {
    fn method(&self) -> ClientAuth {
        match self {
            Self::Basic(_) => ClientAuth::ClientSecretBasic,
            Self::Post(_) => ClientAuth::ClientSecretPost,
            Self::Assertion(_) => ClientAuth::PrivateKeyJwt,
            Self::Nothing => ClientAuth::None,
        }
    }
}

/// Reads a client's form: capped, and nothing twice (RFC 6749 §3.2).
pub(super) fn form(request: &ClientRequest) -> Result<Params, OAuthError> {
    let params = Params::read(&request.params).map_err(|_| OAuthError::refused("invalid_request", "the request is too big"))?;
    match params.has_repeated() {
        true => Err(OAuthError::refused("invalid_request", "a parameter came more than once")),
        false => Ok(params),
    }
}

impl Idp {
    /// The client that sent a request, proven in its registered way and no other. A public client only names itself.
    ///
    /// # Errors
    /// `invalid_client`, without a difference between unknown and unproven; `invalid_request` for more than one way at once;
    /// [`Error::TooMany`](crate::error::Error::TooMany) after too many failures.
    pub(super) async fn authenticate(&self, params: &Params, request: &ClientRequest) -> Result<Client, OAuthError> {
        let basic = request.authorization.is_some();
        let (id, shown) = shown(params, request.authorization.as_deref())?;
        let network = network(request.address);
        let who = Hash::of(format!("{id}\0{network}").as_bytes()).to_text();
        let failures = format!("client-auth:{who}");
        let most = self.policy.limits.failures_per_client;
        self.rates.check(&failures, most, self.ports.now())?;
        let client = self.store.client(&id).await?;
        if let Some(client) = client.filter(|client| client.auth == shown.method())
            && self.proves(&client, &shown).await?
        {
            log_client(&client.id);
            self.count_client(&client.id)?;
            return Ok(client);
        }
        self.rates.count(&failures, most, WINDOW_S, self.ports.now())?;
        Err(invalid_client(basic))
    }

    async fn proves(&self, client: &Client, shown: &Shown) -> Result<bool, OAuthError> {
        Ok(match shown {
            // `Hash` compares in constant time.
            Shown::Basic(secret) | Shown::Post(secret) => client.secret.is_some_and(|hash| hash == secret.hash()),
            Shown::Assertion(jws) => self.accepts_assertion(client, jws).await?,
            Shown::Nothing => true,
        })
    }
}

fn invalid_client(basic: bool) -> OAuthError {
    OAuthError::Refused {
        error: "invalid_client",
        description: "client authentication failed".to_owned(),
        basic,
    }
}

/// Who the client says it is, and what it shows. RFC 6749 §2.3: not more than one way in a request.
fn shown(params: &Params, authorization: Option<&str>) -> Result<(ClientId, Shown), OAuthError> {
    let (named, secret, assertion) = (
        params.get("client_id"),
        params.get("client_secret"),
        params.get("client_assertion"),
    );
    let ways = [authorization.is_some(), secret.is_some(), assertion.is_some()];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        return Err(OAuthError::refused("invalid_request", "more than one client authentication"));
    }
    let (id, shown) = if let Some(header) = authorization {
        let (id, secret) = basic_credentials(header).ok_or_else(|| invalid_client(true))?;
        (Some(id), Shown::Basic(secret))
    } else if let Some(secret) = secret {
        (None, Shown::Post(Secret::wrap(secret.to_owned())))
    } else if let Some(jws) = assertion {
        if params.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(OAuthError::refused(
                "invalid_request",
                "client_assertion_type is not supported",
            ));
        }
        let id = super::assertion::claimed_client(jws).ok_or_else(|| invalid_client(false))?;
        (Some(id), Shown::Assertion(jws.to_owned()))
    } else {
        (None, Shown::Nothing)
    };
    match (id, named) {
        (Some(id), Some(named)) if id.as_str() != named => Err(OAuthError::refused(
            "invalid_request",
            "client_id is another than the one that authenticates",
        )),
        (Some(id), _) => Ok((id, shown)),
        (None, Some(named)) => Ok((ClientId::from(named), shown)),
        (None, None) => Err(invalid_client(false)),
    }
}

/// RFC 6749 §2.3.1: id and secret are form-urlencoded before they are put together, so that either may hold a colon.
fn basic_credentials(header: &str) -> Option<(ClientId, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let text = std::str::from_utf8(&decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    let (id, secret) = (form_decoded(id)?, form_decoded(secret)?);
    (!id.is_empty()).then(|| (ClientId(id), Secret::wrap(secret)))
}

/// Undoes form-urlencoding of one word. `&` and `=` have no meaning here.
fn form_decoded(word: &str) -> Option<String> {
    let guarded = word.replace('&', "%26").replace('=', "%3D");
    let mut pairs = form_urlencoded::parse(guarded.as_bytes());
    let decoded = pairs.next().map_or_else(String::new, |(name, _)| name.into_owned());
    // The parser puts U+FFFD where bytes aren't UTF-8.
    (!decoded.contains('\u{fffd}')).then_some(decoded)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn header(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn id_and_secret_are_percent_decoded() {
        let (id, secret) = basic_credentials(&header("app%3Aone+two:p%26q%3D%2B%25")).unwrap();
        assert_eq!((id.as_str(), secret.expose()), ("app:one two", "p&q=+%"));
    }

    #[test]
    fn a_raw_ampersand_or_equals_sign_stays_what_it_is() {
        let (id, secret) = basic_credentials(&header("app:a&b=c:d")).unwrap();
        assert_eq!((id.as_str(), secret.expose()), ("app", "a&b=c:d"));
    }

    #[test]
    fn garbage_is_no_credentials() {
        for garbage in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Bearer YTpi",
            "Basic YQ==",
            "Basic Og==",
            "Basic /////w==",
        ] {
            assert!(basic_credentials(garbage).is_none(), "{garbage:?}");
        }
        assert!(basic_credentials(&header("%ff:secret")).is_none(), "not UTF-8");
    }
}
