//! Ids of the core's nouns: typed, so that one can't stand where another is meant.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);
        impl $name {
            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id! {
    /// `client_id` of a relying party or resource server.
    ClientId
}
text_id! {
    /// `sid`: names a session to relying parties. 128 random bits, never the cookie's value.
    SessionId
}
text_id! {
    /// A flow: one sign-in or step-up in one browser. Public; worth nothing without the flow's cookie.
    FlowId
}
text_id! {
    /// `kid` of a signing key.
    Kid
}
uuid_id! {
    /// An account. Also the public `sub`.
    AccountId
}
uuid_id! {
    /// A grant: what an account allowed a client, and the family of tokens that came of it.
    GrantId
}
uuid_id! {
    /// A mail that waits to be sent.
    MailId
}
uuid_id! {
    /// An event.
    EventId
}
uuid_id! {
    /// One delivery of an event to one receiver; also the `jti` of what is delivered.
    DeliveryId
}
