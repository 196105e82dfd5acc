//! A browser's cookies, of one site. Other providers keep other rules than ours, so none are checked here.

use hyper::HeaderMap;
use hyper::header::SET_COOKIE;
use std::collections::BTreeMap;

/// The cookies.
#[derive(Default)]
pub struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Takes what an answer sets.
    pub fn take(&mut self, headers: &HeaderMap) {
        let lines = headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        for line in lines {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.trim().split_once('=') else {
                continue;
            };
            match value.is_empty() || is_over(attributes) {
                true => self.0.remove(name),
                false => self.0.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    /// The `Cookie` header; `None` without a cookie.
    pub fn header(&self) -> Option<String> {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// Whether a cookie is being deleted.
fn is_over(attributes: &str) -> bool {
    let attributes = attributes.to_ascii_lowercase();
    let mut each = attributes.split(';').map(str::trim);
    each.any(|attribute| attribute == "max-age=0" || attribute.starts_with("expires=thu, 01 jan 1970"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn jar(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SET_COOKIE, line.parse().unwrap());
        }
        let mut jar = Jar::default();
        jar.take(&headers);
        jar.header()
    }

    #[test]
    fn cookies_come_change_and_go() {
        assert_eq!(jar(&["a=1; Path=/; HttpOnly", "b=x=y"]).as_deref(), Some("a=1; b=x=y"));
        assert_eq!(jar(&["a=1", "a=2; Max-Age=60"]).as_deref(), Some("a=2"));
        assert_eq!(jar(&["a=1", "a=; Max-Age=0"]), None);
        assert_eq!(jar(&["a=1", "a=gone; Path=/; Max-Age=0"]), None);
        assert_eq!(jar(&["a=1", "a=gone; expires=Thu, 01 Jan 1970 00:00:00 GMT"]), None);
        assert_eq!(jar(&["nonsense"]), None);
    }
}
