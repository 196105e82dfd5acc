//! `cargo xtask test`.

use crate::step;
use crate::tools::Tools;
use anyhow::{Context as _, ensure};
use std::path::PathBuf;
use std::process::Command;

/// Tests of what runs in browsers, for Node's own test runner.
const JS_TESTS: &str = "idp/server/tests/js";

/// Runs every test of the repository.
///
/// # Errors
/// A tool is missing and can't be installed, or a test fails.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let tools = Tools::ready()?;
    println!("Tests in Node");
    step::run("the tests in Node", Command::new(&tools.node).arg("--test").args(js_tests()?))?;
    println!("Tests in Rust");
    let mut tests = step::cargo();
    tests
        .args(["test", "--workspace", "--features", "xtask/story,gait/otlp", "--no-fail-fast"])
        .args(args);
    tests.env("CHROMEDRIVER", &tools.chromedriver);
    step::run("the tests in Rust", &mut tests)?;
    println!("All tests passed.");
    Ok(())
}

/// The files one by one: what Node makes of a folder differs between its versions.
fn js_tests() -> anyhow::Result<Vec<PathBuf>> {
    let folder = xtask::root().join(JS_TESTS);
    let entries = std::fs::read_dir(&folder).with_context(|| format!("{} can't be read", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    let mut tests: Vec<_> = paths
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    ensure!(!tests.is_empty(), "there is no test in {JS_TESTS}");
    tests.sort();
    Ok(tests)
}
