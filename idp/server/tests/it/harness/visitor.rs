//! A person at a browser: cookies, forms, redirects, and what they would type.

use super::mailbox::Mailbox;
use super::provider::{Person, client};
use super::{Page, Request};
use reqwest::Method;
use reqwest::header::{COOKIE, SET_COOKIE};
use std::collections::BTreeMap;
use url::Url;

/// Most steps of one sign-in.
const MAX_STEPS: usize = 12;

/// Where a walk ended.
#[derive(Debug)]
pub enum Landed {
    /// On a page of the provider.
    Page(Page),
    /// At a client, which gets this.
    Left(Url),
}

impl Landed {
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Left(url) => panic!("left for {url}"),
        }
    }
    pub fn left(self) -> Url {
        match self {
            Self::Left(url) => url,
            Self::Page(page) => panic!("still at {} ({}): {}", page.url, page.status, page.text()),
        }
    }
}

/// A browser and the person before it.
#[derive(Clone)]
pub struct Visitor {
    pub cookies: BTreeMap<String, String>,
    /// What the proxy says of the address.
    pub forwarded: Option<String>,
    /// Whether the person agrees to be watched when asked.
    pub agrees: bool,
    /// The code that a page showed for another browser.
    pub shown: Option<String>,
    /// Headers besides what every browser sends.
    pub headers: Vec<(&'static str, String)>,
    http: reqwest::Client,
    issuer: String,
    /// The node that the balancer gives the requests to, if there are several.
    pub node: Option<String>,
    mailbox: Mailbox,
}

impl Visitor {
    /// At the provider of this issuer, reading mail here.
    pub fn new(issuer: &str, mailbox: Mailbox) -> Self {
        Self {
            cookies: BTreeMap::new(),
            forwarded: None,
            agrees: false,
            shown: None,
            headers: Vec::new(),
            http: client(),
            issuer: issuer.to_owned(),
            node: None,
            mailbox,
        }
    }

    /// Behind a proxy that names this address.
    #[must_use]
    pub fn behind(self, forwarded: &str) -> Self {
        Self {
            forwarded: Some(forwarded.to_owned()),
            ..self
        }
    }

    /// Sends one request and keeps the cookies that come back.
    pub async fn send(&mut self, method: Method, url: &str, form: Option<&[(String, String)]>) -> Page {
        let url = Url::parse(&self.issuer).expect("the issuer").join(url).expect("a URL");
        let node = self.node.as_ref().map(|node| url.as_str().replacen(&self.issuer, node, 1));
        let mut request = self
            .http
            .request(method.clone(), node.as_deref().unwrap_or(url.as_str()))
            .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Story/1.0");
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(forwarded) = &self.forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let speaks_of_origin = self.headers.iter().any(|(name, _)| *name == "origin");
        if method == Method::POST && !speaks_of_origin {
            request = request.header("origin", &self.issuer).header("sec-fetch-site", "same-origin");
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for cookie in headers.get_all(SET_COOKIE) {
            self.keep(cookie.to_str().expect("a cookie of ASCII"));
        }
        Page {
            url,
            status,
            headers,
            body: answer.text().await.expect("a body"),
        }
    }

    fn keep(&mut self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a cookie");
        let attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
        assert!(name.starts_with("__Host-"), "{cookie}");
        for wanted in ["secure", "httponly", "path=/", "samesite=lax"] {
            assert!(
                attributes.iter().any(|attribute| attribute == wanted),
                "{wanted} is missing: {cookie}"
            );
        }
        assert!(
            !attributes.iter().any(|attribute| attribute.starts_with("domain")),
            "{cookie}"
        );
        if attributes.iter().any(|attribute| attribute == "max-age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    pub async fn get(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, None).await
    }

    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.send(Method::POST, url, Some(&fields)).await
    }

    /// Follows redirects within the provider.
    pub async fn follow(&mut self, mut page: Page) -> Landed {
        for _ in 0..MAX_STEPS {
            let Some(location) = page.location().map(str::to_owned) else {
                return Landed::Page(page);
            };
            assert_eq!(page.status, 303, "only 303 may follow a form: {location}");
            let target = page.url.join(&location).expect("a location");
            if !target.as_str().starts_with(&format!("{}/", self.issuer)) {
                return Landed::Left(target);
            }
            page = self.get(target.as_str()).await;
        }
        panic!("redirected in circles at {}", page.url);
    }

    /// Opens an address as a person would.
    pub async fn open(&mut self, url: &str) -> Landed {
        let page = self.get(url).await;
        self.follow(page).await
    }

    /// Opens an authorization request.
    pub async fn ask(&mut self, request: &Request) -> Landed {
        let url = request.url();
        self.open(&url).await
    }

    /// Sends a page's first form with these fields and goes where it leads.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Landed {
        let answer = self.submit_once(page, fields).await;
        self.follow(answer).await
    }

