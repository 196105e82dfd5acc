//! What an authorization request must be, rule by rule, in the order of the specifications.

use super::ResponseMode;
use super::request::PromptValue;
use crate::client::{Client, ClientAuth, GrantType};
use crate::grant::Scopes;
use crate::params::Params;
use serde_json::Value;
use std::collections::BTreeSet;

/// Most values in a list parameter.
const MAX_LIST: usize = 32;
/// Longest `claims` parameter in bytes.
const MAX_CLAIMS: usize = 4096;
/// Length of a PKCE S256 challenge: 256 bits in base64url.
const CHALLENGE_CHARS: usize = 43;

/// A rule that was broken: an error code, and words for the developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub &'static str, pub &'static str);

/// Result of a check.
pub(crate) type Checked<T = ()> = Result<T, Fault>;

/// RFC 6749 §3.1: request parameters must not be included more than once.
pub(crate) fn nothing_repeated(params: &Params) -> Checked {
    match params.has_repeated() {
        true => Err(Fault("invalid_request", "a parameter came more than once")),
        false => Ok(()),
    }
}

/// OIDC Core §6, §3.1.2.6: request objects aren't supported and must not be ignored.
pub(crate) fn no_request_object(params: &Params) -> Checked {
    if params.get("request").is_some() {
        return Err(Fault("request_not_supported", "request objects are not supported"));
    }
    if params.get("request_uri").is_some() {
        return Err(Fault("request_uri_not_supported", "request_uri is not supported"));
    }
    if params.get("registration").is_some() {
        return Err(Fault("registration_not_supported", "registration is not supported"));
    }
    Ok(())
}

/// RFC 6749 §3.1.1: `response_type` is required; ours is `code` alone (RFC 9700 §2.1.2).
pub(crate) fn response_type(params: &Params) -> Checked {
    match params.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(Fault("unsupported_response_type", "response_type must be code")),
        None => Err(Fault("invalid_request", "response_type is missing")),
    }
}

/// OAuth 2.0 Multiple Response Type Encoding Practices §2.1; OAuth 2.0 Form Post Response Mode.
pub(crate) fn response_mode(params: &Params) -> Checked<ResponseMode> {
    match params.get("response_mode") {
        None | Some("query") => Ok(ResponseMode::Query),
        Some("form_post") => Ok(ResponseMode::FormPost),
        Some(_) => Err(Fault("invalid_request", "response_mode must be query or form_post")),
    }
}

/// RFC 6749 §4.1.2.1: the client must be allowed the grant.
pub(crate) fn grant_allowed(client: &Client) -> Checked {
    match client.grant_types.contains(&GrantType::AuthorizationCode) {
        true => Ok(()),
        false => Err(Fault("unauthorized_client", "the client may not use this grant")),
    }
}

/// RFC 6749 §3.3: scopes that the client isn't registered for are left out, and the token response tells what was granted; OIDC
/// Core §11: `offline_access` counts only with `prompt=consent`, or where the operator vouches for the client.
pub(crate) fn scopes(params: &Params, client: &Client, prompts: &BTreeSet<PromptValue>) -> Checked<Scopes> {
    let asked = params.get("scope").ok_or(Fault("invalid_scope", "scope is missing"))?;
    let offline = client.trusted || prompts.contains(&PromptValue::Consent);
    let scopes: Scopes = asked
        .split(' ')
        .filter(|scope| client.scopes.contains(*scope))
        .filter(|scope| *scope != "offline_access" || offline)
        .map(str::to_owned)
        .collect();
    match scopes.is_empty() {
        true => Err(Fault("invalid_scope", "the client may use none of these scopes")),
        false => Ok(scopes),
    }
}

/// RFC 7636 §4.3, RFC 9700 §2.1.1: S256 for everybody; only a confidential client of OpenID Connect may send a `nonce` instead.
pub(crate) fn code_challenge(params: &Params, client: &Client, scopes: &Scopes) -> Checked<Option<String>> {
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (Some(challenge), Some("S256")) if is_challenge(challenge) => Ok(Some(challenge.to_owned())),
        (Some(_), Some("S256")) => Err(Fault("invalid_request", "code_challenge is malformed")),
        (Some(_), _) => Err(Fault("invalid_request", "code_challenge_method must be S256")),
        (None, Some(_)) => Err(Fault("invalid_request", "code_challenge is missing")),
        (None, None) => {
            let excused = client.auth != ClientAuth::None && scopes.contains("openid") && params.get("nonce").is_some();
            match excused {
                true => Ok(None),
                false => Err(Fault("invalid_request", "code_challenge is missing")),
            }
        }
    }
}

