//! Journeys in a real Chromium.

mod chrome;
mod collector;
mod hand;
mod pages;
mod relying_party;
mod takeover;
