//! Redirects to Gait from which the browser has yet to come back, by their `state`.

use openidconnect::{CsrfToken, Nonce, PkceCodeVerifier};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Mail codes take their time.
const LIFE_S: i64 = 30 * 60;
const MOST: usize = 1000;

/// What the browser was sent away for.
pub(crate) enum Errand {
    /// To sign in, or for a step-up.
    SignIn {
        nonce: Nonce,
        verifier: PkceCodeVerifier,
        /// The `max_age` that was asked for, in seconds.
        max_age: Option<u64>,
    },
    /// To sign out.
    SignOut,
}

struct Entry {
    browser: CsrfToken,
    at: i64,
    errand: Errand,
}

/// The errands under way.
#[derive(Default)]
pub(crate) struct Pending(Mutex<HashMap<String, Entry>>);

impl Pending {
    /// Remembers an errand of the browser that holds the cookie `browser`.
    pub(crate) fn add(&self, state: &CsrfToken, browser: CsrfToken, errand: Errand, now: i64) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.retain(|_, entry| now - entry.at < LIFE_S);
        if map.len() >= MOST {
            let oldest = map.iter().min_by_key(|(_, entry)| entry.at).map(|(state, _)| state.clone());
            oldest.and_then(|state| map.remove(&state));
        }
        map.insert(
            state.secret().clone(),
            Entry {
                browser,
                at: now,
                errand,
            },
        );
    }

    /// Takes an errand, once, and only in the browser that it was begun in: another one can't be tricked into ending it.
    pub(crate) fn take(&self, state: &str, browser: Option<&CsrfToken>, now: i64) -> Option<Errand> {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = map
            .get(state)
            .filter(|entry| now - entry.at < LIFE_S && Some(&entry.browser) == browser);
        entry.is_some().then(|| map.remove(state)).flatten().map(|entry| entry.errand)
    }
}
