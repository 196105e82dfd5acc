//! SapiMouse: enrol on three minutes, judge another minute. Strict: an impostor is in no background.

use super::mouse::{self, Event, Judge, Person, Recorded};
use super::{EvaluateError, Options, Report, Trial, table};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Halves the accounts where no background is given.
const SEED: u64 = 20_261_122;

/// Actions of one vector of the classic model where the whole minute is judged.
const WINDOW: usize = 30;

/// A row of the data.
#[derive(Deserialize)]
struct Row {
    user: String,
    session: String,
    t_ms: f64,
    button: u8,
    state: u8,
    x: f64,
    y: f64,
}

/// The raw sessions of an account: three minutes and one.
#[derive(Default)]
struct Raw {
    enrol: Vec<Event>,
    judge: Vec<Event>,
}

/// Judges parts of so many actions, or the whole minute.
pub(super) fn run(options: &Options, actions: Option<usize>) -> Result<(Report, Vec<Trial>), EvaluateError> {
    if actions == Some(0) {
        return Err(EvaluateError::Data("a part has at least one action".to_owned()));
    }
    let mut judged = load(table::data(options)?)?;
    let background = match &options.background {
        Some(path) => load(table::read(path)?)?,
        None => half(&mut judged),
    };
    if judged.len() < 2 || background.is_empty() {
        return Err(EvaluateError::Data(
            "there must be two accounts to judge, and one in the background".to_owned(),
        ));
    }
    let (people, others) = (people(&judged), people(&background));
    let judges = Judge::all(options.model, &people, &others, actions.unwrap_or(WINDOW))?;
    let minutes: BTreeMap<&String, Vec<Recorded>> = judged.iter().map(|(name, raw)| (name, mouse::record(&raw.judge))).collect();
    let mut trials = Vec::new();
    for (name, judge) in &judges {
        let mut number = 0;
        for (other, minute) in &minutes {
            for part in minute.chunks_exact(actions.unwrap_or(minute.len()).max(1)) {
                trials.push(judge.trial(name, number, *other == name, part));
                number += 1;
            }
        }
    }
    Ok((mouse::report("sapimouse", options, &trials), trials))
}

fn load(rows: Vec<Row>) -> Result<BTreeMap<String, Raw>, EvaluateError> {
    let mut accounts: BTreeMap<String, Raw> = BTreeMap::new();
    for row in rows {
        let raw = accounts.entry(row.user).or_default();
        let events = match row.session.as_str() {
            "3min" => &mut raw.enrol,
            "1min" => &mut raw.judge,
            other => return Err(EvaluateError::Data(format!("a session is 3min or 1min, not {other}"))),
        };
        events.push(Event {
            t_ms: row.t_ms,
            button: row.button,
            state: row.state,
            x: row.x,
            y: row.y,
        });
    }
    Ok(accounts)
}

/// Takes a seeded half of the accounts out.
fn half(accounts: &mut BTreeMap<String, Raw>) -> BTreeMap<String, Raw> {
    let mut names: Vec<String> = accounts.keys().cloned().collect();
    names.shuffle(&mut StdRng::seed_from_u64(SEED));
    names.truncate(names.len() / 2);
    names.iter().filter_map(|name| accounts.remove_entry(name)).collect()
}

fn people(accounts: &BTreeMap<String, Raw>) -> Vec<Person> {
    let people = accounts.iter().map(|(name, raw)| Person {
        name: name.clone(),
        enrolled: vec![mouse::record(&raw.enrol)],
    });
    people.collect()
}
