//! An edition: one theme in one language, ready to print.

use super::ThemeError;
use super::locale::Locale;
use super::manifest::Manifest;
use super::messages::{Language, Messages, NoWords, argument};
use super::source::Sources;
use crate::page::{Device, Page};
use fluent_bundle::FluentValue;
use gait_sdk::{Text, Timestamp};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a theme is printed.
#[derive(Clone, Debug)]
pub(super) struct Press {
    /// What the addresses of static files begin with: `/static`, or a relative path in a check's files.
    pub base: String,
    /// A missing word or file is an error, not a gap.
    pub strict: bool,
}

/// One theme in one language.
pub(super) struct Edition {
    env: Environment<'static>,
    theme: Value,
    locale: Locale,
}

/// What the pages know of their theme.
#[derive(serde::Serialize)]
struct ThemeView<'a> {
    name: &'a str,
    title: &'a str,
    logo: Option<&'a str>,
    logo_dark: Option<&'a str>,
    colors: BTreeMap<&'a str, &'a str>,
}

/// A theme's static files with what their addresses end with, so that a changed file has another address.
pub(super) type Statics = BTreeMap<String, String>;

impl Edition {
    pub(super) fn new(
        sources: &Sources,
        chain: &[Manifest],
        statics: &Arc<Statics>,
        locale: &Locale,
        press: &Press,
    ) -> Result<Self, ThemeError> {
        let messages = Arc::new(Messages::read(sources, chain, locale)?);
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_syntax(tidy_blocks().map_err(|error| ThemeError::Template("syntax".to_owned(), describe(&error)))?);
        env.set_loader(loader(sources, chain));
        add_words(&mut env, &messages, press.strict);
        add_files(&mut env, sources, chain, statics, press);
        Ok(Self {
            env,
            theme: Value::from(Serde(view(chain))),
            locale: locale.clone(),
        })
    }

    /// Prints a page.
    pub(super) fn page(&self, page: &Page, languages: &[Language]) -> Result<String, ThemeError> {
        let own = page.factor().map(|plugin| format!("factors/{plugin}.html"));
        let template = match own.filter(|name| self.env.get_template(name).is_ok()) {
            Some(name) => name,
            None => format!("pages/{}.html", page.template()),
        };
        self.print(
            &template,
            context! { page => Serde(page), languages => Serde(languages), ..self.common() },
        )
    }

    /// Prints a part of a mail, for example `mail/otp.txt`.
    pub(super) fn mail(&self, template: &str, args: &BTreeMap<String, String>) -> Result<String, ThemeError> {
        self.print(template, context! { args => Serde(args), ..self.common() })
    }

