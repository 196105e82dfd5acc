//! How a measurement becomes one byte: logarithmic steps of a few per cent, the same for everybody.

/// The scale of a measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// Not negative: logarithmic from `unit` to `top`, linear below `unit`.
    Size { unit: f64, top: f64 },
    /// Of either sign, the same on both sides of code 128.
    Signed { unit: f64, top: f64 },
    /// From 0 to 1.
    Share,
    /// A small whole number.
    Count,
}

/// The code of zero on a signed scale.
const MIDDLE: f64 = 128.0;

impl Scale {
    /// The code of a measurement: monotone; what is beyond the scale gets its end, and what is no number gets the code of zero.
    pub(super) fn code(self, value: f64) -> u8 {
        let value = if value.is_nan() { 0.0 } else { value };
        let log = |value: f64, unit: f64, top: f64| (value.min(top) / unit).ln_1p() / (top / unit).ln_1p();
        let code = match self {
            Self::Size { unit, top } => 255.0 * log(value.max(0.0), unit, top),
            Self::Signed { unit, top } => MIDDLE + 127.0 * log(value.abs(), unit, top).copysign(value),
            Self::Share => 255.0 * value,
            Self::Count => value,
        };
        // Saturates.
        code.round() as u8
    }
}
