//! The one place that looks at a clock.

use std::time::Instant;

/// This moment.
#[allow(clippy::disallowed_methods, reason = "a stopwatch is what a bench is")]
pub fn now() -> Instant {
    Instant::now()
}

/// Milliseconds from `begun` until now.
pub fn ms_since(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}
