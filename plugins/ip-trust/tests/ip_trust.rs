//! How trust in an address and a browser is earned, given, used and lost, and how it can't be had.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use gait_ip_trust::{Config, IpTrust};
use gait_sdk::kit::{self, Conformance, NOW, TestHost};
use gait_sdk::{
    Answer, Approval, Authenticator, Context, Credential, Effect, Memo, Node, Outcome, PluginError, Purpose, Reply, Save, Step,
    Subject, SubjectView, Timestamp, Visitor,
};
use serde_json::{Value, json};
use std::sync::Arc;

const DAY: i64 = 86_400;

fn plugin() -> IpTrust {
    IpTrust::new(Config::default()).unwrap()
}

fn entry(state: &str, count: u32) -> Value {
    json!({
        "prefix": "203.0.113.7/32",
        "device": "kit-device",
        "state": state,
        "count": count,
        "first_seen": NOW.0 - 5 * DAY,
        "last_seen": NOW.0 - DAY,
        "asked_at": null,
        "user_agent": "Firefox/140.0",
    })
}

fn with(mut entry: Value, name: &str, value: Value) -> Value {
    entry[name] = value;
    entry
}

fn holding(entries: impl IntoIterator<Item = Value>) -> Context {
    let numbered = entries.into_iter().enumerate();
    Context {
        credentials: numbered
            .map(|(n, payload)| kit::credential(&format!("c{n}"), payload))
            .collect(),
        ..kit::context()
    }
}

fn at(address: &str, cx: Context) -> Context {
    Context {
        visitor: Visitor {
            address: address.parse().ok(),
            ..cx.visitor
        },
        ..cx
    }
}

fn waived(cx: &Context) -> bool {
    waived_by(&plugin(), cx)
}

fn waived_by(plugin: &IpTrust, cx: &Context) -> bool {
    let reply = kit::run(plugin.challenge(cx, &TestHost::default())).unwrap();
    assert!(reply.effects.is_empty());
    match reply.step {
        Step::Pass { amr } => {
            assert!(amr.is_empty(), "a waiver proves nothing");
            true
        }
        Step::Abstain => false,
        other => panic!("{other:?}"),
    }
}

fn settled(cx: &Context) -> Vec<Effect> {
    settled_by(&plugin(), cx)
}

fn settled_by(plugin: &IpTrust, cx: &Context) -> Vec<Effect> {
    let outcome = Outcome {
        satisfied: true,
        passed: vec!["password".into()],
    };
    kit::run(plugin.settled(cx, &outcome)).unwrap()
}

fn saved(effects: &[Effect]) -> &Save {
    let mut saves = effects.iter().filter_map(|effect| match effect {
        Effect::Save(save) => Some(save),
        _ => None,
    });
    let save = saves.next().expect("nothing was saved");
    assert!(saves.next().is_none(), "one entry at a time");
    save
}

fn asked(effects: &[Effect]) -> Option<&Approval> {
    effects.iter().find_map(|effect| match effect {
        Effect::Approval(approval) => Some(approval),
        _ => None,
    })
}

fn forgotten(effects: &[Effect]) -> Vec<&str> {
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Forget { credential } => Some(credential.as_str()),
        _ => None,
    });
    ids.collect()
}

/// The approval as the core has it answered: by somebody at another address, in another browser.
fn answered(cx: &Context, approval: &Approval, answer: &str) -> Reply {
    let cx = Context {
        purpose: Purpose::Approval,
        visitor: Visitor {
            address: "198.51.100.99".parse().ok(),
            user_agent: "Chrome/140.0".to_owned(),
            device: Some("the-phone".to_owned()),
        },
        ..cx.clone()
    };
    kit::run(plugin().verify(&cx, &approval.memo, &kit::answer([("answer", answer)]), &TestHost::default())).unwrap()
}

/// An account as the host keeps it.
struct Account {
    cx: Context,
    next: u32,
}

