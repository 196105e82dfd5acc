//! What a resource server decides about an access token: RFC 6750, RFC 7662 and, for a step-up, RFC 9470.

use oauth2::basic::BasicTokenType;
use oauth2::{ExtraTokenFields, StandardTokenIntrospectionResponse, TokenIntrospectionResponse};
use serde::{Deserialize, Serialize};

/// The scope that the note needs.
const SCOPE: &str = "openid";
/// How old the new sign-in may be. Never 0: every new token would already be too old.
const MAX_AGE_S: u64 = 60;

/// What Gait adds to an introspection answer for a resource server that is registered as step-up aware.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StepUpFields {
    /// The assurance that the token was issued with.
    pub acr: Option<String>,
    /// When the person last proved who they are, seconds since the epoch.
    pub auth_time: Option<i64>,
    /// True while the person owes a step-up.
    #[serde(default)]
    pub step_up_required: bool,
    /// What the step-up must reach, separated by spaces, best first.
    pub required_acr_values: Option<String>,
    /// The step-up must be newer than this, seconds since the epoch.
    pub reauth_after: Option<i64>,
}

impl ExtraTokenFields for StepUpFields {}

/// An introspection answer.
pub type Introspection = StandardTokenIntrospectionResponse<StepUpFields, BasicTokenType>;

/// What is answered to a bearer of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Come in.
    Granted,
    /// The token is dead, or never lived.
    Invalid,
    /// It lacks the scope.
    Scope,
    /// It is good, but the person must prove anew who they are.
    StepUp(Challenge),
}

impl Access {
    /// The value of `WWW-Authenticate`, for all but [`Access::Granted`].
    pub fn www_authenticate(&self) -> Option<String> {
        match self {
            Self::Granted => None,
            Self::Invalid => Some(r#"Bearer error="invalid_token", error_description="The access token has ended""#.into()),
            Self::Scope => Some(format!(r#"Bearer error="insufficient_scope", scope="{SCOPE}""#)),
            Self::StepUp(challenge) => Some(challenge.to_header()),
        }
    }
}

/// Judges an introspection answer.
pub fn decide(token: &Introspection) -> Access {
    let facts = token.extra_fields();
    if !token.active() {
        return Access::Invalid;
    }
    if !token
        .scopes()
        .is_some_and(|scopes| scopes.iter().any(|scope| scope.as_str() == SCOPE))
    {
        return Access::Scope;
    }
    let too_old = facts
        .reauth_after
        .is_some_and(|after| facts.auth_time.is_none_or(|at| at < after));
    if facts.step_up_required || too_old {
        let acr_values = facts
            .required_acr_values
            .as_deref()
            .map(quotable)
            .filter(|acr| !acr.is_empty());
        return Access::StepUp(Challenge {
            acr_values,
            max_age: Some(MAX_AGE_S),
        });
    }
    Access::Granted
}

/// What a challenge asks of the next authorization request (RFC 9470 §3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// Wanted `acr` values, separated by spaces, best first.
    pub acr_values: Option<String>,
    /// Most seconds since the person's last active authentication.
    pub max_age: Option<u64>,
}

impl Challenge {
    fn to_header(&self) -> String {
        let mut header = String::from(
            r#"Bearer error="insufficient_user_authentication", error_description="Please prove again that it is you""#,
        );
        if let Some(acr) = &self.acr_values {
            header.push_str(&format!(r#", acr_values="{acr}""#));
        }
        if let Some(max_age) = self.max_age {
            header.push_str(&format!(r#", max_age="{max_age}""#));
        }
        header
    }

    /// Reads a `WWW-Authenticate` header; `None` if it asks for no step-up.
    pub fn parse(header: &str) -> Option<Self> {
        let scheme = header.get(..7)?;
        let parameters = scheme
            .eq_ignore_ascii_case("Bearer ")
            .then(|| parameters(header.get(7..).unwrap_or("")))?;
        let value = |name: &str| parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        (value("error")? == "insufficient_user_authentication").then(|| Self {
            acr_values: value("acr_values").map(|acr| quotable(&acr)).filter(|acr| !acr.is_empty()),
            max_age: value("max_age").and_then(|age| age.parse().ok()),
        })
    }
}

/// The `name=value` pairs of a challenge, the values quoted or not (RFC 9110 §11.2).
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name
            .trim_matches(|c: char| c == ',' || c.is_whitespace())
            .to_ascii_lowercase();
        let (value, after) = value(after);
        pairs.push((name, value));
        rest = after;
    }
    pairs
}

/// One value, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return (text[..end].trim().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    (value, "")
}

/// Only what may stand inside a quoted `acr_values`: visible ASCII and spaces, no quote, no backslash.
fn quotable(text: &str) -> String {
    text.chars()
        .filter(|c| (c.is_ascii_graphic() || *c == ' ') && !matches!(c, '"' | '\\'))
        .take(512)
        .collect()
}
