//! What a run found.

use crate::figures::Figures;
use crate::targets::Kind;
use crate::workload::{Goal, Workload};
use serde::Serialize;
use std::collections::BTreeMap;

/// All of it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Processors that could be used.
    pub cores: usize,
    /// CPU time of one argon2id hash with Gait's parameters, in microseconds.
    pub argon2_us: f64,
    /// In the order in which they were measured.
    pub targets: Vec<TargetReport>,
}

/// Of one target.
#[derive(Debug, Serialize)]
pub struct TargetReport {
    /// Which one.
    pub kind: Kind,
    /// Milliseconds from the start to the first answer of discovery.
    pub cold_ms: f64,
    /// Memory of the first node before any load, in MiB.
    pub idle_mib: f64,
    /// The most memory that it had under the whole load.
    pub peak_mib: f64,
    /// Figures of each workload.
    pub figures: BTreeMap<Workload, Figures>,
}

/// How a goal fared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It is reached.
    Met,
    /// It is not: what was measured is so many times what it may be.
    Missed(f64),
}

impl Report {
    /// A target's part, if it was measured.
    pub fn target(&self, kind: Kind) -> Option<&TargetReport> {
        self.targets.iter().find(|target| target.kind == kind)
    }

    /// How a workload's goal fared; `None` if it has none.
    pub fn outcome(&self, target: &TargetReport, workload: Workload, figures: &Figures) -> Option<Outcome> {
        let times = match workload.goal(target.kind)? {
            Goal::Cpu(us) => figures.cpu_us / us,
            Goal::CpuBesidesArgon2(us) => figures.cpu_us / (self.argon2_us + us),
            Goal::Latency(p50, p99) => f64::max(figures.p50_ms / p50, figures.p99_ms / p99),
        };
        Some(match times <= 1.0 {
            true => Outcome::Met,
            false => Outcome::Missed(times),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn outcome(kind: Kind, workload: Workload, cpu_us: f64, p99_ms: f64) -> Option<Outcome> {
        let figures = Figures {
            cpu_us,
            per_s: 1.0,
            p50_ms: 0.9,
            p99_ms,
            cores: BTreeMap::new(),
            generator_cores: 0.0,
            others_cores: 0.0,
            flows: 1,
        };
        let target = TargetReport {
            kind,
            cold_ms: 0.0,
            idle_mib: 0.0,
            peak_mib: 0.0,
            figures: BTreeMap::new(),
        };
        let report = Report {
            cores: 2,
            argon2_us: 17_000.0,
            targets: vec![],
        };
        report.outcome(&target, workload, &figures)
    }

    #[test]
    fn a_goal_is_a_most_and_wider_on_postgres_and_redis() {
        assert_eq!(outcome(Kind::Sqlite, Workload::Cc, 40.0, 9.0), Some(Outcome::Met));
        assert_eq!(outcome(Kind::Sqlite, Workload::Cc, 60.0, 9.0), Some(Outcome::Missed(1.5)));
        assert_eq!(outcome(Kind::Postgres, Workload::Cc, 60.0, 9.0), Some(Outcome::Met));
        assert_eq!(
            outcome(Kind::Postgres2, Workload::Cc, 65.0, 9.0),
            Some(Outcome::Missed(65.0 / 64.0))
        );
        assert_eq!(outcome(Kind::Peer, Workload::Cc, 1.0, 1.0), None);
    }

    #[test]
    fn a_sign_in_may_cost_what_argon2id_does_and_a_little_more() {
        assert_eq!(outcome(Kind::Sqlite, Workload::SignIn, 17_700.0, 90.0), Some(Outcome::Met));
        let missed = outcome(Kind::Sqlite, Workload::SignIn, 17_701.0, 90.0);
        assert!(matches!(missed, Some(Outcome::Missed(times)) if times > 1.0));
    }

    #[test]
    fn of_a_latency_both_ends_must_hold() {
        assert_eq!(outcome(Kind::Sqlite, Workload::Revoke, 0.0, 5.0), Some(Outcome::Met));
        assert_eq!(outcome(Kind::Sqlite, Workload::Revoke, 0.0, 6.0), Some(Outcome::Missed(1.2)));
        assert_eq!(outcome(Kind::Postgres2, Workload::Revoke, 0.0, 15.0), Some(Outcome::Met));
    }
}
