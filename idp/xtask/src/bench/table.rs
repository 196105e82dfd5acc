//! The tables, as markdown that can stand in a document as it is.

use crate::figures::Figures;
use crate::report::{Outcome, Report, TargetReport};
use crate::targets::Kind;
use crate::workload::{Goal, Workload};
use std::fmt::Write as _;

/// From how many cores in use by others on, latencies and flows in a second are doubtful.
const CROWDED: f64 = 0.1;

/// All tables.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    for target in &report.targets {
        text += &target_table(report, target);
    }
    text += &growth_table(report);
    text += &memory_table(report);
    text += &notes(report);
    text
}

/// A table's head; all columns but the first are numbers.
fn head(columns: &[&str]) -> String {
    let rule = "---:|".repeat(columns.len().saturating_sub(1));
    format!("| {} |\n|---|{rule}\n", columns.join(" | "))
}

fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn target_table(report: &Report, target: &TargetReport) -> String {
    let mut columns = vec!["workload", "CPU µs per flow", "flows/s", "p50 ms", "p99 ms"];
    let is_gait = target.kind != Kind::Peer;
    if is_gait {
        columns.extend(["peer ÷ Gait", "goal", "met"]);
    }
    let mut text = format!("\n### {}\n\n{}", target.kind.title(), head(&columns));
    for (&workload, figures) in &target.figures {
        let mut cells = vec![
            workload.title().to_owned(),
            us(figures.cpu_us),
            whole(figures.per_s),
            format!("{:.2}", figures.p50_ms),
            format!("{:.2}", figures.p99_ms),
        ];
        if is_gait {
            let outcome = report.outcome(target, workload, figures);
            cells.extend([
                ratio(report, workload, figures),
                goal(workload.goal(target.kind)),
                met(outcome),
            ]);
        }
        text += &row(&cells);
    }
    text
}

/// How much more CPU time the peer needs.
fn ratio(report: &Report, workload: Workload, figures: &Figures) -> String {
    let peer = report.target(Kind::Peer).and_then(|peer| peer.figures.get(&workload));
    peer.map_or("–".to_owned(), |peer| {
        format!("{:.1}", peer.cpu_us / figures.cpu_us.max(f64::MIN_POSITIVE))
    })
}

fn goal(goal: Option<Goal>) -> String {
    match goal {
        Some(Goal::Cpu(us)) => format!("≤ {us:.0} µs"),
        Some(Goal::CpuBesidesArgon2(us)) => format!("≤ argon2id + {us:.0} µs"),
        Some(Goal::Latency(p50, p99)) => format!("≤ {p50:.0} / {p99:.0} ms"),
        None => "–".to_owned(),
    }
}

fn met(outcome: Option<Outcome>) -> String {
    match outcome {
        Some(Outcome::Met) => "yes".to_owned(),
        Some(Outcome::Missed(by)) => format!("no, {by:.2} × the goal"),
        None => "–".to_owned(),
    }
}

/// Microseconds, as exactly as they are measured.
fn us(value: f64) -> String {
    match value < 100.0 {
        true => format!("{value:.1}"),
        false => whole(value),
    }
}

fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a second node brings, and who is busy then: where the limit is.
fn growth_table(report: &Report) -> String {
    let (Some(one), Some(two)) = (report.target(Kind::Postgres), report.target(Kind::Postgres2)) else {
        return String::new();
    };
    let columns = [
        "workload",
        "flows/s, one node",
        "two nodes",
        "growth",
        "cores in use, one node",
        "two nodes",
    ];
    let mut text = format!("\n### From one node to two\n\n{}", head(&columns));
    for (workload, before) in &one.figures {
        let Some(after) = two.figures.get(workload) else { continue };
        text += &row(&[
            workload.title().to_owned(),
            whole(before.per_s),
            whole(after.per_s),
            format!("{:.2}", after.per_s / before.per_s),
            cores(before),
            cores(after),
        ]);
    }
    text
}

fn cores(figures: &Figures) -> String {
    let mut parts: Vec<_> = figures.cores.iter().map(|(name, used)| format!("{name} {used:.2}")).collect();
    parts.push(format!("load {:.2}", figures.generator_cores));
    parts.push(format!("others {:.2}", figures.others_cores));
    parts.join(", ")
}

fn memory_table(report: &Report) -> String {
    let columns = [
        "",
        "cold start to the first answer, ms",
        "idle, MiB",
        "most under the whole load, MiB",
    ];
    let mut text = format!("\n### Start and memory (first node)\n\n{}", head(&columns));
    for target in &report.targets {
        text += &row(&[
            target.kind.title().to_owned(),
            whole(target.cold_ms),
            whole(target.idle_mib),
            whole(target.peak_mib),
        ]);
    }
    text + &row(&["Gait's goal", "≤ 60", "≤ 30", "≤ 100"].map(str::to_owned))
}

