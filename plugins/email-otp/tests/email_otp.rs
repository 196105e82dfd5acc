//! What a mailed code promises to people, and denies to those who guess.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use gait_email_otp::{Config, EmailOtp};
use gait_sdk::kit::{self, Conformance, NOW, TestHost};
use gait_sdk::{
    Answer, Authenticator, Context, Effect, Form, Mail, Memo, Node, PluginError, Purpose, Reply, Step, Subject, SubjectView,
};
use serde_json::json;
use std::sync::Arc;

fn plugin() -> EmailOtp {
    EmailOtp::new(Config::default()).unwrap()
}

/// One sign-in with the code that was mailed, as the engine leads it.
struct Challenge {
    cx: Context,
    form: Form,
    memo: Memo,
    mail: Mail,
}

impl Challenge {
    fn of(cx: Context) -> Self {
        let reply = kit::run(plugin().challenge(&cx, &TestHost::default())).unwrap();
        Self::asked(cx, reply)
    }
    fn asked(cx: Context, reply: Reply) -> Self {
        let Step::Ask { form, memo } = reply.step else {
            panic!("{:?}", reply.step)
        };
        let [Effect::Mail(mail)] = reply.effects.as_slice() else {
            panic!("{:?}", reply.effects)
        };
        Self {
            cx,
            form,
            memo,
            mail: mail.clone(),
        }
    }
    fn code(&self) -> &str {
        &self.mail.args["code"]
    }
    fn wrong_code(&self) -> &'static str {
        if self.code() == "000000" { "000001" } else { "000000" }
    }
    /// Answers `after` seconds, and remembers what a failure says is to be remembered.
    fn answer(&mut self, after: i64, answer: &Answer) -> Reply {
        let cx = Context {
            now: NOW.plus(after),
            entropy: [after.to_be_bytes()[7]; 32],
            ..self.cx.clone()
        };
        let reply = kit::run(plugin().verify(&cx, &self.memo, answer, &TestHost::default())).unwrap();
        if let Step::Fail { memo: Some(memo), .. } = &reply.step {
            self.memo = memo.clone();
        }
        reply
    }
    fn tried(&mut self, after: i64, code: &str) -> Reply {
        self.answer(after, &kit::answer([("code", code)]))
    }
    fn resent(&mut self, after: i64) -> Reply {
        self.answer(after, &kit::answer([("action", "resend")]))
    }
    /// Everything the page says.
    fn words(&self) -> String {
        serde_json::to_string(&self.form).unwrap()
    }
}

fn passes(reply: &Reply) -> bool {
    reply.step == Step::Pass { amr: vec!["otp".into()] }
}

