//! Journeys in a real Chromium.

mod chrome;
mod pages;
mod relying_party;
