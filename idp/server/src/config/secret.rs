//! Secrets: written in the configuration, in a file, or in an environment variable.

use gait_core::token::secret::Secret;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Largest secret file in bytes.
const MOST: u64 = 64 * 1024;

/// Makes the list of keys together with the keys, so that none is forgotten in it.
macro_rules! keys {
    ($($key:ident = $name:literal,)*) => {
        /// The keys under which secrets are written: who looks for secrets in a configuration looks for all of these, and for each with `_file`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Key {
            $(#[doc = concat!("`", $name, "`.")] $key,)*
        }

        impl Key {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$key,)*];

            /// As it is written.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$key => $name,)*
                }
            }
        }
    };
}

keys! {
    ApiKey = "api_key",
    Passphrase = "passphrase",
    Password = "password",
    Secret = "secret",
    Url = "url",
    Value = "value",
}

/// The three keys under which a secret `x` may be written: `x`, `x_file` and `x_env`. One of them at most.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// The key, `x`.
    pub key: Key,
    /// `x`: the secret itself.
    pub inline: &'a Option<Secret>,
    /// `x_file`: the file that holds it.
    pub file: &'a Option<PathBuf>,
    /// `x_env`: the name of the environment variable that holds it.
    pub env: &'a Option<String>,
}

impl Written<'_> {
    /// The secret, if it is written; a file's path is relative to `folder`, and the line's end after the secret isn't part of it.
    ///
    /// # Errors
    /// The reason, which names the key: it is written twice, is empty, the file can't be read, or the variable isn't set.
    pub fn read(&self, folder: &Path) -> Result<Option<Secret>, String> {
        let key = self.key.name();
        let secret = match (self.inline, self.file, self.env) {
            (None, None, None) => return Ok(None),
            (Some(secret), None, None) if secret.expose().is_empty() => return Err(format!("{key} is empty")),
            (Some(secret), None, None) => secret.clone(),
            (None, Some(file), None) => of_file(&folder.join(file)).map_err(|reason| format!("{key}_file: {reason}"))?,
            (None, None, Some(name)) => of_variable(name)
                .and_then(|secret| secret.ok_or_else(|| format!("the environment variable {name} is not set")))
                .map_err(|reason| format!("{key}_env: {reason}"))?,
            _ => return Err(format!("write one of {key}, {key}_file and {key}_env, not several")),
        };
        Ok(Some(secret))
    }

    /// The secret, which must be written.
    ///
    /// # Errors
    /// As [`Written::read`], or none of the keys is there.
    pub fn required(&self, folder: &Path) -> Result<Secret, String> {
        let key = self.key.name();
        self.read(folder)?
            .ok_or_else(|| format!("{key}, {key}_file or {key}_env is missing"))
    }

    /// The secret, or else what an environment variable of ours holds.
    ///
    /// # Errors
    /// As [`Written::read`], or there is neither.
    pub fn or_variable(&self, folder: &Path, variable: &str) -> Result<Secret, String> {
        let key = self.key.name();
        let secret = match self.read(folder)? {
            None => of_variable(variable)?,
            written => written,
        };
        secret.ok_or_else(|| format!("{key}, {key}_file, {key}_env or {variable} is missing"))
    }
}

/// The secret in a file, without the line's end after it.
///
/// # Errors
/// The reason: it can't be read, is empty, isn't text, or is too large for a secret.
pub fn of_file(path: &Path) -> Result<Secret, String> {
    let place = path.display();
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| format!("{place}: {error}"))?;
    let read = file.take(MOST + 1).read_to_string(&mut text);
    read.map_err(|error| format!("{place}: {error}"))?;
    if text.len() as u64 > MOST {
        return Err(format!("{place} is too large for a secret"));
    }
    without_line_end(text).ok_or_else(|| format!("{place} is empty"))
}

/// The secret in an environment variable, if it is set.
///
/// # Errors
/// The reason: it is empty, or isn't text.
pub fn of_variable(name: &str) -> Result<Option<Secret>, String> {
    match std::env::var(name) {
        Ok(text) => match without_line_end(text) {
            Some(secret) => Ok(Some(secret)),
            None => Err(format!("the environment variable {name} is empty")),
        },
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("the environment variable {name} is no text")),
    }
}

