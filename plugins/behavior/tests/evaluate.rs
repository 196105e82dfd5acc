//! The evaluator's command line, as a stranger would use it who has only the README and a data set.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use flate2::{Compression, write::GzEncoder};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Normal};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Keys of the text, the last of which is Return.
const KEYS: [&str; 11] = ["period", "t", "i", "e", "five", "Shift.r", "o", "a", "n", "l", "Return"];

/// A folder with a data set in CMU's layout.
struct Desk {
    folder: TempDir,
    data: PathBuf,
}

impl Desk {
    fn new(people: usize, repetitions: usize) -> Self {
        Self::with(&cmu(people, repetitions))
    }

    fn with(csv: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("typing.csv.gz");
        let mut file = GzEncoder::new(fs::File::create(&data).unwrap(), Compression::fast());
        file.write_all(csv.as_bytes()).unwrap();
        file.finish().unwrap();
        Self { folder, data }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a protocol on the data.
    fn run(&self, arguments: &str) -> Output {
        let (protocol, options) = arguments.split_once(' ').unwrap_or((arguments, ""));
        let options = options.split_whitespace();
        evaluator(self.folder.path())
            .arg(protocol)
            .args(options)
            .arg("--data")
            .arg(&self.data)
            .output()
            .unwrap()
    }

    /// Why it is refused: exit code 2, nothing on standard output, and a line on the other.
    fn refused(&self, arguments: &str) -> String {
        refusal(&self.run(arguments))
    }
}

fn evaluator(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gait-evaluate"));
    command.current_dir(folder);
    command
}

fn refusal(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty());
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("error: ") && !said.contains("panic"), "{said}");
    said
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The columns of the times: how long a key is held, and from it to the next one.
fn timings() -> Vec<String> {
    let mut names = vec![format!("H.{}", KEYS[0])];
    for pair in KEYS.windows(2) {
        names.extend(["DD", "UD"].map(|kind| format!("{kind}.{}.{}", pair[0], pair[1])));
        names.push(format!("H.{}", pair[1]));
    }
    names
}

/// People with a rhythm of their own, which they keep more or less.
fn cmu(people: usize, repetitions: usize) -> String {
    let mut random = StdRng::seed_from_u64(7);
    let wobble = Normal::new(0.0, 0.25f64).unwrap();
    let mut csv = format!("subject,sessionIndex,rep,{}\n", timings().join(","));
    for person in 0..people {
        let typical: Vec<(f64, f64)> = KEYS
            .iter()
            .map(|_| (random.gen_range(0.07..0.13), random.gen_range(0.15..0.4)))
            .collect();
        for repetition in 0..repetitions {
            let mut around = |time: f64| time * wobble.sample(&mut random).exp();
            let mut row = format!("p{person},{},{}", repetition / 50 + 1, repetition % 50 + 1);
            for (key, (hold, down)) in typical.iter().enumerate() {
                let (hold, down) = (around(*hold), around(*down));
                row += &format!(",{hold:.4}");
                if key + 1 < KEYS.len() {
                    row += &format!(",{down:.4},{:.4}", down - hold);
                }
            }
            csv += &(row + "\n");
        }
    }
    csv
}

/// A row of the scores' file.
#[derive(serde::Deserialize)]
struct Row {
    account: String,
    trial: u64,
    label: String,
    score: f64,
    decision: String,
    time: f64,
}

fn scores(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    assert_eq!(
        reader.headers().unwrap().iter().collect::<Vec<_>>(),
        ["account", "trial", "label", "score", "decision", "time"]
    );
    reader.deserialize().map(Result::unwrap).collect()
}

fn labelled<'a>(rows: impl IntoIterator<Item = &'a Row>) -> (Vec<f64>, Vec<f64>) {
    let (genuine, impostor): (Vec<&Row>, Vec<&Row>) = rows.into_iter().partition(|row| row.label == "genuine");
    let score = |rows: Vec<&Row>| rows.iter().map(|row| row.score).collect();
    (score(genuine), score(impostor))
}

/// False rejections and false acceptances if scores up to the threshold are accepted.
fn rates(genuine: &[f64], impostor: &[f64], threshold: f64) -> (f64, f64) {
    let share = |scores: &[f64], counts: &dyn Fn(f64) -> bool| {
        scores.iter().filter(|score| counts(**score)).count() as f64 / scores.len() as f64
    };
    (
        share(genuine, &|score| score > threshold),
        share(impostor, &|score| score <= threshold),
    )
}

/// By the words of the definition, and not by the evaluator's code.
fn equal_error(genuine: &[f64], impostor: &[f64]) -> f64 {
    let mut thresholds = [genuine, impostor].concat();
    thresholds.sort_by(f64::total_cmp);
    let (mut frr, mut far) = (1.0, 0.0);
    for threshold in thresholds {
        let (next_frr, next_far) = rates(genuine, impostor, threshold);
        if next_frr <= next_far {
            let share = (frr - far) / ((frr - far) + (next_far - next_frr));
            return far + share * (next_far - far);
        }
        (frr, far) = (next_frr, next_far);
    }
    unreachable!("all are accepted in the end")
}

