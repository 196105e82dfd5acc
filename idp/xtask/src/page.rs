//! A page, read as a person without scripts would use it: by its forms and their fields, whatever a theme makes of the rest.

use scraper::{ElementRef, Html, Selector};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// A form.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it goes, relative to the page.
    pub action: String,
    /// Hidden fields.
    pub hidden: BTreeMap<String, String>,
    /// Names of the fields and buttons that a person can use.
    controls: BTreeSet<String>,
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// Its status.
    pub status: u16,
    /// Its words.
    pub text: String,
    /// Values shown to be read or typed elsewhere (`output` elements).
    pub shown: Vec<String>,
    forms: Vec<Form>,
}

impl Page {
    /// Reads a document.
    pub fn read(url: Url, status: u16, html: &str) -> Self {
        let document = Html::parse_document(html);
        let words = |element: ElementRef<'_>| {
            element
                .text()
                .collect::<Vec<_>>()
                .join(" ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        Self {
            url,
            status,
            text: words(document.root_element()),
            shown: select(document.root_element(), "output").map(words).collect(),
            forms: select(document.root_element(), "form").map(form).collect(),
        }
    }

    /// The first form that has a field or button of this name.
    pub fn form_with(&self, control: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.has(control))
    }
}

impl Form {
    /// True if a person can fill in or press something of this name.
    pub fn has(&self, control: &str) -> bool {
        self.controls.contains(control)
    }
}

fn form(element: ElementRef<'_>) -> Form {
    let mut form = Form {
        action: element.attr("action").unwrap_or_default().to_owned(),
        hidden: BTreeMap::new(),
        controls: BTreeSet::new(),
    };
    for control in select(element, "input[name], button[name], select[name], textarea[name]") {
        let name = control.attr("name").unwrap_or_default().to_owned();
        if control.attr("type") == Some("hidden") {
            form.hidden.insert(name, control.attr("value").unwrap_or_default().to_owned());
        } else {
            form.controls.insert(name);
        }
    }
    form
}

/// Elements below `root`, in the order of the document; none if `selector` is no selector.
fn select<'a>(root: ElementRef<'a>, selector: &str) -> impl Iterator<Item = ElementRef<'a>> {
    let found: Vec<_> = Selector::parse(selector)
        .map(|selector| root.select(&selector).collect())
        .unwrap_or_default();
    found.into_iter()
}
