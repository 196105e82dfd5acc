//! Rules about the sources: who calls whom, what stands nowhere, how long a file may be.

use super::{Source, assert_none, sources};

/// Lines of a file that is compiled into something.
const MAX_LINES: usize = 600;
/// Lines of a file of tests.
const MAX_TEST_LINES: usize = 800;

/// Where time and randomness may be touched, and who else may look at a clock.
const EXCEPTIONS: [&str; 14] = [
    "examples/relying-party/src/clock.rs",
    "examples/relying-party/tests/",
    "idp/core/src/token/jws.rs",
    "idp/core/tests/",
    "idp/server/tests/it/main.rs",
    "idp/server/src/http/trace.rs",
    "idp/server/src/mail.rs",
    "idp/server/src/metrics/meter.rs",
    "idp/server/src/plugins/slots.rs",
    "idp/server/src/ports.rs",
    "idp/xtask/src/bench/stopwatch.rs",
    "idp/xtask/src/story/provider.rs",
    "plugins/behavior/benches/scorer.rs",
    "plugins/behavior/src/bin/gait-evaluate.rs",
];

/// Lines of the product below `folder` but not in `allowed` that contain `pattern`, if what stands before and after it in the line
/// passes `is_meant`.
fn calls(
    sources: &[Source],
    folder: &str,
    allowed: &[&str],
    pattern: &str,
    is_meant: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    let product = sources
        .iter()
        .filter(|source| source.path.ends_with(".rs") && source.is_below(folder) && !source.is_test());
    for source in product.filter(|source| !allowed.iter().any(|allowed| source.path.starts_with(allowed))) {
        for (number, line) in source.code() {
            if line
                .split_once(pattern)
                .is_some_and(|(before, after)| is_meant(before, after))
            {
                found.push(format!("{}:{number}: {line}", source.path));
            }
        }
    }
    found
}

/// Only the flow engine calls authenticators; others ask the engine to (`self`, the provider). Signatures are verified too, but never
/// with a memo.
fn authenticators_called_elsewhere(sources: &[Source]) -> Vec<String> {
    let core = ["idp/core/src/flow/", "idp/core/src/testing/"];
    let server = ["idp/server/src/plugins.rs"];
    let mut found = Vec::new();
    for (folder, allowed) in [("idp/core/src/", &core[..]), ("idp/server/src/", &server[..])] {
        found.extend(calls(sources, folder, allowed, ".challenge(", |on, with| {
            !on.ends_with("self") && !with.starts_with(')')
        }));
        found.extend(calls(sources, folder, allowed, ".settled(", |on, with| {
            !on.ends_with("self") && !with.starts_with(')')
        }));
        found.extend(calls(sources, folder, allowed, ".verify(", |on, with| {
            !on.ends_with("self") && (with.contains("memo") || with.contains("answer"))
        }));
    }
    found
}

/// Only the watch calls scorers: judging, learning, and telling what was learned.
fn scorers_called_elsewhere(sources: &[Source]) -> Vec<String> {
    let core = ["idp/core/src/continuous/", "idp/core/src/learning", "idp/core/src/testing/"];
    let server = ["idp/server/src/plugins.rs"];
    let mut found = Vec::new();
    for (folder, allowed) in [("idp/core/src/", &core[..]), ("idp/server/src/", &server[..])] {
        // The scorer's methods, called on what the registry hands out.
        for pattern in [
            "scorer.score(",
            "scorer.learn(",
            "scorer.prepare(",
            "scorer.background(",
            "scorer.describe(",
        ] {
            found.extend(calls(sources, folder, allowed, pattern, |_, _| true));
        }
    }
    found
}

/// Only `effects` carries effects out: acts on what they are. (Others count them, or hand them on.)
fn effects_carried_out_elsewhere(sources: &[Source]) -> Vec<String> {
    let allowed = ["idp/core/src/effects", "idp/core/src/testing/"];
    let effects = ["Save", "Forget", "Mail", "Keep", "Approval"];
    let in_core = |effect| {
        calls(
            sources,
            "idp/core/src/",
            &allowed,
            &format!("Effect::{effect}"),
            |_, after| after.contains("=>"),
        )
    };
    effects.into_iter().flat_map(in_core).collect()
}

/// The visitor's address is established in one place.
fn addresses_read_elsewhere(sources: &[Source]) -> Vec<String> {
    let allowed = ["idp/server/src/http/address.rs"];
    let headers = ["x-forwarded-for", "x-real-ip", "forwarded\"", "cf-connecting-ip"];
    let product = ["idp/core/", "idp/server/", "plugins/"];
    let mut found = Vec::new();
    for (folder, header) in product.iter().flat_map(|folder| headers.map(|header| (folder, header))) {
        found.extend(calls(sources, folder, &allowed, header, |_, _| true));
    }
    found
}

fn clocks_allowed_elsewhere(sources: &[Source]) -> Vec<String> {
    let lints = ["clippy::disallowed_methods", "clippy::disallowed_types"];
    lints
        .iter()
        .flat_map(|lint| marks(sources, lint))
        .filter(|at| !EXCEPTIONS.iter().any(|path| at.starts_with(path)))
        .collect()
}

