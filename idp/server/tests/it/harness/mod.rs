//! What stories are told with: a provider, visitors, clients, a receiver of callbacks, and rhythms.

pub mod app;
mod clock;
pub mod collector;
pub mod config;
pub mod logs;
pub mod mail_server;
mod mailbox;
mod page;
pub mod postgres;
mod process;
mod provider;
mod receiver;
mod redis;
mod scrape;
pub mod search;
#[cfg(feature = "otlp")]
pub mod spans;
mod visitor;

pub use app::{App, Callback, Request, Tokens};
pub use clock::TestClock;
pub use collector::Collector;
pub use mail_server::MailServer;
pub use mailbox::Mailbox;
pub use page::Page;
pub use process::{DEMO_BOB, Process};
pub use provider::{ALICE, BOB, Person, Provider, ZOE, client};
pub use receiver::Receiver;
pub use redis::Keys;
pub use scrape::Scraper;
pub use search::{Mood, Search};
pub use visitor::{Landed, Visitor, code_in, label_of};

/// The claims of a JWT whose signature somebody else looks at.
pub fn claims(jwt: &str) -> serde_json::Value {
    jsonwebtoken::dangerous::insecure_decode_claims(jwt).expect("a JWT")
}

/// A random text that can be recognised anywhere.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", uuid::Uuid::now_v7().simple())
}

/// The claims of a JWT that one of the published keys signed for `audience` with this algorithm.
pub fn verified(
    keys: &jsonwebtoken::jwk::JwkSet,
    jwt: &str,
    audience: &str,
    algorithm: jsonwebtoken::Algorithm,
) -> serde_json::Value {
    let header = jsonwebtoken::decode_header(jwt).expect("a JWT");
    let key = keys.find(&header.kid.expect("kid")).expect("a published key");
    let mut validation = jsonwebtoken::Validation::new(algorithm);
    validation.set_audience(&[audience]);
    // Stories move the provider's clock, not this one.
    validation.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(key).expect("a key");
    jsonwebtoken::decode(jwt, &key, &validation).expect("a good signature").claims
}
