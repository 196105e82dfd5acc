//! One place of an account, as it is stored.

use gait_sdk::{Context, Timestamp};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// How far the clocks of two nodes may differ, in seconds.
const SKEW_S: i64 = 60;
/// A question that wasn't answered is asked again after this many seconds, not at each sign-in.
const ASK_AGAIN_S: i64 = 7 * 86_400;
/// Longest `User-Agent` that is kept, in characters.
const MAX_USER_AGENT_CHARS: usize = 256;

/// Browsers by a word of their `User-Agent`; most of them also say that they are the ones further down.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];

/// An address and a browser. Both must match to the letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// /32 of IPv4, /64 of IPv6.
    pub(crate) prefix: IpNet,
    /// Hash of the device cookie.
    pub(crate) device: String,
}

/// What is known of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Somebody signed in from there.
    Seen,
    /// The owner said that it was them.
    Trusted,
}

/// The payload of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) prefix: IpNet,
    pub(crate) device: String,
    pub(crate) state: Standing,
    /// Sign-ins.
    pub(crate) count: u32,
    pub(crate) first_seen: Timestamp,
    pub(crate) last_seen: Timestamp,
    /// When the owner was asked last.
    pub(crate) asked_at: Option<Timestamp>,
    pub(crate) user_agent: String,
}

impl Entry {
    pub(crate) fn first(place: &Place, user_agent: &str, now: Timestamp) -> Self {
        Self {
            prefix: place.prefix,
            device: place.device.clone(),
            state: Standing::Seen,
            count: 1,
            first_seen: now,
            last_seen: now,
            asked_at: None,
            user_agent: user_agent.chars().take(MAX_USER_AGENT_CHARS).collect(),
        }
    }

    pub(crate) fn seen_again(&self, cx: &Context) -> Self {
        Self {
            state: self.state,
            count: self.count.saturating_add(1),
            first_seen: self.first_seen,
            asked_at: self.asked_at,
            ..Self::first(&self.place(), &cx.visitor.user_agent, cx.now)
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            prefix: self.prefix,
            device: self.device.clone(),
        }
    }

    /// Used within the last days; not in a future that a clock gone wrong has written down.
    pub(crate) fn is_alive(&self, now: Timestamp, expires_days: u32) -> bool {
        let unused_s = now.since(self.last_seen);
        (-SKEW_S..i64::from(expires_days) * 86_400).contains(&unused_s)
    }

    pub(crate) fn is_to_be_asked_about(&self, now: Timestamp, ask_after: u32) -> bool {
        let open = self.asked_at.is_none_or(|at| now.since(at) >= ASK_AGAIN_S);
        self.state == Standing::Seen && self.count >= ask_after && open
    }

    /// What the account page calls it, for example `203.0.113.7 · Firefox`; with a tick once the owner trusts it, because a label
    /// has no language.
    pub(crate) fn label(&self) -> String {
        let address = match self.prefix {
            IpNet::V4(prefix) => prefix.addr().to_string(),
            IpNet::V6(prefix) => prefix.to_string(),
        };
        let tick = match self.state {
            Standing::Seen => "",
            Standing::Trusted => " ✓",
        };
        format!("{address} · {}{tick}", self.browser())
    }

    fn browser(&self) -> &'static str {
        let found = BROWSERS.iter().find(|(word, _)| self.user_agent.contains(word));
        found.map_or("another browser", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn entry(prefix: &str, user_agent: &str) -> Entry {
        let place = Place {
            prefix: prefix.parse().unwrap(),
            device: "d".to_owned(),
        };
        Entry::first(&place, user_agent, Timestamp(0))
    }

    #[test]
    fn a_label_names_the_address_and_the_browser() {
        let agents = [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
                "Chrome",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge",
            ),
            (
                "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
                "Safari",
            ),
            ("curl/8.5", "another browser"),
            ("", "another browser"),
        ];
        for (user_agent, name) in agents {
            assert_eq!(entry("203.0.113.7/32", user_agent).label(), format!("203.0.113.7 · {name}"));
        }
        assert_eq!(entry("2001:db8:1:2::/64", "").label(), "2001:db8:1:2::/64 · another browser");
        let trusted = Entry {
            state: Standing::Trusted,
            ..entry("203.0.113.7/32", "Firefox/143.0")
        };
        assert_eq!(
            trusted.label(),
            "203.0.113.7 · Firefox ✓",
            "what is trusted can be told from what was only seen"
        );
        let longest = entry("2001:db8:1111:2222::/64", "SamsungBrowser/").label();
        assert!(longest.len() <= 100);
    }

    #[test]
    fn a_long_user_agent_is_cut() {
        assert_eq!(entry("203.0.113.7/32", &"ж".repeat(10_000)).user_agent.chars().count(), 256);
    }
}
