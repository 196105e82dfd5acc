//! Themes: the hosted pages and mails as templates (minijinja), words (Fluent) and static files.
//!
//! A theme is a folder with a `theme.toml`. What it doesn't have, its parent has, and in the end the theme `default`: templates,
//! static files and messages alike. `default` and `paper` are built in; an operator's folder adds themes or overrides files.

mod check;
mod contrast;
mod edition;
mod locale;
mod manifest;
mod messages;
mod source;

pub use check::{Finding, Report, check};
pub use locale::{Locale, Locales};

use crate::page::Page;
use arc_swap::ArcSwap;
use edition::{Edition, Press, Statics};
use manifest::{Manifest, ROOT, vars_css};
use messages::Language;
use source::Sources;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a theme can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// There is no such theme.
    #[error("there is no theme `{0}`")]
    Unknown(String),
    /// `theme.toml` is wrong.
    #[error("{file}: {reason}")]
    Manifest {
        /// Which file.
        file: String,
        /// What is wrong, with the line where TOML knows it.
        reason: String,
    },
    /// A file of messages is wrong.
    #[error("{file}, line {line}: {reason}")]
    Messages {
        /// Which file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A template is missing or can't be printed.
    #[error("{0}: {1}")]
    Template(String, String),
    /// The files of a check can't be written.
    #[error("can't write {0}: {1}")]
    Write(PathBuf, std::io::Error),
}

/// A mail, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedMail {
    /// Subject, on one line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// A static file.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `ETag`, with its quotes.
    pub etag: String,
}

/// All themes.
pub struct Themes {
    reload: bool,
    shelf: ArcSwap<Shelf>,
}

/// The themes that there are at a time.
struct Shelf {
    sources: Sources,
    default: String,
    loaded: BTreeMap<String, Arc<Theme>>,
}

/// One theme in all its languages.
struct Theme {
    chain: Vec<Manifest>,
    locales: Locales,
    languages: Vec<Language>,
    editions: BTreeMap<Locale, Edition>,
}

impl Theme {
    fn load(sources: &Sources, name: &str, press: &Press) -> Result<Self, ThemeError> {
        let chain = Manifest::chain(sources, name)?;
        let locales = messages::locales(sources, &chain);
        let statics = Arc::new(statics(sources, &chain));
        let edition = |locale: Locale| Ok((locale.clone(), Edition::new(sources, &chain, &statics, &locale, press)?));
        let editions = locales.iter().map(edition).collect::<Result<_, ThemeError>>()?;
        let languages = messages::languages(sources, &chain, &locales)?;
        Ok(Self {
            chain,
            locales,
            languages,
            editions,
        })
    }

    fn edition(&self, locale: &Locale) -> Result<&Edition, ThemeError> {
        let edition = self.editions.get(locale).or_else(|| self.editions.get(&Locale::english()));
        edition.ok_or_else(|| ThemeError::Unknown(locale.to_string()))
    }
}

impl Themes {
    /// Reads every theme of the operator's `folder` and those that are built in. `default` is used where nobody asks for another.
    /// With `reload`, themes are read anew for each page.
    ///
    /// # Errors
    /// `default` is unknown, or a theme's `theme.toml` or messages can't be read.
    pub fn load(folder: Option<PathBuf>, default: &str, reload: bool) -> Result<Self, ThemeError> {
        let sources = match reload {
            true => Sources::new(folder),
            false => Sources::copied(folder),
        };
        let press = serving();
        let theme = |name: String| Ok((name.clone(), Arc::new(Theme::load(&sources, &name, &press)?)));
        let loaded = sources
            .themes()
            .into_iter()
            .map(theme)
            .collect::<Result<BTreeMap<_, _>, ThemeError>>()?;
        if !loaded.contains_key(default) {
            return Err(ThemeError::Unknown(default.to_owned()));
        }
        let shelf = Shelf {
            sources,
            default: default.to_owned(),
            loaded,
        };
        Ok(Self {
            reload,
            shelf: ArcSwap::from_pointee(shelf),
        })
    }

    /// Puts newer themes in the place of all of these, between one page and the next.
    pub fn adopt(&self, newer: &Self) {
        self.shelf.store(newer.shelf.load_full());
    }

