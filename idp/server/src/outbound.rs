//! Calls to addresses that clients configure. Whoever may register a client must not be able to make this server talk to what only it
//! can reach (ASVS 5.0 13.2.4): https only, no redirects, no proxy, public addresses only, and the address that was checked is the one
//! that is connected to.

mod address;

use address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use url::{Host, Url};

/// Deadline of a call, from the look-up to the last byte.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Deadline of connecting, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// Unused connections that are kept for a receiver.
const IDLE_CONNECTIONS: usize = 2;
/// Largest headers of an HTTP/2 answer, in bytes; HTTP/1 has the client's own limit.
const MAX_HEADERS: u32 = 16 * 1024;

type Trouble = Box<dyn Error + Send + Sync>;

/// Looks host names up.
#[async_trait::async_trait]
pub trait LookUp: Send + Sync {
    /// The addresses of `host`.
    ///
    /// # Errors
    /// It has none, or can't be looked up.
    async fn look_up(&self, host: &str) -> std::io::Result<Vec<SocketAddr>>;
}

/// The system's resolver.
struct System;

#[async_trait::async_trait]
impl LookUp for System {
    async fn look_up(&self, host: &str) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.collect())
    }
}

/// Which addresses may be called.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// All, and by http too: the dev mode.
    pub allow_private: bool,
    /// Hosts that may have private addresses, by name.
    pub allowed: Vec<String>,
}

impl Guard {
    fn allows(&self, host: &str) -> bool {
        let bare = host.strip_suffix('.').unwrap_or(host);
        self.allow_private || self.allowed.iter().any(|name| name.eq_ignore_ascii_case(bare))
    }

    /// Checks what can be checked without looking anything up. A host that is written as a number, in whatever base, is an address by
    /// now: the URL's parser has seen to that.
    fn check(&self, url: &Url) -> Result<(), &'static str> {
        if url.scheme() != "https" && !(self.allow_private && url.scheme() == "http") {
            return Err("it must be https");
        }
        let address = match url.host().ok_or("it names no host")? {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => address.into(),
            Host::Ipv6(address) => address.into(),
        };
        if is_public(address) || url.host_str().is_some_and(|host| self.allows(host)) {
            return Ok(());
        }
        Err("its address is not public")
    }
}

/// Hands on the addresses that the guard lets pass, and nothing else, so whatever the name stands for a moment later doesn't matter.
struct GuardedResolver {
    guard: Guard,
    look_up: Arc<dyn LookUp>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let look_up = self.look_up.clone();
        let is_allowed = self.guard.allows(name.as_str());
        Box::pin(async move {
            let mut found = look_up.look_up(name.as_str()).await?;
            found.retain(|address| is_allowed || is_public(address.ip()));
            if found.is_empty() {
                return Err(Trouble::from("its address is not public"));
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody was called.
    #[error("{0}")]
    Away(String),
    /// Somebody was called, and didn't answer, or not properly.
    #[error("{0}")]
    Broken(String),
}

/// Makes the calls. Clones share their connections.
#[derive(Clone)]
pub struct Outbound {
    guard: Guard,
    look_up: Arc<dyn LookUp>,
    /// Made when it is first needed: reading the system's certificates takes a while.
    client: Arc<OnceCell<reqwest::Client>>,
}

impl Outbound {
    /// Calls what `guard` allows.
    pub fn new(guard: Guard) -> Self {
        Self::with(guard, Arc::new(System))
    }

    /// As [`Outbound::new`], with another resolver.
    pub fn with(guard: Guard, look_up: Arc<dyn LookUp>) -> Self {
        Self {
            guard,
            look_up,
            client: Arc::default(),
        }
    }

    /// Posts `body`, and returns the answer, whose body has not been read.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn post(&self, url: &Url, content_type: &str, body: String) -> Result<reqwest::Response, CallError> {
        self.guard.check(url).map_err(|why| CallError::Away(why.to_owned()))?;
        let client = self.client.get_or_try_init(|| async { self.build() }).await;
        let client = client.map_err(|error| CallError::Away(reason(&error)))?;
        let request = client
            .post(url.clone())
            .header(reqwest::header::CONTENT_TYPE, content_type)
            .header(reqwest::header::ACCEPT, "application/json");
        request.body(body).send().await.map_err(|error| {
            let why = reason(&error);
            match error.is_connect() {
                true => CallError::Away(why),
                false => CallError::Broken(why),
            }
        })
    }

    fn build(&self) -> reqwest::Result<reqwest::Client> {
        let resolver = GuardedResolver {
            guard: self.guard.clone(),
            look_up: self.look_up.clone(),
        };
        reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .dns_resolver(Arc::new(resolver))
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .http2_max_header_list_size(MAX_HEADERS)
            .build()
    }
}

/// At most `most` bytes of an answer's body, within the call's deadline; what a connection needs to be used again, if it is short.
pub async fn read_some(mut answer: reqwest::Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        let room = most - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            break;
        }
    }
    body
}

/// The innermost cause, which says more than "error sending request", and doesn't name where to.
pub fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn reason(error: &reqwest::Error) -> String {
    match error.is_timeout() {
        true => "no answer in time".to_owned(),
        false => innermost(error),
    }
}

#[cfg(test)]
mod tests;
