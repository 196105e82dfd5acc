//! A virtual user: a person with a browser, and the app that they use. One kept-alive connection to each node.

mod app;
mod browser;
mod collector;
mod jar;
mod tokens;
mod typist;

use crate::connection::{Answer, Connection};
use crate::people;
use crate::site::Site;
use collector::Page;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Builder;
use jar::Jar;
use std::collections::VecDeque;
use std::rc::Rc;
use tokens::Tokens;
use typist::Typist;

/// What the proxy in front of a provider tells it of the visitor's address; we are that proxy.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A virtual user.
pub struct User {
    site: Rc<Site>,
    connections: Vec<Connection>,
    /// The node that the balancer in front of the provider sends this user to.
    home: usize,
    number: u32,
    /// Counts what must differ each time.
    turn: u32,
    /// Where the person is, for the provider.
    address: HeaderValue,
    jar: Jar,
    tokens: Option<Tokens>,
    /// A signature of the provider's was checked.
    has_checked: bool,
    typist: Typist,
    pages: VecDeque<Page>,
}

impl User {
    /// The `number`th of them.
    pub fn new(site: &Rc<Site>, number: u32) -> Self {
        let connections: Vec<_> = site.nodes.iter().map(|&node| Connection::new(node)).collect();
        Self {
            home: number as usize % connections.len(),
            connections,
            site: site.clone(),
            number,
            turn: 0,
            address: forwarded(number, 0),
            jar: Jar::default(),
            tokens: None,
            has_checked: false,
            typist: Typist::new(number),
            pages: VecDeque::new(),
        }
    }

    /// Closes the connections; the next request opens them again.
    pub fn hang_up(&mut self) {
        self.connections.iter_mut().for_each(Connection::close);
    }

    /// Another node than the user's own, if there is one.
    fn elsewhere(&self) -> usize {
        (self.home + 1) % self.connections.len()
    }

    /// Sends a request to a node.
    async fn send(&mut self, node: usize, request: Builder, body: impl Into<Bytes>) -> anyhow::Result<Answer> {
        let request = request
            .header("host", &self.site.host)
            .header(FORWARDED_FOR, &self.address)
            .body(Full::new(body.into()))?;
        self.connections[node].send(request).await
    }

    /// Reads something public.
    async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.home, Request::get(path), Bytes::new()).await
    }

    /// Moves to another address, with an empty browser.
    fn start_anew(&mut self) {
        self.turn += 1;
        self.address = forwarded(self.number, self.turn);
        self.jar = Jar::default();
    }
}

fn forwarded(number: u32, turn: u32) -> HeaderValue {
    HeaderValue::from_str(&people::address(number, turn).to_string()).unwrap_or(HeaderValue::from_static("unknown"))
}