fn without_line_end(mut text: String) -> Option<Secret> {
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    Some(Secret::wrap(text)).filter(|secret| !secret.expose().is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::config::{Config, ConfigError};

    fn read(inline: Option<&str>, file: Option<&str>, env: Option<&str>, folder: &Path) -> Result<Option<String>, String> {
        let written = Written {
            key: Key::Password,
            inline: &inline.map(|text| Secret::wrap(text.to_owned())),
            file: &file.map(PathBuf::from),
            env: &env.map(str::to_owned),
        };
        Ok(written.read(folder)?.map(|secret| secret.expose().to_owned()))
    }

    #[test]
    fn a_secret_stands_in_the_configuration_a_file_or_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "of a file \r\n\n").unwrap();
        let here = folder.path();
        assert_eq!(read(None, None, None, here), Ok(None));
        assert_eq!(read(Some("as it is\n"), None, None, here), Ok(Some("as it is\n".to_owned())));
        assert_eq!(
            read(None, Some("password"), None, here),
            Ok(Some("of a file ".to_owned())),
            "only line ends are cut"
        );
        let cargos = std::env::var("CARGO_PKG_NAME").unwrap();
        assert_eq!(read(None, None, Some("CARGO_PKG_NAME"), here), Ok(Some(cargos)));
    }

    #[test]
    fn what_is_no_secret_is_refused_with_the_key_and_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        file("empty", b"\n");
        file("binary", b"\xff\xfe");
        file("large", &vec![b'x'; 64 * 1024 + 1]);
        let cases = [
            (Some(""), None, None, "password is empty"),
            (
                Some("x"),
                Some("empty"),
                None,
                "write one of password, password_file and password_env",
            ),
            (None, Some("empty"), Some("HOME"), "write one of"),
            (None, Some("missing"), None, "missing: No such file"),
            (None, Some("empty"), None, "empty is empty"),
            (None, Some("binary"), None, "valid UTF-8"),
            (None, Some("large"), None, "too large"),
            (None, None, Some("GAIT_NOT_SET_ANYWHERE"), "GAIT_NOT_SET_ANYWHERE is not set"),
        ];
        for (inline, file, env, reason) in cases {
            let error = read(inline, file, env, folder.path()).unwrap_err();
            assert!(error.contains(reason) && error.contains("password"), "{error}");
        }
    }

    /// A configuration in which every secret is written by these lines.
    fn parse(client: &str, sender: &str, account: &str, smtp: &str, folder: &Path) -> Result<Config, ConfigError> {
        let text = format!(
            "issuer = \"https://id.example\"\n\
             [smtp]\nhost = \"mail.example\"\nfrom = \"a@b.example\"\nusername = \"u\"\n{smtp}\n\
             [[client]]\nid = \"web\"\n{client}\n\
             [[account]]\nusername = \"al\"\n{account}\n\
             [[sender]]\nissuer = \"https://s.example\"\nclients = []\njwks = {{ keys = [] }}\n{sender}\n"
        );
        Config::parse(&text, "gait.toml", folder)
    }

    #[test]
    fn every_secret_may_stand_in_a_file_and_none_is_printed() {
        let folder = tempfile::tempdir().unwrap();
        let long = "a-secret-that-is-long-enough-for-this";
        std::fs::write(folder.path().join("s"), format!("{long}\n")).unwrap();
        let (secret, password) = ("secret_file = \"s\"", "password_file = \"s\"");
        let config = parse(secret, secret, password, password, folder.path()).unwrap();
        let smtp = config.smtp.as_ref().unwrap();
        let read = [
            &config.clients[0].secret,
            &config.senders[0].secret,
            &config.accounts[0].password,
            &smtp.password,
        ];
        assert!(read.iter().all(|secret| secret.as_ref().unwrap().expose() == long));
        assert!(!format!("{config:?}").contains(long));
    }

    #[test]
    fn a_wrong_secret_is_named_by_line_and_not_shown() {
        let secret = "secret = \"a-secret-that-is-long-enough-for-this\"";
        let password = "password = \"quiet-keys-at-night\"";
        let missing = "secret_env = \"GAIT_NOT_SET_ANYWHERE\"";
        let here = Path::new(".");
        for (parsed, line) in [
            (parse(missing, secret, password, password, here), 7),
            (parse(secret, missing, password, password, here), 13),
            (parse(secret, "", password, password, here), 13),
            (parse(secret, secret, "password_file = \"none\"", password, here), 10),
            (parse(secret, secret, password, "", here), 2),
            (parse("secret = 123456", secret, password, password, here), 9),
        ] {
            let error = parsed.unwrap_err();
            assert_eq!(error.line, Some(line), "{error}");
            assert!(!error.to_string().contains("123456"), "{error}");
        }
    }
}