impl Account {
    fn new() -> Self {
        Self {
            cx: kit::context(),
            next: 0,
        }
    }
    fn carry_out(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Forget { credential } => self.cx.credentials.retain(|kept| kept.id != *credential),
                Effect::Save(save) => self.save(save),
                Effect::Approval(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    fn save(&mut self, save: &Save) {
        let replaced = save
            .credential
            .as_ref()
            .map(|id| self.cx.credentials.iter_mut().find(|kept| kept.id == *id).unwrap());
        let Some(kept) = replaced else {
            self.next += 1;
            let new = kit::credential(&format!("e{}", self.next), save.payload.clone());
            self.cx.credentials.push(Credential {
                label: save.label.clone(),
                ..new
            });
            return;
        };
        assert_eq!(save.expected_version, Some(kept.version));
        kept.version += 1;
        kept.payload = save.payload.clone();
        kept.label = save.label.clone();
    }
    /// Signs in with every factor, and returns the question that it led to.
    fn sign_in(&mut self) -> Option<Approval> {
        let effects = settled(&self.cx);
        self.carry_out(&effects);
        asked(&effects).cloned()
    }
    fn answer(&mut self, approval: &Approval, answer: &str) -> Reply {
        let reply = answered(&self.cx, approval, answer);
        self.carry_out(&reply.effects);
        reply
    }
}

#[test]
fn it_conforms() {
    Conformance::of(|| Arc::new(plugin()))
        .with_credentials([kit::credential("c1", entry("trusted", 5))])
        .check();
    let development = || {
        IpTrust::new(Config {
            allow_private: true,
            ask_after: 1,
            ..Config::default()
        })
    };
    Conformance::of(move || Arc::new(development().unwrap())).check();
}

#[test]
fn a_wrong_configuration_is_refused_with_the_key() {
    let sane = Config::default;
    let broken = [
        ("ask_after", Config { ask_after: 0, ..sane() }),
        (
            "max_entries",
            Config {
                max_entries: 0,
                ..sane()
            },
        ),
        (
            "max_entries",
            Config {
                max_entries: 101,
                ..sane()
            },
        ),
        (
            "expires_days",
            Config {
                expires_days: 31,
                ..sane()
            },
        ),
    ];
    for (key, config) in broken {
        let error = IpTrust::new(config).err().unwrap().to_string();
        assert!(error.contains(key), "{error}");
    }
    assert!(
        serde_json::from_value::<Config>(json!({ "private": true })).is_err(),
        "an unknown key is a typing error"
    );
}

// --- the whole way ---

#[test]
fn trust_is_earned_by_sign_ins_and_given_by_the_owner() {
    let mut account = Account::new();
    assert!(account.sign_in().is_none());
    assert!(account.sign_in().is_none());
    let approval = account.sign_in().expect("the third one asks");
    assert!(!waived(&account.cx), "asking is not trusting");
    let reply = account.answer(&approval, "yes");
    assert_eq!(reply.step, Step::Pass { amr: Vec::new() });
    assert!(waived(&account.cx));
    assert_eq!(account.cx.credentials.len(), 1);
    assert_eq!(account.cx.credentials[0].label, "203.0.113.7 · Firefox ✓");
    assert!(account.sign_in().is_none(), "what is trusted isn't asked about");
    assert!(waived(&account.cx));
}

#[test]
fn no_forgets_the_address() {
    let mut account = Account::new();
    account.sign_in();
    account.sign_in();
    let approval = account.sign_in().unwrap();
    let reply = account.answer(&approval, "no");
    let Step::Fail { reason, .. } = reply.step else { panic!() };
    assert!(reason.spent);
    assert!(account.cx.credentials.is_empty());
    assert!(!waived(&account.cx));
}

#[test]
fn no_forgets_the_address_in_every_browser() {
    let elsewhere = with(entry("trusted", 9), "prefix", json!("198.51.100.1/32"));
    let cx = holding([
        entry("seen", 2),
        with(entry("trusted", 9), "device", json!("laptop")),
        elsewhere,
    ]);
    let approval = asked(&settled(&cx)).cloned().unwrap();
    assert_eq!(forgotten(&answered(&cx, &approval, "no").effects), ["c0", "c1"]);
}

// --- the waiver ---

#[test]
fn a_trusted_place_waives_a_sign_in_only() {
    let cx = holding([entry("trusted", 5)]);
    assert!(waived(&cx));
    for purpose in [Purpose::StepUp, Purpose::Enrol, Purpose::Approval] {
        assert!(!waived(&Context { purpose, ..cx.clone() }), "{purpose:?}");
    }
    let demanded = Context {
        wanted_acr: Some("urn:example:mfa".to_owned()),
        ..cx
    };
    assert!(!waived(&demanded), "who demands a level wants a factor");
}

#[test]
fn the_address_alone_is_not_enough_and_neither_is_the_cookie() {
    let cx = holding([entry("trusted", 5)]);
    let device = |device: Option<&str>| {
        let visitor = Visitor {
            device: device.map(str::to_owned),
            ..cx.visitor.clone()
        };
        Context { visitor, ..cx.clone() }
    };
    assert!(!waived(&device(None)));
    assert!(!waived(&device(Some(""))));
    let nameless = holding([with(entry("trusted", 5), "device", json!(""))]);
    let visitor = device(Some("")).visitor;
    assert!(
        !waived(&Context { visitor, ..nameless }),
        "no cookie is no browser, even if one was stored so"
    );
    assert!(!waived(&device(Some("kit-devic"))));
    assert!(!waived(&at("203.0.113.8", cx.clone())));
    assert!(
        waived(&at("::ffff:203.0.113.7", cx.clone())),
        "the same address in IPv6 clothes"
    );
}

#[test]
fn an_unknown_address_is_never_trusted() {
    let cx = at(
        "unknown",
        holding([entry("trusted", 5), with(entry("trusted", 5), "prefix", json!("0.0.0.0/0"))]),
    );
    assert_eq!(cx.visitor.address, None);
    assert!(!waived(&cx));
    assert_eq!(plugin().ip_score(&cx), Some(0.0));
    assert!(settled(&cx).is_empty());
}

#[test]
fn a_stored_net_does_not_match_what_it_contains() {
    for prefix in ["0.0.0.0/0", "203.0.113.0/24", "203.0.113.7/31", "::/0"] {
        assert!(
            !waived(&holding([with(entry("trusted", 5), "prefix", json!(prefix))])),
            "{prefix}"
        );
    }
}

#[test]
fn an_ipv6_subnet_is_one_place() {
    let cx = holding([with(entry("trusted", 5), "prefix", json!("2001:db8:1:2::/64"))]);
    assert!(waived(&at("2001:db8:1:2:aaaa::1", cx.clone())));
    assert!(!waived(&at("2001:db8:1:3::1", cx)));
}

#[test]
fn shared_addresses_are_trusted_only_if_the_configuration_says_so() {
    let lenient = IpTrust::new(Config {
        allow_private: true,
        ..Config::default()
    })
    .unwrap();
    for (address, prefix) in [
        ("127.0.0.1", "127.0.0.1/32"),
        ("10.0.0.5", "10.0.0.5/32"),
        ("fe80::1", "fe80::/64"),
        ("100.64.1.1", "100.64.1.1/32"),
    ] {
        let cx = at(address, holding([with(entry("trusted", 5), "prefix", json!(prefix))]));
        assert!(!waived(&cx), "{address}");
        assert_eq!(plugin().ip_score(&cx), Some(0.0));
        assert!(settled(&cx).is_empty(), "nothing can be earned there, so nothing is kept");
        assert!(waived_by(&lenient, &cx), "{address}");
        assert_eq!(lenient.ip_score(&cx), Some(1.0));
        assert_eq!(saved(&settled_by(&lenient, &cx)).payload["count"], 6);
    }
    let multicast = at(
        "224.0.0.1",
        holding([with(entry("trusted", 5), "prefix", json!("224.0.0.1/32"))]),
    );
    assert!(!waived_by(&lenient, &multicast));
}

#[test]
fn trust_ends_after_a_month_without_use() {
    let used = |ago: i64| holding([with(entry("trusted", 5), "last_seen", json!(NOW.0 - ago))]);
    assert!(waived(&used(30 * DAY - 1)));
    assert!(!waived(&used(30 * DAY)));
    assert_eq!(plugin().ip_score(&used(30 * DAY)), Some(0.0));
    assert!(waived(&used(-30)), "another node's clock may be ahead a little");
    assert!(!waived(&used(-DAY)), "but what was used tomorrow is wrong");
    assert!(!waived(&used(-i64::MAX / 2)));

    let effects = settled(&used(31 * DAY));
    assert_eq!(forgotten(&effects), ["c0"]);
    let save = saved(&effects);
    assert_eq!(
        (&save.credential, &save.payload["count"], &save.payload["state"]),
        (&None, &json!(1), &json!("seen")),
        "it begins anew"
    );
}

#[test]
fn use_keeps_trust_alive() {
    let cx = holding([with(entry("trusted", 5), "last_seen", json!(NOW.0 - 29 * DAY))]);
    let effects = settled(&cx);
    let save = saved(&effects);
    assert_eq!(
        (&save.payload["last_seen"], &save.payload["state"]),
        (&json!(NOW.0), &json!("trusted"))
    );
    assert_eq!(
        (save.credential.as_ref(), save.expected_version),
        (Some(&"c0".into()), Some(1))
    );
}

#[test]
fn nobody_is_trusted_nowhere() {
    let cx = Context {
        subject: Subject::Unknown {
            identifier: "ada.l".to_owned(),
        },
        ..holding([entry("trusted", 5)])
    };
    assert!(!waived(&cx));
    assert!(settled(&cx).is_empty());
    assert_eq!(plugin().ip_score(&cx), Some(0.0));
}

#[test]
fn entries_that_cannot_be_read_are_not_there() {
    let broken = [
        json!(null),
        json!("trusted"),
        with(entry("trusted", 5), "state", json!("Trusted")),
        with(entry("trusted", 5), "state", json!("confirmed")),
        with(entry("trusted", 5), "prefix", json!("203.0.113.7")),
        with(entry("trusted", 5), "count", json!(-1)),
        with(entry("trusted", 5), "last_seen", json!("now")),
        with(entry("trusted", 5), "also", json!(true)),
    ];
    for payload in broken {
        let cx = holding([payload.clone()]);
        assert!(!waived(&cx), "{payload}");
        assert_eq!(plugin().ip_score(&cx), Some(0.0), "{payload}");
        assert_eq!(saved(&settled(&cx)).credential, None, "{payload}");
    }
}

#[test]
fn two_entries_for_one_place_are_trusted_by_neither_and_become_one() {
    let cx = holding([entry("trusted", 5), entry("seen", 2)]);
    assert!(!waived(&cx));
    assert_eq!(plugin().ip_score(&cx), Some(0.5));
    let effects = settled(&cx);
    assert_eq!(forgotten(&effects), ["c1"]);
    let save = saved(&effects);
    assert_eq!(
        (save.credential.as_ref(), &save.payload["state"]),
        (Some(&"c0".into()), &json!("seen"))
    );
    let approval = asked(&effects).expect("the owner is asked again");
    let yes = answered(&cx, approval, "yes");
    assert_eq!(forgotten(&yes.effects), ["c1"]);
    assert_eq!(saved(&yes.effects).payload["state"], "trusted");
}

// --- the score ---

#[test]
fn the_score_grows_with_what_is_known() {
    let score = |cx: &Context| plugin().ip_score(cx).unwrap();
    let seen = |count| score(&holding([entry("seen", count)]));
    assert_eq!(score(&kit::context()), 0.0);
    assert!((seen(1) - 0.1).abs() < 1e-9);
    assert!((seen(3) - 0.3).abs() < 1e-9);
    assert_eq!(seen(5), 0.5);
    assert_eq!(seen(u32::MAX), 0.5, "being seen is never trust");
    let other_browser = with(entry("trusted", 5), "device", json!("laptop"));
    assert_eq!(
        score(&holding([other_browser.clone()])),
        0.6,
        "the owner approved this address for another browser"
    );
    assert_eq!(score(&holding([other_browser, entry("seen", 1)])), 0.6);
    assert_eq!(score(&holding([entry("trusted", 1)])), 1.0);
    assert_eq!(score(&at("203.0.113.8", holding([entry("trusted", 1)]))), 0.0);
}

// --- counting ---

#[test]
fn the_first_sign_in_is_written_down() {
    let effects = settled(&kit::context());
    let [Effect::Save(save)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((&save.credential, save.expected_version), (&None, None));
    let expected = json!({
        "prefix": "203.0.113.7/32",
        "device": "kit-device",
        "state": "seen",
        "count": 1,
        "first_seen": NOW.0,
        "last_seen": NOW.0,
        "asked_at": null,
        "user_agent": kit::context().visitor.user_agent,
    });
    assert_eq!(save.payload, expected);
}

#[test]
fn only_satisfied_sign_ins_from_a_known_browser_count() {
    let cx = holding([entry("seen", 2)]);
    let broken_off = Outcome {
        satisfied: false,
        passed: Vec::new(),
    };
    assert!(kit::run(plugin().settled(&cx, &broken_off)).unwrap().is_empty());
    for purpose in [Purpose::StepUp, Purpose::Enrol, Purpose::Approval] {
        assert!(settled(&Context { purpose, ..cx.clone() }).is_empty(), "{purpose:?}");
    }
    let visitor = Visitor {
        device: None,
        ..cx.visitor.clone()
    };
    assert!(settled(&Context { visitor, ..cx }).is_empty());
}

#[test]
fn another_browser_at_the_address_is_counted_for_itself() {
    let cx = holding([with(entry("trusted", 9), "device", json!("laptop"))]);
    let effects = settled(&cx);
    assert_eq!(saved(&effects).credential, None);
    assert_eq!(saved(&effects).payload["count"], 1);
    assert!(!waived(&cx));
}

#[test]
fn the_place_that_was_not_used_for_longest_gives_way() {
    let full = (0..20).map(|n| {
        let address = with(entry("seen", 1), "prefix", json!(format!("198.51.100.{n}/32")));
        with(address, "last_seen", json!(NOW.0 - 1000 + (n + 7) % 20))
    });
    let effects = settled(&holding(full.clone()));
    assert_eq!(forgotten(&effects), ["c13"], "the one of the smallest last_seen");
    assert_eq!(saved(&effects).credential, None);
    let known = full.take(19).chain([entry("seen", 1)]);
    assert!(forgotten(&settled(&holding(known))).is_empty(), "a known place needs no room");
}

#[test]
fn counting_does_not_wrap() {
    let effects = settled(&holding([entry("trusted", u32::MAX)]));
    assert_eq!(saved(&effects).payload["count"], u32::MAX);
}

// --- asking ---

#[test]
fn the_question_has_two_answers_and_names_its_place() {
    let effects = settled(&holding([entry("seen", 2)]));
    let approval = asked(&effects).unwrap();
    assert_eq!((approval.ttl_s, approval.mail.as_str()), (600, "ip-approval"));
    let choices = approval.form.nodes.iter().find_map(|node| match node {
        Node::Choice { name, options } => Some((name.as_str(), options.iter().map(|o| o.value.as_str()).collect::<Vec<_>>())),
        _ => None,
    });
    assert_eq!(choices, Some(("answer", vec!["yes", "no"])));
    assert_eq!(approval.memo.0["prefix"], "203.0.113.7/32");
    assert_eq!(approval.memo.0["device"], "kit-device");
    assert_eq!(saved(&effects).payload["asked_at"], NOW.0);
}

#[test]
fn an_unanswered_question_is_not_repeated_at_every_sign_in() {
    let asked_at = |ago: i64| holding([with(entry("seen", 3), "asked_at", json!(NOW.0 - ago))]);
    assert!(asked(&settled(&asked_at(60))).is_none());
    assert!(asked(&settled(&asked_at(6 * DAY))).is_none());
    assert!(asked(&settled(&asked_at(7 * DAY))).is_some(), "but a week later");
}

#[test]
fn who_has_no_address_for_mail_is_not_asked() {
    let cx = Context {
        subject: Subject::Known(SubjectView {
            email: None,
            ..kit::ada()
        }),
        ..holding([entry("seen", 8)])
    };
    let effects = settled(&cx);
    assert!(asked(&effects).is_none());
    assert_eq!(saved(&effects).payload["asked_at"], Value::Null);
}

// --- answering ---

#[test]
fn yes_trusts_the_place_of_the_sign_in_and_not_that_of_the_answer() {
    let cx = holding([entry("seen", 2)]);
    let approval = asked(&settled(&cx)).cloned().unwrap();
    let reply = answered(&cx, &approval, "yes");
    let save = saved(&reply.effects);
    assert_eq!(
        (&save.payload["prefix"], &save.payload["device"]),
        (&json!("203.0.113.7/32"), &json!("kit-device"))
    );
    assert_eq!(save.payload["state"], "trusted");
    assert_eq!(save.payload["user_agent"], "Firefox/140.0");
    assert!(
        !reply
            .effects
            .iter()
            .any(|effect| format!("{effect:?}").contains("198.51.100.99"))
    );
    assert!(!reply.effects.iter().any(|effect| format!("{effect:?}").contains("the-phone")));
}

#[test]
fn yes_finds_the_entry_though_it_changed_meanwhile() {
    let cx = holding([entry("seen", 2)]);
    let approval = asked(&settled(&cx)).cloned().unwrap();

    let mut later = holding([with(entry("trusted", 1), "device", json!("laptop")), entry("seen", 7)]);
    later.credentials[1].version = 9;
    let effects = answered(&later, &approval, "yes").effects;
    let save = saved(&effects);
    assert_eq!(
        (save.credential.as_ref(), save.expected_version),
        (Some(&"c1".into()), Some(9))
    );
    assert_eq!(save.payload["count"], 7);

    let effects = answered(&kit::context(), &approval, "yes").effects;
    let save = saved(&effects);
    assert_eq!(
        (&save.credential, &save.payload["state"]),
        (&None, &json!("trusted")),
        "it is added if it's gone"
    );
}

#[test]
fn another_answer_decides_nothing() {
    let cx = holding([entry("seen", 2)]);
    let approval = asked(&settled(&cx)).cloned().unwrap();
    for answer in ["", "YES", "yes ", "true", "maybe", &"yes".repeat(100_000)] {
        let reply = answered(&cx, &approval, answer);
        let Step::Fail { reason, .. } = &reply.step else {
            panic!("{:?}", reply.step)
        };
        assert!(!reason.spent && reply.effects.is_empty());
    }
}

#[test]
fn an_answer_counts_only_as_an_approval_of_a_known_account() {
    let cx = holding([entry("seen", 2)]);
    let approval = asked(&settled(&cx)).cloned().unwrap();
    let yes = kit::answer([("answer", "yes")]);
    for purpose in [Purpose::SignIn, Purpose::StepUp, Purpose::Enrol] {
        let cx = Context { purpose, ..cx.clone() };
        let reply = kit::run(plugin().verify(&cx, &approval.memo, &yes, &TestHost::default())).unwrap();
        assert!(
            matches!(reply.step, Step::Fail { .. }) && reply.effects.is_empty(),
            "{purpose:?}"
        );
    }
    let nobody = Context {
        purpose: Purpose::Approval,
        ..kit::unknown_context("ada.l")
    };
    let reply = kit::run(plugin().verify(&nobody, &approval.memo, &yes, &TestHost::default())).unwrap();
    assert!(matches!(reply.step, Step::Fail { .. }) && reply.effects.is_empty());
}

#[test]
fn a_memo_that_is_not_ours_trusts_nothing() {
    let cx = Context {
        purpose: Purpose::Approval,
        ..kit::context()
    };
    let memo = |prefix: &str| json!({ "prefix": prefix, "device": "kit-device", "user_agent": "" });
    let verify = |memo: Value, answer: Answer| kit::run(plugin().verify(&cx, &Memo(memo), &answer, &TestHost::default()));
    for broken in [
        json!(null),
        json!({}),
        memo("everywhere"),
        json!({ "prefix": "203.0.113.7/32" }),
    ] {
        for answer in ["yes", "no"] {
            let reply = verify(broken.clone(), kit::answer([("answer", answer)]));
            assert!(matches!(reply, Err(PluginError::Corrupt { .. })), "{broken}");
        }
    }
    let shared = verify(memo("10.0.0.1/32"), kit::answer([("answer", "yes")])).unwrap();
    assert!(
        matches!(shared.step, Step::Fail { .. }) && shared.effects.is_empty(),
        "an address that can't be trusted any more"
    );
}

#[test]
fn the_clock_at_its_ends_is_survived() {
    for now in [i64::MIN, i64::MAX].map(Timestamp) {
        let cx = Context {
            now,
            ..holding([entry("trusted", 5)])
        };
        assert!(!waived(&cx));
    }
}
