//! A browser in words that a person knows.

use serde::Serialize;

/// A browser on a system, read from a `User-Agent`. Either may be unknown; the header is a hint for people, never evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    /// The browser's name.
    pub browser: Option<&'static str>,
    /// The system's name.
    pub system: Option<&'static str>,
    /// True for a phone or a tablet.
    pub mobile: bool,
}

// The order matters: each browser also names those that it wants to be taken for.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
];
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
    ("BSD", "BSD"),
];

impl Device {
    /// Reads a `User-Agent`.
    pub fn read(user_agent: &str) -> Self {
        let find = |names: &[(&str, &'static str)]| {
            names
                .iter()
                .find(|(mark, _)| user_agent.contains(mark))
                .map(|(_, name)| *name)
        };
        let system = find(&SYSTEMS);
        Self {
            browser: find(&BROWSERS),
            system,
            mobile: matches!(system, Some("iPhone" | "iPad" | "Android")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Device;

    #[test]
    fn a_browser_is_named_by_what_it_is_and_not_by_what_it_claims_to_be_like() {
        let edge =
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130 Safari/537.36 Edg/130";
        assert_eq!(
            Device::read(edge),
            Device {
                browser: Some("Edge"),
                system: Some("Windows"),
                mobile: false
            }
        );
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1";
        assert_eq!(
            Device::read(phone),
            Device {
                browser: Some("Safari"),
                system: Some("iPhone"),
                mobile: true
            }
        );
    }

    #[test]
    fn nonsense_is_unknown() {
        assert_eq!(
            Device::read("<script>"),
            Device {
                browser: None,
                system: None,
                mobile: false
            }
        );
    }
}
