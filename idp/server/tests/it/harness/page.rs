//! An answer as a browser reads it, and the forms in it.

use reqwest::header::{HeaderMap, LOCATION};
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Page {
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// A form of a page.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Where it goes, absolute.
    pub action: String,
    /// Hidden inputs.
    pub hidden: Vec<(String, String)>,
    /// Names of what a person fills in.
    pub inputs: Vec<String>,
    /// Buttons with a name: name and value.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    pub fn has(&self, input: &str) -> bool {
        self.inputs.iter().any(|name| name == input)
    }
    pub fn has_button(&self, name: &str) -> bool {
        self.buttons.iter().any(|(button, _)| button == name)
    }
    pub fn hidden(&self, name: &str) -> Option<&str> {
        self.hidden
            .iter()
            .find(|(hidden, _)| hidden == name)
            .map(|(_, value)| value.as_str())
    }
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).expect("a selector")
}

fn attr(element: ElementRef<'_>, name: &str) -> String {
    element.attr(name).unwrap_or_default().to_owned()
}

impl Page {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn location(&self) -> Option<&str> {
        self.header(LOCATION.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }

    /// All forms that post.
    pub fn forms(&self) -> Vec<Form> {
        let html = Html::parse_document(&self.body);
        html.select(&selector("form[method=post]"))
            .map(|form| self.read(form))
            .collect()
    }

    fn read(&self, form: ElementRef<'_>) -> Form {
        let action = attr(form, "action");
        let mut read = Form {
            action: self.url.join(&action).expect("an action").into(),
            ..Form::default()
        };
        for input in form.select(&selector("input[name], textarea[name], select[name]")) {
            match input.attr("type") {
                Some("hidden") => read.hidden.push((attr(input, "name"), attr(input, "value"))),
                _ => read.inputs.push(attr(input, "name")),
            }
        }
        let named = selector("button[name]");
        read.buttons = form
            .select(&named)
            .map(|button| (attr(button, "name"), attr(button, "value")))
            .collect();
        read
    }

    /// The page's first form.
    pub fn form(&self) -> Form {
        let first = self.forms().into_iter().next();
        first.unwrap_or_else(|| panic!("no form on {} ({}): {}", self.url, self.status, self.text()))
    }

    /// The form with this hidden field, such as `change=mode`.
    pub fn form_with(&self, name: &str, value: &str) -> Option<Form> {
        self.forms().into_iter().find(|form| form.hidden(name) == Some(value))
    }

    /// The words of the page's main part.
    pub fn text(&self) -> String {
        self.select("main").unwrap_or_default()
    }

    /// The words of the first element that matches.
    pub fn select(&self, css: &str) -> Option<String> {
        let html = Html::parse_document(&self.body);
        let found = html.select(&selector(css)).next()?;
        Some(
            found
                .text()
                .collect::<Vec<_>>()
                .join(" ")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    /// The page without what differs from one visitor to the next: tokens, ids, numbers.
    pub fn without_tokens(&self) -> String {
        let mut body = self.body.clone();
        for form in self.forms() {
            for (_, value) in form.hidden.iter().filter(|(_, value)| !value.is_empty()) {
                body = body.replace(value.as_str(), "TOKEN");
            }
        }
        body
    }
}
