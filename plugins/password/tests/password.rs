//! What the password factor promises to people, and denies to those who aren't them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use gait_password::{Config, Password};
use gait_sdk::kit::{self, Conformance, NOW, TestHost};
use gait_sdk::{
    Answer, Authenticator, Context, Cost, Credential, Effect, Memo, Node, PluginError, Purpose, Reply, Save, Step, Subject,
    SubjectView,
};
use serde_json::{Value, json};
use std::sync::Arc;

const GOOD: &str = "violet otter plays chess";

fn tiny() -> Config {
    Config {
        m_cost_kib: 8,
        t_cost: 1,
        ..Config::default()
    }
}

fn plugin() -> Password {
    Password::new(tiny()).unwrap()
}

fn stored(password: &str) -> Credential {
    kit::credential("c1", plugin().credential_payload(password, [3; 16]).unwrap())
}

fn holding(password: &str) -> Context {
    Context {
        credentials: vec![stored(password)],
        ..kit::context()
    }
}

fn verify(plugin: &Password, cx: &Context, name: &str, value: &str) -> Result<Reply, PluginError> {
    kit::run(plugin.verify(cx, &Memo::default(), &kit::answer([(name, value)]), &TestHost::default()))
}

fn tried(cx: &Context, password: &str) -> Reply {
    verify(&plugin(), cx, "password", password).unwrap()
}

fn enrolled(cx: &Context, password: &str) -> Reply {
    verify(&plugin(), cx, "new_password", password).unwrap()
}

fn passes(reply: &Reply) -> bool {
    reply.step == Step::Pass { amr: vec!["pwd".into()] }
}

fn complaint(reply: &Reply) -> &str {
    match &reply.step {
        Step::Fail { reason, .. } => &reason.text.key,
        other => panic!("{other:?}"),
    }
}

