//! Sign-in, step-up and all that hangs on them, as a person in front of a browser sees it, and as an attacker does.

mod account;
mod approval;
mod assurance;
mod attack;
mod away;
mod browser;
mod clock;
mod consent;
mod factors;
mod limits;
mod password_rhythm;
mod recovery;
mod sign_in;
mod stage;
mod step_up;
mod upgrade;
mod walk;
