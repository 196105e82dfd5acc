//! `[elasticsearch]`: where security events and request logs are kept for searching.

use super::secret::{Key, Written};
use gait_core::token::secret::Secret;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use url::Url;

/// Longest namespace of a data stream in bytes.
const MAX_NAMESPACE: usize = 100;

/// `[elasticsearch]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElasticsearchConfig {
    /// Nodes of the cluster, `https` or `http`; they are asked in turn.
    pub urls: Vec<Url>,
    /// An API key as Kibana shows it (base64 of id and key).
    pub api_key: Option<Secret>,
    api_key_file: Option<PathBuf>,
    api_key_env: Option<String>,
    /// User name, where there is no API key.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    /// Last part of the data streams' names: `logs-gait.events-NAMESPACE` and `logs-gait.requests-NAMESPACE`.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// Whether requests are shipped too, not only security events.
    #[serde(default = "default_requests")]
    pub requests: bool,
    /// Whether templates and policies are installed at the start, as `gait elasticsearch setup` does.
    #[serde(default)]
    pub setup: bool,
}

fn default_namespace() -> String {
    "default".to_owned()
}
fn default_requests() -> bool {
    true
}

impl ElasticsearchConfig {
    pub(super) fn check(&self, folder: &Path) -> Result<Self, String> {
        if self.urls.is_empty() {
            return Err("elasticsearch.urls names no node".to_owned());
        }
        if let Some(url) = self.urls.iter().find(|url| !is_node(url)) {
            return Err(format!(
                "elasticsearch.urls: {} is no http or https URL without user and query",
                url.host_str().unwrap_or_default()
            ));
        }
        let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'.';
        if !(1..=MAX_NAMESPACE).contains(&self.namespace.len()) || !self.namespace.bytes().all(is_fit) {
            return Err("elasticsearch.namespace is of lower-case letters, digits, dots and underscores".to_owned());
        }
        let mut checked = self.clone();
        let api_key = Written {
            key: Key::ApiKey,
            inline: &self.api_key,
            file: &self.api_key_file,
            env: &self.api_key_env,
        };
        checked.api_key = api_key.read(folder)?;
        let password = Written {
            key: Key::Password,
            inline: &self.password,
            file: &self.password_file,
            env: &self.password_env,
        };
        checked.password = password.read(folder)?;
        match (&checked.api_key, &checked.username, &checked.password) {
            (Some(key), None, None) if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err("api_key is base64, in one piece".to_owned())
            }
            (Some(_), None, None) | (None, Some(_), Some(_)) | (None, None, None) => Ok(checked),
            _ => Err("elasticsearch takes an api_key, or username and password, or none of them".to_owned()),
        }
    }
}

fn is_node(url: &Url) -> bool {
    ["http", "https"].contains(&url.scheme())
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::config::Config;

    fn parse(lines: &str) -> Result<ElasticsearchConfig, String> {
        let text = format!("issuer = \"https://id.example\"\n[elasticsearch]\n{lines}\n");
        let config = Config::parse(&text, "gait.toml", Path::new(".")).map_err(|error| error.to_string())?;
        Ok(config.elasticsearch.unwrap())
    }

    #[test]
    fn a_node_is_enough_and_requests_go_along() {
        let config = parse("urls = [\"https://search.example:9200\"]").unwrap();
        assert_eq!(
            (config.namespace.as_str(), config.requests, config.setup),
            ("default", true, false)
        );
        let keyed = parse("urls = [\"http://127.0.0.1:9200\"]\napi_key = \"YWJj\"\nrequests = false").unwrap();
        assert!(!format!("{keyed:?}").contains("YWJj"), "no secret is printed");
    }

    #[test]
    fn what_can_not_work_is_refused_with_its_line() {
        let url = "urls = [\"https://search.example\"]";
        for (lines, reason) in [
            (String::new(), "missing field `urls`"),
            ("urls = []".to_owned(), "names no node"),
            ("urls = [\"ftp://search.example\"]".to_owned(), "no http or https URL"),
            ("urls = [\"https://u:p@search.example\"]".to_owned(), "no http or https URL"),
            (format!("{url}\nnamespace = \"a-b\""), "namespace"),
            (format!("{url}\nnamespace = \"\""), "namespace"),
            (format!("{url}\napi_key = \"a\\nb\""), "in one piece"),
            (format!("{url}\nusername = \"gait\""), "or none of them"),
            (
                format!("{url}\nusername = \"g\"\npassword = \"p\"\napi_key = \"a\""),
                "or none of them",
            ),
            (format!("{url}\nindex = \"logs\""), "unknown field"),
        ] {
            let error = parse(&lines).unwrap_err();
            assert!(error.contains(reason) && error.starts_with("gait.toml:"), "{error}");
            assert!(!error.contains("u:p"), "{error}");
        }
    }
}
