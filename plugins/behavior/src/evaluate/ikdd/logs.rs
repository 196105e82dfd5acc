//! Reading the data set.

use super::{ENROL, SEED};
use crate::evaluate::{EvaluateError, Options, table};
use crate::free::{Kind, Timing};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A row of the data set. `k1` and `k2` are key codes; `k2` 0 is a hold of `k1`.
#[derive(Deserialize)]
struct Row {
    user: String,
    log: u32,
    k1: u8,
    k2: u8,
    ms: f64,
}

/// One account's logs, oldest first.
pub(super) struct Volunteer {
    pub name: String,
    /// A number that no other account has.
    pub tag: u64,
    pub logs: Vec<Vec<Timing>>,
}

impl Volunteer {
    /// What the account is enrolled on.
    pub fn enrolment(&self) -> &[Vec<Timing>] {
        &self.logs[..self.logs.len().min(ENROL)]
    }

    /// What it is judged on.
    pub fn later(&self) -> &[Vec<Timing>] {
        self.logs.get(ENROL..).unwrap_or_default()
    }

    /// What an impostor types in another's session.
    pub fn last(&self) -> &[Timing] {
        self.logs.last().map_or(&[], Vec::as_slice)
    }
}

/// Accounts that are judged, and those that are the background.
pub(super) struct Logs {
    pub judged: Vec<Volunteer>,
    pub background: Vec<Volunteer>,
}

impl Logs {
    /// Reads both; without a background file, a seeded half of the accounts is the background and the other half is judged.
    pub fn read(options: &Options, identities: bool) -> Result<Self, EvaluateError> {
        let mut judged = volunteers(table::data(options)?, identities, 0);
        let background = match &options.background {
            Some(path) => volunteers(table::read(path)?, identities, judged.len() as u64),
            None => {
                judged.shuffle(&mut StdRng::seed_from_u64(SEED));
                let mut background = judged.split_off(judged.len() / 2);
                background.sort_by_key(|volunteer| volunteer.tag);
                judged.sort_by_key(|volunteer| volunteer.tag);
                background
            }
        };
        let able = judged.iter().filter(|volunteer| !volunteer.later().is_empty()).count();
        if judged.len() < 2 || able == 0 || background.is_empty() {
            return Err(EvaluateError::Data(format!(
                "too few rows: {} accounts to judge, {able} of them with more than {ENROL} logs, and {} in the background",
                judged.len(),
                background.len()
            )));
        }
        Ok(Self { judged, background })
    }
}

fn volunteers(rows: Vec<Row>, identities: bool, first_tag: u64) -> Vec<Volunteer> {
    let mut users: BTreeMap<String, BTreeMap<u32, Vec<Timing>>> = BTreeMap::new();
    for row in rows {
        // A pause is no timing of the data set's users.
        if !(0.0..crate::free::grid::MAX_MS).contains(&row.ms) {
            continue;
        }
        let timing = timing(&row, identities);
        users.entry(row.user).or_default().entry(row.log).or_default().push(timing);
    }
    let volunteer = |(i, (name, logs)): (usize, (String, BTreeMap<u32, Vec<Timing>>))| {
        let tag = first_tag + i as u64;
        let shuffled = |(log, mut timings): (u32, Vec<Timing>)| {
            timings.shuffle(&mut StdRng::seed_from_u64(SEED ^ (tag << 32 | u64::from(log))));
            timings
        };
        Volunteer {
            name,
            tag,
            logs: logs.into_iter().map(shuffled).collect(),
        }
    };
    users.into_iter().enumerate().map(volunteer).collect()
}

fn timing(row: &Row, identities: bool) -> Timing {
    let timing = Timing {
        kind: if row.k2 == 0 { Kind::Hold } else { Kind::Digraph },
        key: row.k1,
        next: row.k2,
        ms: row.ms,
    };
    if identities { timing } else { timing.anonymous() }
}