fn marks(sources: &[Source], mark: &str) -> Vec<String> {
    let code = sources
        .iter()
        .filter(|source| !source.path.ends_with(".md") && !source.path.ends_with("tidy/rules.rs"));
    code.flat_map(|source| {
        let lines = source.text.lines().enumerate().filter(|(_, line)| line.contains(mark));
        lines
            .map(|(i, line)| format!("{}:{}: {}", source.path, i + 1, line.trim()))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// What was left for later.
fn left_undone(sources: &[Source]) -> Vec<String> {
    ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!(", "dbg!("]
        .iter()
        .flat_map(|mark| marks(sources, mark))
        .collect()
}

fn too_long(sources: &[Source]) -> Vec<String> {
    let written = |path: &str| {
        [".rs", ".js", ".mjs", ".css", ".html"]
            .iter()
            .any(|kind| path.ends_with(kind))
    };
    let limit = |source: &Source| if source.is_test() { MAX_TEST_LINES } else { MAX_LINES };
    let long = sources
        .iter()
        .filter(|source| written(&source.path) && source.text.lines().count() > limit(source));
    long.map(|source| {
        format!(
            "{} has {} lines, and may have {}",
            source.path,
            source.text.lines().count(),
            limit(source)
        )
    })
    .collect()
}

#[test]
fn only_the_flow_engine_calls_authenticators() {
    assert_none(&authenticators_called_elsewhere(&sources()));
}

#[test]
fn only_the_watch_calls_scorers() {
    assert_none(&scorers_called_elsewhere(&sources()));
}

#[test]
fn only_effects_carries_effects_out() {
    assert_none(&effects_carried_out_elsewhere(&sources()));
}

#[test]
fn the_visitors_address_comes_from_one_function() {
    assert_none(&addresses_read_elsewhere(&sources()));
}

#[test]
fn time_and_randomness_are_touched_where_it_is_known() {
    assert_none(&clocks_allowed_elsewhere(&sources()));
}

#[test]
fn nothing_is_left_for_later() {
    assert_none(&left_undone(&sources()));
}

#[test]
fn no_file_is_too_long_to_read() {
    assert_none(&too_long(&sources()));
}

/// A rule, a file's path and text, and whether the rule is broken there.
type Check = (fn(&[Source]) -> Vec<String>, &'static str, &'static str, bool);

#[test]
fn what_breaks_a_rule_is_noticed() {
    let file = |path: &str, text: &str| [Source::new(path, text)];
    let checks: &[Check] = &[
        (
            authenticators_called_elsewhere,
            "idp/core/src/approval.rs",
            "let r = plugin.challenge(cx, host).await;",
            true,
        ),
        (
            authenticators_called_elsewhere,
            "idp/core/src/approval.rs",
            "plugin.verify(cx, &memo, &answer, host)",
            true,
        ),
        (
            authenticators_called_elsewhere,
            "idp/core/src/flow/call.rs",
            "plugin.challenge(cx, host)",
            false,
        ),
        (
            authenticators_called_elsewhere,
            "idp/core/src/approval.rs",
            "self.verify(plugin, &cx, &memo, &answer)",
            false,
        ),
        (
            authenticators_called_elsewhere,
            "idp/core/src/logout.rs",
            "self.keys.verify(hint)",
            false,
        ),
        (
            authenticators_called_elsewhere,
            "idp/server/src/http/reply.rs",
            "error.challenge()",
            false,
        ),
        (
            scorers_called_elsewhere,
            "idp/core/src/flow/engine.rs",
            "scorer.score(cx, None, state, batch)",
            true,
        ),
        (
            scorers_called_elsewhere,
            "idp/core/src/continuous/samples.rs",
            "scorer.score(cx, None, state, batch)",
            false,
        ),
        (
            effects_carried_out_elsewhere,
            "idp/core/src/flow/engine.rs",
            "Effect::Mail(mail) => post(mail),",
            true,
        ),
        (
            effects_carried_out_elsewhere,
            "idp/core/src/flow/engine.rs",
            "matches!(effect, Effect::Mail(_))",
            false,
        ),
        (
            effects_carried_out_elsewhere,
            "idp/core/src/effects.rs",
            "Effect::Mail(mail) => post(mail),",
            false,
        ),
        (
            addresses_read_elsewhere,
            "idp/server/src/http/caller.rs",
            "headers.get(\"x-forwarded-for\")",
            true,
        ),
        (
            addresses_read_elsewhere,
            "idp/server/src/http/caller.rs",
            "// x-forwarded-for is read elsewhere",
            false,
        ),
        (
            addresses_read_elsewhere,
            "idp/server/src/http/caller.rs",
            "#[cfg(test)]\nheaders.get(\"x-forwarded-for\")",
            false,
        ),
        (
            clocks_allowed_elsewhere,
            "idp/core/src/flow/mod.rs",
            "#[allow(clippy::disallowed_methods)]",
            true,
        ),
        (
            clocks_allowed_elsewhere,
            "idp/server/src/ports.rs",
            "#[allow(clippy::disallowed_methods)]",
            false,
        ),
        (left_undone, "idp/core/src/lib.rs", "unimplemented!()", true),
        (left_undone, "README.md", "nothing is TODO", false),
    ];
    for (check, path, text, is_wrong) in checks {
        assert_eq!(!check(&file(path, text)).is_empty(), *is_wrong, "{path}: {text}");
    }
    assert_eq!(too_long(&file("a/src/lib.rs", &"\n".repeat(601))).len(), 1);
    assert!(too_long(&file("a/tests/it.rs", &"\n".repeat(601))).is_empty());
}
