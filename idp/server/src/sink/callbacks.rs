//! Calls relying parties back: logout tokens and security event tokens, from the outbox.

use gait_core::Idp;
use gait_core::delivery::{Arrival, Post};
use gait_core::error::Result;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::redirect::Policy;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use url::{Host, Url};

const TIMEOUT: Duration = Duration::from_secs(5);
const AT_ONCE: u32 = 32;
/// Bytes of a refusal that are read.
const MAX_ANSWER: usize = 4096;

/// Posts deliveries. https only, no redirects, public addresses only, the address that was checked is the one that is used; unless
/// the operator allows private receivers.
#[derive(Clone)]
pub struct Callbacks {
    allow_private: bool,
    /// One round at a time on this node, so that who waits for a round knows that what was due is under way no more.
    round: Arc<Mutex<()>>,
}

impl Callbacks {
    /// `allow_private` lets http and private addresses pass.
    pub fn new(allow_private: bool) -> Self {
        Self {
            allow_private,
            round: Arc::default(),
        }
    }

    /// Expands new events and delivers what is due.
    ///
    /// # Errors
    /// The store is away.
    pub async fn round(&self, idp: &Idp) -> Result<()> {
        let _round = self.round.lock().await;
        idp.expand_events().await?;
        self.deliver_due(idp).await
    }

    /// As [`Callbacks::round`], for at most `wait`: what takes longer goes on without the caller.
    pub async fn round_within(&self, idp: &Arc<Idp>, wait: Duration) {
        let (callbacks, idp) = (self.clone(), idp.clone());
        let round = tokio::spawn(async move {
            if let Err(error) = callbacks.round(&idp).await {
                tracing::warn!(%error, "deliveries failed; they will run again");
            }
        });
        if tokio::time::timeout(wait, round).await.is_err() {
            tracing::debug!("deliveries take longer than their caller waits");
        }
    }

    async fn deliver_due(&self, idp: &Idp) -> Result<()> {
        loop {
            let due = idp.due_posts(AT_ONCE).await?;
            if due.is_empty() {
                return Ok(());
            }
            let posts = due.iter().map(|(delivery, post)| async move {
                let arrival = self.post(post).await;
                if let Arrival::Refused(why) | Arrival::Failed(why) = &arrival {
                    tracing::warn!(client = %delivery.client, delivery = %delivery.id, why, "a callback did not arrive");
                }
                idp.settle_delivery(delivery, &arrival).await
            });
            for settled in futures_util::future::join_all(posts).await {
                settled?;
            }
        }
    }

    async fn post(&self, post: &Post) -> Arrival {
        let client = match self.client(&post.url).await {
            Ok(client) => client,
            Err(why) => return Arrival::Failed(why),
        };
        let request = client
            .post(post.url.clone())
            .header(CONTENT_TYPE, post.content_type)
            .header(ACCEPT, "application/json");
        match request.body(post.body.clone()).send().await {
            Ok(answer) if answer.status().is_success() => Arrival::Accepted,
            Ok(answer) if answer.status().as_u16() == 400 => Arrival::Refused(refusal(answer).await),
            Ok(answer) => Arrival::Failed(format!("status {}", answer.status().as_u16())),
            Err(error) => Arrival::Failed(error.without_url().to_string()),
        }
    }

    /// A client that can reach the URL's checked addresses and nothing else.
    async fn client(&self, url: &Url) -> Result<reqwest::Client, String> {
        if url.scheme() != "https" && !self.allow_private {
            return Err("receivers must be https".to_owned());
        }
        let port = url.port_or_known_default().ok_or("no port")?;
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .no_proxy();
        let addresses: Vec<SocketAddr> = match url.host().ok_or("no host")? {
            Host::Domain(name) => {
                let found = tokio::net::lookup_host((name, port))
                    .await
                    .map_err(|error| format!("look-up failed: {error}"))?;
                let found: Vec<SocketAddr> = found.collect();
                builder = builder.resolve_to_addrs(name, &found);
                found
            }
            Host::Ipv4(ip) => vec![(ip, port).into()],
            Host::Ipv6(ip) => vec![(ip, port).into()],
        };
        if !self.allow_private && !addresses.iter().all(|address| is_public(address.ip())) {
            return Err("the receiver's address is not public".to_owned());
        }
        builder.build().map_err(|error| error.to_string())
    }
}

async fn refusal(mut answer: reqwest::Response) -> String {
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        let room = MAX_ANSWER - text.len();
        text.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if text.len() == MAX_ANSWER {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// True for addresses of the public internet (IANA special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let protocol = a == 192 && b == 0 || a == 198 && (18..20).contains(&b);
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_documentation()
                || shared
                || protocol
                || a == 0
                || a >= 224)
        }
        IpAddr::V6(ip) => ip.segments()[0] & 0xe000 == 0x2000 && !(ip.segments()[0] == 0x2001 && ip.segments()[1] == 0xdb8),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2001:db8::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[tokio::test]
    async fn a_guarded_receiver_is_https_and_public() {
        let guarded = Callbacks::new(false);
        for url in [
            "http://rp.example/cb",
            "https://127.0.0.1/cb",
            "https://[::1]/cb",
            "https://localhost/cb",
            "https://169.254.169.254/",
        ] {
            guarded.client(&url.parse().unwrap()).await.expect_err(url);
        }
    }
}