    /// The same, without going on.
    pub async fn submit_once(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let form = page.form();
        let mut all = form.hidden.clone();
        for (name, value) in fields {
            all.retain(|(old, _)| old != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        self.send(Method::POST, &form.action, Some(&all)).await
    }

    /// Answers what is asked, as `person`, until it is over or something is asked that isn't part of a sign-in.
    pub async fn walk(&mut self, mut at: Landed, person: Person) -> Landed {
        for _ in 0..MAX_STEPS {
            let Landed::Page(page) = &at else { return at };
            if page.status != 200 || page.forms().is_empty() {
                return at;
            }
            let Some(answer) = self.answer(page, person).await else {
                return at;
            };
            self.shown = page.select("output").or(self.shown.take());
            let fields: Vec<_> = answer.iter().map(|(name, value)| (*name, value.as_str())).collect();
            at = self.submit(&page.clone(), &fields).await;
        }
        panic!("a sign-in without end")
    }

    /// What the person would answer.
    async fn answer(&self, page: &Page, person: Person) -> Option<Vec<(&'static str, String)>> {
        let form = page.form();
        form.hidden("csrf")?;
        let mut answer = Vec::new();
        if form.has("identifier") {
            answer.push(("identifier", person.username.to_owned()));
        }
        if form.has("password") {
            answer.push(("password", person.password.to_owned()));
        }
        if form.has("code") && form.has_button("action") {
            answer.push(("code", self.mailed_code(page, person).await));
        }
        if form.has("watch") && form.hidden("change").is_none() {
            answer.push(("watch", if self.agrees { "yes" } else { "" }.to_owned()));
        }
        for (button, value) in [("consent", "allow"), ("continue", "yes"), ("account", "continue")] {
            if form.has_button(button) {
                answer.push((button, value.to_owned()));
            }
        }
        (!answer.is_empty()).then_some(answer)
    }

    /// The code that was mailed for the page that asks.
    pub async fn mailed_code(&self, page: &Page, person: Person) -> String {
        let label = label_of(&page.select("label[for=f-code]").expect("a labelled field"));
        let mail = self.mailbox.wait(person.email, |mail| mail.subject.contains(&label)).await;
        code_in(&mail.text)
    }

    /// Signs in for a client; returns where the client is called back.
    pub async fn sign_in(&mut self, request: &Request, person: Person) -> Url {
        let at = self.ask(request).await;
        self.walk(at, person).await.left()
    }

    /// Signs in to the account page.
    pub async fn sign_in_to_account(&mut self, person: Person) -> Page {
        let at = self.open("/account").await;
        self.walk(at, person).await.page()
    }

    /// Makes a change on the account page; returns the answer to the form.
    pub async fn change(&mut self, fields: &[(&str, &str)]) -> Page {
        self.change_at("/account", fields).await
    }

    /// Posts to one of the account page's addresses, with its token.
    pub async fn change_at(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.open("/account").await.page();
        let csrf = page.form().hidden("csrf").expect("a csrf token").to_owned();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        self.post(path, &all).await
    }
}

/// The two characters of "Code K7, six digits", without the marks around what was put into a sentence.
pub fn label_of(words: &str) -> String {
    let label = words.split([' ', ',']).nth(1).expect("Code K7, six digits");
    label.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The code in the text of a mail.
pub fn code_in(text: &str) -> String {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    text.lines().map(str::trim).find(is_code).expect("six digits").to_owned()
}
