//! The account page of somebody who has everything, and of a newcomer.

use super::*;
use crate::page::*;

pub(super) fn account(enrolled: bool) -> AccountView {
    AccountView {
        csrf: "c5rF".to_owned(),
        username: "alice".to_owned(),
        name: enrolled.then(|| "Alice Lindgren".to_owned()),
        email: enrolled.then(|| "alice@example.org".to_owned()),
        notice: enrolled.then(|| Text::new("notice-saved", "Saved.")),
        error: (!enrolled).then(|| Text::new("last-factor", "You could not sign in without this way.")),
        sessions: sessions(enrolled),
        apps: if enrolled { apps() } else { Vec::new() },
        credentials: vec![held("k1", Text::new("password-name", "Password"), "Password", enrolled)],
        addresses: if enrolled {
            vec![held(
                "k2",
                Text::new("ip-trust-name", "A trusted address"),
                "203.0.113.24",
                true,
            )]
        } else {
            Vec::new()
        },
        enrolments: vec![
            Enrolment {
                plugin: "password".to_owned(),
                label: Text::new("password-name", "Password"),
                held: true,
            },
            Enrolment {
                plugin: "email-otp".to_owned(),
                label: Text::new("otp-name", "A code by e-mail"),
                held: false,
            },
        ],
        behaviour: behaviour(enrolled),
    }
}

fn sessions(many: bool) -> Vec<SessionView> {
    let here = SessionView {
        id: "s1".to_owned(),
        current: true,
        device: Device::read(CHROME),
        address: "203.0.113.24".to_owned(),
        created_at: NOW.plus(-7200),
        last_seen_at: NOW,
        doubted: false,
    };
    let there = SessionView {
        id: "s2".to_owned(),
        current: false,
        device: Device::read(IPHONE),
        address: "2001:db8:85a3:1234:5678:8a2e:0370:7334".to_owned(),
        created_at: NOW.plus(-200_000),
        last_seen_at: NOW.plus(-86_400),
        doubted: true,
    };
    let unknown = SessionView {
        id: "s3".to_owned(),
        device: Device::read(""),
        address: String::new(),
        doubted: false,
        ..there.clone()
    };
    if many { vec![here, there, unknown] } else { vec![here] }
}

fn apps() -> Vec<App> {
    vec![App {
        id: "notes".to_owned(),
        name: "Field Notes".to_owned(),
        reaches: ["email", "notes:write", "profile"].map(super::flow::reach).to_vec(),
        since: Some(NOW.plus(-900_000)),
    }]
}

fn held(id: &str, kind: Text, label: &str, used: bool) -> Credential {
    Credential {
        id: id.to_owned(),
        kind,
        label: label.to_owned(),
        needed: !used,
        created_at: NOW.plus(-5_000_000),
        last_used_at: used.then_some(NOW),
    }
}

fn behaviour(enrolled: bool) -> Behaviour {
    Behaviour {
        available: true,
        consented_at: enrolled.then(|| NOW.plus(-900_000)),
        consented_version: enrolled.then(|| "2026-03".to_owned()),
        text_version: "2026-03".to_owned(),
        acts: enrolled,
        samples: if enrolled { 240 } else { 0 },
        waiting: 12,
        needed: 100,
        enrolled,
        password: Some(PasswordRhythm {
            consented_at: enrolled.then(|| NOW.plus(-800_000)),
            consented_version: enrolled.then(|| "2026-03".to_owned()),
            text_version: "2026-03".to_owned(),
            samples: if enrolled { 31 } else { 0 },
        }),
        record_days: 7,
        model_days: 400,
        reauth_minutes: 60,
    }
}
