#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::page::{ErrorPage, Trouble, sample};
use std::path::Path;

fn themes() -> Themes {
    Themes::load(None, "default", false).unwrap()
}

fn check_clean(name: &str) {
    let out = std::env::var_os("GAIT_THEME_OUT").map(|out| PathBuf::from(out).join(name));
    let report = check(&themes(), name, out.as_deref()).unwrap();
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(report.is_clean(), "{}", findings.join("\n"));
    assert_eq!(report.locales, ["de", "en"]);
}

#[test]
fn the_default_theme_is_clean() {
    check_clean("default");
}
