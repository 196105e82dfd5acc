//! The collector in the pages of a watched app: numbered batches under a watch token.

use super::User;
use super::browser::WATCHED_WISH;
use super::tokens::text;
use crate::people::{self, ORIGIN};
use anyhow::{Context as _, bail, ensure};
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;
use std::time::Duration;

/// Batches from which a rhythm is learned.
const TRAINING: u32 = 60;
/// Looks at whether it was, a tenth of a second apart.
const LOOKS: u32 = 600;

/// A page of the app, in a session of its own.
pub(super) struct Page {
    watch_token: String,
    seq: u64,
}

impl User {
    /// Opens pages of the watched app, each in a new session of its own.
    ///
    /// # Errors
    /// The person can't sign in, or may not be watched.
    pub async fn open_pages(&mut self, pages: u32) -> anyhow::Result<()> {
        for _ in 0..pages {
            let page = self.open_page(&people::watched_username(self.number)).await?;
            self.pages.push_back(page);
        }
        Ok(())
    }

    async fn open_page(&mut self, username: &str) -> anyhow::Result<Page> {
        let tokens = self.sign_in_as(username, WATCHED_WISH).await?;
        let request = Request::post("/continuous/token")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", tokens.access));
        let body = json!({ "origin": ORIGIN }).to_string();
        let answer = self.send(self.home, request, body).await?.json()?;
        Ok(Page {
            watch_token: text(&answer, "watch_token")?,
            seq: 0,
        })
    }

    /// Types until the account's rhythm is known. The provider must learn every second or so.
    ///
    /// # Errors
    /// It isn't within a minute.
    pub async fn enrol(&mut self, account: u32) -> anyhow::Result<()> {
        let mut page = self.open_page(&people::watched_username(account)).await?;
        for _ in 0..TRAINING {
            self.batch(&mut page).await?;
        }
        for _ in 0..LOOKS {
            if self.mode().await?["enrolled"] == true {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("not enrolled: {}", self.mode().await?)
    }

    /// Sends a batch from the next page.
    ///
    /// # Errors
    /// It is refused, or the session ended.
    pub async fn sample(&mut self) -> anyhow::Result<()> {
        let mut page = self.pages.pop_front().context("no page is open")?;
        let answered = self.batch(&mut page).await;
        self.pages.push_back(page);
        answered
    }

    async fn batch(&mut self, page: &mut Page) -> anyhow::Result<()> {
        page.seq += 1;
        let body = self.typist.batch(page.seq).to_string();
        let request = Request::post("/continuous/samples")
            .header(CONTENT_TYPE, "application/json")
            .header("origin", ORIGIN)
            .header(AUTHORIZATION, format!("Bearer {}", page.watch_token));
        let answer = self.send(self.home, request, body).await?.json()?;
        if let Some(renewed) = answer["watch_token"].as_str() {
            page.watch_token = renewed.to_owned();
        }
        ensure!(answer["state"] == "ok", "the session is {}", answer["state"]);
        Ok(())
    }
}
