//! Balabit Mouse Dynamics Challenge: the labelled test sessions, at once and action by action. The background of an account is
//! the others' training sessions.

use super::mouse::{self, Event, Judge, Person, Recorded};
use super::report::Shipped;
use super::{EvaluateError, Options, Report, Subject, Trial, figures, table};
use crate::pointer::threshold;
use crate::sequential::Cusum;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Actions of one vector of the classic model.
const WINDOW: usize = 30;

/// Hours per false alarm that the sequential protocol's threshold aims at, with a margin over 1.3.
const HOURS: f64 = 1.5;

/// Those that the product ships with.
const SHIPPED_HOURS: f64 = 8.0;

/// A row of the data; columns that no protocol reads are left out.
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

/// A raw session.
struct Raw {
    events: Vec<Event>,
    test: bool,
    illegal: Option<u8>,
}

/// A labelled session.
struct Test {
    account: String,
    number: usize,
    genuine: bool,
    actions: Vec<Recorded>,
}

/// What the protocols run on.
struct Data {
    people: Vec<Person>,
    tests: Vec<Test>,
    /// Actions in an hour of training sessions.
    pace: f64,
}

/// The mean evidence of each session.
pub(super) fn official(options: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    let data = load(options)?;
    let judges = Judge::all(options.model, &data.people, &[], WINDOW)?;
    let judged = data.tests.iter().filter(|test| !test.actions.is_empty());
    let trial = |test: &Test| {
        Some(
            judges
                .get(&test.account)?
                .trial(&test.account, test.number, test.genuine, &test.actions),
        )
    };
    let trials: Vec<Trial> = judged.filter_map(trial).collect();
    Ok((mouse::report("balabit", options, &trials), trials))
}

/// When each session raises an alarm. An hour is what an hour of the training sessions has in actions: pauses count. After a
/// false alarm the step-up is passed and the session proven, so it can raise no other.
pub(super) fn sequential(options: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    let data = load(options)?;
    let judges = Judge::all(options.model, &data.people, &[], WINDOW)?;
    let judged = data.tests.iter().filter_map(|test| Some((test, judges.get(&test.account)?)));
    let streams: Vec<Stream<'_>> = judged
        .map(|(test, judge)| Stream {
            test,
            evidence: judge.evidence(&test.actions),
        })
        .collect();
    let (fixed, shipped) = (watch(&streams, threshold(HOURS)), watch(&streams, threshold(SHIPPED_HOURS)));
    let trials = streams.iter().flat_map(|stream| stream.trials(threshold(HOURS))).collect();
    let report = Report {
        protocol: "balabit-sequential".to_owned(),
        model: mouse::name(options.model).to_owned(),
        subjects: judges.len(),
        caught: Some(fixed.caught()),
        mean_events: Some(figures::moments(&fixed.delays).0),
        median_events: Some(figures::median(&fixed.delays)),
        events_per_false_alarm: fixed.events_per_alarm(),
        hours_per_false_alarm: fixed.events_per_alarm().map(|events| events / data.pace),
        shipped: Some(Shipped {
            caught: shipped.caught(),
            mean_events: figures::moments(&shipped.waits).0,
            median_events: figures::median(&shipped.waits),
            events_per_false_alarm: shipped.events_per_alarm(),
            hours_per_false_alarm: shipped.events_per_alarm().map(|events| events / data.pace),
        }),
        per_subject: fixed.subjects(),
        ..Report::default()
    };
    Ok((report, trials))
}

/// A session, and the evidence in it.
struct Stream<'a> {
    test: &'a Test,
    evidence: Vec<(usize, f64)>,
}

impl Stream<'_> {
    /// Actions until the first alarm.
    fn alarm(&self, threshold: f64) -> Option<usize> {
        let (mut cusum, mut actions) = (Cusum::default(), 0);
        self.evidence.iter().find_map(|(count, llr)| {
            actions += count;
            cusum.step(*llr, threshold);
            cusum.is_due().then_some(actions)
        })
    }

    fn trials(&self, threshold: f64) -> impl Iterator<Item = Trial> {
        let (alarm, mut actions) = (self.alarm(threshold), 0);
        self.evidence.iter().map(move |(count, llr)| {
            actions += count;
            Trial {
                account: self.test.account.clone(),
                trial: self.test.number as u64,
                label: if self.test.genuine { "genuine" } else { "impostor" },
                score: -llr,
                decision: if alarm == Some(actions) { "step_up" } else { "accept" },
                time: actions as f64,
            }
        })
    }
}

