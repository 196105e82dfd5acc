//! The grid that all timings are counted on: the same for every account, so that counts can be compared and added.
//!
//! Cells are equally wide in the logarithm, because people differ by factors: 128 of 4.7 % each for all holds or all digraphs
//! together, 64 of 9.7 % for a single key or digraph, which is seen less often.

/// Shortest time that is told apart, in milliseconds; whatever is shorter counts as this.
pub const MIN_MS: f64 = 8.0;

/// From here on a time is a pause and no rhythm.
pub const MAX_MS: f64 = 3000.0;

/// Cells of all holds, or all digraphs, together.
pub const FINE: usize = 128;

/// Cells of one key, or one digraph.
pub const COARSE: usize = FINE / 2;

/// The fine cell of a time; `None` for a pause, a negative number, or none at all.
pub fn cell(ms: f64) -> Option<u8> {
    if !(0.0..MAX_MS).contains(&ms) {
        return None;
    }
    let share = (ms.max(MIN_MS) / MIN_MS).ln() / (MAX_MS / MIN_MS).ln();
    Some(((share * FINE as f64) as usize).min(FINE - 1) as u8)
}

/// The coarse cell that a fine one is part of.
pub fn coarse(cell: u8) -> u8 {
    cell / 2
}

/// The middle of a fine cell, as a logarithm of milliseconds.
pub fn centre(cell: usize) -> f64 {
    MIN_MS.ln() + (MAX_MS / MIN_MS).ln() * (cell as f64 + 0.5) / FINE as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_below_a_pause_has_a_cell_and_longer_times_have_later_ones() {
        let cells: Vec<_> = (0..3000).map(|ms| cell(f64::from(ms)).unwrap()).collect();
        assert!(cells.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!((cells[0], cells[8], cells[2999]), (0, 0, 127));
        for no_rhythm in [-1.0, 3000.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(cell(no_rhythm), None);
        }
    }

    #[test]
    fn the_middle_of_a_cell_lies_in_it() {
        for i in 0..FINE {
            assert_eq!(cell(centre(i).exp()), Some(i as u8));
        }
    }
}
