//! Deliveries: events on their way to clients, as logout tokens and security event tokens.

use crate::Idp;
use crate::error::Result;
use crate::event::Delivery;
use url::Url;

/// One HTTP POST to make for a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Where to.
    pub url: Url,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Body: `logout_token=…` (OIDC Back-Channel Logout 1.0 §2.5) or the SET (RFC 8935 §2.1).
    pub body: String,
}

/// What a receiver did with a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// 2xx.
    Accepted,
    /// A permanent refusal: never again.
    Refused(String),
    /// Anything else: later.
    Failed(String),
}

impl Idp {
    /// Expands new events into deliveries to the clients that they concern; returns how many deliveries were made.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn expand_events(&self) -> Result<usize> {
        todo!()
    }

    /// Claims deliveries that are due, with what to post; a delivery whose client no longer wants it is settled here.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn due_posts(&self, limit: u32) -> Result<Vec<(Delivery, Post)>> {
        todo!()
    }

    /// Notes what became of one: done, dead, or again after an exponential back-off with jitter.
    ///
    /// # Errors
    /// A backend is away.
    pub async fn settle_delivery(&self, delivery: &Delivery, arrival: &Arrival) -> Result<()> {
        todo!()
    }
}