/// What a threshold does.
#[derive(Default)]
struct Watch {
    /// Actions until the alarm, of the impostors who were caught.
    delays: Vec<f64>,
    /// The same of all impostors; one who is not caught counts with all actions.
    waits: Vec<f64>,
    genuine_actions: usize,
    /// Caught impostors, impostors and false alarms of each account.
    accounts: BTreeMap<String, (u64, u64, u64)>,
}

fn watch(streams: &[Stream<'_>], threshold: f64) -> Watch {
    let mut watch = Watch::default();
    for stream in streams {
        let (caught, impostors, alarms) = watch.accounts.entry(stream.test.account.clone()).or_default();
        let (alarm, actions) = (stream.alarm(threshold), stream.test.actions.len());
        if stream.test.genuine {
            *alarms += u64::from(alarm.is_some());
            watch.genuine_actions += actions;
        } else {
            *impostors += 1;
            *caught += u64::from(alarm.is_some());
            watch.delays.extend(alarm.map(|after| after as f64));
            watch.waits.push(alarm.unwrap_or(actions) as f64);
        }
    }
    watch
}

impl Watch {
    fn caught(&self) -> f64 {
        self.delays.len() as f64 / self.waits.len() as f64
    }

    fn events_per_alarm(&self) -> Option<f64> {
        let alarms: u64 = self.accounts.values().map(|(_, _, alarms)| alarms).sum();
        (alarms > 0).then(|| self.genuine_actions as f64 / alarms as f64)
    }

    fn subjects(&self) -> Vec<Subject> {
        let subjects = self.accounts.iter().map(|(account, (caught, impostors, alarms))| Subject {
            account: account.clone(),
            caught: (*impostors > 0).then(|| *caught as f64 / *impostors as f64),
            false_alarms: Some(*alarms),
            ..Subject::default()
        });
        subjects.collect()
    }
}

fn load(options: &Options) -> Result<Data, EvaluateError> {
    let mut people: BTreeMap<String, Vec<Vec<Recorded>>> = BTreeMap::new();
    let (mut tests, mut hours): (Vec<Test>, f64) = (Vec::new(), 0.0);
    for ((account, _), raw) in sessions(options)? {
        let actions = mouse::record(&raw.events);
        if !raw.test {
            let span = raw.events.last().map_or(0.0, |last| last.t_ms) - raw.events.first().map_or(0.0, |first| first.t_ms);
            hours += span / 3.6e6;
            people.entry(account).or_default().push(actions);
        } else if let Some(illegal) = raw.illegal {
            let number = tests.iter().filter(|test| test.account == account).count();
            tests.push(Test {
                account,
                number,
                genuine: illegal == 0,
                actions,
            });
        }
    }
    let sides = |genuine: bool| tests.iter().any(|test| test.genuine == genuine);
    if people.len() < 2 || !sides(true) || !sides(false) || hours <= 0.0 {
        let why = "there must be training sessions of two accounts, and test sessions of an owner and of an impostor";
        return Err(EvaluateError::Data(why.to_owned()));
    }
    let trained: usize = people.values().flatten().map(Vec::len).sum();
    let people = people.into_iter().map(|(name, enrolled)| Person { name, enrolled }).collect();
    Ok(Data {
        people,
        tests,
        pace: trained as f64 / hours,
    })
}

/// The raw sessions by account and name.
fn sessions(options: &Options) -> Result<BTreeMap<(String, String), Raw>, EvaluateError> {
    let mut sessions: BTreeMap<(String, String), Raw> = BTreeMap::new();
    for row in table::data::<Row>(options)? {
        let test = match row.part.as_str() {
            "train" => false,
            "test" => true,
            other => return Err(EvaluateError::Data(format!("a part is train or test, not {other}"))),
        };
        let session = sessions.entry((row.user, row.session)).or_insert_with(|| Raw {
            events: Vec::new(),
            test,
            illegal: row.is_illegal,
        });
        session.events.push(Event {
            t_ms: row.t_ms,
            button: row.button,
            state: row.state,
            x: row.x,
            y: row.y,
        });
    }
    Ok(sessions)
}
