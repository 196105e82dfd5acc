//! What an operator does, with real processes: starts, reloads, backs up, restores, asks the doctor.

mod backup;
mod doctor;
mod log;
mod postgres;
mod reload;
pub mod server;
mod start;
