//! The memory that argon2id fills. It is kept for the next hash: to get it from the system, emptied, takes a tenth of a hash.

use argon2::Block;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most of it that is kept while nobody hashes, in blocks of 1 KiB: 64 MiB.
const KEPT: usize = 65_536;

/// What is kept.
#[derive(Default)]
pub(crate) struct Memory {
    kept: Mutex<Vec<Vec<Block>>>,
}

impl Memory {
    /// Lends memory of so many blocks, whatever is in it.
    pub(crate) fn lend<T>(&self, blocks: usize, hash: impl FnOnce(&mut [Block]) -> T) -> T {
        let mut memory = self.take(blocks).unwrap_or_else(|| vec![Block::new(); blocks]);
        let outcome = hash(&mut memory);
        self.keep(memory);
        outcome
    }

    fn take(&self, blocks: usize) -> Option<Vec<Block>> {
        let mut kept = self.kept();
        let fits = kept.iter().position(|memory| memory.len() == blocks)?;
        Some(kept.swap_remove(fits))
    }

    fn keep(&self, memory: Vec<Block>) {
        let mut kept = self.kept();
        let blocks: usize = kept.iter().map(Vec::len).sum();
        if blocks + memory.len() <= KEPT {
            kept.push(memory);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
