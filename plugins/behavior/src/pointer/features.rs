//! What is kept of an action.

use super::action::Action;
use super::measures::measure;
use serde::{Deserialize, Serialize};

pub use super::measures::MEASURES;

/// Bits of a code.
const BITS: usize = 5;

/// Bytes of an action.
const BYTES: usize = (MEASURES * BITS).div_ceil(8);

/// An action as it is kept: 52 bytes, five bits a measurement, no place and no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct Features([u8; BYTES]);

impl Features {
    /// Packs codes, of which each is below 32.
    pub(super) fn pack(codes: &[u8; MEASURES]) -> Self {
        let mut bytes = [0; BYTES];
        for (i, code) in codes.iter().enumerate() {
            let shifted = u16::from(*code) << (i * BITS % 8);
            let at = i * BITS / 8;
            for (byte, part) in bytes.iter_mut().skip(at).zip(shifted.to_le_bytes()) {
                *byte |= part;
            }
        }
        Self(bytes)
    }

    /// The codes, one a measurement; each is below 32.
    pub(super) fn codes(&self) -> [u8; MEASURES] {
        std::array::from_fn(|i| {
            let at = i * BITS / 8;
            let next = self.0.get(at + 1).copied().unwrap_or_default();
            let pair = u16::from_le_bytes([self.0[at], next]);
            (pair >> (i * BITS % 8) & 0b1_1111) as u8
        })
    }
}

impl From<Features> for Vec<u8> {
    fn from(features: Features) -> Self {
        features.0.to_vec()
    }
}

impl TryFrom<Vec<u8>> for Features {
    type Error = &'static str;

    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| "an action has another number of bytes")
    }
}

impl Action {
    /// Measures the action.
    pub fn features(&self) -> Features {
        Features::pack(&measure(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_back_as_they_were_packed() {
        for seed in 0..200usize {
            let codes: [u8; MEASURES] = std::array::from_fn(|i| ((i * 31 + seed * 17 + i * i * seed) % 32) as u8);
            assert_eq!(Features::pack(&codes).codes(), codes);
        }
    }
}