fn pairs_in_order(genuine: &[f64], impostor: &[f64]) -> f64 {
    let points = genuine.iter().flat_map(|g| {
        impostor.iter().map(move |i| match i.total_cmp(g) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
    });
    points.sum::<f64>() / (genuine.len() * impostor.len()) as f64
}

fn refused_where_one_percent_pass(genuine: &[f64], impostor: &[f64]) -> f64 {
    let mut sorted = impostor.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = 0.01 * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    let threshold = low + at.fract() * (high - low);
    genuine.iter().filter(|score| **score >= threshold).count() as f64 / genuine.len() as f64
}

fn close(report: &Value, figure: &str, wanted: f64) {
    let printed = report[figure].as_f64().unwrap_or_else(|| panic!("{figure} in {report}"));
    assert!(
        (printed - wanted).abs() < 1e-9,
        "{figure}: {printed}, but {wanted} from the trials"
    );
}

#[test]
fn the_printed_figures_follow_from_the_written_trials() {
    let desk = Desk::new(4, 400);
    for model in ["default", "classic"] {
        let report = text(&desk.run(&format!("cmu-static --train 30 --model {model} --json --scores trials.csv")));
        assert_eq!(report.lines().count(), 1);
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!((&report["protocol"], &report["model"]), (&"cmu-static".into(), &model.into()));
        let rows = scores(&desk.path("trials.csv"));
        assert_eq!(rows.len(), 4 * (200 + 3 * 5));
        let mut accounts: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &rows {
            accounts.entry(&row.account).or_default().push(row);
        }
        let own = |rows: &Vec<&Row>| {
            let (genuine, impostor) = labelled(rows.iter().copied());
            equal_error(&genuine, &impostor)
        };
        let each: Vec<f64> = accounts.values().map(own).collect();
        assert_eq!(report["subjects"], each.len());
        assert_eq!(report["per_subject"].as_array().unwrap().len(), each.len());
        close(&report, "mean_eer", each.iter().sum::<f64>() / each.len() as f64);
        let (genuine, impostor) = labelled(&rows);
        close(&report, "global_eer", equal_error(&genuine, &impostor));
        close(&report, "auc", pairs_in_order(&genuine, &impostor));
        close(
            &report,
            "frr_at_far_1pct",
            refused_where_one_percent_pass(&genuine, &impostor),
        );
        for subject in report["per_subject"].as_array().unwrap() {
            close(subject, "eer", own(&accounts[subject["account"].as_str().unwrap()]));
        }
    }
}

#[test]
fn trials_are_numbered_and_decided() {
    let desk = Desk::new(3, 400);
    text(&desk.run("cmu-static --train 20 --scores trials.csv"));
    let mut seen = std::collections::BTreeSet::new();
    for row in scores(&desk.path("trials.csv")) {
        assert!(
            ["accept", "step_up", "flag"].contains(&row.decision.as_str()),
            "{}",
            row.decision
        );
        assert!(["genuine", "impostor"].contains(&row.label.as_str()), "{}", row.label);
        assert!(row.score.is_finite() && row.time >= 0.0);
        assert!(seen.insert((row.account, row.trial)), "two trials share a number");
    }
}

#[test]
fn the_same_run_says_the_same_again() {
    let desk = Desk::new(3, 400);
    let report = || {
        let mut report: Value = serde_json::from_str(&text(&desk.run("cmu-attacks --json"))).unwrap();
        assert!(report["wall_s"].take().as_f64().unwrap() > 0.0);
        report
    };
    assert_eq!(report(), report());
}

#[test]
fn data_may_come_in_parts() {
    let csv = cmu(4, 400);
    let (header, rows) = csv.split_once('\n').unwrap();
    let lines: Vec<&str> = rows.lines().collect();
    let part = |lines: &[&str]| Desk::with(&format!("{header}\n{}\n", lines.join("\n")));
    let (first, second) = (part(&lines[..800]), part(&lines[800..]));
    let figure = |output: Output| serde_json::from_str::<Value>(&text(&output)).unwrap()["global_eer"].clone();
    let both = first.run(&format!("cmu-near --json --data {}", second.data.display()));
    assert_eq!(figure(both), figure(Desk::with(&csv).run("cmu-near --json")));
}

#[test]
fn without_json_a_person_can_read_it() {
    let said = text(&Desk::new(3, 400).run("cmu-static --train 20"));
    let mut lines = said.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("cmu-static --train 20: default model, 3 accounts, "),
        "{said}"
    );
    assert!(
        lines.clone().any(|line| line.contains("mean_eer") && line.ends_with('%')),
        "{said}"
    );
    assert!(lines.count() < 20 && !said.contains("p0"), "{said}");
}