    /// The best language of the deployment's theme for a visitor; see [`Locales::choose`].
    pub fn choose_language(&self, ui_locales: Option<&str>, cookie: Option<&str>, accept_language: Option<&str>) -> Locale {
        match self.pick(None) {
            Ok(theme) => theme.locales.choose(ui_locales, cookie, accept_language),
            Err(_) => Locale::english(),
        }
    }

    /// Prints a page: by `theme` (a client's), or by the deployment's default. A theme that fails is logged, and the built-in one
    /// steps in, so that a broken theme locks nobody out; with `reload` its error is returned instead, for the designer.
    ///
    /// # Errors
    /// The template is missing or faulty.
    pub fn render(&self, theme: Option<&str>, locale: &Locale, page: &Page) -> Result<String, ThemeError> {
        self.stand_by(theme, |theme| theme.edition(locale)?.page(page, &theme.languages))
    }

    /// Prints a mail, in the same way. `template` is its name in `mail/`, without extension.
    ///
    /// # Errors
    /// The template is missing or faulty, or an argument that it needs is missing.
    pub fn mail(
        &self,
        theme: Option<&str>,
        locale: &Locale,
        template: &str,
        args: &BTreeMap<String, String>,
    ) -> Result<RenderedMail, ThemeError> {
        self.stand_by(theme, |theme| print_mail(theme.edition(locale)?, template, args))
    }

    /// A static file by what follows `/static/`: `<theme>/<name>`, along the theme's chain, or the bare name of one of the server's
    /// own scripts, such as `gait.js`.
    pub fn asset(&self, path: &str) -> Option<Asset> {
        let (theme, name) = path.split_once('/').unwrap_or((ROOT, path));
        let shelf = self.shelf.load();
        let loaded = shelf.loaded.get(theme)?;
        let bytes = match self.reload {
            true => static_file(&shelf.sources, &Manifest::chain(&shelf.sources, theme).ok()?, name)?,
            false => static_file(&shelf.sources, &loaded.chain, name)?,
        };
        let etag = format!("\"{}\"", version(&bytes));
        Some(Asset {
            content_type: content_type(name),
            etag,
            bytes,
        })
    }

    fn stand_by<T>(&self, theme: Option<&str>, print: impl Fn(&Theme) -> Result<T, ThemeError>) -> Result<T, ThemeError> {
        let printed = self.pick(theme).and_then(|theme| print(&theme));
        match printed {
            Err(error) if !self.reload => {
                tracing::error!(%error, "a theme failed; the built-in one steps in");
                let built_in = self.pick(Some(ROOT))?;
                print(&built_in)
            }
            other => other,
        }
    }

    /// The theme of that name, or the deployment's default where it is unknown.
    fn pick(&self, name: Option<&str>) -> Result<Arc<Theme>, ThemeError> {
        let shelf = self.shelf.load();
        let name = name.filter(|name| shelf.loaded.contains_key(*name)).unwrap_or(&shelf.default);
        if self.reload {
            return Theme::load(&shelf.sources, name, &serving()).map(Arc::new);
        }
        shelf
            .loaded
            .get(name)
            .cloned()
            .ok_or_else(|| ThemeError::Unknown(name.to_owned()))
    }
}

fn serving() -> Press {
    Press {
        base: "/static".to_owned(),
        strict: false,
    }
}

fn print_mail(edition: &Edition, template: &str, args: &BTreeMap<String, String>) -> Result<RenderedMail, ThemeError> {
    Ok(RenderedMail {
        subject: edition.subject(template, args)?,
        text: edition.mail(&format!("mail/{template}.txt"), args)?,
        html: edition.mail(&format!("mail/{template}.html"), args)?,
    })
}

/// A static file along a chain; `vars.css` is made from the manifests.
fn static_file(sources: &Sources, chain: &[Manifest], name: &str) -> Option<Cow<'static, [u8]>> {
    if name == "vars.css" {
        return Some(Cow::Owned(vars_css(chain).into_bytes()));
    }
    chain
        .iter()
        .find_map(|theme| sources.read(&format!("{}/static/{name}", theme.name)))
}

fn statics(sources: &Sources, chain: &[Manifest]) -> Statics {
    let names = chain
        .iter()
        .flat_map(|theme| sources.list(&format!("{}/static/", theme.name)));
    names
        .chain(["vars.css".to_owned()])
        .filter_map(|name| static_file(sources, chain, &name).map(|bytes| (name, version(&bytes))))
        .collect()
}

/// A short fingerprint of a file.
fn version(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json" | "map") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
