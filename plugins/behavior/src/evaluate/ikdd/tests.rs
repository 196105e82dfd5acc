//! The protocols on a made-up data set.

use super::*;
use crate::Model;
use crate::evaluate::{EvaluateError, Options};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

/// A gzipped CSV file that goes with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gait-ikdd-{name}-{}.csv.gz", std::process::id()));
        let mut encoder = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap();
        Self(path)
    }

    fn options(&self, model: Model) -> Options {
        Options {
            data: vec![self.0.clone()],
            background: None,
            model,
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// People who are 5 % slower each than the one before, with three logs of 1,200 keys each.
fn rows(people: u32) -> String {
    let mut text = "user,log,k1,k2,seq,ms\n".to_owned();
    for (user, log, i) in (0..people).flat_map(|user| (1..4).flat_map(move |log| (0..1200_u32).map(move |i| (user, log, i)))) {
        let spread = 0.8 + 0.4 * f64::from(i * 37 % 101) / 101.0;
        let pace = spread * 1.05_f64.powi(user as i32);
        writeln!(text, "{user},{log},65,0,{i},{:.1}", 50.0 * pace).unwrap();
        writeln!(text, "{user},{log},65,66,{i},{:.1}", 110.0 * pace).unwrap();
    }
    text
}

#[test]
fn people_of_different_speed_are_told_apart_by_both_models_and_every_trial_is_there() {
    let file = File::new("apart", &rows(24));
    for model in [Model::Default, Model::Classic] {
        let (report, trials) = windows(&file.options(model), 50, false).unwrap();
        assert_eq!(report.subjects, 12);
        assert!(report.mean_eer.unwrap() < 0.2, "{report:?}");
        // 24 windows of the third log, and three of each other's.
        assert_eq!(trials.len(), 12 * (24 + 11 * 3));
        assert_eq!(windows(&file.options(model), 50, false).unwrap().1, trials);
    }
}

#[test]
fn a_sequence_of_keys_catches_those_who_are_far_off() {
    let file = File::new("sequence", &rows(24));
    for model in [Model::Default, Model::Classic] {
        let (report, trials) = sequential(&file.options(model), false).unwrap();
        assert!(report.caught.unwrap() > 0.5, "{report:?}");
        assert!(report.mean_events.unwrap() <= 1000.0);
        let genuine: f64 = trials
            .iter()
            .filter(|trial| trial.label == "genuine")
            .map(|trial| trial.time)
            .sum();
        assert_eq!(genuine, 12.0 * 1200.0);
    }
}

#[test]
fn too_few_rows_and_a_missing_column_are_named() {
    let few = File::new("few", "user,log,k1,k2,seq,ms\n1,1,65,0,0,90\n2,1,65,0,0,90\n");
    let error = windows(&few.options(Model::Default), 50, true).unwrap_err();
    assert!(
        matches!(&error, EvaluateError::Data(why) if why.contains("too few rows")),
        "{error}"
    );
    let file = File::new("column", "user,log,k1,k2,seq\n1,1,65,0,0\n");
    let error = sequential(&file.options(Model::Default), true).unwrap_err();
    assert!(error.to_string().contains("ms"), "{error}");
}
