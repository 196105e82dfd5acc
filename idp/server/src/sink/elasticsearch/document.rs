//! Documents, in the field names of the Elastic Common Schema; what that has no name for is under `gait`. No measurement and no
//! score is in any.

use crate::sink::Line;
use gait_core::event::{Event, What};
use gait_core::session::{EndReason, RiskLevel};
use gait_sdk::PluginId;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The version of ECS whose names are used.
const ECS: &str = "8.17.0";

/// What ECS says of an event, and what only we say.
struct Said {
    kind: &'static str,
    category: &'static [&'static str],
    kinds: &'static [&'static str],
    action: &'static str,
    outcome: &'static str,
    reasons: Vec<String>,
    gait: Value,
}

fn said(category: &'static [&'static str], kinds: &'static [&'static str], action: &'static str, gait: Value) -> Said {
    Said {
        kind: "event",
        category,
        kinds,
        action,
        outcome: "success",
        reasons: Vec::new(),
        gait,
    }
}

impl Said {
    fn alert(self, reasons: &[String]) -> Self {
        Self {
            kind: "alert",
            reasons: reasons.to_vec(),
            ..self
        }
    }
    fn failed(self) -> Self {
        Self {
            outcome: "failure",
            ..self
        }
    }
}

/// A security event.
pub fn of_event(event: &Event) -> Value {
    let said = say(&event.what);
    let mut gait = said.gait;
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            gait[name] = value;
        }
    };
    add("session", event.session.as_ref().map(|id| json!({ "id": id })));
    add("client", event.client.as_ref().map(|id| json!({ "id": id })));
    add("reasons", (!said.reasons.is_empty()).then(|| json!(said.reasons)));
    let account = event.account.map(|id| id.to_string());
    let mut document = json!({
        "@timestamp": moment(event.at_ms),
        "ecs": { "version": ECS },
        "data_stream": { "type": "logs", "dataset": "gait.events" },
        "event": {
            "id": event.id.to_string(),
            "kind": said.kind,
            "category": said.category,
            "type": said.kinds,
            "action": said.action,
            "outcome": said.outcome,
            "module": "gait",
            "dataset": "gait.events",
            "provider": "gait",
        },
        "service": service(),
        "http": { "request": { "id": event.txn } },
        "gait": gait,
        "related": {},
    });
    if !said.reasons.is_empty() {
        document["event"]["reason"] = said.reasons.join(", ").into();
        document["rule"] = json!({ "ruleset": "gait-watch", "name": said.reasons });
    }
    if let Some(account) = account {
        document["user"] = json!({ "id": account });
        document["related"]["user"] = json!([account]);
    }
    // What isn't an address would be refused with all the rest of the event.
    let address = event.address.as_ref().and_then(|text| text.parse::<std::net::IpAddr>().ok());
    if let Some(address) = address {
        document["source"] = json!({ "ip": address });
        document["client"] = json!({ "ip": address });
        document["related"]["ip"] = json!([address]);
    }
    document
}

const AUTHENTICATION: &[&str] = &["authentication"];
const SESSION: &[&str] = &["session"];
const IAM: &[&str] = &["iam"];
const DETECTION: &[&str] = &["intrusion_detection"];

fn say(what: &What) -> Said {
    match what {
        What::SessionBegun { plugins } => {
            let gait = json!({ "factors": plugins });
            said(&["authentication", "session"], &["start"], "session-begun", gait)
        }
        What::SessionStrengthened { plugins, previous_level } => strengthened(plugins, *previous_level),
        What::StepUpDemanded {
            level,
            previous_level,
            reasons,
        } => {
            let gait = json!({
                "step_up": { "turn": "demanded" },
                "level": { "current": level, "previous": previous_level },
            });
            said(DETECTION, &["info"], "step-up-demanded", gait).alert(reasons)
        }
        What::StepUpFailed { failures } => {
            let gait = json!({ "step_up": { "turn": "failed", "failures": failures } });
            said(AUTHENTICATION, &["info"], "step-up-failed", gait).failed()
        }
        What::SessionEnded { reason, reasons } => ended(*reason, reasons),
        What::DecisionWithheld { decision, reasons } => {
            let gait = json!({ "decision": decision });
            said(DETECTION, &["info"], "decision-withheld", gait).alert(reasons)
        }
        What::StepFailed { plugin, why } => {
            let gait = json!({ "factors": [plugin], "why": why });
            said(AUTHENTICATION, &["start"], "step-failed", gait).failed()
        }
        What::GrantIssued { scope } => {
            let scopes: Vec<&str> = scope.split_whitespace().collect();
            said(SESSION, &["info"], "grant-issued", json!({ "scopes": scopes }))
        }
        What::ReplayDetected { kind } => {
            let gait = json!({ "replayed": kind });
            said(DETECTION, &["denied"], "replay-detected", gait).alert(&[]).failed()
        }
        What::GrantRevoked => said(IAM, &["deletion"], "grant-revoked", json!({})),
        what => of_account(what),
    }
}