    /// The subject of a mail, on one line.
    pub(super) fn subject(&self, template: &str, args: &BTreeMap<String, String>) -> Result<String, ThemeError> {
        let words = self.env.render_named_str(
            "subject.txt",
            "{{ t('mail-' ~ name ~ '-subject', **args) }}",
            context! { name => template, args => Serde(args) },
        );
        let words = words.map_err(|error| ThemeError::Template(format!("mail/{template}"), describe(&error)))?;
        Ok(words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }

    fn common(&self) -> Value {
        context! {
            theme => self.theme.clone(),
            locale => self.locale.to_string(),
            dir => self.locale.direction(),
        }
    }

    fn print(&self, template: &str, context: Value) -> Result<String, ThemeError> {
        let rendered = self.env.get_template(template).and_then(|found| found.render(context));
        rendered.map_err(|error| ThemeError::Template(template.to_owned(), describe(&error)))
    }
}

/// A line that holds nothing but a tag leaves no line behind: text mails are read as they are printed.
fn tidy_blocks() -> Result<SyntaxConfig, Error> {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()
}

/// An error with its place and causes, on one line.
fn describe(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

/// Templates by name along the chain; `@theme/name` is that theme's own, so that an override can extend what it overrides.
fn loader(sources: &Sources, chain: &[Manifest]) -> impl Fn(&str) -> Result<Option<String>, Error> + Send + Sync + 'static {
    let sources = sources.clone();
    let themes: Vec<String> = chain.iter().map(|theme| theme.name.clone()).collect();
    move |name| {
        if let Some(path) = name.strip_prefix('@') {
            return Ok(sources.text(path));
        }
        Ok(themes.iter().find_map(|theme| sources.text(&format!("{theme}/{name}"))))
    }
}

fn view(chain: &[Manifest]) -> ThemeView<'_> {
    let first = |pick: fn(&Manifest) -> Option<&str>| chain.iter().find_map(pick);
    let logo = chain.iter().find(|theme| theme.logo.is_some());
    let mut colors = BTreeMap::new();
    for theme in chain.iter().rev() {
        colors.extend(theme.colors.light.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    }
    ThemeView {
        name: chain.first().map_or("", |theme| theme.name.as_str()),
        title: first(|theme| theme.title.as_deref()).unwrap_or("Gait"),
        logo: logo.and_then(|theme| theme.logo.as_deref()),
        logo_dark: logo.and_then(|theme| theme.logo_dark.as_deref()),
        colors,
    }
}

fn failure(words: impl ToString) -> Error {
    Error::new(ErrorKind::InvalidOperation, words.to_string())
}

/// `t(key, name=value…)`, `text(text)`, `time(timestamp)`, and for mails `browser(user agent)` and `place(address)`.
fn add_words(env: &mut Environment<'static>, messages: &Arc<Messages>, strict: bool) {
    let words = Arc::clone(messages);
    env.add_function("t", move |key: String, kwargs: Kwargs| {
        let args = arguments(&kwargs)?;
        say(&words, &key, &args, strict)
    });
    let words = Arc::clone(messages);
    env.add_function("text", move |Serde(text): Serde<Text>| match words.text(&text) {
        Ok(words) => Ok(words),
        Err(error) if strict => Err(failure(error)),
        Err(_) => Ok(text.fallback),
    });
    let words = Arc::clone(messages);
    env.add_function("browser", move |user_agent: String| browser(&words, &user_agent, strict));
    let words = Arc::clone(messages);
    env.add_function("place", move |address: String| match address.as_str() {
        "" | "unknown" => say(&words, "address-unknown", &[], strict),
        known => Ok(known.to_owned()),
    });
    let words = Arc::clone(messages);
    env.add_function("time", move |at: i64| time_element(&words, Timestamp(at), strict));
}

fn say(messages: &Messages, key: &str, args: &[(String, FluentValue<'_>)], strict: bool) -> Result<String, Error> {
    match messages.say(key, args) {
        Ok(words) => Ok(words),
        Err(error) if strict => Err(failure(error)),
        Err(error @ (NoWords::Unknown(_) | NoWords::Broken(..))) => {
            tracing::warn!(%error, "a theme is short of words");
            Ok(key.to_owned())
        }
    }
}

/// A browser in words, from its `User-Agent`.
fn browser(messages: &Messages, user_agent: &str, strict: bool) -> Result<String, Error> {
    let device = Device::read(user_agent);
    match (device.browser, device.system) {
        (Some(browser), Some(system)) => {
            let args =
                [("browser", browser), ("system", system)].map(|(name, value)| (name.to_owned(), FluentValue::from(value)));
            say(messages, "device", &args, strict)
        }
        (Some(name), None) | (None, Some(name)) => Ok(name.to_owned()),
        (None, None) => say(messages, "device-unknown", &[], strict),
    }
}

fn arguments(kwargs: &Kwargs) -> Result<Vec<(String, FluentValue<'static>)>, Error> {
    kwargs
        .args()
        .map(|name| {
            let value: Value = kwargs.get(name)?;
            if value.is_undefined() {
                return Err(failure(format!("argument `{name}` is undefined")));
            }
            let value = match value.as_i64() {
                Some(number) if value.is_integer() => FluentValue::from(number),
                _ => argument(&value.to_string()),
            };
            Ok((name.to_owned(), value))
        })
        .collect()
}

/// A moment as a `time` element, in UTC, in the order and with the month's name of the language.
fn time_element(messages: &Messages, at: Timestamp, strict: bool) -> Result<Value, Error> {
    let moment = time::OffsetDateTime::from_unix_timestamp(at.0).map_err(failure)?;
    let month = say(
        messages,
        "month",
        &[("number".to_owned(), FluentValue::from(u8::from(moment.month())))],
        strict,
    )?;
    let clock = format!("{:02}:{:02}", moment.hour(), moment.minute());
    let args = [
        ("day".to_owned(), FluentValue::from(moment.day())),
        ("month".to_owned(), FluentValue::from(month)),
        ("year".to_owned(), FluentValue::from(moment.year())),
        ("time".to_owned(), FluentValue::from(clock)),
    ];
    let words = say(messages, "date-time", &args, strict)?;
    let machine = moment
        .format(&time::format_description::well_known::Rfc3339)
        .map_err(failure)?;
    Ok(Value::from_safe_string(format!(
        "<time datetime=\"{machine}\">{}</time>",
        escape(&words)
    )))
}

fn escape(words: &str) -> String {
    minijinja::HtmlEscape(words).to_string()
}

/// `asset(name)`: the address of a static file; `icon(name)`: `static/icons/<name>.svg`, inline.
fn add_files(env: &mut Environment<'static>, sources: &Sources, chain: &[Manifest], statics: &Arc<Statics>, press: &Press) {
    let theme = chain.first().map(|theme| theme.name.clone()).unwrap_or_default();
    let (files, press) = (Arc::clone(statics), press.clone());
    env.add_function("asset", move |name: String| {
        match (name.strip_prefix('/'), files.get(&name)) {
            // The server's own scripts are no theme's.
            (Some(own), _) => Ok(format!("{}/{own}", press.base)),
            (None, Some(version)) => Ok(format!("{}/{theme}/{name}?v={version}", press.base)),
            (None, None) if press.strict => Err(failure(format!("there is no static/{name}"))),
            (None, None) => Ok(format!("{}/{theme}/{name}", press.base)),
        }
    });
    let sources = sources.clone();
    let themes: Vec<String> = chain.iter().map(|theme| theme.name.clone()).collect();
    env.add_function("icon", move |name: String| {
        let find = |theme: &String| sources.text(&format!("{theme}/static/icons/{name}.svg"));
        let svg = themes
            .iter()
            .find_map(find)
            .ok_or_else(|| failure(format!("there is no static/icons/{name}.svg")))?;
        Ok::<_, Error>(Value::from_safe_string(svg.trim().to_owned()))
    });
}
