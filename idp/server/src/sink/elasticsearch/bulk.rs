//! The bulk API: many documents in one request, each with a fate of its own.

use crate::outbound::innermost;
use elasticsearch::{BulkOperation, BulkOperations, BulkParts, Elasticsearch};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest reason that is told, in characters.
const MAX_REASON: usize = 300;

/// A document on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its id. Created under it, so a second time changes nothing.
    pub id: String,
    /// What it says.
    pub source: Value,
}

/// What became of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is there, by this request or an earlier one.
    Taken,
    /// Not now.
    Again(String),
    /// Never: it doesn't fit.
    Refused(String),
}

#[derive(Deserialize)]
struct Answer {
    items: Vec<BTreeMap<String, Item>>,
}

#[derive(Deserialize)]
struct Item {
    status: u16,
    error: Option<Value>,
}

/// Creates documents in a data stream; their fates come in their order.
///
/// # Errors
/// Nothing is known of any of them: the cluster is away, overloaded, or refuses the request as a whole.
pub(super) async fn create(client: &Elasticsearch, stream: &str, documents: &[Document]) -> Result<Vec<Fate>, String> {
    let mut operations = BulkOperations::new();
    for document in documents {
        let operation = BulkOperation::create(&document.source).id(&document.id);
        operations.push(operation).map_err(|error| error.to_string())?;
    }
    let call = client.bulk(BulkParts::Index(stream)).body(vec![operations]);
    let answer = call.send().await.map_err(|error| without_address(&error))?;
    let status = answer.status_code();
    if !status.is_success() {
        let text = answer.text().await.unwrap_or_default();
        return Err(format!("status {}: {}", status.as_u16(), cut(&text)));
    }
    let answer: Answer = answer.json().await.map_err(|error| without_address(&error))?;
    if answer.items.len() != documents.len() {
        return Err(format!("{} answers for {} documents", answer.items.len(), documents.len()));
    }
    Ok(answer.items.into_iter().map(fate).collect())
}

fn fate(item: BTreeMap<String, Item>) -> Fate {
    let Some(item) = item.into_values().next() else {
        return Fate::Again("no answer".to_owned());
    };
    let why = || {
        let error = item.error.as_ref().map(Value::to_string).unwrap_or_default();
        format!("status {}: {}", item.status, cut(&error))
    };
    match item.status {
        200..=299 | 409 => Fate::Taken,
        429 | 500.. => Fate::Again(why()),
        _ => Fate::Refused(why()),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_REASON).collect()
}

pub(super) fn without_address(error: &elasticsearch::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    cut(&innermost(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_that_is_there_already_is_taken_and_one_that_does_not_fit_is_refused() {
        let of = |status: u16| {
            let item = json!({"create": {"_index": "x", "_id": "1", "status": status, "error": {"type": "t", "reason": "r"}}});
            fate(serde_json::from_value(item).unwrap())
        };
        for status in [200, 201, 409] {
            assert_eq!(of(status), Fate::Taken);
        }
        for status in [429, 500, 503] {
            assert!(matches!(of(status), Fate::Again(_)), "{status}");
        }
        for status in [400, 403, 404, 413] {
            let Fate::Refused(why) = of(status) else { panic!("{status}") };
            assert!(why.contains("\"reason\":\"r\""), "{why}");
        }
    }
}
