//! What is still missing, and what was reached. Pure: rows, proofs and times in, an answer out.

use crate::policy::{AcrRule, Plan, Row};
use crate::session::Proof;
use gait_sdk::{Amr, PluginId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The plugin id that a behaviour waiver's proof carries: the scorer is no authenticator and stands in no plan.
pub(crate) const BEHAVIOUR: &str = "behavior";

/// Which proofs count for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// The flow's, and the session's that it builds on.
    Any,
    /// The same, but none that is older than this.
    Since(Timestamp),
    /// Only the flow's own, and none that is older than this.
    Here(Timestamp),
}

/// Why a row is demanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The plan of the deployment or the client.
    Plan,
    /// A step-up is pending, or the account page wants a fresh proof.
    StepUp,
    /// This level was asked for.
    Acr(String),
}

/// A row that must be satisfied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    /// The row.
    pub row: Row,
    /// Signals whose waiver counts for it; empty where a factor is wanted.
    pub waivers: BTreeSet<PluginId>,
    /// Which proofs count.
    pub fresh: Fresh,
    /// Why.
    pub cause: Cause,
}

/// What was proven.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    /// In the session that the flow builds on.
    pub session: &'a [Proof],
    /// In the flow.
    pub here: &'a [Proof],
}

impl<'a> Evidence<'a> {
    /// The proofs that count under `fresh`.
    pub fn counting(self, fresh: Fresh) -> impl Iterator<Item = &'a Proof> {
        let (session, since) = match fresh {
            Fresh::Any => (self.session, None),
            Fresh::Since(since) => (self.session, Some(since)),
            Fresh::Here(since) => (&[][..], Some(since)),
        };
        let proofs = session.iter().chain(self.here);
        proofs.filter(move |proof| since.is_none_or(|since| proof.at >= since))
    }

    /// True if a factor, not only a signal, is among the proofs that count.
    pub fn holds_factor(self, fresh: Fresh) -> bool {
        self.counting(fresh).any(|proof| !proof.waiver)
    }
}

impl Demand {
    /// True if a proof that counts satisfies the row. A waiver counts only beside a factor: signals alone sign nobody in.
    pub fn is_met(&self, evidence: Evidence<'_>) -> bool {
        let waived = || evidence.holds_factor(self.fresh);
        evidence.counting(self.fresh).any(|proof| match proof.waiver {
            false => self.row.0.contains(&proof.plugin),
            true => self.waivers.contains(&proof.plugin) && waived(),
        })
    }
}

/// The first row that is still missing.
pub(crate) fn missing<'a>(demands: &'a [Demand], evidence: Evidence<'_>) -> Option<&'a Demand> {
    demands.iter().find(|demand| !demand.is_met(evidence))
}

/// The rows of a plan as demands.
pub(crate) fn demands(plan: &Plan, waivers: &BTreeSet<PluginId>, fresh: Fresh, cause: &Cause) -> Vec<Demand> {
    let rows = plan.0.iter();
    rows.map(|row| Demand {
        waivers: waivers_of(row, waivers),
        row: row.clone(),
        fresh,
        cause: cause.clone(),
    })
    .collect()
}

/// The waivers of a row; behaviour stands in for any of them.
fn waivers_of(row: &Row, waivers: &BTreeSet<PluginId>) -> BTreeSet<PluginId> {
    let mut own: BTreeSet<_> = row.0.iter().filter(|id| waivers.contains(id)).cloned().collect();
    if !own.is_empty() {
        own.insert(PluginId::from(BEHAVIOUR));
    }
    own
}

/// `old` with `new` on top: the latest proof of each plugin.
pub(crate) fn merged<'a>(proofs: impl IntoIterator<Item = &'a Proof>) -> Vec<Proof> {
    let mut latest: BTreeMap<&PluginId, &Proof> = BTreeMap::new();
    for proof in proofs {
        let kept = latest.entry(&proof.plugin).or_insert(proof);
        if proof.at >= kept.at {
            *kept = proof;
        }
    }
    latest.into_values().cloned().collect()
}

/// True if every row of the level's plan is satisfied by a factor.
pub(crate) fn acr_met(rule: &AcrRule, proofs: &[Proof]) -> bool {
    met_by_factors(&rule.plan, proofs)
}

/// True if there is a row, and every row is satisfied by a factor, none by a waiver.
pub(crate) fn met_by_factors(plan: &Plan, proofs: &[Proof]) -> bool {
    let factor = |row: &Row| proofs.iter().any(|proof| !proof.waiver && row.0.contains(&proof.plugin));
    !plan.0.is_empty() && plan.0.iter().all(factor)
}

