//! SapiMouse: enrol on three minutes, judge another minute.

use super::mouse::{Event, path};
use super::{EvaluateError, Options, Report, Subject, Trial, auc, eer, figures, frr_at_far, table};
use crate::pointer::{self, Account, Background, Features, Model};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Row { user: String, session: String, t_ms: f64, button: u8, state: u8, x: f64, y: f64 }

#[derive(Default)]
struct Person { enrol: Vec<Event>, judge: Vec<Event> }

fn load(rows: Vec<Row>) -> BTreeMap<String, Person> {
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for row in rows {
        let person = people.entry(row.user).or_default();
        let events = if row.session == "3min" { &mut person.enrol } else { &mut person.judge };
        events.push(Event { t_ms: row.t_ms, button: row.button, state: row.state, x: row.x, y: row.y });
    }
    people
}

fn features(events: &[Event]) -> Vec<Features> {
    pointer::actions(&path(events)).iter().map(pointer::Action::features).collect()
}

fn account(tag: usize, person: &Person) -> Account {
    let mut account = Account::new(tag as u64);
    account.learn(&features(&person.enrol));
    account
}

pub(super) fn run(options: &Options, actions: Option<usize>) -> Result<(Report, Vec<Trial>), EvaluateError> {
    let mut people = load(table::data(options)?);
    let others = match &options.background {
        Some(path) => load(table::read(path)?),
        None => {
            let mut users: Vec<String> = people.keys().cloned().collect();
            users.shuffle(&mut StdRng::seed_from_u64(20_261_122));
            users.truncate(users.len() / 2);
            if pointer::knob("SWAP", 0.0) > 0.0 { users = people.keys().filter(|k| !users.contains(k)).cloned().collect(); }
            users.into_iter().filter_map(|user| people.remove_entry(&user)).collect()
        }
    };
    let accounts: Vec<Account> = others.values().enumerate().map(|(i, p)| account(1000 + i, p)).collect();
    let background = Background::of(&accounts.iter().collect::<Vec<_>>());
    let tests: BTreeMap<&String, Vec<Features>> = people.iter().map(|(user, person)| (user, features(&person.judge))).collect();
    let (mut g, mut i, mut trials) = (Vec::new(), Vec::new(), Vec::new());
    let mut report = Report { protocol: "sapimouse".to_owned(), model: "default".to_owned(), subjects: people.len(), ..Report::default() };
    for (n, (user, person)) in people.iter().enumerate() {
        let Some(model) = Model::train(&account(n, person), &background) else { eprintln!("no model {user}"); continue };
        let (mut gu, mut iu) = (Vec::new(), Vec::new());
        for (other, test) in &tests {
            let llrs: Vec<f64> = test.iter().map(|a| model.llr(a)).collect();
            let length = actions.unwrap_or(llrs.len().max(1));
            for part in llrs.chunks_exact(length) {
                let score = -part.iter().sum::<f64>() / part.len() as f64;
                let genuine = *other == user;
                if genuine { gu.push(score) } else { iu.push(score) }
                trials.push(Trial { account: user.clone(), trial: (gu.len() + iu.len()) as u64 - 1, label: if genuine { "genuine" } else { "impostor" }, score, decision: "accept", time: part.len() as f64 });
            }
        }
        if !gu.is_empty() { report.per_subject.push(Subject { account: user.clone(), eer: Some(eer(&gu, &iu)), auc: Some(auc(&gu, &iu)), ..Subject::default() }); }
        g.extend(gu); i.extend(iu);
    }
    report.auc = Some(auc(&g, &i)); report.global_eer = Some(eer(&g, &i)); report.frr_at_far_1pct = Some(frr_at_far(&g, &i, 0.01));
    let eers: Vec<f64> = report.per_subject.iter().filter_map(|s| s.eer).collect();
    let (m, s) = figures::moments(&eers); report.mean_eer = Some(m); report.std_eer = Some(s);
    Ok((report, trials))
}
