//! The words of a theme in one language (Project Fluent).

use super::ThemeError;
use super::locale::{Locale, Locales};
use super::manifest::Manifest;
use super::source::Sources;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use gait_sdk::Text;
use std::collections::BTreeSet;
use std::sync::Arc;

type Bundle = FluentBundle<Arc<FluentResource>>;

/// The messages of a chain of themes: in the language, and in English for what it doesn't say.
pub(super) struct Messages {
    own: Bundle,
    english: Bundle,
}

/// Why there are no words.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoWords {
    /// The key is in no file.
    #[error("no message `{0}`")]
    Unknown(String),
    /// The message needs what it wasn't given.
    #[error("message `{0}`: {1}")]
    Broken(String, String),
}

impl Messages {
    /// Reads `lang/<tag>.ftl` of every theme of the chain.
    pub(super) fn read(sources: &Sources, chain: &[Manifest], locale: &Locale) -> Result<Self, ThemeError> {
        Ok(Self {
            own: bundle(sources, chain, locale)?,
            english: bundle(sources, chain, &Locale::english())?,
        })
    }

    /// The words of a key.
    pub(super) fn say(&self, key: &str, args: &[(String, FluentValue<'_>)]) -> Result<String, NoWords> {
        let has_words = |bundle: &&Bundle| bundle.get_message(key).is_some_and(|message| message.value().is_some());
        let unknown = || NoWords::Unknown(key.to_owned());
        let bundle = [&self.own, &self.english].into_iter().find(has_words).ok_or_else(unknown)?;
        let pattern = bundle
            .get_message(key)
            .and_then(|message| message.value())
            .ok_or_else(unknown)?;
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let mut errors = Vec::new();
        let words = bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        match errors.first() {
            None => Ok(words),
            Some(error) => Err(NoWords::Broken(key.to_owned(), error.to_string())),
        }
    }

    /// The words of a plugin's text, if the theme knows its key.
    pub(super) fn text(&self, text: &Text) -> Result<String, NoWords> {
        let args: Vec<_> = text
            .args
            .iter()
            .map(|(name, value)| (name.clone(), argument(value)))
            .collect();
        self.say(&text.key, &args)
    }
}

/// An argument as Fluent wants it: what reads as a whole number selects plurals, and looks the same.
pub(super) fn argument(value: &str) -> FluentValue<'static> {
    match value.parse::<u32>() {
        Ok(number) if number.to_string() == value => FluentValue::from(number),
        _ => FluentValue::from(value.to_owned()),
    }
}

fn bundle(sources: &Sources, chain: &[Manifest], locale: &Locale) -> Result<Bundle, ThemeError> {
    let mut bundle = Bundle::new_concurrent(vec![locale.id().clone()]);
    // Isolation marks are for mixed directions in plain text; in HTML they show up in copied values, and in mails as junk.
    bundle.set_use_isolating(false);
    for theme in chain.iter().rev() {
        if let Some(resource) = resource(sources, theme, locale)? {
            bundle.add_resource_overriding(Arc::new(resource));
        }
    }
    Ok(bundle)
}

fn resource(sources: &Sources, theme: &Manifest, locale: &Locale) -> Result<Option<FluentResource>, ThemeError> {
    let file = format!("{}/lang/{locale}.ftl", theme.name);
    let Some(text) = sources.text(&file) else { return Ok(None) };
    FluentResource::try_new(text.clone()).map(Some).map_err(|(_, errors)| {
        let first = errors.first();
        let line = first.map_or(0, |error| {
            text.get(..error.pos.start).unwrap_or_default().lines().count().max(1)
        });
        let reason = first.map_or_else(String::new, ToString::to_string);
        ThemeError::Messages { file, line, reason }
    })
}

/// The languages of a chain: every `lang/<tag>.ftl`, and English.
pub(super) fn locales(sources: &Sources, chain: &[Manifest]) -> Locales {
    let files = chain.iter().flat_map(|theme| sources.list(&format!("{}/lang/", theme.name)));
    let tags: BTreeSet<Locale> = files.filter_map(|file| Locale::parse(file.strip_suffix(".ftl")?)).collect();
    Locales::new(tags.into_iter().chain([Locale::english()]).collect::<BTreeSet<_>>())
}

/// A language in the switch.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Language {
    /// Its tag.
    pub tag: String,
    /// What it calls itself.
    pub name: String,
}

/// What the languages of a chain call themselves (`language-name`).
pub(super) fn languages(sources: &Sources, chain: &[Manifest], locales: &Locales) -> Result<Vec<Language>, ThemeError> {
    let language = |locale: Locale| {
        let tag = locale.to_string();
        let name = Messages::read(sources, chain, &locale)?.say("language-name", &[]);
        Ok(Language {
            name: name.unwrap_or_else(|_| tag.clone()),
            tag,
        })
    };
    locales.iter().map(language).collect()
}

/// The keys that one theme's own file of a language says.
pub(super) fn keys(sources: &Sources, theme: &Manifest, locale: &Locale) -> Result<BTreeSet<String>, ThemeError> {
    let Some(resource) = resource(sources, theme, locale)? else {
        return Ok(BTreeSet::new());
    };
    Ok(resource
        .entries()
        .filter_map(|entry| match entry {
            fluent_syntax::ast::Entry::Message(message) => Some(message.id.name.to_owned()),
            _ => None,
        })
        .collect())
}
