//! What the data streams need, installed once: how long documents live, what their fields are, and the streams themselves. Again
//! changes nothing but what a newer Gait says otherwise.

use anyhow::{Context as _, bail};
use elasticsearch::Elasticsearch;
use elasticsearch::cluster::ClusterPutComponentTemplateParts;
use elasticsearch::http::response::Response;
use elasticsearch::ilm::IlmPutLifecycleParts;
use elasticsearch::indices::{IndicesCreateDataStreamParts, IndicesPutIndexTemplateParts};
use serde_json::Value;

/// The fields' mapping.
pub const MAPPED: &str = include_str!("setup/fields.json");

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
