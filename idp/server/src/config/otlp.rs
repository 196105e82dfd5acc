//! `[otlp]`: the collector that requests are told to as traces.

use super::secret::{Key, Written};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use gait_core::token::secret::Secret;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use url::Url;

/// Whether this build can tell anybody.
const IS_BUILT: bool = cfg!(feature = "otlp");

/// The section as it is written.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    /// What spans are posted to, path and all: `https://collector.example:4318/v1/traces`.
    endpoint: Url,
    /// Share of requests that are told of, 0.0 to 1.0.
    #[serde(default = "default_ratio")]
    ratio: f64,
    /// Whether `traceparent` of a trusted proxy is followed: only if the proxy makes it, and hands on no visitor's.
    #[serde(default)]
    follow_proxies: bool,
    /// What the collector wants to be sent along.
    #[serde(default, rename = "header")]
    headers: Vec<Header>,
}

/// `[[otlp.header]]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    name: String,
    value: Option<Secret>,
    value_file: Option<PathBuf>,
    value_env: Option<String>,
}

fn default_ratio() -> f64 {
    1.0
}

/// A collector.
#[derive(Clone, Debug)]
pub struct OtlpConfig {
    /// What spans are posted to.
    pub endpoint: Url,
    /// Sent along; their values aren't printed.
    pub headers: HeaderMap,
    /// Share of requests that are told of, 0.0 to 1.0, where nobody else has decided.
    pub ratio: f64,
    /// Whether `traceparent` of a trusted proxy is followed.
    pub follow_proxies: bool,
}

impl Section {
    pub(super) fn check(&self, folder: &Path) -> Result<OtlpConfig, String> {
        if !IS_BUILT {
            return Err("otlp: this gait was built without it (cargo build --features otlp)".to_owned());
        }
        self.checked(folder)
    }

    fn checked(&self, folder: &Path) -> Result<OtlpConfig, String> {
        let url = &self.endpoint;
        if !["http", "https"].contains(&url.scheme()) || !url.username().is_empty() || url.password().is_some() {
            return Err(
                "otlp.endpoint is an http or https URL without a user; what is secret goes into [[otlp.header]]".to_owned(),
            );
        }
        if url.path() == "/" {
            return Err("otlp.endpoint has no path: most collectors take traces at /v1/traces".to_owned());
        }
        if !(0.0..=1.0).contains(&self.ratio) {
            return Err("otlp.ratio must be 0.0 to 1.0".to_owned());
        }
        let mut headers = HeaderMap::new();
        for header in &self.headers {
            let (name, value) = header.check(folder)?;
            headers.append(name, value);
        }
        Ok(OtlpConfig {
            endpoint: url.clone(),
            headers,
            ratio: self.ratio,
            follow_proxies: self.follow_proxies,
        })
    }
}

impl Header {
    fn check(&self, folder: &Path) -> Result<(HeaderName, HeaderValue), String> {
        let written = Written {
            key: Key::Value,
            inline: &self.value,
            file: &self.value_file,
            env: &self.value_env,
        };
        let of_it = |reason: &str| format!("otlp.header {:?}: {reason}", self.name);
        let name = self.name.parse().map_err(|_| of_it("no name of a header"))?;
        let secret = written.required(folder).map_err(|reason| of_it(&reason))?;
        let mut value = HeaderValue::from_str(secret.expose()).map_err(|_| of_it("the value is none of a header"))?;
        value.set_sensitive(true);
        Ok((name, value))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(lines: &str, folder: &Path) -> Result<OtlpConfig, String> {
        let section: Section = toml::from_str(lines).map_err(|error| error.message().to_owned())?;
        section.checked(folder)
    }

    #[test]
    fn an_endpoint_is_enough_and_headers_are_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let config = read("endpoint = \"http://127.0.0.1:4318/v1/traces\"", folder.path()).unwrap();
        assert_eq!((config.ratio, config.follow_proxies, config.headers.len()), (1.0, false, 0));

        std::fs::write(folder.path().join("token"), "Bearer hidden\n").unwrap();
        let lines = "endpoint = \"https://collector.example/v1/traces\"\nratio = 0.1\nfollow_proxies = true\n\
                     [[header]]\nname = \"Authorization\"\nvalue_file = \"token\"\n[[header]]\nname = \"x-tenant\"\nvalue = \"hidden\"";
        let config = read(lines, folder.path()).unwrap();
        assert_eq!((config.ratio, config.follow_proxies), (0.1, true));
        assert_eq!(config.headers["authorization"], "Bearer hidden");
        assert_eq!(config.headers["x-tenant"], "hidden");
        assert!(!format!("{config:?}").contains("hidden"), "{config:?}");
    }

    #[test]
    fn what_can_not_work_is_refused() {
        let here = "endpoint = \"https://collector.example/v1/traces\"";
        for (lines, reason) in [
            (String::new(), "missing field `endpoint`"),
            ("endpoint = \"collector:4317\"".to_owned(), "http or https URL"),
            (
                "endpoint = \"https://u:p@collector.example/v1/traces\"".to_owned(),
                "without a user",
            ),
            ("endpoint = \"https://collector.example:4318\"".to_owned(), "/v1/traces"),
            (format!("{here}\nratio = 1.1"), "ratio must be 0.0 to 1.0"),
            (format!("{here}\nratio = nan"), "ratio must be 0.0 to 1.0"),
            (format!("{here}\nprotocol = \"grpc\""), "unknown field"),
            (
                format!("{here}\n[[header]]\nname = \"a b\"\nvalue = \"x\""),
                "no name of a header",
            ),
            (
                format!("{here}\n[[header]]\nname = \"a\""),
                "value, value_file or value_env is missing",
            ),
            (
                format!("{here}\n[[header]]\nname = \"a\"\nvalue = \"a\\nb\""),
                "the value is none of a header",
            ),
            (
                format!("{here}\n[[header]]\nname = \"a\"\nvalue_file = \"absent\""),
                "absent: No such file",
            ),
        ] {
            let error = read(&lines, Path::new(".")).unwrap_err();
            assert!(error.contains(reason) && !error.contains("u:p"), "{lines}: {error}");
        }
    }

    /// Who configures traces and gets none would look for them in vain.
    #[cfg(not(feature = "otlp"))]
    #[test]
    fn a_build_without_it_says_so_with_the_line() {
        let text = "issuer = \"https://id.example\"\n[otlp]\nendpoint = \"https://collector.example/v1/traces\"\n";
        let error = crate::config::Config::parse(text, "gait.toml", Path::new(".")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("gait.toml:2: otlp: this gait was built without it"),
            "{error}"
        );
    }
}
