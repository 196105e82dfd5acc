//! `gait theme`.

use crate::theme;
use anyhow::bail;
use clap::Subcommand;
use std::path::PathBuf;

/// Themes.
#[derive(Subcommand)]
pub enum Theme {
    /// Renders every page and mail of a theme with sample data; undefined variables and missing translations are errors.
    Check {
        /// Its name.
        name: String,
        /// Folder of further themes.
        #[arg(long)]
        themes_dir: Option<PathBuf>,
        /// Write the pages here, to look at.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

pub(super) fn run(command: Theme) -> anyhow::Result<()> {
    let Theme::Check { name, themes_dir, out } = command;
    let report = theme::check(themes_dir.as_deref(), &name, out.as_deref())?;
    for finding in &report.findings {
        println!("FAIL  {}: {}", finding.place, finding.problem);
    }
    println!(
        "{} pages and mails rendered, {} problems",
        report.rendered,
        report.findings.len()
    );
    if !report.is_clean() {
        bail!("the theme {name} has problems");
    }
    Ok(())
}
