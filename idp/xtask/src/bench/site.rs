//! A provider, as its discovery document describes it.

use crate::connection::{Answer, Connection};
use anyhow::{Context as _, ensure};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use serde_json::Value;
use std::net::SocketAddr;
use url::Url;

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Where each endpoint is: path and query.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Discovery itself.
    pub discovery: String,
    /// The keys.
    pub jwks: String,
    /// Authorization.
    pub authorization: String,
    /// Token.
    pub token: String,
    /// Userinfo.
    pub userinfo: String,
    /// Introspection.
    pub introspection: String,
    /// Revocation.
    pub revocation: String,
}

/// A provider on one or more nodes.
#[derive(Debug)]
pub struct Site {
    /// Its issuer.
    pub issuer: String,
    /// Its host, for the `Host` header.
    pub host: String,
    /// Where its nodes listen.
    pub nodes: Vec<SocketAddr>,
    /// Where its endpoints are.
    pub endpoints: Endpoints,
    /// Its keys.
    pub keys: JwkSet,
    /// The discovery document, by the byte.
    pub discovery: Bytes,
    /// The keys' document, by the byte.
    pub jwks: Bytes,
}

impl Site {
    /// Reads the discovery document and the keys.
    ///
    /// # Errors
    /// The provider doesn't answer, or not as it must.
    pub async fn explore(issuer: &str, nodes: Vec<SocketAddr>) -> anyhow::Result<Self> {
        let mut connection = Connection::new(*nodes.first().context("no node")?);
        let host = Url::parse(issuer)?.authority().to_owned();
        let discovery = get(&mut connection, &host, DISCOVERY).await?;
        let metadata = discovery.json()?;
        ensure!(metadata["issuer"] == issuer, "the issuer is {}", metadata["issuer"]);
        let endpoints = Endpoints {
            discovery: DISCOVERY.to_owned(),
            jwks: endpoint(&metadata, "jwks_uri")?,
            authorization: endpoint(&metadata, "authorization_endpoint")?,
            token: endpoint(&metadata, "token_endpoint")?,
            userinfo: endpoint(&metadata, "userinfo_endpoint")?,
            introspection: endpoint(&metadata, "introspection_endpoint")?,
            revocation: endpoint(&metadata, "revocation_endpoint")?,
        };
        let jwks = get(&mut connection, &host, &endpoints.jwks).await?;
        Ok(Self {
            keys: serde_json::from_value(jwks.json()?).context("the keys")?,
            issuer: issuer.to_owned(),
            host,
            nodes,
            endpoints,
            discovery: discovery.body,
            jwks: jwks.body,
        })
    }
}

/// Whether a provider answers discovery yet.
pub async fn is_up(node: SocketAddr) -> bool {
    let answer = get(&mut Connection::new(node), &node.to_string(), DISCOVERY).await;
    answer.is_ok_and(|answer| answer.status == StatusCode::OK)
}

async fn get(connection: &mut Connection, host: &str, path: &str) -> anyhow::Result<Answer> {
    connection
        .send(Request::get(path).header("host", host).body(Full::default())?)
        .await
}

fn endpoint(metadata: &Value, name: &str) -> anyhow::Result<String> {
    let url = Url::parse(metadata[name].as_str().with_context(|| format!("discovery has no {name}"))?)?;
    Ok(path_of(&url))
}

/// What of a URL stands in a request's first line.
pub fn path_of(url: &Url) -> String {
    url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
}