#[test]
fn curves_are_written_into_a_folder_that_need_not_be_there() {
    let desk = Desk::new(3, 400);
    text(&desk.run("cmu-static --train 20 --plot curves/of/today"));
    let det = fs::read_to_string(desk.path("curves/of/today/det.svg")).unwrap();
    for words in [
        "<svg",
        "cmu-static --train 20, default model",
        "False acceptance rate",
        "False rejection rate",
        "EER",
    ] {
        assert!(det.contains(words), "{words}");
    }
    assert!(
        !desk.path("curves/of/today/delay.svg").exists(),
        "nobody is caught over time here"
    );
    assert!(
        desk.refused("cmu-static --train 20 --plot typing.csv.gz/curves")
            .contains("typing.csv.gz/curves")
    );
    assert!(
        desk.refused("cmu-static --train 20 --scores nowhere/trials.csv")
            .contains("nowhere/trials.csv")
    );
}

#[test]
fn an_unknown_protocol_is_told_the_known_ones() {
    let desk = Desk::new(1, 1);
    for said in [
        desk.refused("keystrokes"),
        refusal(&evaluator(desk.folder.path()).output().unwrap()),
    ] {
        for protocol in [
            "cmu-static",
            "cmu-update",
            "cmu-near",
            "cmu-practised",
            "cmu-attacks",
            "iiitbh",
            "balabit",
            "balabit-sequential",
            "sapimouse",
            "ikdd",
            "ikdd-sequential",
        ] {
            assert!(said.contains(protocol), "{protocol} in {said}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_refused_in_one_line() {
    let desk = Desk::new(1, 1);
    let bare = evaluator(desk.folder.path()).arg("balabit").output().unwrap();
    assert!(refusal(&bare).contains("--data"));
    for (arguments, named) in [
        ("cmu-static --train 4", "5..=200"),
        ("cmu-static --train 201", "5..=200"),
        ("cmu-update --enrol -5", "-5"),
        ("cmu-near --enrol many", "many"),
        ("iiitbh --train 101", "5..=100"),
        ("ikdd --keys 0", "--keys"),
        ("sapimouse --actions 0", "--actions"),
        ("sapimouse --actions 5 --minute", "--minute"),
        ("cmu-static --enrol 5", "--enrol"),
        ("cmu-static --model modern", "classic"),
        ("cmu-static --plot", "--plot"),
    ] {
        let said = desk.refused(arguments);
        assert!(said.contains(named), "{arguments}: {said}");
    }
}

#[test]
fn help_names_what_may_be_given() {
    let help = |arguments: &[&str]| text(&evaluator(Path::new(".")).args(arguments).output().unwrap());
    assert!(help(&["--help"]).contains("cmu-practised"));
    let own = help(&["ikdd", "--help"]);
    for option in [
        "--keys",
        "--no-key-identity",
        "--data",
        "--background",
        "--model",
        "--json",
        "--scores",
        "--plot",
    ] {
        assert!(own.contains(option), "{option}");
    }
}

#[test]
fn bad_data_is_refused_with_the_place() {
    let good = cmu(2, 400);
    let named = |csv: &str, words: &[&str]| {
        let said = Desk::with(csv).refused("cmu-static --train 20");
        assert!(said.contains("typing.csv.gz"), "{said}");
        for word in words {
            assert!(said.contains(word), "{word} in {said}");
        }
    };
    named(&good.replacen("sessionIndex", "session", 1), &["sessionIndex"]);
    named(&good.replacen("p0,1,2,", "p0,1,2,x", 1), &["x0."]);
    named(&good.replacen("p0,1,2,0.", "p0,1,2,NaN,0.", 1), &[]);
    named(good.lines().next().unwrap(), &["no rows"]);
    named("", &[]);
}

#[test]
fn too_little_data_is_refused() {
    assert!(Desk::new(1, 400).refused("cmu-static").contains("two"));
    assert!(Desk::new(3, 100).refused("cmu-static").contains("100"));
}

#[test]
fn files_that_are_not_there_or_not_gzipped_are_refused() {
    let desk = Desk::new(1, 1);
    fs::write(desk.path("plain.csv"), cmu(2, 2)).unwrap();
    for protocol in [
        "cmu-static",
        "cmu-attacks",
        "iiitbh",
        "balabit",
        "balabit-sequential",
        "sapimouse",
        "ikdd",
        "ikdd-sequential",
    ] {
        for file in ["missing.csv.gz", "plain.csv", "."] {
            let output = evaluator(desk.folder.path())
                .args([protocol, "--data", file])
                .output()
                .unwrap();
            let said = refusal(&output);
            assert!(said.contains(file), "{protocol}: {said}");
        }
    }
}
