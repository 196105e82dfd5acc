//! `[database]`: the Postgres server. Without it, the database is a file in the data folder.

use super::secret::{Key, Written, of_variable};
use gait_core::token::secret::Secret;
use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::path::{Path, PathBuf};

/// Environment variable that holds the URL where the file names none.
pub const VARIABLE: &str = "GAIT_DATABASE_URL";
/// Most connections of one node.
const MOST: u32 = 1000;

/// The section as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatabaseConfig {
    url: Option<Secret>,
    url_file: Option<PathBuf>,
    url_env: Option<String>,
    #[serde(default = "default_connections")]
    connections: u32,
}

fn default_connections() -> u32 {
    16
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            url_env: None,
            connections: default_connections(),
        }
    }
}

/// A database on a Postgres server.
#[derive(Clone)]
pub struct Server {
    /// Where it is, and as whom. Holds the password.
    pub options: PgConnectOptions,
    /// Most connections of this node.
    pub connections: u32,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.options.get_host())
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl DatabaseConfig {
    pub(super) fn check(&self, folder: &Path) -> Result<Server, String> {
        if !(2..=MOST).contains(&self.connections) {
            return Err(format!("connections must be 2 to {MOST}, not {}", self.connections));
        }
        let written = Written {
            key: Key::Url,
            inline: &self.url,
            file: &self.url_file,
            env: &self.url_env,
        };
        let url = written.or_variable(folder, VARIABLE)?;
        Ok(Server {
            options: parse(&url)?,
            connections: self.connections,
        })
    }
}

/// The server that the environment names, for a file without the section.
///
/// # Errors
/// The reason.
pub(super) fn of_environment() -> Result<Option<Server>, String> {
    match of_variable(VARIABLE)? {
        Some(_) => DatabaseConfig::default().check(Path::new(".")).map(Some),
        None => Ok(None),
    }
}

/// No error shows the URL, for it holds a password.
fn parse(url: &Secret) -> Result<PgConnectOptions, String> {
    let parsed = url::Url::parse(url.expose()).map_err(|error| format!("the database's URL is none: {error}"))?;
    if !matches!(parsed.scheme(), "postgres" | "postgresql") {
        return Err("the database's URL must begin with postgres://".to_owned());
    }
    if parsed.path().trim_start_matches('/').is_empty() {
        return Err("the database's URL names no database: postgres://user:password@host/database".to_owned());
    }
    parsed
        .as_str()
        .parse()
        .map_err(|_unshown| "the database's URL has a setting that can't be read: look at sslmode and port".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::config::{Config, ConfigError};

    fn database(lines: &str, folder: &Path) -> Result<Server, ConfigError> {
        let text = format!("issuer = \"https://id.example\"\n\n[database]\n{lines}\n");
        Config::parse(&text, "gait.toml", folder).map(|config| config.database.unwrap())
    }

    #[test]
    fn a_server_is_named_by_its_url_or_a_file_that_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("url"), "postgresql://gait:s%40cret@db.example:6543/idp\n").unwrap();
        let server = database("url_file = \"url\"\nconnections = 40", folder.path()).unwrap();
        assert_eq!(server.connections, 40);
        assert_eq!((server.options.get_host(), server.options.get_port()), ("db.example", 6543));
        assert_eq!(server.options.get_database(), Some("idp"));
        assert!(!format!("{server:?}").contains("s@cret"), "{server:?}");
        let server = database("url = \"postgres://gait@db.example/idp?sslmode=verify-full\"", folder.path()).unwrap();
        assert_eq!(server.connections, 16);
        assert!(matches!(server.options.get_ssl_mode(), sqlx::postgres::PgSslMode::VerifyFull));
    }

    #[test]
    fn a_wrong_url_is_refused_with_its_line_and_without_the_password() {
        for (lines, reason) in [
            ("url = \"mysql://gait:hunter2@db/idp\"", "must begin with postgres://"),
            ("url = \"postgres://gait:hunter2@db\"", "names no database"),
            ("url = \"postgres://gait:hunter2@db/idp?sslmode=hunter2\"", "can't be read"),
            ("url = \"gait:hunter2@db/idp\"", "must begin with postgres://"),
            ("url = \"hunter2\"", "is none"),
            ("url = \"\"", "url is empty"),
            (
                "url = \"postgres://db/idp\"\nconnections = 1",
                "connections must be 2 to 1000",
            ),
            ("url = \"postgres://db/idp\"\nurl_file = \"x\"", "not several"),
            ("url_file = \"nowhere\"", "nowhere"),
            ("connections = 8", "is missing"),
            ("uri = \"postgres://db/idp\"", "unknown field"),
        ] {
            let error = database(lines, Path::new("/nonexistent")).unwrap_err();
            assert!(error.line.is_some_and(|line| (3..=4).contains(&line)), "{error}");
            assert!(error.to_string().contains(reason), "{lines}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
