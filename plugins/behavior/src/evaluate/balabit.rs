//! Balabit Mouse Dynamics Challenge.

use super::mouse::{Event, path};
use super::{EvaluateError, Options, Report, Subject, Trial, auc, eer, figures, frr_at_far, table};
use crate::pointer::{self, Account, Background, Features, Model};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A raw row.
#[derive(Deserialize)]
struct Row {
    user: String,
    session: String,
    t_ms: f64,
    button: u8,
    state: u8,
    x: f64,
    y: f64,
    is_illegal: Option<u8>,
    part: String,
}

/// A recorded session.
struct Session {
    events: Vec<Event>,
    test: bool,
    illegal: bool,
}

struct Person { train: Vec<Vec<Features>>, test: Vec<(bool, Vec<Features>)>, hours: f64 }

fn load(options: &Options) -> Result<BTreeMap<String, Person>, EvaluateError> {
    let mut sessions: BTreeMap<(String, String), Session> = BTreeMap::new();
    for row in table::data::<Row>(options)? {
        let session = sessions.entry((row.user, row.session)).or_insert_with(|| Session { events: Vec::new(), test: row.part == "test", illegal: row.is_illegal == Some(1) });
        session.events.push(Event { t_ms: row.t_ms, button: row.button, state: row.state, x: row.x, y: row.y });
    }
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for ((user, _), session) in sessions {
        let person = people.entry(user).or_insert(Person { train: Vec::new(), test: Vec::new(), hours: 0.0 });
        let features = pointer::actions(&path(&session.events)).iter().map(pointer::Action::features).collect();
        if session.test { person.test.push((session.illegal, features)); } else {
            person.hours += (session.events.last().map_or(0.0, |e| e.t_ms) - session.events[0].t_ms) / 3.6e6;
            person.train.push(features); }
    }
    Ok(people)
}

fn models(people: &BTreeMap<String, Person>) -> BTreeMap<String, Model> {
    let accounts: Vec<Account> = people.values().enumerate().map(|(i, person)| {
        let mut account = Account::new(i as u64);
        for session in &person.train { account.learn(session); }
        account
    }).collect();
    let background = Background::of(&accounts.iter().collect::<Vec<_>>());
    let t = std::time::Instant::now();
    let r = people.keys().zip(&accounts).filter_map(|(user, account)| Some((user.clone(), Model::train(account, &background)?))).collect();
    eprintln!("train {:?}", t.elapsed() / accounts.len() as u32);
    r
}

pub(super) fn official(options: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    let people = load(options)?;
    let models = models(&people);
    let mut trials = Vec::new();
    let (mut g, mut i) = (Vec::new(), Vec::new());
    let mut report = Report { protocol: "balabit".to_owned(), model: "default".to_owned(), subjects: people.len(), ..Report::default() };
    eprintln!("actions train {} hours {}", people.values().map(|p| p.train.iter().map(Vec::len).sum::<usize>()).sum::<usize>(), people.values().map(|p| p.hours).sum::<f64>());
    for (user, person) in &people {
        let model = &models[user];
        let (mut gu, mut iu) = (Vec::new(), Vec::new());
        for (n, (illegal, actions)) in person.test.iter().enumerate() {
            let llrs: Vec<f64> = actions.iter().map(|a| model.llr(a)).collect();
            let score = -llrs.iter().sum::<f64>() / (llrs.len() as f64 + pointer::knob("SHRINK", 0.0));
            if *illegal { iu.push(score); } else { gu.push(score); }
            trials.push(Trial { account: user.clone(), trial: n as u64, label: if *illegal { "impostor" } else { "genuine" }, score, decision: "accept", time: actions.len() as f64 });
        }
        report.per_subject.push(Subject { account: user.clone(), eer: Some(eer(&gu, &iu)), auc: Some(auc(&gu, &iu)), ..Subject::default() });
        g.extend(gu); i.extend(iu);
    }
    report.auc = Some(auc(&g, &i)); report.global_eer = Some(eer(&g, &i)); report.frr_at_far_1pct = Some(frr_at_far(&g, &i, 0.01));
    let eers: Vec<f64> = report.per_subject.iter().filter_map(|s| s.eer).collect();
    let (m, s) = figures::moments(&eers); report.mean_eer = Some(m); report.std_eer = Some(s);
    Ok((report, trials))
}

pub(super) fn sequential(options: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    let people = load(options)?;
    let models = models(&people);
    let again = pointer::knob("AGAIN", 0.0) > 0.0;
    for h10 in 1..60 {
        let h = f64::from(h10) * pointer::knob("HSTEP", 0.5);
        let (mut caught, mut attacks, mut alarms, mut genuine, mut when) = (0, 0, 0, 0, Vec::new());
        for (user, person) in &people {
            for (illegal, actions) in &person.test {
                let mut s = 0.0;
                let mut first = None;
                for (n, a) in actions.iter().enumerate() {
                    s = f64::max(0.0, s - models[user].llr(a));
                    if s > h { s = 0.0; if first.is_none() { first = Some(n + 1); } if !illegal && (again || first == Some(n + 1)) { alarms += 1; } }
                }
                if *illegal { attacks += 1; if let Some(n) = first { caught += 1; when.push(n as f64); } } else { genuine += actions.len(); }
            }
        }
        let hours = genuine as f64 / 372.0 / f64::from(alarms);
        when.sort_by(f64::total_cmp);
        println!("h {h:.1} caught {:.3} mean {:.1} median {} hours/FA {hours:.2}", f64::from(caught) / f64::from(attacks), when.iter().sum::<f64>() / when.len() as f64, when[when.len() / 2]);
        if hours > 12.0 { break; }
    }
    Err(EvaluateError::Data("x".to_owned()))
}
