//! Which language a page speaks.

use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use std::fmt;
use unic_langid::subtags::Language;
use unic_langid::{CharacterDirection, LanguageIdentifier};

/// Longest list of wishes that is read, in bytes; more is cut.
const MAX_WISHES: usize = 512;

/// A language that a theme speaks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locale(LanguageIdentifier);

impl Locale {
    /// Reads a BCP 47 tag. `None` if it isn't one.
    pub fn parse(tag: &str) -> Option<Self> {
        tag.parse().ok().map(Self)
    }
    /// English, which every theme speaks.
    pub fn english() -> Self {
        Self(LanguageIdentifier::from_parts(
            Language::from_bytes(b"en").unwrap_or_default(),
            None,
            None,
            &[],
        ))
    }
    /// Right to left or left to right, as HTML's `dir` says it.
    pub fn direction(&self) -> &'static str {
        match self.0.character_direction() {
            CharacterDirection::RTL => "rtl",
            _ => "ltr",
        }
    }
    pub(super) fn id(&self) -> &LanguageIdentifier {
        &self.0
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The languages that a theme speaks; English is always among them.
#[derive(Clone, Debug)]
pub struct Locales(Vec<LanguageIdentifier>);

impl Locales {
    pub(super) fn new(locales: impl IntoIterator<Item = Locale>) -> Self {
        let mut ids: Vec<_> = locales.into_iter().map(|locale| locale.0).collect();
        ids.sort();
        Self(ids)
    }

    /// All of them, by tag.
    pub fn iter(&self) -> impl Iterator<Item = Locale> + '_ {
        self.0.iter().cloned().map(Locale)
    }

    /// The best one for a visitor: the client's `ui_locales` (space-separated, OIDC Core §3.1.2.1), then the cookie that the
    /// language switch sets, then `Accept-Language` (RFC 9110 §12.5.4), then English.
    pub fn choose(&self, ui_locales: Option<&str>, cookie: Option<&str>, accept_language: Option<&str>) -> Locale {
        let plain = |list: &str| {
            list.split_whitespace()
                .filter_map(|tag| tag.parse().ok())
                .collect::<Vec<LanguageIdentifier>>()
        };
        self.best(&plain(cap(ui_locales)))
            .or_else(|| self.best(&plain(cap(cookie))))
            .or_else(|| self.best(&weighted(cap(accept_language))))
            .unwrap_or_else(Locale::english)
    }

    fn best(&self, wishes: &[LanguageIdentifier]) -> Option<Locale> {
        let matches = negotiate_languages(wishes, &self.0, None::<&LanguageIdentifier>, NegotiationStrategy::Filtering);
        matches.first().map(|id| Locale((*id).clone()))
    }
}

fn cap(wishes: Option<&str>) -> &str {
    let wishes = wishes.unwrap_or_default();
    wishes
        .get(..MAX_WISHES)
        .unwrap_or(if wishes.len() > MAX_WISHES { "" } else { wishes })
}

/// The tags of an `Accept-Language`, best first; `q=0` is none, and what can't be read is skipped.
fn weighted(header: &str) -> Vec<LanguageIdentifier> {
    let mut wishes: Vec<(f32, LanguageIdentifier)> = header
        .split(',')
        .filter_map(|part| {
            let mut halves = part.split(';');
            let id = halves.next()?.trim().parse().ok()?;
            let quality = halves
                .find_map(|half| half.trim().strip_prefix("q=")?.parse().ok())
                .unwrap_or(1.0_f32);
            (quality > 0.0).then_some((quality, id))
        })
        .collect();
    wishes.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    wishes.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn choose(ui_locales: Option<&str>, cookie: Option<&str>, accept: Option<&str>) -> String {
        let locales = Locales::new(["en", "de"].map(|tag| Locale::parse(tag).unwrap()));
        locales.choose(ui_locales, cookie, accept).to_string()
    }

    #[test]
    fn the_client_comes_before_the_cookie_and_the_cookie_before_the_browser() {
        assert_eq!(choose(Some("de"), Some("en"), Some("en")), "de");
        assert_eq!(choose(None, Some("de"), Some("en")), "de");
        assert_eq!(choose(None, None, Some("de")), "de");
        assert_eq!(choose(None, None, None), "en");
    }

    #[test]
    fn a_wish_that_nobody_speaks_leaves_the_word_to_the_next() {
        assert_eq!(choose(Some("fr ja"), None, Some("de")), "de");
        assert_eq!(choose(Some("fr de"), None, Some("en")), "de");
        assert_eq!(choose(Some("de-AT"), None, None), "de");
    }

    #[test]
    fn weights_are_heeded_whatever_their_order() {
        assert_eq!(choose(None, None, Some("en;q=0.3, de;q=0.9")), "de");
        assert_eq!(choose(None, None, Some("de;q=0, en;q=0.1")), "en");
        assert_eq!(choose(None, None, Some("fr-CH, fr;q=0.9, de;q=0.7, *;q=0.5")), "de");
    }

    #[test]
    fn nonsense_speaks_english() {
        for hostile in [
            "<script>",
            ";;;,,,",
            "q=1",
            "../../etc",
            &"de-".repeat(9000),
            &"ä".repeat(400),
        ] {
            assert_eq!(choose(Some(hostile), Some(hostile), Some(hostile)), "en");
        }
    }
}