/// The reason, and whether the challenge is dead.
fn failed(reply: &Reply) -> (&str, bool) {
    match &reply.step {
        Step::Fail { reason, .. } => (reason.text.key.as_str(), reason.spent),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_conforms() {
    Conformance::of(|| Arc::new(plugin()))
        .solved_by(|_, reply| match reply.effects.as_slice() {
            [Effect::Mail(mail)] => kit::answer([("code", mail.args["code"].as_str())]),
            other => panic!("{other:?}"),
        })
        .expiring_after(600)
        .check();
}

#[test]
fn a_wrong_configuration_is_refused_with_the_key() {
    let sane = Config::default;
    let broken = [
        ("ttl_s", Config { ttl_s: 59, ..sane() }),
        ("ttl_s", Config { ttl_s: 601, ..sane() }),
        (
            "max_failures",
            Config {
                max_failures: 0,
                ..sane()
            },
        ),
        (
            "max_failures",
            Config {
                max_failures: 11,
                ..sane()
            },
        ),
        (
            "resend_wait_s",
            Config {
                resend_wait_s: 0,
                ..sane()
            },
        ),
        (
            "decoy_domains",
            Config {
                decoy_domains: Vec::new(),
                ..sane()
            },
        ),
        (
            "decoy_domains",
            Config {
                decoy_domains: vec!["nodot".to_owned()],
                ..sane()
            },
        ),
    ];
    for (key, config) in broken {
        let error = EmailOtp::new(config).err().unwrap().to_string();
        assert!(error.contains(key), "{error}");
    }
    assert!(
        serde_json::from_value::<Config>(json!({ "ttl": 60 })).is_err(),
        "an unknown key is a typing error"
    );
}

#[test]
fn the_page_says_which_address_and_which_mail() {
    let challenge = Challenge::of(kit::context());
    let [
        Node::Paragraph { text },
        Node::Code(field),
        Node::Button { name, value, wait_s, .. },
    ] = challenge.form.nodes.as_slice()
    else {
        panic!("{:?}", challenge.form)
    };
    assert_eq!(text.args["address"], "a•••@e•••.test");
    assert_eq!(text.args["label"], challenge.mail.args["label"]);
    assert_eq!(
        (field.name.as_str(), field.autocomplete.as_str(), field.max_bytes),
        ("code", "one-time-code", 64)
    );
    assert_eq!(field.label.args["label"], challenge.mail.args["label"]);
    assert_eq!((name.as_str(), value.as_str(), *wait_s), ("action", "resend", 30));
}

#[test]
fn the_mail_has_the_code_and_what_it_is_for() {
    let challenge = Challenge::of(kit::context());
    assert_eq!(challenge.mail.template, "otp");
    let names: Vec<_> = challenge.mail.args.keys().map(String::as_str).collect();
    assert_eq!(names, ["client", "code", "label", "minutes"]);
    assert_eq!(challenge.mail.args["minutes"], "10");
    assert_eq!(challenge.mail.args["client"], "Analytical Engine");
    let own = Challenge::of(Context {
        client: None,
        ..kit::context()
    });
    assert_eq!(own.mail.args["client"], "", "on the provider's own pages");
}

#[test]
fn the_code_is_in_the_mail_and_nowhere_else() {
    let challenge = Challenge::of(kit::context());
    assert!(!challenge.words().contains(challenge.code()));
    let memo = challenge.memo.0.to_string();
    assert!(!memo.contains(challenge.code()));
    assert!(!memo.contains("ada"), "nor the address");
}

#[test]
fn the_right_code_passes() {
    let mut challenge = Challenge::of(kit::context());
    let code = challenge.code().to_owned();
    let reply = challenge.tried(20, &code);
    assert!(passes(&reply));
    assert!(reply.effects.is_empty());
}

#[test]
fn spaces_dashes_and_wide_digits_are_forgiven() {
    let code = Challenge::of(kit::context()).code().to_owned();
    let wide: String = code
        .chars()
        .map(|c| char::from_u32(c as u32 - 0x30 + 0xff10).unwrap())
        .collect();
    for typed in [
        format!(" {code} "),
        format!("{} {}", &code[..3], &code[3..]),
        format!("{}-{}", &code[..3], &code[3..]),
        wide,
    ] {
        assert!(passes(&Challenge::of(kit::context()).tried(1, &typed)), "{typed:?}");
    }
    for typed in [
        format!("{code}0"),
        format!("0{code}"),
        format!("{code}\u{0}"),
        code[..5].to_owned(),
    ] {
        assert!(!passes(&Challenge::of(kit::context()).tried(1, &typed)), "{typed:?}");
    }
}

#[test]
fn five_failures_kill_the_code() {
    let mut challenge = Challenge::of(kit::context());
    let (right, wrong) = (challenge.code().to_owned(), challenge.wrong_code());
    for _ in 0..4 {
        assert_eq!(failed(&challenge.tried(1, wrong)), ("otp-wrong", false));
    }
    assert_eq!(failed(&challenge.tried(1, wrong)), ("otp-spent", true));
    assert_eq!(
        failed(&challenge.tried(1, &right)),
        ("otp-spent", true),
        "the right code comes too late"
    );
}

#[test]
fn whoever_is_wrong_reads_which_mail_is_meant() {
    let mut challenge = Challenge::of(kit::context());
    let Step::Fail { reason, .. } = challenge.tried(1, challenge.wrong_code()).step else {
        panic!()
    };
    assert_eq!(reason.text.args["label"], challenge.mail.args["label"]);
}

#[test]
fn four_failures_do_not() {
    let mut challenge = Challenge::of(kit::context());
    let (right, wrong) = (challenge.code().to_owned(), challenge.wrong_code());
    for _ in 0..4 {
        challenge.tried(1, wrong);
    }
    assert!(passes(&challenge.tried(1, &right)));
}

#[test]
fn the_same_code_with_other_spaces_counts_as_another_try() {
    let mut challenge = Challenge::of(kit::context());
    let (right, wrong) = (challenge.code().to_owned(), challenge.wrong_code());
    for spaces in 0..5 {
        challenge.tried(1, &format!("{}{wrong}", " ".repeat(spaces)));
    }
    assert_eq!(failed(&challenge.tried(1, &right)), ("otp-spent", true));
}

#[test]
fn a_new_code_can_be_asked_for_after_the_wait() {
    let mut challenge = Challenge::of(kit::context());
    let old = challenge.code().to_owned();
    assert_eq!(failed(&challenge.resent(0)), ("otp-wait", false));
    let early = challenge.resent(29);
    assert_eq!(failed(&early), ("otp-wait", false));
    assert!(early.effects.is_empty(), "no mail");
    let Step::Fail { reason, .. } = &early.step else { panic!() };
    assert_eq!(reason.text.args["seconds"], "1");

    let reply = challenge.resent(30);
    let mut next = Challenge::asked(challenge.cx.clone(), reply);
    assert!(
        matches!(&next.form.nodes[0], Node::Notice { text } if text.key == "otp-sent-again"),
        "the page says that it was sent"
    );
    assert_ne!(next.mail.args["label"], challenge.mail.args["label"]);
    assert_ne!(next.code(), old);
    assert_eq!(failed(&next.tried(31, &old)), ("otp-wrong", false), "the old code is dead");
    let code = next.code().to_owned();
    assert!(passes(&next.tried(31, &code)));
}

#[test]
fn only_a_new_code_helps_against_a_dead_one() {
    let mut challenge = Challenge::of(kit::context());
    let wrong = challenge.wrong_code();
    for _ in 0..5 {
        challenge.tried(1, wrong);
    }
    assert_eq!(failed(&challenge.resent(10)), ("otp-wait", false), "not before its time");
    let reply = challenge.resent(30);
    let mut next = Challenge::asked(challenge.cx.clone(), reply);
    let code = next.code().to_owned();
    assert!(passes(&next.tried(40, &code)));
}

#[test]
fn the_countdown_of_a_new_code_starts_anew() {
    let mut challenge = Challenge::of(kit::context());
    let reply = challenge.resent(30);
    let mut next = Challenge::asked(challenge.cx.clone(), reply);
    assert_eq!(failed(&next.resent(59)), ("otp-wait", false));
    assert!(matches!(next.resent(60).step, Step::Ask { .. }));
}

#[test]
fn a_code_is_over_at_the_very_second() {
    let right = Challenge::of(kit::context()).code().to_owned();
    assert!(passes(&Challenge::of(kit::context()).tried(599, &right)));
    let mut late = Challenge::of(kit::context());
    assert_eq!(failed(&late.tried(600, &right)), ("otp-spent", true));
    assert_eq!(
        failed(&late.tried(599, &right)),
        ("otp-spent", true),
        "and stays so if the clock is set back"
    );
    assert!(matches!(late.resent(601).step, Step::Ask { .. }));
}

#[test]
fn clocks_of_two_nodes_may_differ_a_little() {
    let right = Challenge::of(kit::context()).code().to_owned();
    assert!(passes(&Challenge::of(kit::context()).tried(-30, &right)));
    assert_eq!(
        failed(&Challenge::of(kit::context()).tried(-3600, &right)),
        ("otp-spent", true)
    );
}

#[test]
fn the_code_of_one_account_is_none_of_anothers() {
    let mut challenge = Challenge::of(kit::context());
    let code = challenge.code().to_owned();
    challenge.cx.subject = Subject::Known(SubjectView {
        handle: "kit-eve".into(),
        username: "eve".to_owned(),
        email: Some("eve@example.test".to_owned()),
    });
    assert_eq!(failed(&challenge.tried(1, &code)), ("otp-wrong", false));
}

#[test]
fn the_code_of_one_challenge_is_none_of_anothers() {
    let first = Challenge::of(kit::context());
    let mut second = Challenge::of(Context {
        entropy: [9; 32],
        ..kit::context()
    });
    assert_ne!(first.code(), second.code());
    assert_eq!(failed(&second.tried(1, first.code())), ("otp-wrong", false));
}

#[test]
fn the_hash_of_another_deployment_opens_nothing() {
    struct Elsewhere;
    impl gait_sdk::Host for Elsewhere {
        fn log(&self, _level: gait_sdk::Level, _message: &str) {}
        fn key(&self, _purpose: &str) -> [u8; 32] {
            [1; 32]
        }
    }
    let challenge = Challenge::of(kit::context());
    let answer = kit::answer([("code", challenge.code())]);
    let reply = kit::run(plugin().verify(&challenge.cx, &challenge.memo, &answer, &Elsewhere)).unwrap();
    assert_eq!(failed(&reply), ("otp-wrong", false));
}

#[test]
fn an_unknown_name_gets_the_same_page_and_never_a_pass() {
    let known = Challenge::of(kit::context());
    for (typed, shown) in [("zoe@elsewhere.test", Some("z•••@e•••.test")), ("zoe", None)] {
        let mut unknown = Challenge::of(kit::unknown_context(typed));
        let [Node::Paragraph { text }, ..] = unknown.form.nodes.as_slice() else {
            panic!()
        };
        assert_eq!(text.key, "otp-intro");
        let address = &text.args["address"];
        assert!(
            address.contains("•••@") && shown.is_none_or(|shown| shown == address),
            "{address}"
        );
        assert_eq!(unknown.form.nodes.len(), known.form.nodes.len());
        let (code, wrong) = (unknown.code().to_owned(), unknown.wrong_code());
        assert_eq!(failed(&unknown.tried(1, &code)), ("otp-wrong", false), "even the right code");
        for _ in 0..3 {
            assert_eq!(failed(&unknown.tried(1, wrong)), ("otp-wrong", false));
        }
        assert_eq!(failed(&unknown.tried(1, wrong)), ("otp-spent", true), "the same five");
        assert!(matches!(unknown.resent(30).step, Step::Ask { .. }));
    }
}

#[test]
fn the_page_of_an_unknown_name_is_the_same_at_each_visit() {
    let address = |entropy| {
        let challenge = Challenge::of(Context {
            entropy: [entropy; 32],
            ..kit::unknown_context("zoe")
        });
        let [Node::Paragraph { text }, ..] = challenge.form.nodes.as_slice() else {
            panic!()
        };
        text.args["address"].clone()
    };
    assert_eq!(address(1), address(2));
}

#[test]
fn who_has_no_address_is_not_asked() {
    let cx = Context {
        subject: Subject::Known(SubjectView {
            email: None,
            ..kit::ada()
        }),
        ..kit::context()
    };
    let reply = kit::run(plugin().challenge(&cx, &TestHost::default())).unwrap();
    assert_eq!(reply, Step::Abstain.into());
}

#[test]
fn it_is_for_signing_in_and_stepping_up_only() {
    for purpose in [Purpose::Enrol, Purpose::Approval] {
        let cx = Context {
            purpose,
            ..kit::context()
        };
        let reply = kit::run(plugin().challenge(&cx, &TestHost::default())).unwrap();
        assert_eq!(reply, Step::Abstain.into());
        let mut challenge = Challenge::of(kit::context());
        challenge.cx.purpose = purpose;
        let code = challenge.code().to_owned();
        assert_eq!(failed(&challenge.tried(1, &code)).0, "otp-elsewhere");
    }
    let step_up = Context {
        purpose: Purpose::StepUp,
        ..kit::context()
    };
    let mut challenge = Challenge::of(step_up);
    let code = challenge.code().to_owned();
    assert!(passes(&challenge.tried(1, &code)));
}

#[test]
fn a_memo_that_is_not_ours_is_an_error_and_no_pass() {
    let challenge = Challenge::of(kit::context());
    let answer = kit::answer([("code", challenge.code())]);
    let changed = |name: &str, value| {
        let mut memo = challenge.memo.0.clone();
        memo[name] = value;
        memo
    };
    let broken = [
        json!(null),
        json!({}),
        changed("mac", json!([1, 2, 3])),
        changed("mac", json!("x")),
        changed("failures", json!(-1)),
        changed("expires_at", json!("never")),
        changed("also", json!(true)),
    ];
    for memo in broken {
        let reply = kit::run(plugin().verify(&challenge.cx, &Memo(memo.clone()), &answer, &TestHost::default()));
        assert!(matches!(reply, Err(PluginError::Corrupt { .. })), "{memo}");
    }
    let dead = changed("mac", json!(null));
    let reply = kit::run(plugin().verify(&challenge.cx, &Memo(dead), &answer, &TestHost::default())).unwrap();
    assert_eq!(failed(&reply), ("otp-spent", true));
}

#[test]
fn another_action_is_an_answer_like_any_other() {
    let mut challenge = Challenge::of(kit::context());
    let code = challenge.code().to_owned();
    let both = kit::answer([("action", "resend"), ("code", &code)]);
    assert_eq!(
        failed(&challenge.answer(1, &both)).0,
        "otp-wait",
        "the button was pressed, not the form sent"
    );
    assert_eq!(
        failed(&challenge.answer(1, &kit::answer([("action", "pass")]))),
        ("otp-wrong", false)
    );
}
