//! How often each cell was seen.

use serde::{Deserialize, Serialize};

/// What one timing adds to its cell: so fine that a count survives being halved a few times.
const UNIT: u16 = 8;

/// Counts by cell, only of those that were seen; in the order of the cells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Counts(Vec<(u8, u16)>);

impl Counts {
    /// Counts of so many timings in each cell.
    pub fn of(cells: impl Iterator<Item = f64>) -> Self {
        let count = |timings: f64| (timings * f64::from(UNIT)).clamp(0.0, f64::from(u16::MAX)) as u16;
        Self(
            (0_u8..=u8::MAX)
                .zip(cells.map(count))
                .filter(|(_, count)| *count > 0)
                .collect(),
        )
    }

    /// Counts a cell `weight` times. A full cell stays full.
    pub fn add(&mut self, cell: u8, weight: u16) {
        self.put(cell, weight.saturating_mul(UNIT));
    }

    fn put(&mut self, cell: u8, more: u16) {
        match self.0.binary_search_by_key(&cell, |(cell, _)| *cell) {
            Ok(i) => self.0[i].1 = self.0[i].1.saturating_add(more),
            Err(i) => self.0.insert(i, (cell, more)),
        }
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(cell, count)| self.put(*cell, *count));
    }

    /// Halves every count; what is nearly nothing is forgotten.
    pub fn halve(&mut self) {
        self.0.iter_mut().for_each(|(_, count)| *count /= 2);
        self.0.retain(|(_, count)| *count > 0);
    }

    /// How many timings these are.
    pub fn total(&self) -> f64 {
        self.0.iter().map(|(_, count)| f64::from(*count)).sum::<f64>() / f64::from(UNIT)
    }

    /// How many cells were seen.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Timings in each cell of a grid of `cells`.
    pub fn dense(&self, cells: usize) -> Vec<f64> {
        let mut dense = vec![0.0; cells];
        for (cell, count) in &self.0 {
            if let Some(slot) = dense.get_mut(usize::from(*cell)) {
                *slot += f64::from(*count) / f64::from(UNIT);
            }
        }
        dense
    }

    /// True if the cells are those of a grid of `cells`, each once and in order.
    pub fn is_sound(&self, cells: usize) -> bool {
        self.0.windows(2).all(|pair| pair[0].0 < pair[1].0) && self.0.last().is_none_or(|(last, _)| usize::from(*last) < cells)
    }
}
