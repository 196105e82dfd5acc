//! Requests: how many, how they ended, how long they took. On the way of every request, so nothing is made or locked there but the
//! one histogram that is counted in.

use super::{Outcome, Seconds, waits};
use arc_swap::ArcSwap;
use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The route of requests that match none: whatever strangers ask for is one label.
const UNMATCHED: &str = "unmatched";
const METHODS: [&str; 5] = ["GET", "POST", "OPTIONS", "HEAD", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: &'static str,
}

/// One route's histograms, each made when it is first needed.
#[derive(Default)]
struct Route([[OnceLock<Histogram>; CLASSES.len()]; METHODS.len()]);

/// Requests by route, method and class of status.
pub struct Requests {
    seconds: Seconds<RequestLabels>,
    /// Grows until every route was asked for once.
    routes: ArcSwap<HashMap<Box<str>, Arc<Route>>>,
    failures: Family<Outcome, Counter>,
}

impl Requests {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let requests = Self {
            seconds: Family::new_with_constructor(waits),
            routes: ArcSwap::default(),
            failures: Family::default(),
        };
        let help = "Requests, by route, method and class of status";
        registry.register_with_unit("gait_http_request", help, Unit::Seconds, requests.seconds.clone());
        let help = "Requests that were not answered: a backend is away (503), or our own fault (500)";
        registry.register("gait_http_failures", help, requests.failures.clone());
        requests
    }

    /// Counts an answered request; `route` is the pattern that it matched, if one.
    pub fn note(&self, route: Option<&str>, method: &Method, status: StatusCode, took: Duration) {
        let name = route.unwrap_or(UNMATCHED);
        let method = method_index(method);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        if status.is_server_error() {
            self.note_failure(status);
        }
        let routes = self.routes.load();
        let Some(route) = routes.get(name) else {
            self.add(name);
            return self.observe(name, method, class, took);
        };
        match route.0[method][class].get() {
            Some(histogram) => histogram.observe(took.as_secs_f64()),
            None => self.observe(name, method, class, took),
        }
    }

    fn note_failure(&self, status: StatusCode) {
        let outcome = match status {
            StatusCode::SERVICE_UNAVAILABLE => "away",
            StatusCode::INTERNAL_SERVER_ERROR => "internal",
            _ => "other",
        };
        self.failures.get_or_create(&Outcome { outcome }).inc();
    }

    fn add(&self, name: &str) {
        self.routes.rcu(|routes| {
            let mut more = HashMap::clone(routes);
            more.entry(name.into()).or_default();
            more
        });
    }

    /// The first of its kind.
    fn observe(&self, name: &str, method: usize, class: usize, took: Duration) {
        let labels = RequestLabels {
            route: name.to_owned(),
            method: METHODS[method],
            status: CLASSES[class],
        };
        let made = self.seconds.get_or_create_owned(&labels);
        made.observe(took.as_secs_f64());
        if let Some(route) = self.routes.load().get(name) {
            // Whoever comes second finds the same histogram there.
            let _there = route.0[method][class].set(made);
        }
    }
}

fn method_index(method: &Method) -> usize {
    let named = METHODS.iter().position(|name| *name == method.as_str());
    named.unwrap_or(METHODS.len() - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::Metrics;
    use super::*;

    #[test]
    fn whatever_strangers_ask_for_is_one_label() {
        let metrics = Metrics::default();
        let took = Duration::from_millis(3);
        metrics.requests.note(Some("/token"), &Method::POST, StatusCode::OK, took);
        metrics.requests.note(Some("/token"), &Method::POST, StatusCode::OK, took);
        for n in 0..100_u16 {
            let method = Method::from_bytes(format!("PROPFIND{n}").as_bytes()).unwrap();
            let status = StatusCode::from_u16(100 + n * 9).unwrap();
            metrics.requests.note(None, &method, status, took);
        }
        let text = metrics.encode().unwrap();
        let token = r#"gait_http_request_seconds_count{route="/token",method="POST",status="2xx"} 2"#;
        assert!(text.contains(token), "{text}");
        let series = text
            .lines()
            .filter(|line| line.starts_with("gait_http_request_seconds_count"));
        assert_eq!(series.count(), 1 + CLASSES.len());
    }
}
