//! The theme check: every page and mail of a theme in every language, printed with sample values. What would be a gap or an error
//! in front of a person is a finding here.

use super::contrast;
use super::edition::{Edition, Press};
use super::manifest::Manifest;
use super::messages;
use super::source::Sources;
use super::{Locale, ThemeError, static_file, statics};
use crate::page::{Page, sample};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// One thing that is wrong with a theme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where: a file, or a page in a language.
    pub place: String,
    /// What.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is wrong, one by one.
    pub findings: Vec<Finding>,
    /// Pages and mails that were printed.
    pub rendered: usize,
    /// Pages and mails that could not be: people would get the built-in theme's, or an error.
    pub broken: usize,
    /// The languages.
    pub locales: Vec<String>,
}

impl Report {
    /// True if nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, place: impl Into<String>, problem: impl ToString) {
        let finding = Finding {
            place: place.into(),
            problem: problem.to_string(),
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// Checks a theme of the operator's `folder`, or one that is built in. With `out`, the pages, mails and static files are written there, to be looked at in a browser: begin with
/// `index.html`.
///
/// # Errors
/// The theme is unknown, or the files can't be written. What is wrong with the theme is in the report.
pub fn check(folder: Option<&Path>, name: &str, out: Option<&Path>) -> Result<Report, ThemeError> {
    let sources = Sources::new(folder.map(Path::to_owned));
    let mut report = Report::default();
    let chain = match Manifest::chain(&sources, name) {
        Ok(chain) => chain,
        Err(ThemeError::Unknown(unknown)) if unknown == name => return Err(ThemeError::Unknown(unknown)),
        Err(error) => {
            report.find(format!("{name}/theme.toml"), error);
            return Ok(report);
        }
    };
    let mut proof = Proof {
        sources,
        chain,
        report,
        files: BTreeMap::new(),
    };
    proof.check_colors();
    proof.check_words();
    proof.check_templates();
    for locale in messages::locales(&proof.sources, &proof.chain).iter() {
        proof.print(&locale);
    }
    if let Some(out) = out {
        proof.write(out)?;
    }
    Ok(proof.report)
}

/// A check under way.
struct Proof {
    sources: Sources,
    chain: Vec<Manifest>,
    report: Report,
    /// What was printed, by path.
    files: BTreeMap<String, Vec<u8>>,
}

impl Proof {
    /// Words must be readable on their ground (WCAG 2.2, 1.4.3 and 1.4.11).
    fn check_colors(&mut self) {
        let name = self.chain.first().map(|theme| theme.name.clone()).unwrap_or_default();
        for problem in contrast::problems(&self.chain) {
            self.report.find(format!("{name}/theme.toml"), problem);
        }
    }

    /// What English says, every other language must say, and nothing else.
    fn check_words(&mut self) {
        let locales = messages::locales(&self.sources, &self.chain);
        let english = self.keys(&Locale::english());
        for locale in locales.iter().filter(|locale| *locale != Locale::english()) {
            let own = self.keys(&locale);
            for (key, file) in english.iter().filter(|(key, _)| !own.contains_key(*key)) {
                self.report
                    .find(format!("lang/{locale}.ftl"), format!("`{key}` of {file} is not translated"));
            }
            for (key, file) in own.iter().filter(|(key, _)| !english.contains_key(*key)) {
                self.report.find(file.clone(), format!("`{key}` is not in English"));
            }
        }
    }

    /// The keys of a language along the chain, each with its file.
    fn keys(&mut self, locale: &Locale) -> BTreeMap<String, String> {
        let mut keys = BTreeMap::new();
        for theme in self.chain.iter().rev() {
            match messages::keys(&self.sources, theme, locale) {
                Ok(found) => keys.extend(
                    found
                        .into_iter()
                        .map(|key| (key, format!("{}/lang/{locale}.ftl", theme.name))),
                ),
                Err(error) => self.report.find(format!("{}/lang/{locale}.ftl", theme.name), error),
            }
        }
        keys
    }

    /// A page or mail that nobody asks for is a misspelt name.
    fn check_templates(&mut self) {
        let mut known: BTreeSet<String> = sample::pages()
            .iter()
            .map(|(_, page)| format!("pages/{}.html", page.template()))
            .collect();
        known.extend(
            sample::mails()
                .iter()
                .flat_map(|(name, _)| ["txt", "html"].map(|part| format!("mail/{name}.{part}"))),
        );
        known.extend(["mail/layout.html", "mail/layout.txt"].map(str::to_owned));
        for theme in &self.chain {
            let files = self.sources.list(&format!("{}/", theme.name));
            let asked = |file: &&String| file.starts_with("pages/") || file.starts_with("mail/");
            for file in files.iter().filter(asked).filter(|file| !known.contains(*file)) {
                self.report
                    .find(format!("{}/{file}", theme.name), "no page or mail has this name");
            }
        }
    }

    fn print(&mut self, locale: &Locale) {
        let press = Press {
            base: "../static".to_owned(),
            strict: true,
        };
        let files = Arc::new(statics(&self.sources, &self.chain));
        let edition = match Edition::new(&self.sources, &self.chain, &files, locale, &press) {
            Ok(edition) => edition,
            Err(error) => return self.report.find(locale.to_string(), error),
        };
        self.report.locales.push(locale.to_string());
        let locales = messages::locales(&self.sources, &self.chain);
        let languages = messages::languages(&self.sources, &self.chain, &locales).unwrap_or_default();
        for (name, page) in sample::pages() {
            let printed = edition.page(&page, &languages);
            self.keep(format!("{locale}/{name}.html"), &page, printed);
        }
        for (number, (name, args)) in sample::mails().into_iter().enumerate() {
            self.keep_mail(
                &format!("{locale}/mail-{name}-{number}"),
                super::print_mail(&edition, name, &args),
            );
        }
    }

    fn keep(&mut self, path: String, page: &Page, printed: Result<String, ThemeError>) {
        match printed {
            Ok(html) => {
                self.report.rendered += 1;
                self.files.insert(path, html.into_bytes());
            }
            Err(error) => {
                self.report.broken += 1;
                self.report.find(format!("{path} (pages/{}.html)", page.template()), error);
            }
        }
    }

    fn keep_mail(&mut self, path: &str, printed: Result<super::RenderedMail, ThemeError>) {
        match printed {
            Ok(mail) => {
                self.report.rendered += 1;
                let text = format!("Subject: {}\n\n{}", mail.subject, mail.text);
                self.files.insert(format!("{path}.txt"), text.into_bytes());
                self.files.insert(format!("{path}.html"), mail.html.into_bytes());
            }
            Err(error) => {
                self.report.broken += 1;
                self.report.find(path, error);
            }
        }
    }

    fn write(&mut self, out: &Path) -> Result<(), ThemeError> {
        let index = self.index();
        self.files.insert("index.html".to_owned(), index.into_bytes());
        let name = self.chain.first().map(|theme| theme.name.clone()).unwrap_or_default();
        for file in statics(&self.sources, &self.chain).into_keys() {
            if let Some(bytes) = static_file(&self.sources, &self.chain, &file) {
                self.files.insert(format!("static/{name}/{file}"), bytes.clone().into_owned());
                // The server's own scripts stand beside the themes.
                if file.ends_with(".js") {
                    self.files.insert(format!("static/{file}"), bytes.into_owned());
                }
            }
        }
        for (path, bytes) in &self.files {
            let path = out.join(path);
            let failed = |error| ThemeError::Write(path.clone(), error);
            std::fs::create_dir_all(path.parent().unwrap_or(out)).map_err(failed)?;
            std::fs::write(&path, bytes).map_err(failed)?;
        }
        Ok(())
    }

    /// A list of what was printed.
    fn index(&self) -> String {
        let name = self.chain.first().map_or("", |theme| theme.name.as_str());
        let links: String = self
            .files
            .keys()
            .map(|path| format!("<li><a href=\"{path}\">{path}</a></li>\n"))
            .collect();
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title>\n<h1>{name}</h1>\n<ul>\n{links}</ul>\n"
        )
    }
}
