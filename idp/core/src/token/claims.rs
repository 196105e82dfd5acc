//! Claims about a person: which scope or request lets which go to whom (OIDC Core §5).

use crate::account::Account;
use crate::client::Client;
use crate::grant::{Grant, Scopes};
use serde_json::{Map, Value, json};

/// The standard claims of each scope (OIDC Core §5.4).
pub(super) const BY_SCOPE: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// Where claims go, which is also the member of the `claims` parameter that asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Into {
    /// The ID token: only what was asked for by name, for the access token brings the rest from UserInfo (§5.4).
    IdToken,
    /// The UserInfo response.
    UserInfo,
}

/// The claims about `account` that `client` may see there, without `sub`.
pub(super) fn about(account: &Account, client: &Client, grant: &Grant, scopes: &Scopes, into: Into) -> Map<String, Value> {
    let member = match into {
        Into::IdToken => "id_token",
        Into::UserInfo => "userinfo",
    };
    let asked = grant
        .claims
        .as_ref()
        .and_then(|claims| claims.get(member))
        .and_then(Value::as_object);
    let mut claims = Map::new();
    for (scope, names) in BY_SCOPE {
        let granted = scopes.contains(scope);
        // A claim may be asked for by name without its scope; the consent page shows the scope then all the same, see `implied`.
        let nameable = granted || client.scopes.contains(scope);
        for name in names {
            let named = nameable && asked.is_some_and(|asked| asked.contains_key(*name));
            let wanted = named || (granted && into == Into::UserInfo);
            if let Some(value) = wanted.then(|| value(account, name)).flatten() {
                claims.insert((*name).to_owned(), value);
            }
        }
    }
    claims
}

/// The scopes, of those that the client is registered for, whose claims the `claims` parameter asks for by name: people are asked
/// about them as if they had been requested.
pub(crate) fn implied(claims: Option<&Value>, client: &Client) -> Scopes {
    let members = ["id_token", "userinfo"].map(|member| claims.and_then(|claims| claims.get(member)).and_then(Value::as_object));
    let asks = |name: &str| members.iter().flatten().any(|asked| asked.contains_key(name));
    let scopes = BY_SCOPE
        .iter()
        .filter(|(scope, names)| client.scopes.contains(*scope) && names.iter().any(|name| asks(name)));
    scopes.map(|(scope, _)| (*scope).to_owned()).collect()
}

fn value(account: &Account, name: &str) -> Option<Value> {
    match name {
        "email" => account.email.as_ref().map(|email| json!(email.as_str())),
        "email_verified" => account.email.as_ref().map(|_| json!(account.email_verified)),
        "updated_at" => Some(json!(account.updated_at.0)),
        "preferred_username" => Some(
            account
                .claims
                .get(name)
                .cloned()
                .unwrap_or_else(|| json!(account.username.as_str())),
        ),
        _ => account.claims.get(name).cloned(),
    }
}
