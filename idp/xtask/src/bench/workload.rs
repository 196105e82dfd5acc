//! What users do, again and again, and what it may cost.

use crate::targets::Kind;
use crate::user::User;
use clap::ValueEnum;
use serde::Serialize;

/// Pages of a watched app that each user has open: a session may send a hundred batches in ten seconds.
const PAGES: u32 = 16;
/// How much more CPU time Gait's process may use on Postgres and Redis than on SQLite.
const ELSEWHERE: f64 = 1.6;

/// What users do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Reads the discovery document.
    Discovery,
    /// Reads the keys.
    Jwks,
    /// Client credentials, opaque access token.
    Cc,
    /// Client credentials, ES256 JWT access token.
    CcJwt,
    /// Refresh with rotation and an ES256 ID token.
    Refresh,
    /// Introspection of an opaque access token.
    Introspect,
    /// Userinfo with an opaque access token.
    Userinfo,
    /// Authorization code with PKCE in a living session, up to the tokens.
    Code,
    /// A whole sign-in by password in an empty browser, up to the tokens.
    SignIn,
    /// A token is got and revoked; timed from the revocation to the first "inactive".
    Revoke,
    /// A batch of fifty events is scored and answered.
    Samples,
}

/// What must be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// At most so many microseconds of the provider's CPU time for one flow.
    Cpu(f64),
    /// At most so many more than argon2id alone takes.
    CpuBesidesArgon2(f64),
    /// At most so many milliseconds, median and 99th percentile.
    Latency(f64, f64),
}

impl Workload {
    /// All of them, in the order in which they are run.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Jwks => "jwks",
            Self::Cc => "client_credentials, opaque",
            Self::CcJwt => "client_credentials, ES256 JWT",
            Self::Refresh => "refresh, rotated, ES256 ID token",
            Self::Introspect => "introspection",
            Self::Userinfo => "userinfo",
            Self::Code => "code + PKCE in a live session",
            Self::SignIn => "password sign-in, whole",
            Self::Revoke => "revoke, then inactive",
            Self::Samples => "samples, a batch of 50 events",
        }
    }

    /// How many users do it at once.
    pub fn users(self) -> u32 {
        match self {
            Self::Discovery | Self::Jwks => 32,
            Self::Cc | Self::CcJwt | Self::Introspect | Self::Userinfo => 16,
            Self::Refresh | Self::Code | Self::Samples => 8,
            Self::SignIn | Self::Revoke => 4,
        }
    }

    /// What Gait must reach, wherever it keeps its state.
    pub fn goal(self, kind: Kind) -> Option<Goal> {
        let share = match kind {
            Kind::Peer => return None,
            Kind::Sqlite => 1.0,
            Kind::Postgres | Kind::Postgres2 => ELSEWHERE,
        };
        Some(match self {
            Self::Discovery | Self::Jwks => Goal::Cpu(15.0 * share),
            Self::Cc => Goal::Cpu(40.0 * share),
            Self::CcJwt => Goal::Cpu(65.0 * share),
            Self::Refresh => Goal::Cpu(160.0 * share),
            Self::Introspect | Self::Userinfo => Goal::Cpu(30.0 * share),
            Self::Code => Goal::Cpu(300.0 * share),
            Self::SignIn => Goal::CpuBesidesArgon2(700.0 * share),
            Self::Revoke if kind == Kind::Sqlite => Goal::Latency(1.0, 5.0),
            Self::Revoke => Goal::Latency(3.0, 15.0),
            Self::Samples => Goal::Cpu(150.0 * share),
        })
    }

    /// Whether others than Gait can do it.
    pub fn is_ours_alone(self) -> bool {
        self == Self::Samples
    }

    /// Brings a user to where the flow begins.
    ///
    /// # Errors
    /// The provider does otherwise than it must.
    pub async fn prepare(self, user: &mut User) -> anyhow::Result<()> {
        match self {
            Self::Discovery | Self::Jwks | Self::Cc | Self::CcJwt | Self::SignIn => Ok(()),
            Self::Refresh | Self::Introspect | Self::Userinfo | Self::Code | Self::Revoke => user.sign_in().await,
            Self::Samples => user.open_pages(PAGES).await,
        }
    }

    /// Does it once; returns the milliseconds that count, if those aren't the whole.
    ///
    /// # Errors
    /// The provider does otherwise than it must.
    pub async fn flow(self, user: &mut User) -> anyhow::Result<Option<f64>> {
        match self {
            Self::Discovery => user.discovery().await?,
            Self::Jwks => user.jwks().await?,
            Self::Cc => user.client_credentials().await?,
            Self::CcJwt => user.client_credentials_jwt().await?,
            Self::Refresh => user.refresh().await?,
            Self::Introspect => user.introspect().await?,
            Self::Userinfo => user.userinfo().await?,
            Self::Code => user.code().await?,
            Self::SignIn => user.sign_in().await?,
            Self::Revoke => return Ok(Some(user.revoke().await?)),
            Self::Samples => user.sample().await?,
        }
        Ok(None)
    }
}