fn saved(reply: &Reply) -> &Save {
    match reply.effects.as_slice() {
        [Effect::Save(save), ..] => save,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_conforms() {
    Conformance::of(|| Arc::new(plugin()))
        .with_credentials([stored(GOOD)])
        .solved_by(|_, _| kit::answer([("password", GOOD)]))
        .check();
}

#[test]
fn the_defaults_are_owasps() {
    let config = Config::default();
    assert_eq!((config.m_cost_kib, config.t_cost, config.p_cost), (19_456, 2, 1));
    let manifest = Password::new(config).unwrap().manifest().clone();
    assert_eq!(manifest.cost, Cost::Cpu);
    assert!(manifest.enrols);
}

#[test]
fn a_wrong_configuration_is_refused_with_the_key() {
    let broken = [
        ("m_cost_kib", Config { m_cost_kib: 7, ..tiny() }),
        ("m_cost_kib", Config { p_cost: 2, ..tiny() }), // eight blocks per lane
        ("t_cost", Config { t_cost: 0, ..tiny() }),
        ("p_cost", Config { p_cost: 17, ..tiny() }),
        ("min_chars", Config { min_chars: 7, ..tiny() }),
        ("max_bytes", Config { max_bytes: 64, ..tiny() }),
    ];
    for (key, config) in broken {
        let error = Password::new(config).err().unwrap().to_string();
        assert!(error.contains(key), "{error}");
    }
    assert!(
        serde_json::from_value::<Config>(json!({ "t_costs": 3 })).is_err(),
        "an unknown key is a typing error"
    );
    let partial: Config = serde_json::from_value(json!({ "t_cost": 3 })).unwrap();
    assert_eq!(
        partial,
        Config {
            t_cost: 3,
            ..Config::default()
        }
    );
}

#[test]
fn the_form_works_with_password_stores_and_pasting() {
    let reply = kit::run(plugin().challenge(&kit::context(), &TestHost::default())).unwrap();
    let Step::Ask { form, memo } = reply.step else { panic!() };
    let [Node::Secret(field)] = form.nodes.as_slice() else {
        panic!()
    };
    assert_eq!(
        (field.name.as_str(), field.autocomplete.as_str(), field.max_bytes),
        ("password", "current-password", 256)
    );
    assert_eq!(memo, Memo::default(), "there is nothing to remember");
}

#[test]
fn the_right_password_passes_and_nothing_is_written() {
    let reply = tried(&holding(GOOD), GOOD);
    assert!(passes(&reply));
    assert!(reply.effects.is_empty());
}

#[test]
fn a_step_up_takes_it_too() {
    let cx = Context {
        purpose: Purpose::StepUp,
        ..holding(GOOD)
    };
    assert!(passes(&tried(&cx, GOOD)));
}

#[test]
fn a_password_is_taken_exactly_as_received() {
    let cx = holding("  Grüße an Ωmega\t");
    assert!(passes(&tried(&cx, "  Grüße an Ωmega\t")));
    for near in [
        "Grüße an Ωmega",
        "  grüße an Ωmega\t",
        "  Grüße an Ωmega",
        "  Grüsse an Ωmega\t",
    ] {
        assert!(!passes(&tried(&cx, near)), "{near:?}");
    }
}

#[test]
fn it_is_the_same_password_however_a_keyboard_composes_it() {
    let cx = holding("Grüße an Ωmega");
    for same in ["Gru\u{308}ße an Ωmega", "Grüße an \u{2126}mega"] {
        assert!(passes(&tried(&cx, same)), "{same:?}");
    }
    assert!(!passes(&tried(&cx, "Gruße an Ωmega")), "without the dots it is another");
}

#[test]
fn nothing_is_cut_off() {
    let long = "0123456789abcdef".repeat(16);
    let cx = holding(&long);
    assert!(passes(&tried(&cx, &long)), "256 bytes are allowed");
    assert!(!passes(&tried(&cx, &long[..255])));
    assert!(!passes(&tried(&cx, &long[..72])), "bcrypt's limit is not ours");
    let with_nul = "violet\u{0}otter";
    let cx = holding(with_nul);
    assert!(passes(&tried(&cx, with_nul)));
    assert!(!passes(&tried(&cx, "violet")), "a NUL ends nothing");
}

#[test]
fn too_much_is_refused_before_it_is_hashed() {
    // Were it hashed, this stored hash would be read, and is unreadable.
    let cx = Context {
        credentials: vec![kit::credential("c1", json!({ "phc": "broken" }))],
        ..kit::context()
    };
    let plugin = plugin();
    assert!(verify(&plugin, &cx, "password", GOOD).is_err());
    for length in [257, 1_000_000] {
        let reply = verify(&plugin, &cx, "password", &"x".repeat(length)).unwrap();
        assert_eq!(complaint(&reply), "password-wrong");
    }
    let missing = kit::run(plugin.verify(&cx, &Memo::default(), &Answer::default(), &TestHost::default())).unwrap();
    assert_eq!(complaint(&missing), "password-wrong");
}

#[test]
fn nobody_and_somebody_without_a_password_get_the_same_words() {
    let wrong = tried(&holding(GOOD), "violet otter plays chess!");
    let without = tried(&kit::context(), GOOD);
    let nobody = tried(&kit::unknown_context("nobody"), GOOD);
    assert_eq!(wrong, without);
    assert_eq!(wrong, nobody);
}

#[test]
fn nobody_fails_even_with_credentials_at_hand() {
    let cx = Context {
        subject: Subject::Unknown {
            identifier: "ada.l".to_owned(),
        },
        ..holding(GOOD)
    };
    assert_eq!(complaint(&tried(&cx, GOOD)), "password-wrong");
}

#[test]
fn within_a_session_it_is_not_asked_of_those_who_have_none() {
    let step_up = Context {
        purpose: Purpose::StepUp,
        ..kit::context()
    };
    let reply = kit::run(plugin().challenge(&step_up, &TestHost::default())).unwrap();
    assert_eq!(reply.step, Step::Abstain);
    let reply = kit::run(plugin().challenge(&kit::context(), &TestHost::default())).unwrap();
    assert!(
        matches!(reply.step, Step::Ask { .. }),
        "before a sign-in that would tell who has one"
    );
}

#[test]
fn other_parameters_are_replaced_at_the_next_use() {
    let newer = Password::new(Config { t_cost: 2, ..tiny() }).unwrap();
    let cx = Context {
        credentials: vec![Credential {
            version: 7,
            ..stored(GOOD)
        }],
        ..kit::context()
    };
    let reply = verify(&newer, &cx, "password", GOOD).unwrap();
    assert!(passes(&reply));
    let save = saved(&reply);
    assert_eq!(
        (save.credential.as_ref(), save.expected_version),
        (Some(&"c1".into()), Some(7))
    );
    assert!(
        save.payload["phc"]
            .as_str()
            .unwrap()
            .starts_with("$argon2id$v=19$m=8,t=2,p=1$")
    );

    let after = Context {
        credentials: vec![Credential {
            payload: save.payload.clone(),
            version: 8,
            ..stored(GOOD)
        }],
        ..kit::context()
    };
    let again = verify(&newer, &after, "password", GOOD).unwrap();
    assert!(passes(&again) && again.effects.is_empty(), "once is enough");
    let wrong = verify(&newer, &cx, "password", "something else").unwrap();
    assert!(wrong.effects.is_empty(), "a wrong password replaces nothing");
}

#[test]
fn a_hash_that_is_not_ours_is_an_error_and_no_pass() {
    let good = stored(GOOD).payload["phc"].as_str().unwrap().to_owned();
    let broken = [
        json!(null),
        json!("x"),
        json!({}),
        json!({ "phc": 1 }),
        json!({ "phc": "" }),
        json!({ "phc": "$argon2id$" }),
        json!({ "phc": good.replace("argon2id", "argon2d") }),
        json!({ "phc": good.replace("m=8", "m=4294967295") }),
        json!({ "phc": good.replace("t=1", "t=4000000000") }),
        json!({ "phc": good, "also": true }),
    ];
    for payload in broken {
        let cx = Context {
            credentials: vec![kit::credential("c1", payload.clone())],
            ..kit::context()
        };
        let error = verify(&plugin(), &cx, "password", GOOD).expect_err(&payload.to_string());
        assert!(matches!(error, PluginError::Corrupt { .. }), "{error}");
        assert!(!error.to_string().contains(&good), "the hash is not in the error");
    }
    let cut = json!({ "phc": good.rsplit_once('$').unwrap().0 });
    let cx = Context {
        credentials: vec![kit::credential("c1", cut)],
        ..kit::context()
    };
    assert!(
        !verify(&plugin(), &cx, "password", GOOD).is_ok_and(|reply| passes(&reply)),
        "a hash without its output matches nothing"
    );
}

#[test]
fn salts_differ_and_the_payload_shows_no_password() {
    let payload = |salt| plugin().credential_payload(GOOD, [salt; 16]).unwrap();
    assert_ne!(payload(1), payload(2));
    assert!(!payload(1).to_string().contains(GOOD));
    assert!(plugin().credential_payload("", [1; 16]).is_err());
    assert!(
        plugin().credential_payload(&"x".repeat(257), [1; 16]).is_err(),
        "nobody could sign in with it"
    );
}

// --- a new password ---

fn enrolling(credentials: Vec<Credential>) -> Context {
    Context {
        purpose: Purpose::Enrol,
        credentials,
        ..kit::context()
    }
}

fn opens(payload: &Value, password: &str) -> bool {
    let cx = Context {
        credentials: vec![kit::credential("c1", payload.clone())],
        ..kit::context()
    };
    passes(&tried(&cx, password))
}

#[test]
fn the_form_for_a_new_one_asks_password_stores_for_a_new_one() {
    let reply = kit::run(plugin().challenge(&enrolling(Vec::new()), &TestHost::default())).unwrap();
    let Step::Ask { form, .. } = reply.step else { panic!() };
    let [Node::Paragraph { text }, Node::Secret(field)] = form.nodes.as_slice() else {
        panic!()
    };
    assert_eq!(text.args["min"], "8");
    assert_eq!(
        (field.name.as_str(), field.autocomplete.as_str()),
        ("new_password", "new-password")
    );
}

#[test]
fn the_first_password_is_added() {
    let reply = enrolled(&enrolling(Vec::new()), GOOD);
    let save = saved(&reply);
    assert_eq!((&save.credential, save.expected_version), (&None, None));
    assert!(opens(&save.payload, GOOD));
}

#[test]
fn a_new_password_replaces_the_old_one_and_proves_nothing() {
    let reply = enrolled(&enrolling(vec![stored("the old password of ada")]), GOOD);
    assert_eq!(reply.step, Step::Pass { amr: Vec::new() });
    let save = saved(&reply);
    assert_eq!(
        (save.credential.as_ref(), save.expected_version),
        (Some(&"c1".into()), Some(1))
    );
    assert!(opens(&save.payload, GOOD));
    assert!(!opens(&save.payload, "the old password of ada"));
}

#[test]
fn no_second_password_stays_behind() {
    let older = Credential {
        id: "c0".into(),
        created_at: NOW.plus(-1_000_000),
        ..stored("an even older password")
    };
    let both = vec![older, stored("the old password of ada")];
    let cx = Context {
        credentials: both.clone(),
        ..kit::context()
    };
    assert!(!passes(&tried(&cx, "an even older password")), "only the last one counts");
    let reply = enrolled(&enrolling(both), GOOD);
    assert_eq!(saved(&reply).credential, Some("c1".into()));
    assert_eq!(reply.effects[1..], [Effect::Forget { credential: "c0".into() }]);
}

#[test]
fn weak_passwords_are_refused_with_a_reason() {
    let refused = [
        ("password-too-short", ""),
        ("password-too-short", "1234567"),
        ("password-too-short", "日本語パス"), // characters count, not bytes
        ("password-too-common", "12345678"),
        ("password-too-common", "PassWord123"),
        ("password-too-common", "qwertyuiop"),
        ("password-too-common", "aaaaaaaaaa"),
        ("password-too-common", "sommer2024"),
        ("password-contains-name", "I am ADA.L of London"),
    ];
    for (reason, password) in refused {
        let reply = enrolled(&enrolling(Vec::new()), password);
        assert_eq!(complaint(&reply), reason, "{password:?}");
        assert!(reply.effects.is_empty());
    }
    let long = enrolled(&enrolling(Vec::new()), &"violet otter ".repeat(20));
    assert_eq!(complaint(&long), "password-too-long");
}

#[test]
fn there_are_no_rules_of_composition() {
    for fine in [
        "violetotterchess",
        "83920174658",
        "        x",
        "🦦🦦🦦🦦🦦🦦🦦🦦",
        &"violet otter".repeat(21),
    ] {
        assert!(saved(&enrolled(&enrolling(Vec::new()), fine)).payload.is_object(), "{fine:?}");
    }
}

#[test]
fn names_are_found_in_the_address_but_short_ones_are_let_be() {
    let plugin = plugin();
    let subject = |username: &str, email: Option<&str>| SubjectView {
        username: username.to_owned(),
        email: email.map(str::to_owned),
        ..kit::ada()
    };
    let bob = subject("bob", Some("Robert.Smith@example.test"));
    assert!(plugin.check_new("my name is robert.smith!", &bob).is_err());
    assert!(plugin.check_new("a bobsleigh in summer rain", &bob).is_ok());
    let by_address = subject("robert@example.test", None);
    assert!(plugin.check_new("robert likes red boats", &by_address).is_err());
    assert!(
        plugin.check_new("the example of a test", &by_address).is_ok(),
        "the domain is nobody's name"
    );
}

#[test]
fn the_words_of_its_context_do_not_count() {
    let plugin = plugin().at("Login.Acme-Tools.example");
    let subject = |username: &str, email: Option<&str>| SubjectView {
        username: username.to_owned(),
        email: email.map(str::to_owned),
        ..kit::ada()
    };
    let bob = subject("bob", Some("robert.smith@example.test"));
    for guessed_first in [
        "bobbobbob",
        "BobBob2024",
        "bob-bob-bob",
        "1984bob!",
        "bobPassword1", // as common as without the name
        "robertsmith1970",
        "smith.robert.70",
        "acmetools2024",
        "Acme-Tools2024",
        "login.acme-tools.example",
        "bob@acme2024",
    ] {
        let text = plugin.check_new(guessed_first, &bob).unwrap_err();
        assert_eq!(text.key, "password-mostly-names", "{guessed_first:?}");
    }
    for fine in ["bob violet otter", "otters at acme tools", "smithereens of robe"] {
        assert!(plugin.check_new(fine, &bob).is_ok(), "{fine:?}");
    }
    // Two letters are part of everything.
    assert!(plugin.check_new("al21 alto", &subject("al", None)).is_ok());
}

#[test]
fn however_often_and_wherever_words_stand_others_must_be_enough() {
    let plugin = plugin().at("acme.example");
    let known = ["ada", "ACME", "example", "Ada", "acme"];
    // Eight characters that make no word, spread among 24 words: enough. Seven: not.
    for (others, is_enough) in [("qzvxkwjy", true), ("qzvxkwj", false)] {
        for first in 0..24 {
            let mut password = String::new();
            for n in 0..24 {
                password.push_str(known[(n * 7 + first) % known.len()]);
                password.extend(others.chars().nth((n + first) % 24));
            }
            let ada = SubjectView {
                username: "ada".to_owned(),
                email: None,
                ..kit::ada()
            };
            assert_eq!(plugin.check_new(&password, &ada).is_ok(), is_enough, "{password:?}");
        }
    }
}

#[test]
fn nobody_gets_a_password() {
    let cx = Context {
        purpose: Purpose::Enrol,
        ..kit::unknown_context("nobody")
    };
    let reply = enrolled(&cx, GOOD);
    assert_eq!(complaint(&reply), "password-wrong");
    assert!(reply.effects.is_empty());
}

#[test]
fn the_answer_of_one_form_is_none_to_the_other() {
    assert_eq!(
        complaint(&verify(&plugin(), &holding(GOOD), "new_password", GOOD).unwrap()),
        "password-wrong"
    );
    let reply = verify(
        &plugin(),
        &enrolling(vec![stored(GOOD)]),
        "password",
        "another good passphrase",
    )
    .unwrap();
    assert_eq!(complaint(&reply), "password-too-short");
}

#[test]
fn the_list_of_common_passwords_is_as_long_as_asvs_wants_and_in_order() {
    let list: Vec<_> = include_str!("../common.txt").lines().collect();
    assert!(list.len() >= 3000);
    assert!(
        list.iter()
            .all(|line| line.chars().count() >= 8 && line.to_lowercase() == **line),
        "each line can be met"
    );
    assert!(list.is_sorted_by(|a, b| a < b), "no line twice");
}
