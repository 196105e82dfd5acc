//! `[redis]`: where the nodes keep together what is ephemeral.

use super::secret::{Key, Written, of_variable};
use gait_core::token::secret::Secret;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Environment variable that holds the URL, where the file doesn't say where it is.
const VARIABLE: &str = "GAIT_REDIS_URL";
/// Longest prefix in bytes.
const MAX_PREFIX: usize = 64;

/// The section as it is written.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    /// `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. Where it holds a password, better in a file.
    url: Option<Secret>,
    /// File that holds the URL.
    url_file: Option<PathBuf>,
    /// Environment variable that holds it; `GAIT_REDIS_URL` by default.
    url_env: Option<String>,
    /// Begins every key.
    prefix: Option<String>,
    /// It is a Redis Cluster, and the URL is that of one of its nodes.
    #[serde(default)]
    cluster: bool,
    /// Certificates (PEM) of the authority to trust in place of the system's.
    ca_file: Option<PathBuf>,
}

/// A Redis.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// Its URL, which may hold a password.
    pub url: Secret,
    /// Begins every key.
    pub prefix: String,
    /// It is a cluster.
    pub cluster: bool,
    /// Certificates of the authority to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
}

impl Section {
    pub(super) fn check(&self, folder: &Path) -> Result<RedisConfig, String> {
        let secret = self.read_url(folder)?;
        let url = secret.expose();
        let is_tls = url.starts_with("rediss://");
        if !is_tls && !url.starts_with("redis://") {
            return Err("redis.url must begin with redis:// or rediss://".to_owned());
        }
        if self.ca_file.is_some() && !is_tls {
            return Err("redis.ca_file needs a rediss:// URL: without TLS nothing would be checked by it".to_owned());
        }
        let prefix = self.prefix.clone().unwrap_or_else(|| "gait:".to_owned());
        let is_plain = prefix
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}'));
        if prefix.len() > MAX_PREFIX || !is_plain {
            // Braces would put all keys on one node of a cluster.
            return Err(format!(
                "redis.prefix has at most {MAX_PREFIX} visible ASCII characters, and no braces"
            ));
        }
        Ok(RedisConfig {
            url: secret,
            prefix,
            cluster: self.cluster,
            ca_file: self.ca_file.as_ref().map(|file| folder.join(file)),
        })
    }

    fn read_url(&self, folder: &Path) -> Result<Secret, String> {
        let written = Written {
            key: Key::Url,
            inline: &self.url,
            file: &self.url_file,
            env: &self.url_env,
        };
        written.or_variable(folder, VARIABLE)
    }
}

/// The Redis that the environment names, for a file without the section.
///
/// # Errors
/// The reason.
pub(super) fn of_environment() -> Result<Option<RedisConfig>, String> {
    match of_variable(VARIABLE)? {
        Some(_) => Section::default().check(Path::new(".")).map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use crate::config::Config;
    use std::path::Path;

    fn read(lines: &str, folder: &Path) -> Result<Config, String> {
        let text = format!("issuer = \"https://id.example\"\n\n[redis]\n{lines}\n");
        Config::parse(&text, "gait.toml", folder).map_err(|error| error.to_string())
    }

    #[test]
    fn the_url_stands_in_the_file_or_in_one_of_its_own_and_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("redis.url"), "rediss://:hidden@cache.example/2\n").unwrap();
        std::fs::write(folder.path().join("ca.pem"), "").unwrap();
        let config = read("url_file = \"redis.url\"\nca_file = \"ca.pem\"", folder.path()).unwrap();
        assert!(!format!("{config:?}").contains("hidden"));
        let redis = config.redis.unwrap();
        assert_eq!(redis.url.expose(), "rediss://:hidden@cache.example/2");
        assert_eq!((redis.prefix.as_str(), redis.cluster), ("gait:", false));
        assert_eq!(redis.ca_file.unwrap(), folder.path().join("ca.pem"));
        let here = read(
            "url = \"redis://127.0.0.1\"\nprefix = \"one:\"\ncluster = true",
            folder.path(),
        )
        .unwrap();
        assert_eq!(
            here.redis.map(|redis| (redis.prefix, redis.cluster)),
            Some(("one:".to_owned(), true))
        );
        let none = Config::parse("issuer = \"https://id.example\"", "gait.toml", folder.path()).unwrap();
        assert!(none.redis.is_none());
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        for (lines, reason) in [
            ("", "GAIT_REDIS_URL is missing"),
            ("url = \"http://127.0.0.1\"", "must begin with redis://"),
            ("url = \"redis://a\"\nurl_file = \"b\"", "not several"),
            ("url_file = \"absent\"", "absent"),
            ("url = \"redis://a\"\nca_file = \"ca.pem\"", "needs a rediss:// URL"),
            ("url = \"redis://a\"\nprefix = \"{gait}\"", "no braces"),
            ("url = \"redis://a\"\ntls = true", "unknown field"),
        ] {
            let error = read(lines, folder.path()).unwrap_err();
            assert!(error.contains(reason) && error.starts_with("gait.toml:"), "{lines}: {error}");
        }
    }
}
