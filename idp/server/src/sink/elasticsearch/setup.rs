//! What the data streams need, installed once: how long documents live, what their fields are, and the streams themselves. Again
//! changes nothing but what a newer Gait says otherwise.

use super::bulk::without_address;
use super::name;
use crate::config::ElasticsearchConfig;
use crate::metrics::Stream;
use anyhow::{Context as _, anyhow, bail};
use elasticsearch::Elasticsearch;
use elasticsearch::cluster::ClusterPutComponentTemplateParts;
use elasticsearch::http::Method;
use elasticsearch::http::headers::HeaderMap;
use elasticsearch::http::response::Response;
use elasticsearch::ilm::IlmPutLifecycleParts;
use elasticsearch::indices::{IndicesCreateDataStreamParts, IndicesPutIndexTemplateParts};
use serde_json::Value;

/// The fields' mapping.
pub const MAPPED: &str = include_str!("setup/fields.json");

/// The oldest version that is spoken to: bulk, templates and lifecycles are as they are since.
const OLDEST: u32 = 8;
const POLICIES: [(&str, &str); 2] = [
    ("gait-events", include_str!("setup/events-policy.json")),
    ("gait-requests", include_str!("setup/requests-policy.json")),
];
const TEMPLATES: [(&str, &str); 2] = [
    ("gait-events", include_str!("setup/events.json")),
    ("gait-requests", include_str!("setup/requests.json")),
];

/// Installs everything for the streams beside `events`, such as `logs-gait.events-default`.
///
/// # Errors
/// The cluster is away or refuses something; says what.
pub async fn install(client: &Elasticsearch, events: &str) -> anyhow::Result<()> {
    let (lifecycles, indices) = (client.ilm(), client.indices());
    for (name, body) in POLICIES {
        let call = lifecycles.put_lifecycle(IlmPutLifecycleParts::Policy(name));
        let answer = call.body(read(body)?).send().await;
        check(answer, &format!("lifecycle policy {name}"), None).await?;
    }
    let fields = ClusterPutComponentTemplateParts::Name("gait-fields");
    let answer = client
        .cluster()
        .put_component_template(fields)
        .body(read(MAPPED)?)
        .send()
        .await;
    check(answer, "component template gait-fields", None).await?;
    for (name, body) in TEMPLATES {
        let call = indices.put_index_template(IndicesPutIndexTemplateParts::Name(name));
        let answer = call.body(read(body)?).send().await;
        check(answer, &format!("index template {name}"), None).await?;
    }
    let requests = events.replacen("gait.events", "gait.requests", 1);
    for stream in [events, &requests] {
        let call = indices.create_data_stream(IndicesCreateDataStreamParts::Name(stream));
        let answer = call.send().await;
        let there = Some("resource_already_exists_exception");
        check(answer, &format!("data stream {stream}"), there).await?;
    }
    Ok(())
}

/// What of it is there.
pub struct Found {
    /// The cluster's version, if it tells.
    pub version: Option<String>,
    /// What isn't there.
    pub missing: Vec<String>,
    /// What it doesn't tell of: a key that may write needn't be one that may look.
    pub hidden: Vec<String>,
}

/// Looks whether the configured cluster can be used, and what of the above it has; changes nothing.
///
/// # Errors
/// It is away, refuses the key, or is too old; says which.
pub async fn look(config: &ElasticsearchConfig) -> anyhow::Result<Found> {
    let client = super::client(config)?;
    let (status, about) = get(&client, "/").await?;
    let version = match status {
        200 => Some(about["version"]["number"].as_str().unwrap_or_default().to_owned()),
        403 => None,
        status => bail!("status {status}: {}", about["error"]["type"].as_str().unwrap_or_default()),
    };
    let major = version
        .as_deref()
        .and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if version.is_some() && major < Some(OLDEST) {
        bail!(
            "version {}: it must be Elasticsearch {OLDEST} or newer",
            version.unwrap_or_default()
        );
    }
    let (mut missing, mut hidden) = (Vec::new(), Vec::new());
    for (what, path) in parts(&config.namespace) {
        match get(&client, &path).await?.0 {
            200 => {}
            404 => missing.push(what),
            _ => hidden.push(what),
        }
    }
    Ok(Found {
        version,
        missing,
        hidden,
    })
}

/// Everything that is installed: its name for people, and its path.
fn parts(namespace: &str) -> Vec<(String, String)> {
    let policies = POLICIES
        .iter()
        .map(|(name, _)| ("lifecycle policy", "/_ilm/policy", (*name).to_owned()));
    let fields = ("component template", "/_component_template", "gait-fields".to_owned());
    let templates = TEMPLATES
        .iter()
        .map(|(name, _)| ("index template", "/_index_template", (*name).to_owned()));
    let streams = [Stream::Events, Stream::Requests].map(|stream| ("data stream", "/_data_stream", name(stream, namespace)));
    let all = policies.chain([fields]).chain(templates).chain(streams);
    all.map(|(what, folder, name)| (format!("{what} {name}"), format!("{folder}/{name}")))
        .collect()
}

async fn get(client: &Elasticsearch, path: &str) -> anyhow::Result<(u16, Value)> {
    let call = client.send(Method::Get, path, HeaderMap::new(), None::<&()>, None::<()>, None);
    let answer = call.await.map_err(|error| anyhow!(without_address(&error)))?;
    let status = answer.status_code().as_u16();
    Ok((status, answer.json().await.unwrap_or_default()))
}

fn read(body: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(body)?)
}

/// An error of the type `fine` is none.
async fn check(answer: Result<Response, elasticsearch::Error>, what: &str, fine: Option<&str>) -> anyhow::Result<()> {
    let answer = answer.with_context(|| what.to_owned())?;
    let status = answer.status_code();
    if status.is_success() {
        return Ok(());
    }
    let text = answer.text().await.unwrap_or_default();
    let error: Value = serde_json::from_str(&text).unwrap_or_default();
    if fine.is_some_and(|fine| error["error"]["type"] == fine) {
        return Ok(());
    }
    bail!("{what}: status {}: {text}", status.as_u16())
}
