//! What `gait.js` does in a page: numbered batches under a watch token, renewed when the answer brings a new one.

use crate::app::{App, Tokens};
use crate::http;
use anyhow::{Context as _, ensure};
use gait::dev::rhythm::Sample;
use reqwest::header::{ORIGIN, RETRY_AFTER};
use reqwest::{Client, Response};
use serde_json::Value;
use std::time::Duration;

/// The collector of one page.
pub struct Collector {
    http: Client,
    endpoint: String,
    origin: String,
    token: String,
    seq: u64,
}

impl Collector {
    /// Starts in a page of the app.
    ///
    /// # Errors
    /// There is no watch token.
    pub async fn start(app: &App, tokens: &Tokens) -> anyhow::Result<Self> {
        let http = http::client()?;
        let token = app.watch_token(tokens).await?;
        Ok(Self {
            http,
            endpoint: app.samples_endpoint(),
            origin: app.origin.clone(),
            token,
            seq: 0,
        })
    }

    /// Goes on under a new watch token, after a step-up.
    ///
    /// # Errors
    /// There is none.
    pub async fn renew(&mut self, app: &App, tokens: &Tokens) -> anyhow::Result<()> {
        self.token = app.watch_token(tokens).await?;
        Ok(())
    }

    /// Sends a batch, waiting where the provider asks to; returns the state that it is told.
    ///
    /// # Errors
    /// The batch is refused.
    pub async fn send(&mut self, sample: &Sample) -> anyhow::Result<String> {
        self.seq += 1;
        let batch = sample.wire(self.seq);
        loop {
            let request = self
                .http
                .post(&self.endpoint)
                .bearer_auth(&self.token)
                .header(ORIGIN, &self.origin)
                .json(&batch);
            let response = request.send().await?;
            match response.status().as_u16() {
                429 => tokio::time::sleep(retry_after(&response)?).await,
                status => return self.read(status, response.json().await?),
            }
        }
    }

    fn read(&mut self, status: u16, answer: Value) -> anyhow::Result<String> {
        ensure!(status == 200, "batch {}: {status} {answer}", self.seq);
        if let Some(token) = answer["watch_token"].as_str() {
            self.token = token.to_owned();
        }
        answer["state"].as_str().map(str::to_owned).context("no state")
    }
}

fn retry_after(response: &Response) -> anyhow::Result<Duration> {
    let seconds = response.headers().get(RETRY_AFTER).context("429 without Retry-After")?;
    Ok(Duration::from_secs(seconds.to_str()?.parse()?))
}
