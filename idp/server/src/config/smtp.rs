//! `[smtp]`.

use super::secret::{Key, Written};
use gait_core::token::secret::Secret;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Encryption of the connection to the mail server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// STARTTLS, required.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None: only for a server on this machine or in its own network.
    None,
}

/// `[smtp]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Host name.
    pub host: String,
    /// Port; by default 587 (STARTTLS), 465 (TLS) or 25.
    pub port: Option<u16>,
    /// Encryption.
    #[serde(default)]
    pub tls: MailTls,
    /// PEM file with certificates of authorities that are believed beside the system's.
    pub ca_file: Option<PathBuf>,
    /// User name, if the server wants one.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
    /// Environment variable that holds it.
    pub password_env: Option<String>,
    /// Sender, for example `Example <no-reply@example.test>`.
    pub from: String,
    /// Connections to the server, 1 to 32.
    #[serde(default = "connections")]
    pub connections: u32,
    /// Seconds that the server may take for an answer, 1 to 60.
    #[serde(default = "timeout_s")]
    pub timeout_s: u32,
    /// Mails that are sent in a minute at most, at least 1; more wait.
    #[serde(default = "per_minute")]
    pub per_minute: u32,
}

fn connections() -> u32 {
    4
}
fn timeout_s() -> u32 {
    10
}
fn per_minute() -> u32 {
    600
}

impl SmtpConfig {
    pub(super) fn check(&self, folder: &Path) -> Result<Self, String> {
        let written = Written {
            key: Key::Password,
            inline: &self.password,
            file: &self.password_file,
            env: &self.password_env,
        };
        let password = written.read(folder).map_err(|reason| format!("smtp: {reason}"))?;
        if password.is_some() != self.username.is_some() {
            return Err("smtp: username and password belong together".to_owned());
        }
        if password.is_some() && self.tls == MailTls::None {
            return Err("smtp: a password is sent over TLS only".to_owned());
        }
        for (key, value, most) in [
            ("connections", self.connections, 32),
            ("timeout_s", self.timeout_s, 60),
            ("per_minute", self.per_minute, 1_000_000),
        ] {
            if !(1..=most).contains(&value) {
                return Err(format!("smtp.{key} must be 1 to {most}, not {value}"));
            }
        }
        Ok(Self {
            password,
            ca_file: self.ca_file.as_ref().map(|file| folder.join(file)),
            ..self.clone()
        })
    }

    /// How long the server may take for an answer.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s.into())
    }
}
