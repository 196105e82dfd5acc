//! What an attacker, a bug or a broken disk might hand to a plugin.

use crate::Answer;
use serde_json::{Map, Value, json};

/// Values that no plugin wrote.
pub(super) fn values() -> Vec<Value> {
    let deep = (0..60).fold(Value::Null, |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5e300),
        json!(""),
        json!("x".repeat(64 * 1024)),
        json!([]),
        json!({}),
        json!({ "": null, "__proto__": {}, "state": "trusted", "failures": -1 }),
        json!(vec![0; 10_000]),
        deep,
    ]
}

/// `value` with each of its members in turn missing, null, of another type, or enormous.
pub(super) fn mutations(value: &Value) -> Vec<Value> {
    let Value::Object(members) = value else {
        return Vec::new();
    };
    let mut mutations = Vec::new();
    for name in members.keys() {
        let without: Map<_, _> = members
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        for other in [
            json!(null),
            json!(-1),
            json!(i64::MAX),
            json!("x".repeat(64 * 1024)),
            json!([[]]),
            json!({}),
        ] {
            let mut changed = without.clone();
            changed.insert(name.clone(), other);
            mutations.push(Value::Object(changed));
        }
        mutations.push(Value::Object(without));
    }
    mutations
}

/// Identifiers that name nobody.
pub(super) fn identifiers() -> Vec<String> {
    [
        "nobody",
        "nobody@example.test",
        "",
        "@",
        "a@",
        "@b",
        "a@b@c.test",
        "\u{0}\r\n\u{202e}",
        "ж@пример.test",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(["x".repeat(100_000), format!("a@{}.test", "b".repeat(100_000))])
    .collect()
}

/// Answers that are never right, for a form with these fields.
pub(super) fn answers(fields: &[String]) -> Vec<Answer> {
    let mut answers = vec![Answer::default()];
    let names = fields
        .iter()
        .map(String::as_str)
        .chain(["", "password", "code", "answer", "\u{0}"]);
    for name in names {
        for text in texts() {
            answers.push(Answer([(name.to_owned(), text)].into()));
        }
    }
    let everything = fields.iter().map(|name| (name.clone(), "{\"$ne\":\"\"}".to_owned()));
    answers.push(Answer(everything.collect()));
    answers.push(Answer((0..1000).map(|i| (format!("field{i}"), "x".to_owned())).collect()));
    answers
}

/// A few short answers, for where many calls are made.
pub(super) fn short_answers(fields: &[String]) -> Vec<Answer> {
    let name = fields.first().cloned().unwrap_or_default();
    vec![Answer::default(), Answer([(name, "guess".to_owned())].into())]
}

fn texts() -> Vec<String> {
    [
        "",
        " ",
        "\u{0}",
        "\r\n",
        "guess",
        "null",
        "true",
        "{}",
        "-1",
        "' OR 1=1 --",
        "\u{202e}\u{feff}\u{1f469}\u{200d}\u{1f52c}",
        "e\u{301}\u{301}\u{301}",
        "\u{7f}\u{85}\u{9f}",
        "{{ 7 * 7 }}<script>",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(["a".repeat(1_000_000), "１".repeat(300_000)])
    .collect()
}
