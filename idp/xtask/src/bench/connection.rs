//! One kept-alive HTTP/1 connection.

use anyhow::{Context as _, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Longest wait for an answer; who is that slow is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// It is none, or the status isn't 200.
    pub fn json(&self) -> anyhow::Result<Value> {
        ensure!(self.status == StatusCode::OK, "{self}");
        serde_json::from_slice(&self.body).with_context(|| self.to_string())
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:.300}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// A connection; made when it is first needed, and again when the server has closed it.
pub struct Connection {
    address: SocketAddr,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// To a server.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, open: None }
    }

    /// Closes it. Servers close connections that idle, and would between two rounds.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// The server can't be reached, breaks off, or takes too long.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let path = request.uri().path().to_owned();
        let answer = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        answer.with_context(|| format!("{path}: no answer"))?.context(path)
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let sender = match self.open.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => connect(self.address).await?,
        };
        let sender = self.open.insert(sender);
        sender.ready().await?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // What goes wrong shows at the request that is under way.
    tokio::spawn(connection);
    Ok(sender)
}
