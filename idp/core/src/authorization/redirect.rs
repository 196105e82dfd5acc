//! Redirect URIs: compared exactly, with the one exception for loopback ports.

use crate::client::Client;
use url::Url;

/// Schemes that a browser runs or reads instead of going somewhere.
const FORBIDDEN_SCHEMES: [&str; 9] = [
    "javascript",
    "data",
    "vbscript",
    "blob",
    "file",
    "about",
    "intent",
    "filesystem",
    "view-source",
];

/// The loopback addresses of RFC 8252 §7.3, as they must be written. `localhost` isn't one: it may resolve to another machine.
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// True if `uri` may be registered at all: absolute, no fragment (RFC 6749 §3.1.2), no user info, a scheme that goes somewhere, and
/// a host where the scheme has one.
pub fn is_acceptable(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    let plain = uri
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    let hosted = !matches!(url.scheme(), "http" | "https") || url.host_str().is_some_and(|host| !host.is_empty());
    plain && hosted && url.username().is_empty() && url.password().is_none() && !FORBIDDEN_SCHEMES.contains(&url.scheme())
}

/// True if `presented` is one of the client's redirect URIs: the very same text (RFC 9700 §2.1), or, for native apps, the same
/// loopback address with another port (RFC 8252 §7.3).
pub(crate) fn is_registered(client: &Client, presented: &str) -> bool {
    let same = |registered: &String| registered == presented || (client.native && differs_in_port(registered, presented));
    is_acceptable(presented) && client.redirect_uris.iter().any(same)
}

fn differs_in_port(registered: &str, presented: &str) -> bool {
    matches!((loopback(registered), loopback(presented)), (Some(one), Some(other)) if one == other)
}

/// Splits a loopback URI into its address and what follows the port. On the text, so that nothing is decoded or normalised first:
/// `http://127.0.0.1:80@evil/` has no place here.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let address = LOOPBACK.into_iter().find(|address| uri.starts_with(address))?;
    let after = &uri[address.len()..];
    let rest = match after.strip_prefix(':') {
        Some(port) => {
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            port[..digits].parse::<u16>().ok()?;
            &port[digits..]
        }
        None => after,
    };
    (rest.is_empty() || rest.starts_with('/') || rest.starts_with('?')).then_some((address, rest))
}
