//! IKDD: whatever was typed in an app. Tsimperidis et al., Information 2024, 15(9), 511.
//!
//! An account is enrolled on its first two logs and judged on its later ones; impostors are the last logs of the other accounts.
//! The order of events in a log is not published, so it is a seeded random one.

mod classic;
mod logs;
mod sequential;
mod summary;
#[cfg(test)]
mod tests;
mod windows;

pub(super) use sequential::sequential;
pub(super) use windows::windows;

use crate::free::{Account, Background, Crowd, Table, Timing};
use logs::{Logs, Volunteer};
use std::sync::Arc;

/// The seed of every shuffle.
const SEED: u64 = 2026_1122;

/// Logs that an account is enrolled on.
const ENROL: usize = 2;

/// The crowd that the accounts are judged against: whoever is in the background, with all logs; made-up people if they are few.
fn crowd(background: &[Volunteer]) -> Arc<Crowd> {
    let accounts: Vec<_> = background
        .iter()
        .map(|volunteer| account(volunteer, &volunteer.logs))
        .collect();
    let background = Background::of(&accounts.iter().collect::<Vec<_>>()).unwrap_or_else(Background::neutral);
    Arc::new(Crowd::new(&background))
}

/// An account that has learned these logs.
fn account(volunteer: &Volunteer, logs: &[Vec<Timing>]) -> Account {
    let mut account = Account::new(volunteer.tag);
    logs.iter().for_each(|log| account.learn(log));
    account
}

/// An account's table after its enrolment.
fn enrolled(volunteer: &Volunteer, crowd: &Arc<Crowd>) -> Option<Table> {
    Table::new(&account(volunteer, volunteer.enrolment()), crowd)
}

/// Who is judged, and the others that try.
fn pairs(logs: &Logs) -> impl Iterator<Item = (&Volunteer, Vec<&Volunteer>)> {
    logs.judged
        .iter()
        .filter(|volunteer| !volunteer.later().is_empty())
        .map(|owner| {
            let others = logs.judged.iter().filter(|other| other.name != owner.name).collect();
            (owner, others)
        })
}
