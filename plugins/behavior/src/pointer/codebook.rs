//! How a measurement becomes five bits: logarithmic steps, the same for everybody. They are coarse on purpose: what tells
//! people apart on many days is coarser still.

/// The scale of a measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Not negative: logarithmic from `unit` to `top`, linear below `unit`.
    Size { unit: f64, top: f64 },
    /// Of either sign, the same on both sides of code 16.
    Signed { unit: f64, top: f64 },
    /// From 0 to 1.
    Share,
    /// A small whole number.
    Count,
}

/// How many codes there are.
pub(super) const CODES: usize = 32;

/// The largest code.
const LAST: f64 = (CODES - 1) as f64;

/// The code of zero on a signed scale.
const MIDDLE: f64 = 16.0;

impl Scale {
    /// The code of a measurement: monotone; what is beyond the scale gets its end, and what is no number gets the code of zero.
    pub(super) fn code(self, value: f64) -> u8 {
        let value = if value.is_nan() { 0.0 } else { value };
        let log = |value: f64, unit: f64, top: f64| (value.min(top) / unit).ln_1p() / (top / unit).ln_1p();
        let code = match self {
            Self::Size { unit, top } => CODES as f64 * log(value.max(0.0), unit, top),
            Self::Signed { unit, top } => MIDDLE + MIDDLE * log(value.abs(), unit, top).copysign(value),
            Self::Share => CODES as f64 * value,
            Self::Count => value,
        };
        code.floor().clamp(0.0, LAST) as u8
    }
}
