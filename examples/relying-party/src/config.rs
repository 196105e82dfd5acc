//! What the app must be told.

use crate::{DEMO_SIGNAL_KEY_PEM, StartError};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use url::Url;

const ISSUER: &str = "http://localhost:8080";
const PUBLIC_URL: &str = "http://localhost:8081";
const LISTEN: &str = "127.0.0.1:8081";
const CLIENT_ID: &str = "demo-app";
const CLIENT_SECRET: &str = "demo-app-secret-for-localhost-only";
const API_CLIENT_ID: &str = "demo-api";
const API_CLIENT_SECRET: &str = "demo-api-secret-for-localhost-only";
const SIGNAL_SECRET: &str = "demo-signal-secret-for-localhost-only";
const SIGNAL_KEY_ID: &str = "demo-signal-1";
const INACTIVITY_S: u32 = 900;

/// A secret: it is neither printed nor logged.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, to be sent and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.to_owned())
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;
    fn from_str(secret: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(secret))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The settings, as flags and as environment variables. The defaults are those of `gait dev`.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// Gait's issuer URL.
    #[arg(long, env = "RP_ISSUER", default_value = ISSUER)]
    pub issuer: String,
    /// Where browsers and Gait reach this app; its callbacks are below it.
    #[arg(long, env = "RP_PUBLIC_URL", default_value = PUBLIC_URL)]
    pub public_url: String,
    /// The address to listen on.
    #[arg(long, env = "RP_LISTEN", default_value = LISTEN)]
    pub listen: SocketAddr,
    /// This app's client id.
    #[arg(long, env = "RP_CLIENT_ID", default_value = CLIENT_ID)]
    pub client_id: String,
    /// This app's client secret.
    #[arg(long, env = "RP_CLIENT_SECRET", default_value = CLIENT_SECRET, hide_env_values = true)]
    pub client_secret: Secret,
    /// The client id that the app's API introspects with.
    #[arg(long, env = "RP_API_CLIENT_ID", default_value = API_CLIENT_ID)]
    pub api_client_id: String,
    /// Its secret.
    #[arg(long, env = "RP_API_CLIENT_SECRET", default_value = API_CLIENT_SECRET, hide_env_values = true)]
    pub api_client_secret: Secret,
    /// The name under which this app sends signals to Gait: the `iss` of its security event tokens.
    #[arg(long, env = "RP_SIGNAL_ISSUER", default_value = PUBLIC_URL)]
    pub signal_issuer: String,
    /// The bearer secret that goes with it.
    #[arg(long, env = "RP_SIGNAL_SECRET", default_value = SIGNAL_SECRET, hide_env_values = true)]
    pub signal_secret: Secret,
    /// The ES256 private key that signs them, PKCS#8 PEM.
    #[arg(long, env = "RP_SIGNAL_KEY_PEM", default_value = DEMO_SIGNAL_KEY_PEM, hide_default_value = true, hide_env_values = true)]
    pub signal_key_pem: Secret,
    /// That key's `kid`, as Gait knows it.
    #[arg(long, env = "RP_SIGNAL_KEY_ID", default_value = SIGNAL_KEY_ID)]
    pub signal_key_id: String,
    /// Seconds without input until the page signs the person out; 0 is never.
    #[arg(long, env = "RP_INACTIVITY_S", default_value_t = INACTIVITY_S)]
    pub inactivity_s: u32,
}

impl Config {
    /// The settings of `gait dev`: an issuer on localhost:8080, this app on localhost:8081, secrets that everybody knows.
    pub fn demo() -> Self {
        Self {
            issuer: ISSUER.into(),
            public_url: PUBLIC_URL.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            client_id: CLIENT_ID.into(),
            client_secret: CLIENT_SECRET.into(),
            api_client_id: API_CLIENT_ID.into(),
            api_client_secret: API_CLIENT_SECRET.into(),
            signal_issuer: PUBLIC_URL.into(),
            signal_secret: SIGNAL_SECRET.into(),
            signal_key_pem: DEMO_SIGNAL_KEY_PEM.into(),
            signal_key_id: SIGNAL_KEY_ID.into(),
            inactivity_s: INACTIVITY_S,
        }
    }

    /// A URL of this app; `path` begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.trim_end_matches('/'))
    }

    /// A URL of the issuer; `path` begins with a slash.
    pub(crate) fn issuer_url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.trim_end_matches('/'))
    }

    /// The origins of this app and of the issuer, as browsers write them.
    pub(crate) fn origins(&self) -> Result<Origins, StartError> {
        let parse = |name, url: &str| Url::parse(url).map_err(|source| StartError::Url { name, source });
        let own = parse("the public URL", &self.public_url)?;
        let issuer = parse("the issuer", &self.issuer)?;
        Ok(Origins {
            own: own.origin().ascii_serialization(),
            issuer: issuer.origin().ascii_serialization(),
            issuer_is_loopback: matches!(issuer.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
            secure: own.scheme() == "https",
        })
    }
}

/// Where the app and the issuer live.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    pub own: String,
    pub issuer: String,
    pub issuer_is_loopback: bool,
    pub secure: bool,
}