fn is_challenge(text: &str) -> bool {
    text.len() == CHALLENGE_CHARS
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// OIDC Core §3.1.2.1: `prompt` is a list; `none` stands alone.
pub(crate) fn prompts(params: &Params) -> Checked<BTreeSet<PromptValue>> {
    let mut prompts = BTreeSet::new();
    for value in list(params, "prompt")? {
        prompts.insert(match value.as_str() {
            "none" => PromptValue::None,
            "login" => PromptValue::Login,
            "consent" => PromptValue::Consent,
            "select_account" => PromptValue::SelectAccount,
            _ => return Err(Fault("invalid_request", "prompt holds an unknown value")),
        });
    }
    match prompts.contains(&PromptValue::None) && prompts.len() > 1 {
        true => Err(Fault("invalid_request", "prompt=none must stand alone")),
        false => Ok(prompts),
    }
}

/// OIDC Core §3.1.2.1: `max_age` is a number of seconds.
pub(crate) fn max_age(params: &Params) -> Checked<Option<u32>> {
    let Some(text) = params.get("max_age") else {
        return Ok(None);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.then(|| text.parse().ok()).flatten();
    seconds
        .map(Some)
        .ok_or(Fault("invalid_request", "max_age must be a number of seconds"))
}

/// OIDC Core §5.5: `claims` is a JSON object of two objects. Depth is bounded by the JSON parser.
pub(crate) fn claims(params: &Params) -> Checked<Option<Value>> {
    let Some(text) = params.get("claims") else {
        return Ok(None);
    };
    let fault = Fault("invalid_request", "claims is not what OpenID Connect Core 5.5 says");
    if text.len() > MAX_CLAIMS {
        return Err(fault);
    }
    let claims: Value = serde_json::from_str(text).map_err(|_| fault)?;
    let members = claims.as_object().ok_or(fault)?;
    let objects = ["userinfo", "id_token"]
        .iter()
        .filter_map(|member| members.get(*member))
        .all(Value::is_object);
    match objects {
        true => Ok(Some(claims)),
        false => Err(fault),
    }
}

/// OIDC Core §5.5.1.1: levels that must be met (`essential`), or are wished for.
pub(crate) enum AcrClaim {
    /// One of these must be met; any level will do if there are none.
    Essential(Vec<String>),
    /// Like `acr_values`.
    Voluntary(Vec<String>),
}

/// What the `claims` parameter says of `acr`.
pub(crate) fn acr_claim(claims: Option<&Value>) -> Option<AcrClaim> {
    let acr = claims?.get("id_token")?.get("acr")?;
    let values: Vec<String> = requested_values(acr).map(str::to_owned).take(MAX_LIST).collect();
    match acr.get("essential").and_then(Value::as_bool) {
        Some(true) => Some(AcrClaim::Essential(values)),
        _ => Some(AcrClaim::Voluntary(values)),
    }
}

/// OIDC Core §5.5.1: the `sub` that must sign in, if `claims` names one. Two different ones can't both be met.
pub(crate) fn subject_claim(claims: Option<&Value>) -> Checked<Option<String>> {
    let mut subjects = BTreeSet::new();
    for member in ["id_token", "userinfo"] {
        if let Some(sub) = claims
            .and_then(|claims| claims.get(member))
            .and_then(|member| member.get("sub"))
        {
            subjects.extend(requested_values(sub).map(str::to_owned));
        }
    }
    agreed(subjects)
}

/// All that name a subject must name the same one.
pub(crate) fn agreed(subjects: BTreeSet<String>) -> Checked<Option<String>> {
    match subjects.len() {
        0 | 1 => Ok(subjects.into_iter().next()),
        _ => Err(Fault("invalid_request", "more than one subject is demanded")),
    }
}

fn requested_values(claim: &Value) -> impl Iterator<Item = &str> {
    let one = claim.get("value").and_then(Value::as_str);
    let many = claim.get("values").and_then(Value::as_array);
    one.into_iter().chain(many.into_iter().flatten().filter_map(Value::as_str))
}

/// A space-separated list, in order.
pub(crate) fn list(params: &Params, name: &str) -> Checked<Vec<String>> {
    let values: Vec<String> = params
        .get(name)
        .unwrap_or_default()
        .split(' ')
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect();
    match values.len() <= MAX_LIST {
        true => Ok(values),
        false => Err(Fault("invalid_request", "a list is too long")),
    }
}
