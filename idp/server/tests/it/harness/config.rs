//! The configuration that most stories run on, and how a story changes it.

use toml::{Table, Value};

/// A secret that is as odd as RFC 6749 §2.3.1 has to cope with.
pub const ODD_ID: &str = "odd:client/é & +%=";
/// See [`ODD_ID`].
pub const ODD_SECRET: &str = "s3cr3t:with &=+% and é, long enough to be one";

/// The deployment's file for this port and this receiver of callbacks.
pub fn text(port: u16, receiver: &str, extra: &str) -> String {
    let mut table: Table = BASE
        .replace("PORT", &port.to_string())
        .replace("RECEIVER", receiver)
        .parse()
        .expect("the base");
    let jwks: serde_json::Value = serde_json::from_str(relying_party::DEMO_SIGNAL_JWKS).expect("a JWK set");
    let jwks = Value::try_from(jwks).expect("TOML");
    for (list, name, is) in [("client", "id", "pkjwt"), ("sender", "issuer", "https://work.example")] {
        for entry in table[list].as_array_mut().expect("a list") {
            if entry[name].as_str() == Some(is) {
                entry.as_table_mut().expect("a table").insert("jwks".to_owned(), jwks.clone());
            }
        }
    }
    merge(
        &mut table,
        extra
            .replace("RECEIVER", receiver)
            .parse()
            .expect("the story's own part of the configuration"),
    );
    toml::to_string(&table).expect("TOML")
}

/// Lists are extended, tables are merged, other values are replaced.
fn merge(base: &mut Table, extra: Table) {
    for (key, value) in extra {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) if key == "client" || key == "account" => old.extend(new),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

const BASE: &str = r#"
issuer = "http://localhost:PORT"
data_dir = "data"
trusted_proxies = ["127.0.0.1/32"]
allow_private_receivers = true
retrain_every_s = 3600

[policy.watch]
decision_lag_ms = 0
batch_every_s = 1

# As cheap as the plugin allows: stories are no benchmark.
[plugins.password]
m_cost_kib = 8
t_cost = 1

[plugins.email-otp]
resend_wait_s = 5

[plugins.ip-trust]
ask_after = 2

[plugins.behavior]
model = "classic"

[plugins.behavior.classic]
min_samples = 60

[[client]]
id = "web"
name = "Field Notes"
secret = "web-secret-that-is-long-enough-for-this"
redirect_uris = ["https://web.example/cb", "https://web.example/cb?tenant=1"]
post_logout_redirect_uris = ["https://web.example/bye"]
backchannel_logout_uri = "RECEIVER/web/logout"
audience = ["api", "strict-api"]
trusted = true

[[client]]
id = "post"
name = "Paper Trail"
secret = "post-secret-that-is-long-enough-for-this"
auth = "client_secret_post"
redirect_uris = ["https://post.example/cb"]
id_token_alg = "ES256"

[[client]]
id = "native"
name = "Pocket"
auth = "none"
native = true
redirect_uris = ["http://127.0.0.1/cb", "http://[::1]/cb", "com.example.pocket:/cb"]
id_token_alg = "EdDSA"
trusted = true

[[client]]
id = "spa"
name = "Single Page"
auth = "none"
redirect_uris = ["https://spa.example/cb"]
origins = ["https://spa.example"]
scopes = ["openid", "profile", "email", "offline_access", "continuous_auth"]
trusted = true

[[client]]
id = "pkjwt"
name = "Key Holder"
auth = "private_key_jwt"
redirect_uris = ["https://pkjwt.example/cb"]
access_token = "jwt"
audience = ["api"]
trusted = true

[[client]]
id = "odd:client/é & +%="
secret = "s3cr3t:with &=+% and é, long enough to be one"
redirect_uris = ["https://odd.example/cb"]
trusted = true

[[client]]
id = "pair-one"
secret = "pair-one-secret-that-is-long-enough-for"
redirect_uris = ["https://one.pair.example/cb"]
subject_type = "pairwise"
trusted = true

[[client]]
id = "pair-two"
secret = "pair-two-secret-that-is-long-enough-for"
redirect_uris = ["https://two.pair.example/cb"]
subject_type = "pairwise"
trusted = true

[[client]]
id = "service"
secret = "service-secret-that-is-long-enough-for-it"
grant_types = ["client_credentials"]
scopes = ["notes:read", "notes:write"]
audience = ["api"]

[[client]]
id = "dotted"
secret = "dotted-secret-that-is-long-enough-for-it"
redirect_uris = ["https://a.b.example/cb"]
trusted = true

[[client]]
id = "watched"
name = "Workbench"
secret = "watched-secret-that-is-long-enough-for-it"
redirect_uris = ["https://work.example/cb"]
post_logout_redirect_uris = ["https://work.example/bye"]
origins = ["https://work.example"]
scopes = ["openid", "profile", "email", "offline_access", "continuous_auth"]
backchannel_logout_uri = "RECEIVER/watched/logout"
continuous_auth_callback_uri = "RECEIVER/watched/set"
audience = ["api", "strict-api"]
trusted = true

[[client]]
id = "api"
secret = "api-secret-that-is-long-enough-for-this"
grant_types = []
introspects = true
step_up_aware = true

[[client]]
id = "strict-api"
secret = "strict-api-secret-that-is-long-enough-for"
grant_types = []
introspects = true

[[account]]
username = "alice"
email = "alice@example.test"
email_verified = true
password = "quiet harbour lantern"
[account.claims]
name = "Alice Adler"
given_name = "Alice"
family_name = "Adler"
phone_number = "+49 30 1234567"
[account.claims.address]
locality = "Berlin"
country = "DE"

[[account]]
username = "bob"
email = "bob@example.test"
email_verified = true
password = "seven green bottles"

[[account]]
username = "Zoë"
email = "zoe@example.test"
email_verified = true
password = "über allen gipfeln"

[[sender]]
issuer = "https://work.example"
secret = "work-signal-secret-that-is-long-enough"
clients = ["watched"]
"#;
