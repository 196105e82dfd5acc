//! What an operator does, with real processes: starts, reloads, backs up, restores, asks the doctor.

mod reload;
mod server;
