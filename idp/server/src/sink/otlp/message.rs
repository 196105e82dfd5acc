//! Spans as the collector reads them, in the names of OpenTelemetry's semantic conventions for HTTP. Where those want a path, an address or
//! what the browser is, nothing is said: there are ids and secrets in paths, and people behind addresses.

use super::Span as Told;
use crate::sink::Line;
use axum::http::Method;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Methods that are told by their name; a stranger may call one as it likes.
const METHODS: [Method; 9] = [
    Method::GET,
    Method::POST,
    Method::HEAD,
    Method::OPTIONS,
    Method::PUT,
    Method::DELETE,
    Method::PATCH,
    Method::CONNECT,
    Method::TRACE,
];

/// Who tells: one node.
pub(super) fn resource(node: &str) -> Resource {
    Resource {
        attributes: vec![
            text("service.name", "gait"),
            text("service.version", VERSION),
            text("service.instance.id", node),
        ],
        ..Resource::default()
    }
}

pub(super) fn request(resource: Resource, spans: Vec<Told>) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope {
        name: "gait".to_owned(),
        version: VERSION.to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = ScopeSpans {
        scope: Some(scope),
        spans: spans.into_iter().map(span).collect(),
        ..ScopeSpans::default()
    };
    let spans = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![spans],
        ..ResourceSpans::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![spans],
    }
}

fn span(Told { line, context }: Told) -> Span {
    let method = METHODS.iter().find(|&known| *known == line.method).map(Method::as_str);
    let route = line.route.as_ref().map(|route| route.as_str());
    let end_ns = u64::try_from(line.at_ms).unwrap_or_default() * 1_000_000;
    let took_ns = u64::try_from(line.took.as_nanos()).unwrap_or_default();
    let name = method.unwrap_or("HTTP");
    Span {
        trace_id: context.trace.to_vec(),
        span_id: context.span.to_vec(),
        parent_span_id: context.parent.map(Vec::from).unwrap_or_default(),
        name: route.map_or(name.to_owned(), |route| format!("{name} {route}")),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: end_ns.saturating_sub(took_ns),
        end_time_unix_nano: end_ns,
        attributes: attributes(&line, method, route),
        status: (line.status >= 500).then(|| Status {
            code: StatusCode::Error.into(),
            ..Status::default()
        }),
        ..Span::default()
    }
}

fn attributes(line: &Line, method: Option<&str>, route: Option<&str>) -> Vec<KeyValue> {
    let mut attributes = vec![
        text("http.request.method", method.unwrap_or("_OTHER")),
        text("http.request.id", &String::from_utf8_lossy(line.id.as_bytes())),
        attribute("http.response.status_code", Value::IntValue(line.status.into())),
    ];
    attributes.extend(route.map(|route| text("http.route", route)));
    // Who asked wrongly is no error of ours.
    attributes.extend((line.status >= 500).then(|| text("error.type", &line.status.to_string())));
    attributes
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
