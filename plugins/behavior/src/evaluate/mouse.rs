//! What the two mouse data sets share: raw events, what the collector would make of them, who judges, and the figures.

use super::{EvaluateError, Options, Report, Subject, Trial, auc, eer, figures, frr_at_far};
use crate::Model;
use crate::classic::{self, features as means, template::Template};
use crate::pointer::{self, Account, Action, Background, Features, LONGEST, Memory, REST_MS};
use gait_sdk::{Batch, Channel, Metrics, Motion, Point, Pointer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Coordinates above are glitches of the recorder.
const GLITCH: f64 = 60_000.0;

/// Shortest time between two points of a movement that the collector keeps, in milliseconds.
const THINNED_MS: f64 = 8.0;

/// The code of the scroll wheel among the buttons.
const WHEEL: u8 = 3;

/// Actions of one vector of the classic model.
const WINDOW: usize = 30;

/// Vectors below which those of the classic model overlap.
const FEW: usize = 150;

/// A raw event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Event {
    /// Milliseconds.
    pub(super) t_ms: f64,
    /// 0 none, 1 left, 2 right, 3 wheel.
    pub(super) button: u8,
    /// 0 move, 1 pressed, 2 released, 3 drag; others are the wheel's.
    pub(super) state: u8,
    /// Pixels from the left.
    pub(super) x: f64,
    /// Pixels from the top.
    pub(super) y: f64,
}

impl Event {
    /// What the pointer did; `None` for the wheel and for glitches.
    fn motion(&self) -> Option<Motion> {
        if self.button == WHEEL || self.x > GLITCH || self.y > GLITCH {
            return None;
        }
        match self.state {
            0 => Some(Motion::Move),
            1 => Some(Motion::Down),
            2 => Some(Motion::Up),
            3 => Some(Motion::Drag),
            _ => None,
        }
    }
}

/// An action, and what the default model keeps of it.
pub(super) struct Recorded {
    action: Action,
    pub(super) features: Features,
}

/// The actions of a session, by way of what the collector sends.
pub(super) fn record(events: &[Event]) -> Vec<Recorded> {
    let actions = pointer::actions(&path(events));
    let recorded = actions.into_iter().map(|action| Recorded {
        features: action.features(),
        action,
    });
    recorded.collect()
}

/// The path of a session as the collector sends it: relative, thinned, in finished strokes.
fn path(events: &[Event]) -> Vec<Point> {
    let mut path = Vec::new();
    let mut last: Option<Event> = None;
    let mut length = 0;
    for event in events {
        let Some(what) = event.motion() else { continue };
        let Some(before) = last.filter(|before| length > 0 && event.t_ms - before.t_ms <= f64::from(REST_MS)) else {
            path.push(point(0.0, 0.0, 0.0, what));
            (last, length) = (Some(*event), usize::from(what != Motion::Up));
            continue;
        };
        let dt = event.t_ms - before.t_ms;
        if matches!(what, Motion::Move | Motion::Drag) && before.state == event.state && dt < THINNED_MS {
            continue;
        }
        // The collector never sends two points of a stroke at the same time.
        path.push(point(dt.max(1.0), event.x - before.x, event.y - before.y, what));
        last = Some(*event);
        length = if what == Motion::Up || length + 1 >= LONGEST {
            0
        } else {
            length + 1
        };
    }
    path
}

fn point(dt: f64, dx: f64, dy: f64, what: Motion) -> Point {
    Point {
        dt_ms: dt as f32,
        dx: dx as f32,
        dy: dy as f32,
        what,
    }
}

/// An account with what it enrolled on: sessions, each a list of actions.
pub(super) struct Person {
    /// Its name in the data.
    pub(super) name: String,
    /// What it enrolled on.
    pub(super) enrolled: Vec<Vec<Recorded>>,
}

impl Person {
    fn account(&self, tag: usize) -> Account {
        let mut account = Account::new(tag as u64);
        for session in &self.enrolled {
            let features: Vec<Features> = session.iter().map(|recorded| recorded.features).collect();
            account.learn(&features);
        }
        account
    }
}

/// Who judges the actions of one account.
pub(super) enum Judge {
    /// The default model, and whom it compares with.
    Default(Box<pointer::Model>, Arc<Background>),
    /// The classic one.
    Classic(Box<Template>),
}

impl Judge {
    /// The judge of each person, by name; a person with too little to enrol on has none. `others` are in the background; so are
    /// the persons themselves if there are no others, each without its own share.
    pub(super) fn all(
        model: Model,
        people: &[Person],
        others: &[Person],
        window: usize,
    ) -> Result<BTreeMap<String, Self>, EvaluateError> {
        let accounts: Vec<Account> = people.iter().enumerate().map(|(tag, person)| person.account(tag)).collect();
        let behind = others.iter().enumerate();
        let behind: Vec<Account> = behind.map(|(tag, person)| person.account(people.len() + tag)).collect();
        let crowd = if others.is_empty() { &accounts } else { &behind };
        let background = Arc::new(Background::of(&crowd.iter().collect::<Vec<_>>()));
        let judge = |(person, account): (&Person, &Account)| {
            let judge = match model {
                Model::Default => Self::Default(Box::new(pointer::Model::train(account, &background)?), background.clone()),
                Model::Classic => Self::Classic(Box::new(classic_template(person, window)?)),
            };
            Some((person.name.clone(), judge))
        };
        let judges: BTreeMap<String, Self> = people.iter().zip(&accounts).filter_map(judge).collect();
        if judges.is_empty() {
            return Err(EvaluateError::Data("no account has enough actions to enrol on".to_owned()));
        }
        Ok(judges)
    }