/// The level that was reached: the first requested one that is met, else the strongest that is (`acrs` stand weakest first).
pub(crate) fn acr_for(requested: &[String], acrs: &[AcrRule], proofs: &[Proof]) -> Option<String> {
    let met = |rule: &&AcrRule| acr_met(rule, proofs);
    let asked = requested.iter().filter_map(|acr| acrs.iter().find(|rule| rule.acr == *acr));
    let mut found = asked.chain(acrs.iter().rev());
    found.find(met).map(|rule| rule.acr.clone())
}

/// What was really done (RFC 8176): every method, `rba` if a signal let a row go, `mfa` if two factors that share no method were
/// proven.
pub(crate) fn amr_of(proofs: &[Proof]) -> Vec<Amr> {
    let mut methods: BTreeSet<Amr> = BTreeSet::new();
    for proof in proofs {
        match proof.waiver {
            true => methods.extend([Amr::from("rba")]),
            false => methods.extend(proof.amr.iter().cloned()),
        }
    }
    if two_factors(proofs) {
        methods.insert(Amr::from("mfa"));
    }
    methods.into_iter().collect()
}

/// Two codes sent to one mailbox are one factor used twice; a password and a code are two.
fn two_factors(proofs: &[Proof]) -> bool {
    let factors: Vec<_> = proofs.iter().filter(|proof| !proof.waiver).collect();
    let apart = |one: &Proof, other: &Proof| {
        let shares = one.amr.iter().any(|method| other.amr.contains(method));
        one.plugin != other.plugin && !one.amr.is_empty() && !other.amr.is_empty() && !shares
    };
    factors.iter().any(|one| factors.iter().any(|other| apart(one, other)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn plugin(index: usize) -> PluginId {
        PluginId::from(["password", "email-otp", "passkey", "ip-trust"][index])
    }

    fn proof(index: usize, age: i64) -> Proof {
        let waiver = index == 3;
        Proof {
            plugin: plugin(index),
            amr: if waiver {
                vec![]
            } else {
                vec![Amr::from(["pwd", "otp", "swk"][index])]
            },
            at: NOW.plus(-age),
            waiver,
        }
    }

    fn of<'a>(session: &'a [Proof], here: &'a [Proof]) -> Evidence<'a> {
        Evidence { session, here }
    }

    fn proofs() -> impl Strategy<Value = Vec<Proof>> {
        proptest::collection::vec((0usize..4, 0i64..1000).prop_map(|(index, age)| proof(index, age)), 0..6)
    }

    fn plan() -> impl Strategy<Value = Plan> {
        let row = proptest::collection::btree_set(0usize..4, 0..3).prop_map(|others| {
            let mut ids: Vec<_> = others.into_iter().map(plugin).collect();
            ids.push(plugin(0)); // a row always holds a factor
            Row(ids)
        });
        proptest::collection::vec(row, 1..4).prop_map(Plan)
    }

    fn signals() -> BTreeSet<PluginId> {
        [plugin(3)].into()
    }

    fn fresh() -> impl Strategy<Value = Fresh> {
        prop_oneof![
            Just(Fresh::Any),
            (0i64..1000).prop_map(|age| Fresh::Since(NOW.plus(-age))),
            (0i64..1000).prop_map(|age| Fresh::Here(NOW.plus(-age))),
        ]
    }

    fn acrs() -> Vec<AcrRule> {
        let rule = |acr: &str, rows: &[&[usize]]| AcrRule {
            acr: acr.to_owned(),
            plan: Plan(
                rows.iter()
                    .map(|row| Row(row.iter().map(|&index| plugin(index)).collect()))
                    .collect(),
            ),
        };
        vec![
            rule("1fa", &[&[0, 1, 2]]),
            rule("2fa", &[&[0, 2], &[1, 2]]),
            rule("phr", &[&[2]]),
        ]
    }

    proptest! {
        #[test]
        fn a_further_proof_never_makes_a_row_missing(plan in plan(), mut session in proofs(), here in proofs(), more in 0usize..4, fresh in fresh()) {
            let demands = demands(&plan, &signals(), fresh, &Cause::Plan);
            let before = missing(&demands, of(&session, &here)).is_none();
            session.push(proof(more, 0));
            prop_assert!(!before || missing(&demands, of(&session, &here)).is_none());
        }

        #[test]
        fn without_a_factor_nothing_is_satisfied(plan in plan(), ages in proptest::collection::vec(0i64..1000, 0..4), fresh in fresh()) {
            let here: Vec<_> = ages.into_iter().map(|age| proof(3, age)).collect();
            let demands = demands(&plan, &signals(), fresh, &Cause::Plan);
            prop_assert!(missing(&demands, of(&[], &here)).is_some());
        }

        #[test]
        fn a_stale_proof_never_counts(plan in plan(), session in proofs(), age in 0i64..1000) {
            let since = NOW.plus(-age);
            let demands = demands(&plan, &signals(), Fresh::Since(since), &Cause::Plan);
            let kept: Vec<_> = session.iter().filter(|proof| proof.at >= since).cloned().collect();
            let all = missing(&demands, of(&session, &[])).is_none();
            prop_assert_eq!(all, missing(&demands, of(&kept, &[])).is_none());
        }

        #[test]
        fn what_must_be_proven_here_is_not_proven_by_the_session(plan in plan(), session in proofs()) {
            let demands = demands(&plan, &signals(), Fresh::Here(Timestamp(0)), &Cause::StepUp);
            prop_assert!(missing(&demands, of(&session, &[])).is_some());
        }

        #[test]
        fn barred_waivers_never_count(plan in plan(), here in proofs()) {
            let demands = demands(&plan, &BTreeSet::new(), Fresh::Any, &Cause::Plan);
            let factors: Vec<_> = here.iter().filter(|proof| !proof.waiver).cloned().collect();
            let all = missing(&demands, of(&[], &here)).is_none();
            prop_assert_eq!(all, missing(&demands, of(&[], &factors)).is_none());
        }

        #[test]
        fn a_waiver_changes_no_level(here in proofs()) {
            let factors: Vec<_> = here.iter().filter(|proof| !proof.waiver).cloned().collect();
            prop_assert_eq!(acr_for(&[], &acrs(), &here), acr_for(&[], &acrs(), &factors));
        }

        #[test]
        fn the_level_that_is_told_was_reached(here in proofs(), asked in proptest::collection::vec(prop_oneof!["1fa", "2fa", "phr", "gold"], 0..3)) {
            if let Some(acr) = acr_for(&asked, &acrs(), &here) {
                prop_assert!(acr_met(acrs().iter().find(|rule| rule.acr == acr).unwrap(), &here));
            }
        }

        #[test]
        fn merging_keeps_one_latest_proof_of_each_plugin(all in proofs()) {
            let kept = merged(&all);
            for proof in &all {
                let same: Vec<_> = kept.iter().filter(|other| other.plugin == proof.plugin).collect();
                prop_assert!(same.len() == 1 && same[0].at >= proof.at);
            }
        }
    }

    #[test]
    fn the_first_requested_level_that_is_met_is_told() {
        let both = [proof(0, 0), proof(1, 0)];
        let asked = ["phr", "1fa", "2fa"].map(str::to_owned);
        assert_eq!(acr_for(&asked, &acrs(), &both).as_deref(), Some("1fa"));
        assert_eq!(acr_for(&[], &acrs(), &both).as_deref(), Some("2fa"));
        assert_eq!(acr_for(&["phr".to_owned()], &acrs(), &both).as_deref(), Some("2fa"));
        assert_eq!(acr_for(&asked, &acrs(), &[proof(3, 0)]), None);
    }

    #[test]
    fn methods_are_told_as_they_were() {
        let told = |proofs: &[Proof]| amr_of(proofs).into_iter().map(|amr| amr.0).collect::<Vec<_>>();
        assert_eq!(told(&[proof(0, 0)]), ["pwd"]);
        assert_eq!(told(&[proof(0, 0), proof(1, 0)]), ["mfa", "otp", "pwd"]);
        assert_eq!(told(&[proof(0, 0), proof(3, 0)]), ["pwd", "rba"]);
        let other_otp = Proof {
            plugin: PluginId::from("totp"),
            ..proof(1, 0)
        };
        assert_eq!(
            told(&[proof(1, 0), other_otp]),
            ["otp"],
            "the same method twice is no second factor"
        );
    }

    #[test]
    fn behaviour_stands_in_where_a_waiver_stands_and_nowhere_else() {
        let behaviour = Proof {
            plugin: PluginId::from(BEHAVIOUR),
            ..proof(3, 0)
        };
        let here = [proof(0, 0), behaviour];
        let evidence = Evidence {
            session: &[],
            here: &here,
        };
        let row = |ids: &[usize]| Plan(vec![Row(ids.iter().map(|&index| plugin(index)).collect())]);
        let met = |plan: &Plan| missing(&demands(plan, &signals(), Fresh::Any, &Cause::Plan), evidence).is_none();
        assert!(met(&row(&[3, 1])));
        assert!(!met(&row(&[1])));
    }
}
