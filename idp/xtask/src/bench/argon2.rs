//! What argon2id costs on this machine, by itself: no sign-in can be cheaper.

use crate::cpu::Meter;
use crate::people::PASSWORD;
use crate::stopwatch;
use anyhow::{anyhow, ensure};
use std::time::Duration;

/// How long it is measured, in each round.
const MEASURED: Duration = Duration::from_millis(800);

/// CPU time of one hash with Gait's own parameters, in microseconds.
///
/// # Errors
/// The time can't be read.
pub fn cpu_us(meter: &Meter) -> anyhow::Result<f64> {
    let plugin = gait_password::Password::new(gait_password::Config::default())?;
    let (before, begun) = (meter.read(&[])?, stopwatch::now());
    let mut hashes = 0_u32;
    while begun.elapsed() < MEASURED {
        plugin
            .credential_payload(PASSWORD, [7; 16])
            .map_err(|error| anyhow!("{error}"))?;
        hashes += 1;
    }
    let spent = meter.between(&before, &meter.read(&[])?);
    ensure!(spent.generator_s > 0.0, "no CPU time was measured");
    Ok(spent.generator_s * 1e6 / f64::from(hashes))
}
