//! A browser without scripts: cookies, redirects, forms.

use crate::cookies::Jar;
use crate::http;
use anyhow::{Context as _, bail};
use reqwest::header::{ACCEPT_LANGUAGE, COOKIE, LOCATION, ORIGIN, SET_COOKIE, USER_AGENT};
use reqwest::{Client, RequestBuilder, Response};
use std::collections::BTreeMap;
use url::Url;
use xtask::page::{Form, Page};

const MAX_REDIRECTS: usize = 10;
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Where a navigation ended.
pub enum Landing {
    /// On a page of the provider's.
    Page(Page),
    /// At another origin, which was not called.
    Away(Url),
}

/// A browser at one address.
#[derive(Clone)]
pub struct Browser {
    http: Client,
    issuer: Url,
    address: String,
    jar: Jar,
}

impl Browser {
    /// A fresh one, at this address.
    ///
    /// # Errors
    /// The issuer is no URL.
    pub fn new(issuer: &str, address: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: http::client()?,
            issuer: Url::parse(issuer)?,
            address: address.to_owned(),
            jar: Jar::default(),
        })
    }

    /// Whether it has been signed in.
    pub fn is_signed_in(&self) -> bool {
        self.jar.has("__Host-gait-session")
    }

    /// Is closed and opened again.
    pub fn restart(&mut self) {
        self.jar.close();
    }

    /// Opens a page.
    ///
    /// # Errors
    /// The provider can't be reached, or sets a bad cookie.
    pub async fn open(&mut self, url: Url) -> anyhow::Result<Landing> {
        let response = self.send(self.http.get(url.clone())).await?;
        self.land(url, response).await
    }

    /// Sends a form with its hidden fields and these answers.
    ///
    /// # Errors
    /// As for [`Browser::open`].
    pub async fn submit(&mut self, page: &Page, form: &Form, answers: &[(&str, &str)]) -> anyhow::Result<Landing> {
        let url = page.url.join(&form.action)?;
        let mut fields: BTreeMap<&str, &str> = form
            .hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        fields.extend(answers.iter().copied());
        let request = self.http.post(url.clone()).header(ORIGIN, self.origin()).form(&fields);
        let response = self.send(request).await?;
        self.land(url, response).await
    }

    /// Reads a resource of the provider's: status and body.
    ///
    /// # Errors
    /// As for [`Browser::open`].
    pub async fn fetch(&mut self, path: &str) -> anyhow::Result<(u16, String)> {
        let response = self.send(self.http.get(self.issuer.join(path)?)).await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Posts fields to a resource of the provider's: status and body.
    ///
    /// # Errors
    /// As for [`Browser::open`].
    pub async fn post_fields(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<(u16, String)> {
        let request = self
            .http
            .post(self.issuer.join(path)?)
            .header(ORIGIN, self.origin())
            .form(fields);
        let response = self.send(request).await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// An address of the provider's, as text.
    ///
    /// # Errors
    /// `path` can't be joined to the issuer.
    pub fn url(&self, path: &str) -> anyhow::Result<String> {
        Ok(self.issuer.join(path)?.into())
    }

    fn origin(&self) -> String {
        self.issuer.origin().ascii_serialization()
    }

    async fn send(&mut self, request: RequestBuilder) -> anyhow::Result<Response> {
        // We are the trusted proxy that speaks for the browser.
        let request = request
            .header("x-forwarded-for", &self.address)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT_LANGUAGE, "en");
        let response = request.header(COOKIE, self.jar.header()).send().await?;
        for line in response.headers().get_all(SET_COOKIE) {
            self.jar.take(line.to_str()?)?;
        }
        Ok(response)
    }

    async fn land(&mut self, mut url: Url, mut response: Response) -> anyhow::Result<Landing> {
        for _ in 0..MAX_REDIRECTS {
            if response.status().as_u16() != 303 {
                let status = response.status().as_u16();
                return Ok(Landing::Page(Page::read(url, status, &response.text().await?)));
            }
            let target = response.headers().get(LOCATION).context("303 without Location")?;
            url = url.join(target.to_str()?)?;
            if url.origin() != self.issuer.origin() {
                return Ok(Landing::Away(url));
            }
            response = self.send(self.http.get(url.clone())).await?;
        }
        bail!("redirected {MAX_REDIRECTS} times, last to {url}")
    }
}