fn notes(report: &Report) -> String {
    let argon2_us = whole(report.argon2_us);
    let mut text = format!("\nargon2id alone, in the same run: {argon2_us} µs of CPU time.\n");
    for target in &report.targets {
        if let Some(sign_in) = target.figures.get(&Workload::SignIn) {
            let besides = sign_in.cpu_us - report.argon2_us;
            let _written = writeln!(text, "Password sign-in, {}: argon2id {besides:+.0} µs.", target.kind.title());
        }
    }
    let all = report.targets.iter().flat_map(|target| target.figures.values());
    let others = all.map(|figures| figures.others_cores).fold(0.0, f64::max);
    let cores = report.cores;
    let _written = writeln!(text, "{cores} cores; others used up to {others:.2} of them at the same time.");
    if others > CROWDED {
        text += "That is too much to trust latencies and flows/s; CPU time per flow suffers less.\n";
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn figures(cpu_us: f64, per_s: f64) -> Figures {
        Figures {
            cpu_us,
            per_s,
            p50_ms: 0.5,
            p99_ms: 4.0,
            cores: [("gait 1".to_owned(), 0.98)].into(),
            generator_cores: 0.3,
            others_cores: 0.04,
            flows: 1000,
        }
    }

    fn report(kinds: &[(Kind, f64)]) -> Report {
        let target = |&(kind, scale): &(Kind, f64)| TargetReport {
            kind,
            cold_ms: 41.4,
            idle_mib: 17.6,
            peak_mib: 1060.0,
            figures: [
                (Workload::Jwks, figures(10.0 * scale, 60_000.0 / scale)),
                (Workload::SignIn, figures(17_000.0 + 600.0 * scale, 50.0)),
                (Workload::Revoke, figures(400.0 * scale, 2000.0)),
            ]
            .into(),
        };
        Report {
            cores: 4,
            argon2_us: 17_000.0,
            targets: kinds.iter().map(target).collect(),
        }
    }

    fn line<'a>(text: &'a str, begin: &str) -> &'a str {
        text.lines().find(|line| line.starts_with(begin)).unwrap()
    }

    #[test]
    fn goals_and_ratios_stand_beside_what_was_measured() {
        let text = render(&report(&[(Kind::Peer, 7.0), (Kind::Sqlite, 1.0)]));
        let ours = &text[text.find("### Gait on SQLite").unwrap()..];
        assert_eq!(
            line(ours, "| jwks"),
            "| jwks | 10.0 | 60,000 | 0.50 | 4.00 | 7.0 | ≤ 15 µs | yes |"
        );
        assert!(
            line(ours, "| password").ends_with("| 1.2 | ≤ argon2id + 700 µs | yes |"),
            "{ours}"
        );
        assert!(line(ours, "| revoke").ends_with("| ≤ 1 / 5 ms | yes |"), "{ours}");
        assert!(text.contains("argon2id +600 µs."), "{text}");
        assert!(!text.contains("too much to trust"), "{text}");
    }

    #[test]
    fn a_goal_that_is_missed_says_by_how_much() {
        let text = render(&report(&[(Kind::Sqlite, 3.0)]));
        assert_eq!(
            line(&text, "| jwks"),
            "| jwks | 30.0 | 20,000 | 0.50 | 4.00 | – | ≤ 15 µs | no, 2.00 × the goal |"
        );
        assert!(line(&text, "| password").ends_with("no, 1.06 × the goal |"), "{text}");
    }

    #[test]
    fn the_peer_has_no_goals() {
        let text = render(&report(&[(Kind::Peer, 1.0)]));
        assert_eq!(line(&text, "| jwks"), "| jwks | 10.0 | 60,000 | 0.50 | 4.00 |");
        assert_eq!(
            line(&text, "| oidc-provider"),
            "| oidc-provider (Node, in memory) | 41 | 18 | 1,060 |"
        );
    }

    #[test]
    fn what_a_second_node_brings_is_shown_where_both_were_measured() {
        let text = render(&report(&[(Kind::Postgres, 2.0), (Kind::Postgres2, 1.0)]));
        let growth = &text[text.find("### From one node to two").unwrap()..];
        let cores = "gait 1 0.98, load 0.30, others 0.04";
        assert_eq!(
            line(growth, "| jwks"),
            format!("| jwks | 30,000 | 60,000 | 2.00 | {cores} | {cores} |")
        );
        assert!(!render(&report(&[(Kind::Postgres, 2.0)])).contains("two nodes |"));
    }

    #[test]
    fn a_crowded_machine_is_told_of() {
        let mut crowded = report(&[(Kind::Sqlite, 1.0)]);
        crowded.targets[0].figures.get_mut(&Workload::Jwks).unwrap().others_cores = 1.2;
        assert!(render(&crowded).contains("others used up to 1.20"));
        assert!(render(&crowded).contains("too much to trust"));
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0.4, 999.0, 1000.0, 1_234_567.0].map(whole),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
