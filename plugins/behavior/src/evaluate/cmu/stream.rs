//! A stream of sign-ins in the order of time, with impostors in between.

use super::data::{Typed, Typist};
use super::examiner::Examiner;
use super::outcome::Judged;
use super::{JUDGED_FROM, OF_EACH, REPETITIONS, SEED};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Which repetitions of the others are impostors'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Impostors {
    /// The first ones: they see the text for the first time.
    First,
    /// The last ones: they have practised it for 400 repetitions.
    Last,
}

impl Impostors {
    fn of(self, other: &Typist) -> &[Typed] {
        match self {
            Self::First => &other.typed[..OF_EACH],
            Self::Last => &other.typed[other.typed.len() - OF_EACH..],
        }
    }
}

/// What is typed for an account after its enrolment.
pub(super) struct Stream<'a> {
    account: &'a str,
    events: Vec<Event<'a>>,
}

struct Event<'a> {
    at: f64,
    genuine: bool,
    typed: &'a Typed,
}

impl<'a> Stream<'a> {
    /// The owner's repetitions from `enrol` on; the impostors' at random places among those that are judged; and, if there are
    /// any before, five more of everybody else among them, which are not judged but might be learned.
    pub(super) fn new(typists: &'a [Typist], owner: usize, enrol: usize, impostors: Impostors) -> Self {
        let mut random = StdRng::seed_from_u64(SEED + owner as u64);
        let own = &typists[owner];
        let mut events: Vec<_> = (enrol..REPETITIONS)
            .map(|at| Event {
                at: at as f64,
                genuine: true,
                typed: &own.typed[at],
            })
            .collect();
        let mut intrude = |typed: &'a Typed, from: usize, to: usize| {
            events.push(Event {
                at: random.gen_range(from as f64..to as f64),
                genuine: false,
                typed,
            });
        };
        for other in super::others(typists, own) {
            impostors
                .of(other)
                .iter()
                .for_each(|typed| intrude(typed, JUDGED_FROM, REPETITIONS));
            if enrol < JUDGED_FROM {
                let early = &other.typed[OF_EACH..2 * OF_EACH];
                early.iter().for_each(|typed| intrude(typed, enrol, JUDGED_FROM));
            }
        }
        events.sort_by(|a, b| a.at.total_cmp(&b.at));
        Self {
            account: &own.name,
            events,
        }
    }

    /// Lets a model judge and learn as the server does: what lies well inside the account's own range is learned as it is; of
    /// the rest, the owner's passes a step-up and is learned as proven, and an impostor's does not.
    pub(super) fn run(&mut self, model: &mut dyn Examiner) -> Judged {
        let mut judged = Judged::of(self.account);
        for event in &self.events {
            let outcome = model.judge(event.typed);
            if event.at >= JUDGED_FROM as f64 {
                judged.add(if event.genuine { "genuine" } else { "impostor" }, outcome, event.at);
            }
            if event.genuine || outcome.inside {
                model.learn(event.typed, !outcome.inside);
                judged.learned += 1;
                judged.poisoned += usize::from(!event.genuine);
            } else {
                model.remember(event.typed);
            }
        }
        judged
    }
}