    /// The evidence of each action, or of each window of the classic model: how many actions, and nats.
    pub(super) fn evidence(&self, actions: &[Recorded]) -> Vec<(usize, f64)> {
        match self {
            Self::Default(model, background) => {
                let mut memory = Memory::default();
                let mut llr = |recorded: &Recorded| model.llr(background, &mut memory, &recorded.features);
                actions.iter().map(|recorded| (1, llr(recorded))).collect()
            }
            Self::Classic(template) => {
                let windows = actions.chunks(WINDOW);
                windows
                    .map(|part| (part.len(), template.judge(&vector(part)).llr()))
                    .collect()
            }
        }
    }

    /// How unlike the owner's some actions are, which are not none: the mean evidence against, or what the classic fitness lacks.
    pub(super) fn score(&self, actions: &[Recorded]) -> f64 {
        match self {
            Self::Default(..) => {
                let sum: f64 = self.evidence(actions).iter().map(|(_, llr)| llr).sum();
                -sum / actions.len() as f64
            }
            Self::Classic(template) => 1.0 - template.judge(&vector(actions)).fitness,
        }
    }

    /// A trial of some actions; what speaks against the owner is a reason for a step-up.
    pub(super) fn trial(&self, account: &str, trial: usize, genuine: bool, actions: &[Recorded]) -> Trial {
        let score = self.score(actions);
        let accepted = match self {
            Self::Default(..) => score <= 0.0,
            Self::Classic(template) => 1.0 - score >= template.threshold,
        };
        Trial {
            account: account.to_owned(),
            trial: trial as u64,
            label: if genuine { "genuine" } else { "impostor" },
            score,
            decision: if accepted { "accept" } else { "step_up" },
            time: actions.len() as f64,
        }
    }
}

/// The classic template of windows of actions.
fn classic_template(person: &Person, window: usize) -> Option<Template> {
    let all: usize = person.enrolled.iter().map(Vec::len).sum();
    let stride = (all / FEW).clamp(1, window);
    let windows = person
        .enrolled
        .iter()
        .flat_map(|session| session.windows(window).step_by(stride));
    let vectors: Vec<means::Features> = windows.map(vector).collect();
    Template::train(&vectors, &classic::Config::default().training()).ok()
}

/// The classic means of some actions.
fn vector(actions: &[Recorded]) -> means::Features {
    let batch = Batch {
        seq: 0,
        channel: Channel::Session,
        span_ms: 0.0,
        clock_ms: 1.0,
        pointer: Pointer::Mouse,
        metrics: metrics(actions),
        digraph_ms: Vec::new(),
        keys: Vec::new(),
        path: Vec::new(),
    };
    means::Features::of(&batch, &classic::Config::default())
}

/// The classic lists, as the collector makes them.
fn metrics(actions: &[Recorded]) -> Metrics {
    let mut metrics = Metrics::default();
    let mut seconds: BTreeMap<u64, f64> = BTreeMap::new();
    let mut now = 0.0;
    for recorded in actions {
        let (mut angle, mut down) = (None, None);
        for point in recorded.action.points() {
            let dt = f64::from(point.dt_ms);
            now += dt;
            let (dx, dy) = (f64::from(point.dx), f64::from(point.dy));
            if dt > 0.0 && (dx, dy) != (0.0, 0.0) {
                metrics.mouse_velocity.push(dx.hypot(dy) / dt);
                let turn = |before: f64| {
                    let turn = (dy.atan2(dx) - before).abs();
                    turn.min(std::f64::consts::TAU - turn)
                };
                metrics.cursor_variation.extend(angle.map(turn));
                angle = Some(dy.atan2(dx));
            }
            match point.what {
                Motion::Down => down = Some(now),
                Motion::Up => {
                    metrics.dwell_ms.extend(down.take().map(|down| now - down));
                    *seconds.entry((now / 1000.0) as u64).or_default() += 1.0;
                }
                Motion::Move | Motion::Drag => {}
            }
        }
    }
    metrics.click_frequency = seconds.into_values().collect();
    metrics
}

/// The figures of trials that are each judged alone.
pub(super) fn report(protocol: &str, options: &Options, trials: &[Trial]) -> Report {
    let mut scores: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    let (mut genuine, mut impostor) = (Vec::new(), Vec::new());
    for trial in trials {
        let (own, others) = scores.entry(&trial.account).or_default();
        let (list, all) = if trial.label == "genuine" {
            (own, &mut genuine)
        } else {
            (others, &mut impostor)
        };
        list.push(trial.score);
        all.push(trial.score);
    }
    let both = scores
        .iter()
        .filter(|(_, (own, others))| !own.is_empty() && !others.is_empty());
    let per_subject: Vec<Subject> = both
        .map(|(account, (own, others))| Subject {
            account: (*account).to_owned(),
            eer: Some(eer(own, others)),
            auc: Some(auc(own, others)),
            ..Subject::default()
        })
        .collect();
    let eers: Vec<f64> = per_subject.iter().filter_map(|subject| subject.eer).collect();
    let (mean_eer, std_eer) = figures::moments(&eers);
    Report {
        protocol: protocol.to_owned(),
        model: name(options.model).to_owned(),
        subjects: per_subject.len(),
        mean_eer: Some(mean_eer),
        std_eer: Some(std_eer),
        global_eer: Some(eer(&genuine, &impostor)),
        auc: Some(auc(&genuine, &impostor)),
        frr_at_far_1pct: Some(frr_at_far(&genuine, &impostor, 0.01)),
        per_subject,
        ..Report::default()
    }
}

/// A model's name on the command line.
pub(super) fn name(model: Model) -> &'static str {
    match model {
        Model::Default => "default",
        Model::Classic => "classic",
    }
}
