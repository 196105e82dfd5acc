//! The person's end: pages, forms, redirects.

use super::User;
use super::tokens::Tokens;
use crate::people::{self, CLIENT, PASSWORD, REDIRECT_URI, WATCHED_CLIENT};
use crate::site::path_of;
use anyhow::{Context as _, bail, ensure};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN};
use hyper::http::request::Builder;
use std::collections::BTreeMap;
use url::Url;
use url::form_urlencoded::Serializer;
use xtask::page::Page;
use xtask::pkce::CHALLENGE;

/// Pages and redirects of one authorization; more is going round in circles.
const MAX_STEPS: usize = 12;

/// Where a navigation ended.
enum Landing {
    /// On a page of the provider's.
    Page(Page),
    /// At the app.
    App(Url),
}

/// What an app asks for.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    pub client: &'static str,
    pub scope: &'static str,
}

const WISH: Wish = Wish {
    client: CLIENT,
    scope: "openid offline_access",
};
/// As an app asks whose pages hold the collector.
pub(super) const WATCHED_WISH: Wish = Wish {
    client: WATCHED_CLIENT,
    scope: "openid offline_access continuous_auth",
};

impl User {
    /// Signs in with an empty browser, by password, up to the tokens.
    ///
    /// # Errors
    /// It doesn't go as it must.
    pub async fn sign_in(&mut self) -> anyhow::Result<()> {
        let username = people::username(self.number.wrapping_add(self.turn));
        let tokens = self.sign_in_as(&username, WISH).await?;
        self.tokens = Some(tokens);
        Ok(())
    }

    pub(super) async fn sign_in_as(&mut self, username: &str, wish: Wish) -> anyhow::Result<Tokens> {
        self.start_anew();
        let nonce = self.nonce();
        let mut landing = self.open(self.authorization_request(wish, &nonce)?).await?;
        for _ in 0..MAX_STEPS {
            landing = match landing {
                Landing::App(response) => return self.redeem(&response, wish.client, &nonce).await,
                Landing::Page(page) => self.answer(&page, username).await?,
            };
        }
        bail!("going round in circles")
    }

    /// Gets a code in the living session, and tokens for it.
    ///
    /// # Errors
    /// A page is shown, or the tokens aren't what they must be.
    pub async fn code(&mut self) -> anyhow::Result<()> {
        let nonce = self.nonce();
        match self.open(self.authorization_request(WISH, &nonce)?).await? {
            Landing::App(response) => {
                let tokens = self.redeem(&response, WISH.client, &nonce).await?;
                self.tokens = Some(tokens);
                Ok(())
            }
            Landing::Page(page) => bail!("a page in a living session: {} {:.300}", page.status, page.text),
        }
    }

    fn nonce(&mut self) -> String {
        self.turn += 1;
        format!("nonce-{}-{}", self.number, self.turn)
    }

    fn authorization_request(&self, wish: Wish, nonce: &str) -> anyhow::Result<Url> {
        let mut url = Url::parse(&self.site.issuer)?.join(&self.site.endpoints.authorization)?;
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", wish.client),
            ("redirect_uri", REDIRECT_URI),
            ("scope", wish.scope),
            ("state", nonce),
            ("nonce", nonce),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url)
    }

    /// Does what a page asks.
    async fn answer(&mut self, page: &Page, username: &str) -> anyhow::Result<Landing> {
        let (control, answers) = match page.form_with("password") {
            Some(_) => ("password", vec![("identifier", username), ("password", PASSWORD)]),
            None => ("watch", vec![("watch", "yes")]),
        };
        let form = page
            .form_with(control)
            .with_context(|| format!("{}: {} {:.300}", page.url.path(), page.status, page.text))?;
        let mut fields: BTreeMap<&str, &str> = form.hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
        fields.extend(answers);
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let target = page.url.join(&form.action)?;
        let request = Request::post(path_of(&target)).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.visit(target, request.header(ORIGIN, self.site.issuer.clone()), body)
            .await
    }

    async fn open(&mut self, url: Url) -> anyhow::Result<Landing> {
        let request = Request::get(path_of(&url));
        self.visit(url, request, Bytes::new()).await
    }

    /// Sends a browser's request and follows where it leads.
    async fn visit(&mut self, mut url: Url, request: Builder, body: impl Into<Bytes>) -> anyhow::Result<Landing> {
        let mut answer = self.send_with_cookies(request, body).await?;
        for _ in 0..MAX_STEPS {
            if !answer.status.is_redirection() {
                let html = String::from_utf8_lossy(&answer.body);
                ensure!(answer.status.is_success(), "{}: {answer}", url.path());
                return Ok(Landing::Page(Page::read(url, answer.status.as_u16(), &html)));
            }
            let target = answer.headers.get(LOCATION).context("a redirect without Location")?;
            url = url.join(target.to_str()?)?;
            if url.as_str().starts_with(REDIRECT_URI) {
                return Ok(Landing::App(url));
            }
            answer = self.send_with_cookies(Request::get(path_of(&url)), Bytes::new()).await?;
        }
        bail!("redirected {MAX_STEPS} times, last to {url}")
    }

    async fn send_with_cookies(&mut self, request: Builder, body: impl Into<Bytes>) -> anyhow::Result<crate::connection::Answer> {
        let request = match self.jar.header() {
            Some(cookies) => request.header(COOKIE, cookies),
            None => request,
        };
        let answer = self.send(self.home, request, body).await?;
        self.jar.take(&answer.headers);
        Ok(answer)
    }

    /// The state of the account's watch, as the account's pages read it.
    ///
    /// # Errors
    /// Nobody is signed in.
    pub(super) async fn mode(&mut self) -> anyhow::Result<serde_json::Value> {
        self.send_with_cookies(Request::get("/mode"), Bytes::new()).await?.json()
    }
}