/// A passed step-up is the owner's word that the alarm was wrong: there is no better sign of a false one.
fn strengthened(plugins: &[PluginId], previous_level: RiskLevel) -> Said {
    let mut gait = json!({
        "factors": plugins,
        "level": { "current": RiskLevel::Low, "previous": previous_level },
    });
    if previous_level != RiskLevel::Low {
        gait["step_up"] = json!({ "turn": "passed" });
    }
    said(AUTHENTICATION, &["info"], "session-strengthened", gait)
}

fn ended(reason: EndReason, reasons: &[String]) -> Said {
    let turn = match reason {
        EndReason::Disowned => Some("disowned"),
        EndReason::StepUpFailed => Some("lost"),
        _ => None,
    };
    let mut gait = json!({ "end_reason": reason });
    if let Some(turn) = turn {
        gait["step_up"] = json!({ "turn": turn });
    }
    let ended = said(SESSION, &["end"], "session-ended", gait);
    match reason {
        EndReason::Anomaly | EndReason::StepUpFailed | EndReason::Disowned => ended.alert(reasons),
        _ => ended,
    }
}

fn of_account(what: &What) -> Said {
    let changed = &["user", "change"];
    match what {
        What::CredentialChanged { plugin, change } => {
            let kinds: &[&str] = match change.as_str() {
                "create" => &["user", "creation"],
                "delete" => &["user", "deletion"],
                _ => changed,
            };
            said(
                IAM,
                kinds,
                "credential-changed",
                json!({ "factors": [plugin], "change": change }),
            )
        }
        What::ApprovalAnswered { yes } => {
            let answered = said(AUTHENTICATION, &["info"], "approval-answered", json!({ "was_me": yes }));
            if *yes { answered } else { answered.failed() }
        }
        What::AccountDisabled { disabled } => said(IAM, changed, "account-disabled", json!({ "disabled": disabled })),
        What::Recovered => said(IAM, changed, "account-recovered", json!({})),
        What::ConsentChanged { purpose, given } => {
            let gait = json!({ "consent": { "purpose": purpose, "given": given } });
            said(IAM, changed, "consent-changed", gait)
        }
        What::ModeChanged { mode } => said(IAM, changed, "mode-changed", json!({ "mode": mode })),
        What::BehaviourErased => said(IAM, &["user", "deletion"], "behaviour-erased", json!({})),
        What::SignalReceived { sender, uri } => {
            let gait = json!({ "signal": { "sender": sender, "uri": uri } });
            said(DETECTION, &["info"], "signal-received", gait)
        }
        What::FeedbackGiven { was_me } => said(DETECTION, &["info"], "feedback-given", json!({ "was_me": was_me })),
        other => {
            // A fact that has no name in ECS yet, or that only a newer Gait can read: its own name, and nothing is lost.
            let told = serde_json::to_value(other).unwrap_or_default();
            said(SESSION, &["info"], "other", json!({ "other": told.to_string() }))
        }
    }
}

/// How many models there are, and how many of them are younger than an age.
pub(super) fn of_models(at_ms: i64, scorer: &PluginId, enrolled: u64, younger: &Value) -> Value {
    json!({
        "@timestamp": moment(at_ms),
        "ecs": { "version": ECS },
        "data_stream": { "type": "logs", "dataset": "gait.events" },
        "event": {
            "kind": "metric",
            "action": "models-counted",
            "module": "gait",
            "dataset": "gait.events",
            "provider": "gait",
        },
        "service": service(),
        "gait": { "models": { "scorer": scorer, "enrolled": enrolled, "younger": younger } },
    })
}

/// A request: what the log's line says, never a query, a header, a body or an address.
pub(super) fn of_request(line: &Line) -> Value {
    let route = line.route.as_ref().map_or("-", |route| route.as_str());
    let outcome = if line.status < 400 { "success" } else { "failure" };
    let nanos = u64::try_from(line.took.as_nanos()).unwrap_or(u64::MAX);
    let mut request = Map::new();
    request.insert("method".to_owned(), line.method.as_str().into());
    request.insert("id".to_owned(), String::from_utf8_lossy(line.id.as_bytes()).into());
    json!({
        "@timestamp": moment(line.at_ms),
        "ecs": { "version": ECS },
        "data_stream": { "type": "logs", "dataset": "gait.requests" },
        "event": {
            "kind": "event",
            "category": ["web"],
            "type": ["access"],
            "outcome": outcome,
            "duration": nanos,
            "module": "gait",
            "dataset": "gait.requests",
            "provider": "gait",
        },
        "service": service(),
        "http": { "request": request, "response": { "status_code": line.status } },
        "gait": { "route": route },
    })
}

fn service() -> Value {
    json!({ "name": "gait", "type": "gait", "version": env!("CARGO_PKG_VERSION") })
}

/// RFC 3339, UTC.
fn moment(at_ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000);
    at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}
